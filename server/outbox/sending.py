"""Deliver beside the rounds of a worker: several connections at the same time, so that one that is slow or dead delays
no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from plugins.errors import PluginError
from plugins.limits import BREAKER, GATE
from server import clock
from server.db import Connection, Database
from server.outbox import trouble, waiting
from server.outbox.delivering import LEASE, Batch, Call
from server.outbox.store import Delivery

AT_ONCE = 12
"""Batches in hand at the same time, in a process."""
OF_A_LANE = 3
"""… of one lane. What is due at the same time has no order among itself."""
UNWELL_AT_ONCE = 4
"""… of lanes whose last delivery found the service unwell: so many hang in time-outs, and the others go on."""
A_BATCH = 5
IN_A_ROW = 2
"""After so many in a row that found the service unwell the rest of a batch is given back."""
RESTS_AFTER, LONGEST_REST = 5, timedelta(minutes=5)
"""A lane that was unwell so often in a row rests, longer each time; adapters without a breaker have nothing else."""

_log = logging.getLogger("usher.outbox")


@dataclass
class _Lane:
    running: int = 0
    failures: int = 0
    rests_until: datetime | None = None


@dataclass
class Sender:
    """Has a batch in hand for each thread it has begun (under gevent: greenlet). For one worker."""

    db: Database
    call: Call
    lease: timedelta = LEASE
    stopping: bool = False
    _lanes: dict[str, _Lane] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def begin(self) -> int:
        """Begin to deliver what is due, some of each lane; how many that are."""
        now = clock.now()
        with self.db.reading() as tx:
            lanes = [lane for lane in waiting.lanes(tx, now) if self._room(lane, now)]
            forsaken = waiting.forsaken(tx, now)
        if self.stopping or not (lanes or forsaken):
            return 0
        with self.db.transaction() as tx:
            waiting.free_forsaken(tx, now)
            batches = self._take(tx, lanes, now)
        for lane, batch in batches:
            threading.Thread(target=self._deliver, args=(lane, batch), name="deliveries", daemon=True).start()
        return sum(len(batch.rows) for _, batch in batches)

    def wait(self, seconds: float) -> bool:
        """Until all that was begun has ended, or so long; True when it has."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)

    def finish(self, seconds: float) -> None:
        """Begin nothing more, give back what was not started, and wait for what was, but not longer than this."""
        self.stopping = True
        self.wait(seconds)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        with self._changed:
            return self._running > 0

    @property
    def _running(self) -> int:
        return sum(lane.running for lane in self._lanes.values())

    def _take(self, tx: Connection, lanes: Sequence[str], now: datetime) -> list[tuple[str, Batch]]:
        """One batch of each lane, then a second of each …"""
        taken, more = [], list(lanes)
        for _ in range(OF_A_LANE):
            for lane in list(more):
                most = self._room(lane, now)
                rows = waiting.take(tx, lane, most, now) if most else []
                if rows:
                    taken.append((lane, Batch.leased(tx, rows, self.lease)))
                    self._changes(lane, 1)
                if len(rows) < A_BATCH:
                    more.remove(lane)
        return taken

    def _room(self, lane: str, now: datetime) -> int:
        """How many deliveries of this lane may be taken into hand now."""
        with self._changed:
            of = self._lanes.get(lane, _Lane())
            if self._running >= AT_ONCE or of.rests_until is not None and now < of.rests_until:
                return 0
            if not of.failures:
                return A_BATCH if of.running < OF_A_LANE else 0
            unwell = sum(1 for one in self._lanes.values() if one.failures and one.running)
            return 1 if not of.running and unwell < UNWELL_AT_ONCE else 0

    def _changes(self, lane: str, by: int) -> None:
        with self._changed:
            of = self._lanes.setdefault(lane, _Lane())
            of.running += by
            if not of.running and not of.failures and of.rests_until is None:
                del self._lanes[lane]
            self._changed.notify_all()

    def _deliver(self, lane: str, batch: Batch) -> None:
        failed = 0

        def go_on(row: Delivery, problem: PluginError | None) -> bool:
            nonlocal failed
            failed = failed + 1 if problem is not None and trouble.is_unwell(problem) else 0
            rests = self._note(lane, row, problem)
            return not (rests or self.stopping or failed >= IN_A_ROW)

        try:
            batch.deliver(self.db, self.call, self.lease, go_on)
        except SQLAlchemyError:
            _log.exception("the database does not answer; what was in hand is sent again when its lease has ended")
        finally:
            self._changes(lane, -1)

    def _note(self, lane: str, row: Delivery, problem: PluginError | None) -> bool:
        """How the lane fares; True when it rests now."""
        now = clock.now()
        with self._changed:
            of = self._lanes.setdefault(lane, _Lane())
            of.rests_until = None
            if problem is not None and problem.held in (BREAKER, GATE):
                own = problem.connection_id
                for name in {own, lane} if row.kind != "calendar" else {own}:  # a rep's own calendar is one of many
                    if name:
                        self._lanes.setdefault(name, _Lane()).rests_until = problem.retry_after
            elif problem is not None and trouble.is_unwell(problem):
                of.failures += 1
                if of.failures >= RESTS_AFTER:
                    rest = timedelta(seconds=2 ** min(of.failures - RESTS_AFTER, 10))
                    of.rests_until = now + min(rest, LONGEST_REST)
            else:
                of.failures = 0
            return of.rests_until is not None and now < of.rests_until
