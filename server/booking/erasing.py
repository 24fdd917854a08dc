"""Find, show and erase one person's meetings. That a rep met somebody stays, so that times and turns stay right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, and_, cast, or_, select, update

from server import clock
from server.booking import changes, holds, store
from server.booking.store import AHEAD, HELD, Meeting
from server.booking.tables import busy_times, meeting_hosts, meetings, time_blocks
from server.config.service import Version
from server.db.scrubbing import Wipe, scrub
from server.events import Actor
from server.leads.service import email_key

_BLANK: dict[str, Any] = {
    "name": "", "email": "", "attendee": None, "phone": "", "guests": [], "answers": {}, "replies": {},
    "end_reason": "",
    "lead_id": None, "conversation_id": None, "hold_key": None, "confirm_key": None,
}  # fmt: skip


def of_person(
    tx: Connection,
    site_id: str,
    address: str,
    lead_ids: Collection[str],
    conversation_ids: Collection[str],
    others: Collection[str],
) -> Sequence[Meeting]:
    """Meetings booked with this address or by these leads, and what these conversations hold, by start. In the
    conversations of `others` only what was booked with the address."""
    holding = and_(meetings.c.conversation_id.in_(conversation_ids), meetings.c.email == "")
    named = meetings.c.email.icontains(address, autoescape=True)
    mine = or_(meetings.c.attendee == address, meetings.c.lead_id.in_(lead_ids), holding, named)
    found = tx.execute(select(meetings).where(meetings.c.site_id == site_id, mine).order_by(meetings.c.start_at))
    return [
        row
        for row in found
        if email_key(row.email) == address
        or (row.conversation_id not in others and (row.lead_id in lead_ids or not row.email))
    ]


def invited(tx: Connection, site_id: str, address: str) -> Sequence[Meeting]:
    """Other people's meetings to which this address is invited, or was until it declined."""
    texts = (cast(column, Text) for column in (meetings.c.guests, meetings.c.replies))
    named = or_(*(text.icontains(address, autoescape=True) for text in texts))
    found = tx.execute(select(meetings).where(meetings.c.site_id == site_id, named).order_by(meetings.c.start_at))
    return [row for row in found if any(email_key(guest) == address for guest in [*row.guests, *row.replies])]


def ahead(found: Sequence[Meeting]) -> list[Meeting]:
    """Those that will take place."""
    return [row for row in found if row.status in AHEAD and row.start_at > clock.now()]


def held(tx: Connection, meeting_ids: Collection[str], invited_to: Collection[str]) -> dict[str, Sequence[Row[Any]]]:
    """Everything about these meetings, by table; of others' meetings when they are and with which rep."""
    c = meetings.c
    when = select(c.id, c.type, c.rep, c.status, c.start_at, c.end_at).where(c.id.in_(invited_to))
    return {
        "invited_to": tx.execute(when).all(),
        "meetings": tx.execute(select(meetings).where(meetings.c.id.in_(meeting_ids))).all(),
        "meeting_hosts": tx.execute(select(meeting_hosts).where(meeting_hosts.c.meeting_id.in_(meeting_ids))).all(),
    }


def erase(tx: Connection, version: Version, found: Sequence[Meeting], *, by: Actor) -> int:
    """These meetings are with nobody. Holds are let go; meetings ahead are called off, and their hosts and guests are
    told without a name. How many were called off."""
    hosts = [row.rep for row in store.hosts_of(tx, [meeting.id for meeting in found])]
    store.lock_calendars(tx, version.site_id, hosts)
    for meeting in found:
        if meeting.status == HELD:
            holds.release(tx, meeting, reason="the person was erased", actor=by)
        else:
            tx.execute(
                update(meetings).where(meetings.c.id == meeting.id).values(**{**_BLANK, "guests": meeting.guests})
            )
    called_off = ahead(found)
    for meeting in called_off:
        changes.cancel(tx, version, meeting.id, by=by)
    tx.execute(update(meetings).where(meetings.c.id.in_([meeting.id for meeting in found])).values(**_BLANK))
    return len(called_off)


def uninvite(tx: Connection, found: Sequence[Meeting], address: str) -> None:
    """The person is no longer a guest of these."""
    for meeting in found:
        others = [guest for guest in meeting.guests if email_key(guest) != address]
        replies = {name: reply for name, reply in meeting.replies.items() if email_key(name) != address}
        tx.execute(update(meetings).where(meetings.c.id == meeting.id).values(guests=others, replies=replies))


def part_with(tx: Connection, conversation_ids: Collection[str], lead_ids: Collection[str]) -> None:
    """Others' meetings that were booked in these conversations no longer say so."""
    here = meetings.c.conversation_id.in_(conversation_ids)
    tx.execute(update(meetings).where(here).values(conversation_id=None))
    tx.execute(update(meetings).where(meetings.c.lead_id.in_(lead_ids)).values(lead_id=None))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from others' meetings and from what reps wrote into their calendars."""
    tables = (meetings, time_blocks, busy_times)
    return sum(scrub(tx, table, wipe, table.c.site_id == site_id) for table in tables)
