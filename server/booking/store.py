"""The SQL of meetings and of what makes reps busy. Decides nothing; calendars are locked before meetings, in order."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.booking.tables import (
    busy_times,
    cells,
    meeting_hosts,
    meetings,
    reading_positions,
    rep_calendars,
    time_blocks,
)

Meeting = Row[Any]

HELD, PENDING, BOOKED, RESCHEDULED = "held", "pending", "booked", "rescheduled"
CANCELLED, DONE, NO_SHOW = "cancelled", "done", "no_show"
AHEAD = (PENDING, BOOKED, RESCHEDULED)
"""Meetings that will take place."""

# Statements of every hold are put together once: doing it each time costs more than running them.
_SITE: BindParameter[str] = bindparam("site_id")
_REPS: BindParameter[Sequence[str]] = bindparam("reps", expanding=True)
_THEIRS = and_(rep_calendars.c.site_id == _SITE, rep_calendars.c.rep.in_(_REPS))
_COUNT = select(func.count()).select_from(rep_calendars).where(_THEIRS).correlate(None).scalar_subquery()
_LOCK = (
    select(rep_calendars.c.rep)
    .where(_THEIRS, bindparam("count") == _COUNT)
    .order_by(rep_calendars.c.rep)
    .with_for_update()
)
_TOUCH = (
    update(rep_calendars)
    .where(rep_calendars.c.site_id == bindparam("site"), rep_calendars.c.rep == bindparam("of"))
    .values(stamp=bindparam("new"))
)
_STAMPS = select(rep_calendars.c.rep, rep_calendars.c.stamp).where(rep_calendars.c.site_id == _SITE)
_STAMPS_OF = _STAMPS.where(rep_calendars.c.rep.in_(_REPS))
_BUSY = (
    select(
        meeting_hosts.c.rep, meeting_hosts.c.busy_from, meeting_hosts.c.busy_until, meetings.c.id, meetings.c.type,
        meetings.c.status, meetings.c.start_at, meetings.c.end_at, meetings.c.held_until,
    )
    .join(meetings, meetings.c.id == meeting_hosts.c.meeting_id)
    .where(meeting_hosts.c.site_id == _SITE, meeting_hosts.c.rep.in_(_REPS), meeting_hosts.c.blocks)
    .where(meeting_hosts.c.busy_until > bindparam("since"))
)  # fmt: skip
_BLOCKS = (
    select(time_blocks)
    .where(time_blocks.c.site_id == _SITE, time_blocks.c.rep.in_(_REPS))
    .where(or_(time_blocks.c.ends_at.is_(None), time_blocks.c.ends_at > bindparam("since")))
    .order_by(time_blocks.c.start_local)
)
_EXPIRED_OF = (
    select(meetings)
    .where(meetings.c.site_id == _SITE, meetings.c.status == HELD, meetings.c.held_until <= bindparam("now"))
    .where(meetings.c.id.in_(select(meeting_hosts.c.meeting_id).where(meeting_hosts.c.rep.in_(_REPS))))
    .order_by(meetings.c.id)
)
_GET = select(meetings).where(meetings.c.id == bindparam("meeting_id"))
_HOSTS_OF = (
    select(meeting_hosts)
    .where(meeting_hosts.c.meeting_id.in_(bindparam("meeting_ids", expanding=True)))
    .order_by(meeting_hosts.c.rep)
)
FEW = 20  # reps whose stamps are asked for by name
_PULSE = select(
    func.sum(rep_calendars.c.stamp.bitwise_and(0x7FFFFFFF)), func.sum(rep_calendars.c.stamp // 0x80000000)
).where(rep_calendars.c.site_id == bindparam("site_id"))


def lock_calendars(tx: Connection, site_id: str, reps: Iterable[str]) -> None:
    """These reps' calendars are ours until the transaction ends; always in one order, so nobody waits in a ring."""
    names = sorted(set(reps))
    if not names or _lock_all(tx, site_id, names):
        return
    # One of them is new. Whoever makes it has it locked, so each has its turn in the same order as above.
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    for rep in names:
        made = dialect.insert(rep_calendars).values(site_id=site_id, rep=rep, stamp=0)
        tx.execute(made.on_conflict_do_nothing())
        _lock_all(tx, site_id, [rep])


def _lock_all(tx: Connection, site_id: str, names: Sequence[str]) -> bool:
    """Lock all of them, or, when one has no row yet, none."""
    return tx.execute(_LOCK, {"site_id": site_id, "reps": names, "count": len(names)}).first() is not None


def touch(tx: Connection, site_id: str, reps: Iterable[str]) -> None:
    """These reps' times have changed: what others keep of them is outdated."""
    for rep in sorted(set(reps)):
        tx.execute(_TOUCH, {"site": site_id, "of": rep, "new": secrets.randbits(62)})


