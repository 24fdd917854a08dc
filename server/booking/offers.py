"""Open times of a meeting type for a pool or for named reps, and the nearest ones when a time is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server import clock
from server.booking import calendars
from server.booking.availability.explain import Verdict, explain
from server.booking.availability.openings import Openings, Question, RepCalendar, Shape, Window, openings
from server.booking.availability.stamps import stamp
from server.booking.availability.wallclock import DAY, day_number
from server.booking.schema import Meetings, MeetingType, RollingDays
from server.config.service import Version
from server.errors import Invalid, NotFound
from server.routing import service as routing
from server.routing.schema import Team

LONGEST_LOOK = timedelta(days=93)
_NEAREST = 3


@dataclass(frozen=True)
class SlotList:
    """Open starts (UTC), the first date (in `zone`) on which there are more, and reps whose calendar is silent."""

    meeting: str
    zone: str
    starts: tuple[datetime, ...]
    next_from: date | None
    silent: dict[str, str] = field(default_factory=dict)

    def days(self) -> list[tuple[date, list[datetime]]]:
        """The starts by local date."""
        found: dict[date, list[datetime]] = {}
        for start in self.starts:
            found.setdefault(start.astimezone(ZoneInfo(self.zone)).date(), []).append(start)
        return list(found.items())

    def as_json(self) -> dict[str, Any]:
        """The answer of GET /v1/slots (docs/protocol.md)."""
        days = [{"date": day.isoformat(), "slots": [_iso(one) for one in starts]} for day, starts in self.days()]
        next_from = self.next_from.isoformat() if self.next_from else None
        return {"zone": self.zone, "meeting": self.meeting, "days": days, "next_from": next_from}


@dataclass(frozen=True)
class Asked:
    """A meeting type and who may take it: `reps` in the pool's order, `needed` of them at a time."""

    type: MeetingType
    pool: str
    reps: tuple[str, ...]
    needed: int


def slots(
    tx: Connection,
    version: Version,
    *,
    meeting: str,
    pool: str | None = None,
    reps: Sequence[str] | None = None,
    start: datetime,
    end: datetime,
    zone: str,
    limit: int | None = None,
    exclude_meeting: str | None = None,
) -> SlotList:
    """Open starts in [start, end), at most `limit`; times that were there a moment ago may be taken at the hold.

    NotFound for an unknown meeting type, pool or rep; Invalid for an unknown zone or more than 93 days.
    """
    local = zone_of(zone)
    if end - start > LONGEST_LOOK:
        raise Invalid(f"Ask for {LONGEST_LOOK.days} days at most.", field="days")
    asked = ask(tx, version, meeting, pool, reps)
    found, silent = _open(tx, version, asked, start, end, exclude_meeting)
    starts = [_moment(one) for one in found.starts()]
    if asked.type.first_of_day:
        starts = _first_of_day(starts, local, asked.type.first_of_day)
    starts, more = (starts[:limit], starts[limit:]) if limit else (starts, [])
    after = more[:1] or _following(tx, version, asked, end, exclude_meeting)
    next_from = after[0].astimezone(local).date() if after else None
    return SlotList(meeting, zone, tuple(starts), next_from, silent)


