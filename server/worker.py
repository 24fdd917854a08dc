"""The back room: reacts to the diary, does what is due by the timetable, empties the outbox."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from server import clock, events, settings
from server.adapters.service import Delivered
from server.db import Database
from server.enrichment import service as enrichment
from server.outbox import service as outbox
from server.reactions import REACTIONS
from server.schedule import TIMETABLE, Job
from server.sync import service as sync

_log = logging.getLogger("usher.worker")
A_ROUND_SECONDS = 0.2
"""So long a round waits for deliveries, which are mostly done then."""
FINISH_SECONDS = 30.0
"""So long a worker that is told to stop waits for deliveries under way: longer than calls may take."""
_FAILED = "the job %r failed; it is tried again in %s"


class Worker:
    """Works in rounds; several workers on one database do not get into each other's way."""

    def __init__(self, db: Database, timetable: Sequence[Job] = TIMETABLE) -> None:
        self.db = db
        self._timetable = timetable
        self.stopping = False
        self._sender = outbox.Sender(db, lambda delivery: _carry_out(db, delivery))
        self._done_at: dict[str, datetime] = {}
        self._aside: dict[str, threading.Thread] = {}

    def run(self, rest: Callable[[float], object] = time.sleep) -> None:
        """Round after round until `stopping`, resting when nothing is due; waits for a database that is away."""
        while not self.stopping:
            try:
                busy = self.round()
            except SQLAlchemyError:
                _log.exception("the database does not answer; trying again")
                busy = False
            if not busy:
                rest(settings.get().worker_poll_seconds)
        self._sender.finish(FINISH_SECONDS)

    def round(self) -> bool:
        """One round; True when there was something to do, or deliveries are under way: those that take longer go on
        beside the following rounds."""
        busy = self._sender.busy  # what ends from here on may be something to react to
        busy |= self._react()
        self._keep_timetable()
        busy |= self._sender.begin() > 0
        self._sender.wait(A_ROUND_SECONDS)
        return busy

    def _react(self) -> bool:
        with self.db.reading() as tx:
            waiting = events.waiting(tx, REACTIONS)
        for event in waiting:
            try:
                self._react_to(event)
            except SQLAlchemyError:
                raise
            except Exception:  # noqa: BLE001 - one faulty reaction must not stop all others
                _log.exception("a reaction to %s (%s) failed", event.name, event.id)
                with self.db.transaction() as tx:
                    events.failed(tx, event.id)
        return bool(waiting)

    def _react_to(self, event: events.Event) -> None:
        with self.db.transaction() as tx:
            if events.take(tx, event.id):
                for react in REACTIONS[event.name]:
                    react(tx, event)

    def _keep_timetable(self) -> None:
        now = clock.now()
        for job in self._timetable:
            last = self._done_at.get(job.name)
            if last is None or now - last >= job.every:
                self._done_at[job.name] = now
                self._do(job)

    def _do(self, job: Job) -> None:
        try:
            if job.when(self.db):
                (self._begin if job.aside else self._carry_out)(job)
        except SQLAlchemyError:
            raise
        except Exception:  # noqa: BLE001 - one faulty job must not stop all others
            _log.exception(_FAILED, job.name, job.every)

    def _carry_out(self, job: Job) -> None:
        job.do(self.db)

    def _begin(self, job: Job) -> None:
        """Do it beside the rounds, unless the last time is not over yet."""
        before = self._aside.get(job.name)
        if before is None or not before.is_alive():
            self._aside[job.name] = threading.Thread(target=self._aside_of, args=(job,), name=job.name, daemon=True)
            self._aside[job.name].start()

    def _aside_of(self, job: Job) -> None:
        try:
            job.do(self.db)
        except Exception:  # noqa: BLE001 - the thread ends with it; the job is begun again
            _log.exception(_FAILED, job.name, job.every)


def _carry_out(db: Database, delivery: outbox.Delivery) -> Delivered:
    """Every delivery is done by the room that knows what it is about; most by nothing but their adapter."""
    room = enrichment if delivery.kind.startswith(enrichment.KIND) else sync
    return room.carry_out(db, delivery)
