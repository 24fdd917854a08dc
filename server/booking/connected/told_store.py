"""The SQL of what connected calendars told, and of their services' subscriptions; private to this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.booking.tables import busy_times, calendar_watches, reading_positions


def keep_calendar(
    tx: Connection, site_id: str, rep: str, connection_id: str, calendar: str, values: Mapping[str, Any]
) -> None:
    named = {"site_id": site_id, "rep": rep, "connection_id": connection_id, "calendar": calendar}
    here = [busy_times.c[name] == value for name, value in named.items()]
    if tx.execute(update(busy_times).where(*here).values(**values)).rowcount == 0:
        tx.execute(insert(busy_times), {**named, "spans": [], "problem": "", **values})


def fail_calendars(tx: Connection, site_id: str, connection_id: str, at: datetime, problem: str) -> list[str]:
    """None of what was read through this connection is trusted any more; whose calendars these are."""
    here = (busy_times.c.site_id == site_id, busy_times.c.connection_id == connection_id)
    failed = update(busy_times).where(*here).values(failed_at=at, problem=problem)
    return sorted(set(tx.execute(failed.returning(busy_times.c.rep)).scalars()))


def forget_calendars(
    tx: Connection, site_id: str, connection_id: str, sources: Sequence[str], before: datetime
) -> None:
    """What calendars told through this connection until then, and how far the changes of these sources were read."""
    here = (busy_times.c.site_id == site_id, busy_times.c.connection_id == connection_id)
    old = or_(busy_times.c.read_at.is_(None), busy_times.c.read_at <= before)
    tx.execute(delete(busy_times).where(*here, old))
    there = (reading_positions.c.site_id == site_id, reading_positions.c.source.in_(sources))
    old = or_(reading_positions.c.read_at.is_(None), reading_positions.c.read_at <= before)
    tx.execute(delete(reading_positions).where(*there, old))


def forget_calendar(tx: Connection, site_id: str, rep: str, connection_id: str, calendar: str) -> None:
    named = {"site_id": site_id, "rep": rep, "connection_id": connection_id, "calendar": calendar}
    tx.execute(delete(busy_times).where(*[busy_times.c[name] == value for name, value in named.items()]))


def watches(tx: Connection, site_id: str) -> Sequence[Any]:
    return tx.execute(select(calendar_watches).where(calendar_watches.c.site_id == site_id)).all()


def watch_named(tx: Connection, connection_id: str, watch_id: str) -> Any:
    here = (calendar_watches.c.connection_id == connection_id, calendar_watches.c.watch_id == watch_id)
    return tx.execute(select(calendar_watches).where(*here)).first()


def keep_watch(tx: Connection, row: Mapping[str, Any]) -> None:
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    put = dialect.insert(calendar_watches).values(**row)
    tx.execute(put.on_conflict_do_update(index_elements=["connection_id", "calendar"], set_=dict(row)))


def drop_watch(tx: Connection, connection_id: str, calendar: str) -> None:
    here = (calendar_watches.c.connection_id == connection_id, calendar_watches.c.calendar == calendar)
    tx.execute(delete(calendar_watches).where(*here))
