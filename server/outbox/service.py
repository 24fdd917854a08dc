"""Queue what the outside must hear, in the caller's transaction; lease, deliver and settle it afterwards.

Everything may be sent twice (a crash between sending and settling); every delivery carries its key to the adapter,
which makes twice harmless.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection

from plugins.errors import PluginError, Retry
from server import clock, events, ids
from server.db import Database
from server.errors import Conflict, NotFound
from server.outbox import leases, store
from server.outbox.leases import Lease
from server.outbox.store import Delivery

UNDER_WAY = ("waiting", "leased")
"""States of a delivery that has not come to an end."""
LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 12
MOST_DEATHS = 5
FIRST_REST_SECONDS = 15
LONGEST_REST_SECONDS = 3600


class Call(Protocol):
    """Carries out one delivery with the adapter of its site; returns what the outside answered, as JSON."""

    def __call__(self, delivery: Delivery) -> Mapping[str, Any]: ...


def queue(
    tx: Connection,
    *,
    site_id: str,
    kind: str,
    operation: str,
    payload: Mapping[str, Any],
    key: str,
    order_key: str = "",
    cancel_key: str = "",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    subject: tuple[str, str] = ("", ""),
) -> bool:
    """Write a delivery: `operation` of the site's adapter of `kind` with `payload` as its arguments.

    `key` is unique for ever; False when it was queued before. Deliveries of one `order_key` go out in order;
    `cancel(tx, cancel_key)` withdraws those that have not gone out; `not_after` withdraws one by itself.
    """
    now = clock.now()
    row = {
        "id": ids.new_id("delivery"),
        "site_id": site_id,
        "kind": kind,
        "operation": operation,
        "payload": dict(payload),
        "key": key,
        "order_key": order_key,
        "cancel_key": cancel_key,
        "subject_kind": subject[0],
        "subject_id": subject[1],
        "state": "waiting",
        "created_at": now,
        "not_before": not_before or now,
        "not_after": not_after,
        "attempts": 0,
        "problem_class": "",
        "problem": "",
    }
    return store.put(tx, row)


def cancel(tx: Connection, cancel_key: str) -> int:
    """Withdraw what still waits under this key; the number withdrawn."""
    return store.withdraw(tx, cancel_key, clock.now())


def deliver_due(db: Database, call: Call, *, most: int = 20, lease: timedelta = LEASE) -> int:
    """Deliver what is due; a failure moves its own row only. Returns how many were tried.

    Nobody else starts one of them meanwhile, however long the outside takes: the lease is kept until the last is done.
    """
    held = Lease(leases.new_owner(), clock.now() + lease)
    with db.transaction() as tx:
        due = store.due(tx, clock.now(), most)
        late = {row.id for row in due if row.not_after is not None and row.not_after <= clock.now()}
        found = [row for row in due if row.id not in late]
        store.withdraw_late(tx, sorted(late), clock.now())
        if found:
            store.lease(tx, [row.id for row in found], held.owner, held.until)
    if not found:
        return 0
    with held.kept(lease, lambda until: _keep(db, held.owner, until)):
        for row in found:
            if held.holds:
                _deliver(db, row, held.owner, call)
    return len(found)


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
            rest = 0.0 if row.attempts < MOST_DEATHS else _rest_seconds(row.attempts - MOST_DEATHS + 1)
            again = clock.now() + timedelta(seconds=rest)
            store.settle(tx, row.id, row.lease_owner, {"state": "waiting", "not_before": again})
    return len(rows)


def retry(db: Database, delivery_id: str, actor: events.Actor) -> None:
    """Try a delivery again now. NotFound; Conflict when it is done or on its way."""
    with db.transaction() as tx:
        row = store.get(tx, delivery_id)
        if row is None:
            raise NotFound(f"There is no delivery {delivery_id}.")
        if not store.retry(tx, delivery_id, clock.now()):
            raise Conflict("This delivery is done or on its way; only waiting and failed ones can be tried again.")
        about = {"site_id": row.site_id, "subject": ("delivery", row.id), "reason": row.problem}
        events.record(tx, events.DELIVERY_RETRIED, actor=actor, **about)


def get(tx: Connection, delivery_id: str) -> Delivery:
    """The delivery; NotFound."""
    found = store.get(tx, delivery_id)
    if found is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return found


def latest(
    tx: Connection, site_id: str | None = None, state: str | None = None, limit: int = 50, before: str | None = None
) -> Sequence[Delivery]:
    """The newest deliveries, newest first; `before` is the id to go on from."""
    return store.latest(tx, site_id, state, limit, before)


def of_subject(tx: Connection, kind: str, subject_id: str) -> Sequence[Delivery]:
    """All deliveries about one thing, oldest first."""
    return store.of_subject(tx, kind, subject_id)


def of_subjects(tx: Connection, subject: str, ids: Sequence[str], *, kind: str) -> Sequence[Delivery]:
    """All deliveries of one kind about several things, oldest first."""
    return store.of_subjects(tx, subject, ids, kind) if ids else ()


def by_key(tx: Connection, key: str) -> Delivery | None:
    """The delivery of this key, whatever its state."""
    return store.by_key(tx, key)


def keys_known(tx: Connection, keys: Sequence[str]) -> set[str]:
    """Those of the keys under which something was queued."""
    return store.keys_known(tx, keys) if keys else set()


def counts(tx: Connection) -> dict[str, int]:
    """How many deliveries are in each state."""
    return store.counts(tx)


def _deliver(db: Database, row: Delivery, owner: str, call: Call) -> None:
    try:
        result = call(row)
    except PluginError as problem:
        _settle_failed(db, row, owner, problem)
    else:
        _settle(
            db,
            row,
            owner,
            {"state": "done", "result": dict(result), "problem": "", "problem_class": ""},
            events.DELIVERY_DONE,
        )


def _settle_failed(db: Database, row: Delivery, owner: str, problem: PluginError) -> None:
    values: dict[str, Any] = {"problem_class": type(problem).__name__, "problem": problem.user_message}
    again = _next_try(row.attempts + 1, problem)
    if again is None:
        _settle(db, row, owner, {"state": "dead", **values}, events.DELIVERY_DEAD)
    else:
        _settle(db, row, owner, {"state": "waiting", "not_before": again, **values}, None)


def _next_try(attempt: int, problem: PluginError) -> datetime | None:
    """When to try again; None to give up. The error's class says whether trying again can help."""
    if problem.retry is Retry.NEVER or attempt >= MOST_ATTEMPTS:
        return None
    rested = clock.now() + timedelta(seconds=_rest_seconds(attempt))
    return max(rested, problem.retry_after or rested)


def _rest_seconds(attempt: int) -> float:
    spread = 0.75 + random.random() / 2  # noqa: S311 (only spreads load)
    return min(FIRST_REST_SECONDS * 2 ** (min(attempt, MOST_ATTEMPTS) - 1), LONGEST_REST_SECONDS) * spread


def _keep(db: Database, owner: str, until: datetime) -> None:
    with db.transaction() as tx:
        store.keep(tx, owner, until)


def _settle(db: Database, row: Delivery, owner: str, values: dict[str, Any], event: str | None) -> None:
    with db.transaction() as tx:
        final = {"settled_at": clock.now()} if event else {}
        if store.settle(tx, row.id, owner, {**values, **final}) and event:
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
