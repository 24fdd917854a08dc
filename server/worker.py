"""The back room: reacts to the diary, does what is due by the timetable, empties the outbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from server import clock, events, settings
from server.adapters import service as adapters
from server.db import Database
from server.outbox import service as outbox
from server.reactions import REACTIONS
from server.schedule import TIMETABLE, Job

_log = logging.getLogger("usher.worker")


class Worker:
    """Works in rounds; several workers on one database do not get into each other's way."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.stopping = False
        self._done_at: dict[str, datetime] = {}

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

    def round(self) -> bool:
        """One round; True when there was something to do."""
        did = self._react()
        self._keep_timetable()
        return bool(outbox.deliver_due(self.db, lambda delivery: adapters.carry_out(self.db, delivery))) or did

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
        for job in TIMETABLE:
            last = self._done_at.get(job.name)
            if last is None or now - last >= job.every:
                self._done_at[job.name] = now
                self._do(job)

    def _do(self, job: Job) -> None:
        try:
            job.do(self.db)
        except SQLAlchemyError:
            raise
        except Exception:  # noqa: BLE001 - one faulty job must not stop all others
            _log.exception("the job %r failed; it is tried again in %s", job.name, job.every)
