"""Open times of a meeting type for a pool or for named reps, and the nearest ones when a time is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server import clock
from server.booking import rosters, store
from server.booking.availability.explain import Verdict, explain
from server.booking.availability.openings import Openings, openings
from server.booking.availability.question import Crew, FirstOfDay, Limits, Question, Shape, Window
from server.booking.availability.stamps import stamp
from server.booking.availability.wallclock import DAY, day_number
from server.booking.schema import Meetings, MeetingType, RollingDays
from server.config.service import Version
from server.config.zones import is_zone
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
    asked = ask(tx, version, meeting, pool, reps)
    return open_times(tx, version, asked, start=start, end=end, zone=zone, limit=limit, exclude_meeting=exclude_meeting)


def open_times(
    tx: Connection,
    version: Version,
    asked: Asked,
    *,
    start: datetime,
    end: datetime,
    zone: str,
    limit: int | None = None,
    exclude_meeting: str | None = None,
) -> SlotList:
    """`slots` for those who may take it, such as the takers of a meeting that is moved."""
    local = zone_of(zone)
    if end - start > LONGEST_LOOK:
        raise Invalid(f"Ask for {LONGEST_LOOK.days} days at most.", field="days")
    found, silent = _open(tx, version, asked, start, end, exclude_meeting)
    starts = [_moment(one) for one in found.starts(limit + 1 if limit else None)]
    starts, more = (starts[:limit], starts[limit:]) if limit else (starts, [])
    after = more or _following(tx, version, asked, end, exclude_meeting)
    next_from = after[0].astimezone(local).date() if after else None
    return SlotList(asked.type.id, zone, tuple(starts), next_from, silent)


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
    """The reps who can take the meeting at this start; fewer than `asked.needed` means that it cannot be booked.

    Where the meeting that is left out has this very start, it was promised: notice counts from then, and no time that
    has become free earlier that day since takes it away (`first_of_day`).
    """
    roster = rosters.load(tx, version, asked.reps, max(start, clock.now()), without=exclude_meeting)
    question = _question(version, asked, roster.crew, start, start + timedelta(seconds=1))
    promised = store.get(tx, exclude_meeting) if exclude_meeting else None
    if promised is not None and promised.start_at == start:
        question = replace(question, now=min(promised.created_at, question.now), first_of_day=None)
    return openings(question).able(_second(start))


def who_can(
    tx: Connection, version: Version, asked: Asked, start: datetime, end: datetime, exclude_meeting: str | None = None
) -> dict[datetime, list[str]]:
    """Every open start in [start, end), and the reps who can take the meeting then."""
    found, _ = _open(tx, version, asked, start, end, exclude_meeting)
    return {_moment(one): reps for one, reps in found.who().items()}


def why_not(
    tx: Connection, version: Version, asked: Asked, start: datetime, exclude_meeting: str | None = None
) -> dict[str, Verdict]:
    """Per rep free, or why not, from the same rules as the list; for refusals, the console and support."""
    roster = rosters.load(tx, version, asked.reps, start, without=exclude_meeting)
    told = explain(_question(version, asked, roster.crew, start, start + timedelta(seconds=1)), _second(start))
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
        everybody = routing.still_members(tx, version, name)
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


def limits_of(meeting: MeetingType) -> Limits | None:
    """The most of these meetings that one rep takes; None without such a rule."""
    per_day, per_week = meeting.limits.per_day, meeting.limits.per_week
    return None if per_day is None and per_week is None else Limits(meeting.id, per_day, per_week)


def zone_of(name: str) -> ZoneInfo:
    """The zone of this IANA name; Invalid."""
    if not is_zone(name):
        raise Invalid(f"{name!r} is not a time zone such as Europe/Berlin.", field="zone")
    return ZoneInfo(name)


def _open(
    tx: Connection, version: Version, asked: Asked, start: datetime, end: datetime, exclude_meeting: str | None
) -> tuple[Openings, dict[str, str]]:
    roster = rosters.load(tx, version, asked.reps, max(start, clock.now()), without=exclude_meeting)
    return openings(_question(version, asked, roster.crew, start, end)), roster.silent


def _question(version: Version, asked: Asked, crew: Crew, start: datetime, end: datetime) -> Question:
    of, first = asked.type, asked.type.first_of_day
    return Question(
        now=clock.now(),
        start=_second(start),
        end=max(_second(start), _second(end)),
        shape=shape_of(of),
        reps=crew,
        needed=asked.needed,
        window=_window(version, of),
        limits=limits_of(of),
        first_of_day=FirstOfDay(first, of.window.zone or version.site.zone) if first else None,
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


def _second(moment: datetime) -> int:
    """Whole seconds, rounded up: a start is never before the range asked for."""
    return math.ceil(moment.timestamp())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _iso(moment: datetime) -> str:
    return stamp(int(moment.timestamp()))
