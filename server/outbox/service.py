"""Queue what the outside must hear, in the caller's transaction; see how it stands, and change what becomes of it.

Everything may be sent twice (a crash between sending and settling); every delivery carries its key to the adapter,
which makes twice harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from server import clock, events, ids
from server.db import Database
from server.errors import Conflict, NotFound
from server.outbox import store, waiting
from server.outbox.delivering import LEASE, MOST_DEATHS, Call, deliver_due, release_dead
from server.outbox.sending import Sender
from server.outbox.store import Delivery
from server.outbox.trouble import PATIENCE, NotYet

__all__ = [
    "LEASE", "MOST_DEATHS", "PATIENCE", "UNDER_WAY", "Call", "Delivery", "NotYet", "Sender", "by_key", "cancel",
    "counts", "deliver_due", "drop", "get", "keys_known", "latest", "of_subject", "of_subjects", "queue",
    "release_dead",
    "resume", "resume_for", "retry", "retry_all", "stuck", "withdraw",
]  # fmt: skip

UNDER_WAY = waiting.OPEN
"""States of a delivery that has not come to an end."""


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
    replaces: str = "",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    subject: tuple[str, str] = ("", ""),
    connection_id: str = "",
) -> bool:
    """Write a delivery: `operation` of the site's adapter of `kind` with `payload` as its arguments.

    `key` is unique for ever; False when it was queued before. Deliveries of one `order_key` go out in order;
    `cancel(tx, cancel_key)` withdraws those that have not gone out; `not_after` withdraws one by itself. `replaces`
    names what it is about, such as "lead:led_…:person": where the newest of its order says the same and cannot
    have been delivered, this one goes out in its place, and what builds on the old key gets this one's answer.
    `connection_id`: whose it is, where that is known already: it waits in that connection's lane from the start.
    """
    now = clock.now()
    row = {
        "site_id": site_id, "kind": kind, "operation": operation, "payload": dict(payload), "key": key,
        "order_key": order_key, "cancel_key": cancel_key, "replaces": replaces, "not_after": not_after,
        "subject_kind": subject[0], "subject_id": subject[1],
    }  # fmt: skip
    if replaces:
        if store.by_key(tx, key) is not None:
            return False
        if _takes_the_place(tx, row):
            return True
    times = {"created_at": now, "not_before": not_before or now}
    new = {"id": ids.new_id("delivery"), "state": "waiting", "lane": f"{site_id}:{kind}", **times, **_UNTRIED}
    return store.put(tx, {**row, **new})


_UNTRIED = {"attempts": 0, "problem_class": "", "problem": ""}


def cancel(tx: Connection, cancel_key: str) -> int:
    """Withdraw what still waits under this key; the number withdrawn."""
    orders = store.withdraw_waiting(tx, cancel_key, clock.now())
    waiting.wake(tx, orders, clock.now())
    return len(orders)


def drop(tx: Connection, delivery_id: str) -> bool:
    """Withdraw one that has not gone out, in the transaction of what makes it needless; False when it has."""
    orders = store.withdraw_one(tx, delivery_id, clock.now())
    waiting.wake(tx, orders, clock.now())
    return bool(orders)


def resume(tx: Connection, connection_id: str) -> int:
    """The connection works again, or has ended: what was paused for it waits again, in its order; how many."""
    return store.resume(tx, store.of_connection(connection_id))


def resume_for(tx: Connection, site_id: str, kinds: Collection[str]) -> int:
    """A connection serves these kinds now ("crm", "enrichment.ipinfo"): what was paused for them waits again."""
    return store.resume(tx, store.of_kinds(site_id, kinds))


def retry(db: Database, delivery_id: str, actor: events.Actor) -> None:
    """Try a delivery again now. NotFound; Conflict when it is done or on its way, or a newer one of the same has been
    delivered, which this one would undo."""
    with db.transaction() as tx:
        row = get(tx, delivery_id)
        if store.is_overtaken(tx, delivery_id):
            raise Conflict("A newer one of the same has been delivered since; this one would undo it.")
        if not store.retry(tx, delivery_id, clock.now()):
            raise Conflict("This delivery is done or on its way; only waiting and failed ones can be tried again.")
        _record(tx, events.DELIVERY_RETRIED, row, actor)


def retry_all(db: Database, connection_id: str, actor: events.Actor) -> int:
    """Try all again that were paused or given up with this connection; how many. Given-up ones which newer ones of the
    same have overtaken are withdrawn instead."""
    with db.transaction() as tx:
        found = store.latest(tx, None, None, 1, None, connection_id)
        store.withdraw_overtaken(tx, connection_id, clock.now())
        tried = store.retry_all(tx, connection_id, ("paused", "dead"), clock.now())
        if tried:
            about = {"site_id": found[0].site_id, "subject": ("connection", connection_id), "data": {"tried": tried}}
            events.record(tx, events.DELIVERY_RETRIED, actor=actor, **about)
    return tried


def withdraw(db: Database, delivery_id: str, actor: events.Actor) -> None:
    """It is not wanted any more; those behind it go on. NotFound; Conflict when it is done or on its way."""
    with db.transaction() as tx:
        row = get(tx, delivery_id)
        orders = store.withdraw_one(tx, delivery_id, clock.now())
        if not orders:
            raise Conflict("This delivery is done or on its way; only waiting and failed ones can be withdrawn.")
        waiting.wake(tx, orders, clock.now())
        _record(tx, events.DELIVERY_WITHDRAWN, row, actor)


def get(tx: Connection, delivery_id: str) -> Delivery:
    """The delivery; NotFound."""
    found = store.get(tx, delivery_id)
    if found is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return found


def latest(
    tx: Connection,
    site_id: str | None = None,
    state: str | None = None,
    limit: int = 50,
    before: str | None = None,
    connection_id: str | None = None,
) -> Sequence[Delivery]:
    """The newest deliveries, newest first; `before` is the id to go on from."""
    return store.latest(tx, site_id, state, limit, before, connection_id)


def of_family(tx: Connection, site_id: str, family: str, limit: int) -> Sequence[Delivery]:
    """The newest deliveries whose key begins with this word and a colon, newest first."""
    return store.of_family(tx, site_id, family, limit)


def of_subject(tx: Connection, kind: str, subject_id: str) -> Sequence[Delivery]:
    """All deliveries about one thing, oldest first."""
    return store.of_subject(tx, kind, subject_id)


def of_subjects(tx: Connection, subject: str, ids: Sequence[str], *, kind: str) -> Sequence[Delivery]:
    """All deliveries of one kind about several things, oldest first."""
    return store.of_subjects(tx, subject, ids, kind) if ids else ()


def by_key(tx: Connection, key: str) -> Delivery | None:
    """The delivery of this key, or the newer one that took its place, whatever its state."""
    return store.by_key(tx, key)


def keys_known(tx: Connection, keys: Sequence[str]) -> set[str]:
    """Those of the keys under which something was queued."""
    return store.keys_known(tx, keys) if keys else set()


def counts(tx: Connection, site_id: str | None = None) -> dict[str, int]:
    """How many deliveries are in each state."""
    return store.counts(tx, site_id)


def stuck(tx: Connection, site_id: str | None = None) -> Sequence[Any]:
    """By site, connection (None where it is not known) and kind: how many are `paused` and how many `dead`."""
    return store.stuck(tx, site_id)


def _takes_the_place(tx: Connection, row: Mapping[str, Any]) -> bool:
    """Whether it went into the row of an older one, with its place in the order."""
    if not row["order_key"]:
        raise ValueError("what replaces others needs an order")
    old = store.replaceable(tx, row["order_key"], row["replaces"])
    if old is None:
        return False
    try:
        with tx.begin_nested():
            store.replace(tx, old, row)
    except IntegrityError:  # the same key was queued at this moment
        return False
    return True


def _record(tx: Connection, name: str, row: Delivery, actor: events.Actor) -> None:
    about = {"site_id": row.site_id, "subject": ("delivery", row.id), "reason": row.problem}
    events.record(tx, name, actor=actor, **about)