def stamps(tx: Connection, site_id: str, reps: Sequence[str]) -> dict[str, int]:
    few = len(reps) <= FEW  # many names in a statement cost more than the rows of the others
    found = (
        tx.execute(_STAMPS_OF, {"site_id": site_id, "reps": reps}) if few else tx.execute(_STAMPS, {"site_id": site_id})
    )
    return {rep: stamp for rep, stamp in found.all()}


def pulse(tx: Connection, site_id: str) -> tuple[int, int]:
    """Two sums that change with every stamp of the site: together as telling as all the stamps, and one row."""
    low, high = tx.execute(_PULSE, {"site_id": site_id}).one()
    return int(low or 0), int(high or 0)


def busy_meetings(tx: Connection, site_id: str, reps: Sequence[str], since: datetime) -> Sequence[Any]:
    """Meetings that block these reps' time after `since`, expired holds included."""
    return tx.execute(_BUSY, {"site_id": site_id, "reps": reps, "since": since}).all()


def blocks_of(tx: Connection, site_id: str, reps: Sequence[str], since: datetime) -> Sequence[Any]:
    """These reps' own times that are not over at `since`, in the order of their first start."""
    return tx.execute(_BLOCKS, {"site_id": site_id, "reps": reps, "since": since}).all()


def block(tx: Connection, site_id: str, rep: str, block_id: str) -> Row[Any] | None:
    here = (time_blocks.c.site_id == site_id, time_blocks.c.rep == rep, time_blocks.c.id == block_id)
    return tx.execute(select(time_blocks).where(*here)).first()


def add_block(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(time_blocks), dict(row))


def drop_block(tx: Connection, site_id: str, rep: str, block_id: str) -> bool:
    here = (time_blocks.c.site_id == site_id, time_blocks.c.rep == rep, time_blocks.c.id == block_id)
    return tx.execute(delete(time_blocks).where(*here)).rowcount == 1


def calendars_read(tx: Connection, site_id: str, reps: Sequence[str] | None = None) -> Sequence[Any]:
    found = select(busy_times).where(busy_times.c.site_id == site_id)
    return tx.execute(found if reps is None else found.where(busy_times.c.rep.in_(reps))).all()


def position(tx: Connection, site_id: str, source: str) -> Row[Any] | None:
    """How far this source has been read; the row is ours until the transaction ends."""
    here = (reading_positions.c.site_id == site_id, reading_positions.c.source == source)
    return tx.execute(select(reading_positions).where(*here).with_for_update()).first()


def positions(tx: Connection, site_id: str) -> Sequence[Any]:
    return tx.execute(select(reading_positions).where(reading_positions.c.site_id == site_id)).all()


def keep_position(tx: Connection, site_id: str, source: str, values: Mapping[str, Any]) -> None:
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    row = {"site_id": site_id, "source": source, "position": "", "problem": "", **values}
    tx.execute(
        dialect.insert(reading_positions)
        .values(**row)
        .on_conflict_do_update(index_elements=["site_id", "source"], set_=dict(values))
    )


def add_meeting(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(meetings), dict(row))


