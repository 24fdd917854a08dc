"""Who is next: SQL that takes due deliveries lane by lane, so that what waits for one connection costs the others
nothing, neither their turn nor time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, select, update

from server.outbox.store import Delivery
from server.outbox.tables import deliveries as t
from server.outbox.trouble import look_again

A_LOOK = 50
"""Deliveries of a lane that are looked at in one go. What is held by an earlier one is then moved out of the way, so
that the next look finds others, however many are held."""
MOST_LOOKS = 20
OPEN = ("waiting", "leased", "paused")

_earlier = t.alias("earlier")
_HELD = exists().where(
    _earlier.c.order_key == t.c.order_key, _earlier.c.id < t.c.id, _earlier.c.state.in_(OPEN), t.c.order_key != ""
)
_DUE = (
    select(t, _HELD.label("held"))
    .where(t.c.state == "waiting", t.c.lane == bindparam("lane"), t.c.not_before <= bindparam("now"))
    .order_by(t.c.not_before, t.c.id)
    .limit(A_LOOK)
    .with_for_update(skip_locked=True, of=t)
)


def _lanes() -> Select[Any]:
    """Each lane with the moment of its first delivery: from one to the next along the index, so that their number
    counts and not that of the deliveries in them."""
    first, following, soonest = t.alias("first"), t.alias("following"), t.alias("soonest")
    waits = select(first.c.lane).where(first.c.state == "waiting").order_by(first.c.lane).limit(1).scalar_subquery()
    lanes = select(waits.label("lane")).cte("lanes", recursive=True)
    more = (
        select(following.c.lane)
        .where(following.c.state == "waiting", following.c.lane > lanes.c.lane)
        .order_by(following.c.lane)
        .limit(1)
        .scalar_subquery()
    )
    lanes = lanes.union_all(select(more).where(lanes.c.lane.is_not(None)))
    at = (
        select(soonest.c.not_before)
        .where(soonest.c.state == "waiting", soonest.c.lane == lanes.c.lane)
        .order_by(soonest.c.not_before)
        .limit(1)
        .scalar_subquery()
    )
    return select(lanes.c.lane, at.label("due_at")).where(lanes.c.lane.is_not(None))


_LANES = _lanes()


def lanes(tx: Connection, now: datetime) -> list[str]:
    """The lanes in which something is due, the one that has waited longest first."""
    found = [(row.due_at, row.lane) for row in tx.execute(_LANES) if row.due_at <= now]
    return [lane for _, lane in sorted(found)]


def take(tx: Connection, lane: str, most: int, now: datetime) -> list[Delivery]:
    """Up to `most` of a lane that are due and not held by an earlier one of their order, locked. Those that have come
    too late are withdrawn."""
    taken: list[Delivery] = []
    for _ in range(MOST_LOOKS):
        found = tx.execute(_DUE, {"lane": lane, "now": now}).all()
        late = [row for row in found if row.not_after is not None and row.not_after <= now]
        held = [row for row in found if row.held and row not in late]
        taken = [row for row in found if not row.held and row not in late][:most]
        _withdraw(tx, late, now)
        _put_behind(tx, held, now)
        if taken or len(found) < A_LOOK:
            break
    return taken


def wake(tx: Connection, order_keys: Collection[str], now: datetime) -> None:
    """What held these orders has come to an end: the next of each is due."""
    for order_key in sorted(set(order_keys) - {""}):
        held = select(func.min(t.c.id)).where(t.c.order_key == order_key, t.c.state == "waiting", t.c.behind)
        tx.execute(update(t).where(t.c.id == held.scalar_subquery()).values(behind=False, not_before=now))


def forsaken(tx: Connection, now: datetime) -> bool:
    """Whether a lease has ended by time."""
    return tx.execute(select(t.c.id).where(t.c.state == "leased", t.c.lease_until < now).limit(1)).first() is not None


def free_forsaken(tx: Connection, now: datetime) -> None:
    """What somebody had in hand who is not heard of any more waits again."""
    ended = update(t).where(t.c.state == "leased", t.c.lease_until < now)
    tx.execute(ended.values(state="waiting", lease_owner=None, lease_until=None, unsure=True))


def _withdraw(tx: Connection, late: Sequence[Delivery], now: datetime) -> None:
    if late:
        gone = update(t).where(t.c.id.in_([row.id for row in late]))
        tx.execute(gone.values(state="withdrawn", settled_at=now))
        wake(tx, [row.order_key for row in late], now)


def _put_behind(tx: Connection, held: Sequence[Delivery], now: datetime) -> None:
    """Out of the way until `wake`. Should nobody wake them they come back by themselves, after as long as they have
    waited: on PostgreSQL whoever ends the earlier one at this very moment does not see them."""
    if held:
        moved = update(t).where(t.c.id == bindparam("held_id")).values(behind=True, not_before=bindparam("again"))
        tx.execute(moved, [{"held_id": row.id, "again": look_again(row.created_at, now)} for row in held])
