"""All SQL about connections and agreements under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, cast, delete, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.adapters.tables import agreements, hook_messages
from server.adapters.tables import connections as t

SERVING = ("working", "broken")

_MADE = (
    t.c.site_id == bindparam("site_id"), t.c.kind == bindparam("kind"), t.c.rep.in_(bindparam("reps", expanding=True)),
    t.c.state.in_(SERVING), t.c.origin == "console",
)  # fmt: skip
_SERVING = select(t).where(*_MADE).order_by(t.c.rep.desc(), t.c.id)
_SERVES = select(exists().where(*_MADE))
_OF_CALENDARS = (
    t.c.site_id == bindparam("site_id"), t.c.kind == "calendar", t.c.state.in_(SERVING), t.c.origin == "console",
)  # fmt: skip
_CALENDARS = select(t).where(*_OF_CALENDARS).order_by(t.c.rep, t.c.created_at, t.c.id)
_ANY_CALENDAR = select(exists().where(*_OF_CALENDARS))
_CALENDARS_OF = _CALENDARS.where(t.c.rep.in_(bindparam("reps", expanding=True)))


def get(tx: Connection, connection_id: str) -> Row[Any] | None:
    return tx.execute(select(t).where(t.c.id == connection_id)).one_or_none()


def serving(tx: Connection, site_id: str, kind: str, reps: Sequence[str]) -> Sequence[Row[Any]]:
    """Those made in the console that serve, a rep's own before the site's."""
    return tx.execute(_SERVING, {"site_id": site_id, "kind": kind, "reps": reps}).all()


def serves(tx: Connection, site_id: str, kind: str, reps: Sequence[str]) -> bool:
    return bool(tx.execute(_SERVES, {"site_id": site_id, "kind": kind, "reps": reps}).scalar())


def calendars(tx: Connection, site_id: str, reps: Sequence[str] | None) -> Sequence[Row[Any]]:
    """Calendar connections made in the console that serve, of these reps ("" the site) or of all."""
    if reps is None:
        return tx.execute(_CALENDARS, {"site_id": site_id}).all()
    return tx.execute(_CALENDARS_OF, {"site_id": site_id, "reps": reps}).all()


def any_calendar(tx: Connection, site_id: str) -> bool:
    return bool(tx.execute(_ANY_CALENDAR, {"site_id": site_id}).scalar())


def made(tx: Connection, site_id: str, kind: str | None) -> Sequence[Row[Any]]:
    """All made in the console that are not off."""
    found = select(t).where(t.c.site_id == site_id, t.c.state != "off", t.c.origin == "console")
    if kind:
        found = found.where(t.c.kind == kind)
    return tx.execute(found.order_by(t.c.kind, t.c.rep, t.c.name)).all()


def everything(tx: Connection) -> Sequence[Row[Any]]:
    """Of all sites and origins, what is not off."""
    return tx.execute(select(t).where(t.c.state != "off").order_by(t.c.id)).all()


def broken(tx: Connection, site_ids: Sequence[str]) -> Sequence[Row[Any]]:
    found = select(t).where(t.c.site_id.in_(site_ids), t.c.state == "broken")
    return tx.execute(found.order_by(t.c.kind, t.c.rep, t.c.name)).all()


def in_state(tx: Connection, state: str) -> Sequence[Row[Any]]:
    """The ids of those that stand so."""
    return tx.execute(select(t.c.id).where(t.c.state == state).order_by(t.c.id)).all()


def replace(tx: Connection, connection_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Put these columns in the place of what was there, if it still is."""
    here = [t.c[name] == value for name, value in before.items()]
    return tx.execute(update(t).where(t.c.id == connection_id, *here).values(**after)).rowcount == 1


def open_one(tx: Connection, site_id: str, kind: str, name: str, rep: str) -> Row[Any] | None:
    """The one made in the console of this adapter that is not off; ours alone until the transaction ends."""
    here = (t.c.site_id == site_id, t.c.kind == kind, t.c.name == name, t.c.rep == rep)
    found = select(t).where(*here, t.c.state != "off", t.c.origin == "console")
    return tx.execute(found.with_for_update()).one_or_none()


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(t), dict(row))


