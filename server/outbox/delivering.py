"""Deliver what is due and note how it went. A crash between the two sends again, which the key makes harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from plugins import meter
from plugins.errors import PluginError
from server import clock, events
from server.db import Connection, Database
from server.outbox import leases, store, trouble, waiting
from server.outbox.leases import Lease
from server.outbox.store import Delivery
from server.outbox.trouble import DEAD, PAUSED, WAITING, Fate

LEASE = timedelta(seconds=60)
MOST_DEATHS = 5


class Call(Protocol):
    """Carries out one delivery with the adapter of its site; returns what the outside answered, as JSON, with the
    `connection_id` it went through, if any. The errors it raises carry that id too."""

    def __call__(self, delivery: Delivery) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Batch:
    """Deliveries that are ours to deliver, one after the other."""

    rows: Sequence[Delivery]
    lease: Lease

    @classmethod
    def leased(cls, tx: Connection, rows: Sequence[Delivery], length: timedelta) -> Batch:
        """Take them into hand."""
        lease = Lease(leases.new_owner(), clock.now() + length)
        if rows:
            store.lease(tx, [row.id for row in rows], lease.owner, lease.until)
        return cls(rows, lease)

    def deliver(
        self, db: Database, call: Call, length: timedelta, go_on: Callable[[Delivery, PluginError | None], bool]
    ) -> None:
        """One after the other, as long as the lease holds and `go_on` says so after each; the rest is given back.
        Nobody else starts one of them meanwhile, however long the outside takes."""
        left = list(self.rows)
        with self.lease.kept(length, lambda until: _keep(db, self.lease.owner, until)):
            while left and self.lease.holds:
                row = left.pop(0)
                if not go_on(row, _deliver(db, row, self.lease.owner, call)):
                    break
            if left and self.lease.holds:
                with db.transaction() as tx:
                    store.give_back(tx, [row.id for row in left], self.lease.owner)


def deliver_due(db: Database, call: Call, *, most: int = 20, lease: timedelta = LEASE) -> int:
    """Deliver what is due here and now, some of each lane; a failure moves its own row only. Returns how many.

    A worker that has more to do than wait uses `sending.Sender`.
    """
    with db.transaction() as tx:
        waiting.free_forsaken(tx, clock.now())
        batch = Batch.leased(tx, _some_of_each(tx, most), lease)
    if batch.rows:
        batch.deliver(db, call, lease, lambda row, problem: True)
    return len(batch.rows)


def release_dead(db: Database) -> int:
    """What a process of this machine had in hand when it was killed may go out at once; the number of these.

    Of a batch that was in hand at several deaths one may be what kills: from the fifth on they rest, longer each time.
    """
    with db.reading() as tx:
        dead = [owner for owner in store.owners(tx) if leases.is_gone(owner)]
    if not dead:
        return 0
    with db.transaction() as tx:
        rows = store.leased_by(tx, dead)
        for row in rows:
            rest = 0.0 if row.attempts < MOST_DEATHS else trouble.rest_seconds(row.attempts - MOST_DEATHS + 1)
            again = clock.now() + timedelta(seconds=rest)
            store.settle(tx, row.id, row.lease_owner, {"state": "waiting", "not_before": again, "unsure": True})
    return len(rows)


def _some_of_each(tx: Connection, most: int) -> list[Delivery]:
    """From every lane a share, so that no lane fills the hands; what one leaves, the others get."""
    now = clock.now()
    found: list[Delivery] = []
    lanes = waiting.lanes(tx, now)
    for number, lane in enumerate(lanes):
        share = -(-(most - len(found)) // (len(lanes) - number))
        found += waiting.take(tx, lane, share, now) if share else []
    return sorted(found, key=lambda row: (row.not_before, row.id))


def _deliver(db: Database, row: Delivery, owner: str, call: Call) -> PluginError | None:
    """What went wrong, after it was noted."""
    try:
        answer = call(row)
    except PluginError as problem:
        _settle_failed(db, row, owner, problem)
        return problem
    through = _through(row, getattr(answer, "connection_id", ""))
    done = {"state": "done", "result": dict(answer), "problem": "", "problem_class": "", "failing_since": None}
    _settle(db, row, owner, {**done, **through}, events.DELIVERY_DONE)
    meter.here.tried(row.kind, row.operation, "done")
    return None


def _settle_failed(db: Database, row: Delivery, owner: str, problem: PluginError) -> None:
    since, now = row.failing_since, clock.now()
    fate = trouble.fate(problem, row.attempts + 1, row.created_at, since, now, unsure=row.unsure)
    values: dict[str, Any] = {
        "state": fate.state,
        "problem_class": type(problem).__name__,
        "problem": problem.user_message,
        "failing_since": fate.failing_since,
        "attempts": row.attempts + 1 if fate.counts else row.attempts,
        "unsure": row.unsure or trouble.may_have_arrived(problem),
        **_through(row, problem.connection_id or (problem.adapter if fate.state == PAUSED else "")),
    }
    if fate.at is not None:
        values["not_before"] = fate.at
    _settle(db, row, owner, values, events.DELIVERY_DEAD if fate.state == DEAD else None)
    meter.here.tried(row.kind, row.operation, _word(fate))


def _word(fate: Fate) -> str:
    return fate.state if fate.state != WAITING else "again" if fate.counts else "waits"


def _through(row: Delivery, connection_id: str) -> dict[str, str]:
    """The connection it was tried with; from then on it waits in that connection's lane."""
    return {"connection_id": connection_id, "lane": connection_id} if connection_id else {}


def _keep(db: Database, owner: str, until: datetime) -> None:
    with db.transaction() as tx:
        store.keep(tx, owner, until)


def _settle(db: Database, row: Delivery, owner: str, values: dict[str, Any], event: str | None) -> None:
    now = clock.now()
    with db.transaction() as tx:
        final = {"settled_at": now} if event else {}
        if store.settle(tx, row.id, owner, {**values, **final}) and event:
            waiting.wake(tx, [row.order_key], now)
            data = {
                "kind": row.kind,
                "operation": row.operation,
                "key": row.key,
                "subject": [row.subject_kind, row.subject_id],
                "result": values.get("result"),
                "problem": values["problem"],
            }
            events.record(
                tx,
                event,
                site_id=row.site_id,
                subject=("delivery", row.id),
                actor=events.SYSTEM,
                reason=values["problem"],
                data=data,
            )