def add_hosts(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    tx.execute(insert(meeting_hosts), [dict(row) for row in rows])


def add_cells(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """IntegrityError when another meeting has one of them."""
    tx.execute(insert(cells), [dict(row) for row in rows])


def free_time(tx: Connection, meeting_id: str) -> None:
    """The meeting blocks nobody's time any more."""
    tx.execute(delete(cells).where(cells.c.meeting_id == meeting_id))
    tx.execute(update(meeting_hosts).where(meeting_hosts.c.meeting_id == meeting_id).values(blocks=False))


def drop_hosts(tx: Connection, meeting_id: str) -> None:
    tx.execute(delete(cells).where(cells.c.meeting_id == meeting_id))
    tx.execute(delete(meeting_hosts).where(meeting_hosts.c.meeting_id == meeting_id))


def hosts_of(tx: Connection, meeting_ids: Sequence[str]) -> Sequence[Any]:
    return tx.execute(_HOSTS_OF, {"meeting_ids": meeting_ids}).all()


def get(tx: Connection, meeting_id: str) -> Meeting | None:
    return tx.execute(_GET, {"meeting_id": meeting_id}).first()


def get_of_rep(tx: Connection, meeting_id: str, rep: str) -> Meeting | None:
    """The meeting, if this rep hosts it."""
    hosts = select(meeting_hosts.c.meeting_id).where(meeting_hosts.c.rep == rep)
    here = or_(meetings.c.rep == rep, meetings.c.id.in_(hosts))
    return tx.execute(select(meetings).where(meetings.c.id == meeting_id, here)).first()


def lock(tx: Connection, meeting_id: str) -> None:
    """Nobody else changes this meeting until our transaction ends."""
    tx.execute(select(meetings.c.id).where(meetings.c.id == meeting_id).with_for_update()).all()


def change(tx: Connection, meeting_id: str, statuses: Sequence[str], values: Mapping[str, Any]) -> bool:
    """True when the meeting was in one of the statuses; check and change are one statement."""
    here = and_(meetings.c.id == meeting_id, meetings.c.status.in_(statuses))
    return tx.execute(update(meetings).where(here).values(**values)).rowcount == 1


def forget_hold_key(tx: Connection, meeting_id: str) -> None:
    tx.execute(update(meetings).where(meetings.c.id == meeting_id).values(hold_key=None))


def drop_hold(tx: Connection, meeting_id: str) -> bool:
    """True when it was a hold and is gone now."""
    gone = delete(meetings).where(meetings.c.id == meeting_id, meetings.c.status == HELD)
    return tx.execute(gone).rowcount == 1


def by_key(tx: Connection, site_id: str, column: str, key: str) -> Meeting | None:
    return tx.execute(select(meetings).where(meetings.c.site_id == site_id, meetings.c[column] == key)).first()


def holds_of_visitor(tx: Connection, conversation_id: str | None, lead_id: str | None) -> Sequence[Meeting]:
    """What is held in a conversation, or by a lead; nothing for None."""
    given = {meetings.c.conversation_id: conversation_id, meetings.c.lead_id: lead_id}
    theirs = [column == value for column, value in given.items() if value]
    if not theirs:
        return []
    return tx.execute(select(meetings).where(or_(*theirs), meetings.c.status == HELD).order_by(meetings.c.id)).all()


def expired_holds(tx: Connection, now: datetime, most: int) -> Sequence[Meeting]:
    here = and_(meetings.c.status == HELD, meetings.c.held_until <= now)
    return tx.execute(select(meetings).where(here).order_by(meetings.c.id).limit(most)).all()


def expired_holds_of(tx: Connection, site_id: str, reps: Sequence[str], now: datetime) -> Sequence[Meeting]:
    """Expired holds that keep the time of any of these reps."""
    return tx.execute(_EXPIRED_OF, {"site_id": site_id, "reps": reps, "now": now}).all()


def booked_by(tx: Connection, site_id: str, attendee: str, start: datetime) -> Meeting | None:
    """The meeting that this person has at this time already."""
    here = and_(meetings.c.site_id == site_id, meetings.c.attendee == attendee, meetings.c.start_at == start)
    return tx.execute(select(meetings).where(here)).first()


def of_conversation(tx: Connection, conversation_id: str) -> Sequence[Meeting]:
    here = meetings.c.conversation_id == conversation_id
    return tx.execute(select(meetings).where(here).order_by(meetings.c.id)).all()


def counted(tx: Connection) -> Sequence[Any]:
    """How many meetings of each site have each status; holds are counted by `alive`."""
    found = select(meetings.c.site_id, meetings.c.status, func.count()).where(meetings.c.status != HELD)
    return tx.execute(found.group_by(meetings.c.site_id, meetings.c.status).order_by(*found.selected_columns[:2])).all()


def alive(tx: Connection, now: datetime) -> dict[str, int]:
    """How many holds of each site have not expired."""
    here = and_(meetings.c.status == HELD, meetings.c.held_until > now)
    found = select(meetings.c.site_id, func.count()).where(here).group_by(meetings.c.site_id)
    return {site_id: int(count) for site_id, count in tx.execute(found)}


def listed(
    tx: Connection,
    site_ids: Sequence[str],
    *,
    reps: Sequence[str] | None = None,
    lead_id: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    statuses: Sequence[str] | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Sequence[Meeting]:
    """Meetings (holds left out unless asked for) by start."""
    found = select(meetings).where(meetings.c.site_id.in_(site_ids))
    found = found.where(meetings.c.status.in_(statuses) if statuses else meetings.c.status != HELD)
    if reps is not None:
        hosts = select(meeting_hosts.c.meeting_id).where(meeting_hosts.c.rep.in_(reps))
        found = found.where(or_(meetings.c.rep.in_(reps), meetings.c.id.in_(hosts)))
    if lead_id is not None:
        found = found.where(meetings.c.lead_id == lead_id)
    if start is not None:
        found = found.where(meetings.c.end_at > start)
    if end is not None:
        found = found.where(meetings.c.start_at < end)
    order = meetings.c.start_at.desc() if newest_first else meetings.c.start_at
    return tx.execute(found.order_by(order, meetings.c.id).limit(limit)).all()