def ensure(tx: Connection, row: Mapping[str, Any]) -> None:
    """Add it unless it is there."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    tx.execute(dialect.insert(t).values(**row).on_conflict_do_nothing(index_elements=["id"]))


def change(tx: Connection, connection_id: str, values: Mapping[str, Any], states: Sequence[str]) -> bool:
    """True when it was in one of `states`."""
    mine = update(t).where(t.c.id == connection_id, t.c.state.in_(states)).values(**values)
    return tx.execute(mine).rowcount == 1


def take_renewal(tx: Connection, connection_id: str, seen: str, now: datetime, until: datetime) -> bool:
    """Whether it is ours to ask for new tokens in place of `seen` (as sealed), until then."""
    free = or_(t.c.renewing_until.is_(None), t.c.renewing_until <= now)
    mine = update(t).where(t.c.id == connection_id, t.c.tokens == seen, t.c.state != "off", free)
    return tx.execute(mine.values(renewing_until=until)).rowcount == 1


def end_renewal(tx: Connection, connection_id: str, seen: str, until: datetime, values: Mapping[str, Any]) -> bool:
    """Put the outcome in the place of `seen`, if that is still there and nobody has taken over."""
    here = (t.c.id == connection_id, t.c.tokens == seen, t.c.renewing_until == until, t.c.state != "off")
    return tx.execute(update(t).where(*here).values(renewing_until=None, **values)).rowcount == 1


def add_messages(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Those that are known already change nothing."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    tx.execute(dialect.insert(hook_messages).on_conflict_do_nothing(), [dict(row) for row in rows])


def messages_due(tx: Connection, kind: str, now: datetime, most: int) -> Sequence[Row[Any]]:
    m = hook_messages
    due = select(m).where(m.c.state == "waiting", m.c.kind == kind, m.c.not_before <= now)
    return tx.execute(due.order_by(m.c.received_at, m.c.id).limit(most)).all()


def claim_message(tx: Connection, connection_id: str, id: str, now: datetime, until: datetime) -> bool:
    """True when it waits, is due, and now is ours until then."""
    m = hook_messages.c
    mine = (m.connection_id == connection_id, m.id == id, m.state == "waiting", m.not_before <= now)
    return tx.execute(update(hook_messages).where(*mine).values(not_before=until)).rowcount == 1


def messages_unsettled(tx: Connection, site_id: str, kind: str, most: int) -> Sequence[Row[Any]]:
    m = hook_messages
    found = select(m).where(m.c.site_id == site_id, m.c.kind == kind, m.c.state.in_(("waiting", "dead")))
    return tx.execute(found.order_by(m.c.received_at.desc(), m.c.id).limit(most)).all()


def revive_messages(tx: Connection, site_id: str, kind: str, now: datetime) -> int:
    m = hook_messages.c
    dead = (m.site_id == site_id, m.kind == kind, m.state == "dead")
    fresh = {"state": "waiting", "not_before": now, "attempts": 0, "settled_at": None}
    return tx.execute(update(hook_messages).where(*dead).values(**fresh)).rowcount


def change_message(tx: Connection, connection_id: str, id: str, values: Mapping[str, Any]) -> None:
    here = (hook_messages.c.connection_id == connection_id, hook_messages.c.id == id)
    tx.execute(update(hook_messages).where(*here).values(**values))


def forget_messages(tx: Connection, before: datetime) -> None:
    tx.execute(delete(hook_messages).where(hook_messages.c.settled_at <= before))


def messages_naming(tx: Connection, site_id: str, address: str) -> Sequence[Row[Any]]:
    """What services called to say in which this address stands."""
    told = cast(hook_messages.c.payload, Text).icontains(address, autoescape=True)
    found = select(hook_messages).where(hook_messages.c.site_id == site_id, told)
    return tx.execute(found.order_by(hook_messages.c.received_at)).all()


def erase_messages(tx: Connection, site_id: str, address: str) -> None:
    """Those that name the address stay as a mark against repetition, without what they said."""
    for row in messages_naming(tx, site_id, address):
        here = (hook_messages.c.connection_id == row.connection_id, hook_messages.c.id == row.id)
        tx.execute(update(hook_messages).where(*here).values(payload={}, state="done"))


def add_agreement(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(agreements), dict(row))


def take_agreement(tx: Connection, id: str, browser: str) -> Row[Any] | None:
    """The agreement that this browser began; it is gone with the transaction."""
    mine = delete(agreements).where(agreements.c.id == id, agreements.c.browser == browser)
    return tx.execute(mine.returning(agreements)).one_or_none()


def forget_agreements(tx: Connection, now: datetime) -> None:
    tx.execute(delete(agreements).where(agreements.c.expires_at <= now))
