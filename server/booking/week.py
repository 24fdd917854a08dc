"""A rep's time as it really is between two moments: hours, own times, meetings, and what the calendar told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from server import clock
from server.booking import calendars, own_times, store
from server.booking.availability.hours import working_blocks
from server.booking.availability.wallclock import DAY, Span
from server.booking.own_times import AWAY, BLOCKED, OPEN
from server.booking.schedules import schedule_of
from server.booking.store import AHEAD, DONE, HELD, NO_SHOW
from server.config.service import Version
from server.routing.schema import Team

HOURS, MEETING, HOLD, BUSY = "hours", "meeting", "hold", "busy"
KINDS = (HOURS, OPEN, AWAY, BLOCKED, MEETING, HOLD, BUSY)
_OURS = "meeting "


@dataclass(frozen=True)
class Item:
    """Something in a rep's week. `about`: the row of the meeting or own time; `label`: what a reason calls it."""

    kind: str
    start: datetime
    end: datetime
    label: str = ""
    about: Any = None


@dataclass(frozen=True)
class Week:
    """`silent`: why nothing can be booked with this rep at the moment, "" when all is well."""

    items: Sequence[Item]
    silent: str


def week(tx: Connection, version: Version, rep: str, start: datetime, end: datetime) -> Week:
    """What lies in [start, end), cut to it, by start. The rep is in team.yml."""
    roster = calendars.load(tx, version, [rep], min(start, clock.now()))
    rows = own_times.of_rep(tx, version.site_id, rep, start)
    found = [*_hours(version, rep, start, end), *_own(rows, start, end), *_meetings(tx, version, rep, start, end)]
    ours = {own_times.label(row) for row in rows}
    for calendar in roster.calendars:
        told = [(span, calendar.labels.get(span, "")) for span in calendar.busy if _near(span, start, end)]
        others = [(span, said) for span, said in told if not said.startswith(_OURS) and said not in ours]
        found += [Item(BUSY, *_moments(span), said) for span, said in others]
    cut = [Item(one.kind, max(one.start, start), min(one.end, end), one.label, one.about) for one in found]
    cut = [one for one in cut if one.start < one.end]
    return Week(sorted(cut, key=lambda one: (one.start, KINDS.index(one.kind))), roster.silent.get(rep, ""))


def orphans(tx: Connection, version: Version) -> list[Any]:
    """Meetings ahead whose rep is not on the team any more, or not active: they stand until somebody decides."""
    team = version.part(Team).reps_by_id
    ahead = store.listed(tx, [version.site_id], start=clock.now(), statuses=AHEAD, limit=1_000)
    hosts: dict[str, set[str]] = {}
    for row in store.hosts_of(tx, [meeting.id for meeting in ahead]) if ahead else ():
        hosts.setdefault(row.meeting_id, set()).add(row.rep)

    def is_gone(rep: str) -> bool:
        return rep not in team or not team[rep].active

    return [one for one in ahead if one.start_at > clock.now() and any(map(is_gone, hosts.get(one.id, ())))]


def _hours(version: Version, rep: str, start: datetime, end: datetime) -> Iterator[Item]:
    """The weekly hours with their exceptions in team.yml; extra hours are own times."""
    schedule = schedule_of(version, rep, start.year - 1, end.year + 1)
    days = int(start.timestamp()) // DAY - 1, int(end.timestamp()) // DAY + 2
    for first, _, last in working_blocks(schedule, *days):
        yield Item(HOURS, *_moments((first, last)))


def _own(rows: Sequence[Any], start: datetime, end: datetime) -> Iterator[Item]:
    for row in rows:
        for first, last in own_times.spans_between(row, start, end):
            yield Item(row.kind, first, last, "" if row.kind == OPEN else own_times.label(row), row)


def _meetings(tx: Connection, version: Version, rep: str, start: datetime, end: datetime) -> Iterator[Item]:
    standing = (*AHEAD, DONE, NO_SHOW, HELD)
    for meeting in store.listed(tx, [version.site_id], reps=[rep], start=start, end=end, statuses=standing, limit=500):
        if meeting.status != HELD:
            yield Item(MEETING, meeting.start_at, meeting.end_at, about=meeting)
        elif meeting.held_until > clock.now():
            yield Item(HOLD, meeting.start_at, meeting.end_at, "held for a visitor", meeting)


def _near(span: Span, start: datetime, end: datetime) -> bool:
    return span[0] < end.timestamp() and start.timestamp() < span[1]


def _moments(span: Span) -> tuple[datetime, datetime]:
    """Busy times may reach as far as the eye can see."""
    low, high = 0, 1 << 34
    return datetime.fromtimestamp(max(span[0], low), UTC), datetime.fromtimestamp(min(span[1], high), UTC)
