"""All SQL about deliveries, but for who is next (waiting.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.outbox.tables import deliveries as t
from server.outbox.tables import replaced_keys

Delivery = Row[Any]

_later = t.alias("later")
_OVERTAKEN = and_(
    t.c.replaces != "",
    exists().where(
        _later.c.order_key == t.c.order_key,
        _later.c.id > t.c.id,
        _later.c.replaces == t.c.replaces,
        _later.c.state == "done",
    ),
)
"""A newer one of the same has been delivered: this one would undo it."""
_STUCK = t.c.state.in_(("dead", "waiting", "paused"))
_AFRESH = {"state": "waiting", "attempts": 0, "failing_since": None, "behind": False}


def put(tx: Connection, row: Mapping[str, Any]) -> bool:
    """True when the row is new; a key that is known already changes nothing."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    new = dialect.insert(t).values(**row).on_conflict_do_nothing(index_elements=["key"]).returning(t.c.id)
    return tx.execute(new).first() is not None


def is_replaced(tx: Connection, key: str) -> bool:
    return tx.execute(select(replaced_keys.c.key).where(replaced_keys.c.key == key)).first() is not None


def replaceable(tx: Connection, order_key: str, replaces: str) -> Delivery | None:
    """The newest of the order, locked, when it is of the same and cannot have been delivered."""
    newest = select(func.max(t.c.id)).where(t.c.order_key == order_key).scalar_subquery()
    untried = (t.c.state.in_(("waiting", "paused")), t.c.attempts == 0, t.c.unsure.is_(False))
    return tx.execute(
        select(t).where(t.c.id == newest, t.c.replaces == replaces, *untried).with_for_update()
    ).one_or_none()


def replace(tx: Connection, old: Delivery, values: Mapping[str, Any]) -> None:
    tx.execute(insert(replaced_keys).values(key=old.key, delivery_id=old.id))
    tx.execute(update(t).where(t.c.id == old.id).values(**values))


def lease(tx: Connection, ids: Sequence[str], owner: str, until: datetime) -> None:
    taken = update(t).where(t.c.id.in_(ids))
    tx.execute(taken.values(state="leased", lease_owner=owner, lease_until=until, attempts=t.c.attempts + 1))


def keep(tx: Connection, owner: str, until: datetime) -> None:
    tx.execute(update(t).where(t.c.state == "leased", t.c.lease_owner == owner).values(lease_until=until))


def give_back(tx: Connection, ids: Sequence[str], owner: str) -> None:
    """They were not started."""
    mine = update(t).where(t.c.id.in_(ids), t.c.lease_owner == owner, t.c.state == "leased")
    tx.execute(mine.values(state="waiting", lease_owner=None, lease_until=None, attempts=t.c.attempts - 1))


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


def withdraw(tx: Connection, which: ColumnElement[bool], now: datetime) -> Sequence[str]:
    """What waits, or was given up, is not wanted any more; the orders that they were in."""
    gone = update(t).where(which, _STUCK).values(state="withdrawn", settled_at=now).returning(t.c.order_key)
    return tx.execute(gone).scalars().all()


def withdraw_waiting(tx: Connection, cancel_key: str, now: datetime) -> Sequence[str]:
    return withdraw(tx, and_(t.c.cancel_key == cancel_key, t.c.state != "dead"), now)


def withdraw_one(tx: Connection, delivery_id: str, now: datetime) -> Sequence[str]:
    return withdraw(tx, t.c.id == delivery_id, now)


def withdraw_overtaken(tx: Connection, connection_id: str, now: datetime) -> None:
    withdraw(tx, and_(t.c.connection_id == connection_id, t.c.state == "dead", _OVERTAKEN), now)


def is_overtaken(tx: Connection, delivery_id: str) -> bool:
    return tx.execute(select(t.c.id).where(t.c.id == delivery_id, _OVERTAKEN)).first() is not None


def retry(tx: Connection, delivery_id: str, now: datetime) -> bool:
    stuck = update(t).where(t.c.id == delivery_id, _STUCK)
    return tx.execute(stuck.values(not_before=now, settled_at=None, **_AFRESH)).rowcount == 1


def retry_all(tx: Connection, connection_id: str, states: Collection[str], now: datetime) -> int:
    stuck = update(t).where(t.c.connection_id == connection_id, t.c.state.in_(states))
    return tx.execute(stuck.values(not_before=now, settled_at=None, **_AFRESH)).rowcount


