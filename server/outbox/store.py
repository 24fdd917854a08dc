"""All SQL about deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.outbox.tables import deliveries as t

Delivery = Row[Any]

_earlier = t.alias("earlier")
_EARLIER_OPEN = exists().where(
    _earlier.c.order_key == t.c.order_key, _earlier.c.id < t.c.id, _earlier.c.state.in_(("waiting", "leased"))
)
_FREE = or_(t.c.state == "waiting", and_(t.c.state == "leased", t.c.lease_until < bindparam("now")))
_DUE = (
    select(t)
    .where(_FREE, t.c.not_before <= bindparam("now"), or_(t.c.order_key == "", not_(_EARLIER_OPEN)))
    .order_by(t.c.not_before, t.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=t)
)


def put(tx: Connection, row: Mapping[str, Any]) -> bool:
    """True when the row is new; a key that is known already changes nothing."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    new = dialect.insert(t).values(**row).on_conflict_do_nothing(index_elements=["key"]).returning(t.c.id)
    return tx.execute(new).first() is not None


def due(tx: Connection, now: datetime, most: int) -> Sequence[Delivery]:
    return tx.execute(_DUE, {"now": now, "most": most}).all()


def lease(tx: Connection, ids: Sequence[str], owner: str, until: datetime) -> None:
    taken = update(t).where(t.c.id.in_(ids))
    tx.execute(taken.values(state="leased", lease_owner=owner, lease_until=until, attempts=t.c.attempts + 1))


def keep(tx: Connection, owner: str, until: datetime) -> None:
    tx.execute(update(t).where(t.c.state == "leased", t.c.lease_owner == owner).values(lease_until=until))


def owners(tx: Connection) -> Sequence[str]:
    """Who has something in hand."""
    return tx.execute(select(t.c.lease_owner).where(t.c.state == "leased").distinct()).scalars().all()


def leased_by(tx: Connection, owners: Sequence[str]) -> Sequence[Delivery]:
    here = and_(t.c.state == "leased", t.c.lease_owner.in_(owners))
    return tx.execute(select(t).where(here).order_by(t.c.id)).all()


def settle(tx: Connection, delivery_id: str, owner: str, values: Mapping[str, Any]) -> bool:
    """True when the lease was still ours."""
    mine = update(t).where(t.c.id == delivery_id, t.c.lease_owner == owner, t.c.state == "leased")
    return tx.execute(mine.values(lease_owner=None, lease_until=None, **values)).rowcount == 1


def withdraw(tx: Connection, cancel_key: str, now: datetime) -> int:
    open_ones = update(t).where(t.c.cancel_key == cancel_key, t.c.state == "waiting")
    return tx.execute(open_ones.values(state="withdrawn", settled_at=now)).rowcount


def withdraw_late(tx: Connection, ids: Sequence[str], now: datetime) -> None:
    if ids:
        late = {"state": "withdrawn", "settled_at": now, "lease_owner": None, "lease_until": None}
        tx.execute(update(t).where(t.c.id.in_(ids)).values(**late))


def retry(tx: Connection, delivery_id: str, now: datetime) -> bool:
    stuck = update(t).where(t.c.id == delivery_id, t.c.state.in_(("dead", "waiting")))
    return tx.execute(stuck.values(state="waiting", not_before=now, attempts=0)).rowcount == 1


def get(tx: Connection, delivery_id: str) -> Delivery | None:
    return tx.execute(select(t).where(t.c.id == delivery_id)).one_or_none()


def latest(
    tx: Connection, site_id: str | None, state: str | None, limit: int, before: str | None
) -> Sequence[Delivery]:
    found = select(t).order_by(t.c.id.desc()).limit(limit)
    if site_id:
        found = found.where(t.c.site_id == site_id)
    if state:
        found = found.where(t.c.state == state)
    if before:
        found = found.where(t.c.id < before)
    return tx.execute(found).all()


def of_subject(tx: Connection, kind: str, subject_id: str) -> Sequence[Delivery]:
    found = select(t).where(t.c.subject_kind == kind, t.c.subject_id == subject_id).order_by(t.c.id)
    return tx.execute(found).all()


def of_subjects(tx: Connection, subject: str, ids: Sequence[str], kind: str) -> Sequence[Delivery]:
    found = select(t).where(t.c.subject_kind == subject, t.c.subject_id.in_(ids), t.c.kind == kind)
    return tx.execute(found.order_by(t.c.id)).all()


def counts(tx: Connection) -> dict[str, int]:
    return {state: n for state, n in tx.execute(select(t.c.state, func.count()).group_by(t.c.state))}


def keys_known(tx: Connection, keys: Sequence[str]) -> set[str]:
    return set(tx.execute(select(t.c.key).where(t.c.key.in_(keys))).scalars())


def by_key(tx: Connection, key: str) -> Delivery | None:
    return tx.execute(select(t).where(t.c.key == key)).one_or_none()