def nearest(
    tx: Connection, version: Version, asked: Asked, start: datetime, exclude_meeting: str | None = None
) -> list[datetime]:
    """The open starts nearest to `start`, in order of time: looked for around it first, then in the whole window."""
    for days in (2, 14, LONGEST_LOOK.days // 2):
        look = timedelta(days=days)
        found, _ = _open(tx, version, asked, start - look, start + look, exclude_meeting)
        if starts := [_moment(one) for one in found.starts()]:
            return sorted(sorted(starts, key=lambda one: (abs(one - start), one))[:_NEAREST])
    return []


def able(
    tx: Connection, version: Version, asked: Asked, start: datetime, exclude_meeting: str | None = None
) -> list[str]:
    """The reps who can take the meeting at this start; fewer than `asked.needed` means that it cannot be booked."""
    found, _ = _open(tx, version, asked, start, start + timedelta(seconds=1), exclude_meeting)
    second = int(start.timestamp())
    return found.able(second) if (second - found.grid.origin) % found.grid.cell == 0 else []


def why_not(
    tx: Connection, version: Version, asked: Asked, start: datetime, exclude_meeting: str | None = None
) -> dict[str, Verdict]:
    """Per rep free, or why not, from the same rules as the list; for refusals, the console and support."""
    roster = calendars.load(tx, version, asked.reps, start, without=exclude_meeting)
    told = explain(_question(version, asked, roster.calendars, start, start + timedelta(seconds=1)), _second(start))
    return told | {rep: Verdict("calendar", problem) for rep, problem in roster.silent.items()}


def ask(
    tx: Connection, version: Version, meeting: str, pool: str | None = None, reps: Sequence[str] | None = None
) -> Asked:
    """Who may take this meeting now. Named reps come before a pool, a pool before the meeting's own."""
    of = version.part(Meetings).by_id.get(meeting)
    if of is None:
        raise NotFound(f"There is no meeting {meeting} in meetings.yml.")
    if reps:
        known = version.part(Team).reps_by_id
        if lost := [rep for rep in reps if rep not in known or not known[rep].active]:
            raise NotFound(f"There is no rep {lost[0]} in team.yml.")
        return Asked(of, "", tuple(reps), len(reps) if of.assignment == "collective" else 1)
    name = pool or of.pool
    if name is None:
        raise Invalid(f"The meeting {meeting} has no pool: name a pool or a rep.", field="pool")
    if of.assignment == "collective":
        everybody = routing.members(version, name)
        return Asked(of, name, tuple(everybody), len(everybody))
    return Asked(of, name, tuple(routing.who_may(tx, version, name)), of.hosts)


def shape_of(meeting: MeetingType) -> Shape:
    """Its lengths in seconds."""
    return Shape(
        duration=meeting.duration_minutes * 60,
        step=meeting.step * 60,
        before=meeting.buffer_before_minutes * 60,
        after=meeting.buffer_after_minutes * 60,
        notice=meeting.notice_minutes * 60,
    )


def zone_of(name: str) -> ZoneInfo:
    """The zone of this IANA name; Invalid."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Invalid(f"{name!r} is not a time zone such as Europe/Berlin.", field="zone") from None


def _open(
    tx: Connection, version: Version, asked: Asked, start: datetime, end: datetime, exclude_meeting: str | None
) -> tuple[Openings, dict[str, str]]:
    roster = calendars.load(tx, version, asked.reps, max(start, clock.now()), without=exclude_meeting)
    return openings(_question(version, asked, roster.calendars, start, end)), roster.silent


def _question(version: Version, asked: Asked, reps: Sequence[RepCalendar], start: datetime, end: datetime) -> Question:
    return Question(
        now=clock.now(),
        start=_second(start),
        end=max(_second(start), _second(end)),
        shape=shape_of(asked.type),
        reps=reps,
        needed=asked.needed,
        window=_window(version, asked.type),
    )


def _window(version: Version, meeting: MeetingType) -> Window:
    zone = meeting.window.zone or version.site.zone
    if isinstance(meeting.window, RollingDays):
        return Window.rolling(zone, clock.now(), meeting.window.days)
    return Window(zone, day_number(meeting.window.from_), day_number(meeting.window.to))


def _following(
    tx: Connection, version: Version, asked: Asked, end: datetime, exclude_meeting: str | None
) -> list[datetime]:
    """The first open start after the range, up to the end of the window."""
    last = datetime.fromtimestamp((_window(version, asked.type).last + 2) * DAY, UTC)
    if last <= end:
        return []
    found, _ = _open(tx, version, asked, end, min(last, end + LONGEST_LOOK), exclude_meeting)
    return [_moment(one) for one in found.starts(1)]


def _first_of_day(starts: list[datetime], zone: ZoneInfo, count: int) -> list[datetime]:
    kept: list[datetime] = []
    seen: dict[date, int] = {}
    for start in starts:
        day = start.astimezone(zone).date()
        seen[day] = seen.get(day, 0) + 1
        if seen[day] <= count:
            kept.append(start)
    return kept


def _second(moment: datetime) -> int:
    """Whole seconds, rounded up: a start is never before the range asked for."""
    return math.ceil(moment.timestamp())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _iso(moment: datetime) -> str:
    return stamp(int(moment.timestamp()))