def of_connection(connection_id: str) -> ColumnElement[bool]:
    return t.c.connection_id == connection_id


def of_kinds(site_id: str, kinds: Collection[str]) -> ColumnElement[bool]:
    return and_(t.c.site_id == site_id, t.c.kind.in_(kinds))


def resume(tx: Connection, which: ColumnElement[bool]) -> int:
    """Not before the moment each rests until."""
    return tx.execute(update(t).where(which, t.c.state == "paused").values(**_AFRESH)).rowcount


def get(tx: Connection, delivery_id: str) -> Delivery | None:
    return tx.execute(select(t).where(t.c.id == delivery_id)).one_or_none()


def latest(
    tx: Connection,
    site_id: str | None,
    state: str | None,
    limit: int,
    before: str | None,
    connection_id: str | None = None,
) -> Sequence[Delivery]:
    asked = {t.c.site_id: site_id, t.c.state: state, t.c.connection_id: connection_id}
    found = select(t).where(*[column == value for column, value in asked.items() if value])
    if before:
        found = found.where(t.c.id < before)
    return tx.execute(found.order_by(t.c.id.desc()).limit(limit)).all()


def of_family(tx: Connection, site_id: str, family: str, limit: int) -> Sequence[Delivery]:
    found = select(t).where(t.c.site_id == site_id, t.c.key.startswith(f"{family}:", autoescape=True))
    return tx.execute(found.order_by(t.c.id.desc()).limit(limit)).all()


def of_subject(tx: Connection, kind: str, subject_id: str) -> Sequence[Delivery]:
    found = select(t).where(t.c.subject_kind == kind, t.c.subject_id == subject_id).order_by(t.c.id)
    return tx.execute(found).all()


def of_subjects(tx: Connection, subject: str, ids: Sequence[str], kind: str) -> Sequence[Delivery]:
    found = select(t).where(t.c.subject_kind == subject, t.c.subject_id.in_(ids), t.c.kind == kind)
    return tx.execute(found.order_by(t.c.id)).all()


def counts(tx: Connection, site_id: str | None) -> dict[str, int]:
    found = select(t.c.state, func.count()).group_by(t.c.state)
    return {state: n for state, n in tx.execute(found.where(t.c.site_id == site_id) if site_id else found)}


def stuck(tx: Connection, site_id: str | None) -> Sequence[Any]:
    """By connection, and by kind where none is known, how many are paused and how many were given up."""
    paused, dead = (func.sum(case((t.c.state == state, 1), else_=0)) for state in ("paused", "dead"))
    apart = case((t.c.connection_id.is_(None), t.c.kind), else_="")
    found = (
        select(
            t.c.site_id,
            t.c.connection_id,
            func.min(t.c.kind).label("kind"),
            paused.label("paused"),
            dead.label("dead"),
        )
        .where(t.c.state.in_(("paused", "dead")), *([t.c.site_id == site_id] if site_id else []))
        .group_by(t.c.site_id, t.c.connection_id, apart)
    )
    return tx.execute(found.order_by(func.min(t.c.kind))).all()


def keys_known(tx: Connection, keys: Sequence[str]) -> set[str]:
    queued = select(t.c.key).where(t.c.key.in_(keys))
    return set(tx.execute(queued.union(select(replaced_keys.c.key).where(replaced_keys.c.key.in_(keys)))).scalars())


def by_key(tx: Connection, key: str) -> Delivery | None:
    found = tx.execute(select(t).where(t.c.key == key)).one_or_none()
    if found is not None:
        return found
    instead = select(replaced_keys.c.delivery_id).where(replaced_keys.c.key == key).scalar_subquery()
    return tx.execute(select(t).where(t.c.id == instead)).one_or_none()


def keys_of(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """The keys in whose place these went out, with their ids."""
    found = select(replaced_keys).where(replaced_keys.c.delivery_id.in_(ids))
    return {row.key: row.delivery_id for row in tx.execute(found)}


def remove(tx: Connection, ids: Collection[str]) -> None:
    tx.execute(delete(replaced_keys).where(replaced_keys.c.delivery_id.in_(ids)))
    tx.execute(delete(t).where(t.c.id.in_(ids)))
