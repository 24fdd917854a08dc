"""What makes reps busy, read from the database into `RepCalendar`s and kept until something changes it."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from server import clock
from server.booking import own_times, store
from server.booking.availability.hours import Schedule
from server.booking.availability.openings import RepCalendar
from server.booking.availability.wallclock import DAY, Span
from server.booking.connected import sources
from server.booking.connected.sources import Source
from server.booking.schedules import schedule_of
from server.config.service import Version
from server.routing.schema import Rep, Team

STALE_AFTER = timedelta(minutes=30)
TRUSTED, UNREAD, FAILING, STALE = "ok", "unread", "failing", "stale"
_LOOK_BACK = 8 * DAY  # a week, so that weekly limits see all of it
_YEARS_AHEAD = 3
_KEPT = 5_000  # calendars a process keeps per database
_FAR = 1 << 40


@dataclass(frozen=True)
class Roster:
    """The calendars that can be trusted, and the reps who are out because theirs cannot: {rep: why}."""

    calendars: list[RepCalendar]
    silent: dict[str, str]
    kept: tuple[_Kept, ...] = ()

    def holds(self, since: datetime, at: datetime) -> bool:
        """It reaches back and ahead far enough, and no hold and no reading of a calendar has expired."""
        return self._since <= _first(since) <= self._reach and self._read_at <= at.timestamp() < self._valid_until

    @cached_property
    def _since(self) -> int:
        return max((one.since for one in self.kept), default=0)

    @cached_property
    def _reach(self) -> float:
        return min((one.reach for one in self.kept), default=math.inf)

    @cached_property
    def _read_at(self) -> float:
        return max((one.read_at for one in self.kept), default=0)

    @cached_property
    def _valid_until(self) -> float:
        return min((one.valid_until for one in self.kept), default=math.inf)


@dataclass
class _Found:
    """What was read of one rep, while it is being collected."""

    busy: list[Span] = field(default_factory=list)
    holds: list[Span] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    counted_of: dict[str, list[int]] = field(default_factory=dict)
    labels: dict[Span, str] = field(default_factory=dict)
    extra: list[Span] = field(default_factory=list)
    reach: float = math.inf  # the last `since` for which own times were followed far enough
    valid_until: float = math.inf
    problem: str = ""


@dataclass(frozen=True)
class _Kept:
    calendar: RepCalendar | None
    problem: str
    stamp: int
    version: Version
    since: int
    read_at: float
    valid_until: float
    reach: float

    def holds(self, stamp: int, first: int, now: float) -> bool:
        """Nothing has changed since, and it reaches back and ahead far enough."""
        return self.stamp == stamp and self.since <= first <= self.reach and self.read_at <= now < self.valid_until


_kept: WeakKeyDictionary[Engine, OrderedDict[tuple[str, str], _Kept]] = WeakKeyDictionary()
_lock = threading.Lock()


def load(
    tx: Connection,
    version: Version,
    reps: Sequence[str],
    since: datetime,
    *,
    without: str | None = None,
    stamps: dict[str, int] | None = None,
) -> Roster:
    """The calendars of these reps from `since` on; `without`: leave out a meeting, which is being moved. `stamps`: of
    these reps, where they have just been read."""
    first = _first(since)
    now = clock.now().timestamp()
    stamps = store.stamps(tx, version.site_id, reps) if stamps is None else stamps
    with _lock:
        mine = _kept.setdefault(tx.engine, OrderedDict())
    hosts = {row.rep for row in store.hosts_of(tx, [without])} if without is not None else set()
    found: dict[str, _Kept] = {}
    before: dict[str, _Kept] = {}
    for rep in reps:
        if rep not in hosts and (kept := mine.get((version.site_id, rep))) is not None:
            fits = kept.version is version and kept.holds(stamps.get(rep, 0), first, now)
            (found if fits else before)[rep] = kept
    missing = [rep for rep in reps if rep not in found]
    if missing:
        fresh = _read(tx, version, missing, first, now, stamps, without)
        found |= {rep: _as_before(before.get(rep), kept) for rep, kept in fresh.items()}
        _keep(tx, version.site_id, {rep: found[rep] for rep in missing if rep not in hosts})
    calendars = [kept.calendar for rep in reps if (kept := found[rep]).calendar is not None]
    silent = {rep: found[rep].problem for rep in reps if found[rep].problem}
    return Roster([one for one in calendars if one is not None], silent, tuple(found.values()))


def _first(since: datetime) -> int:
    return (int(since.timestamp()) - _LOOK_BACK) // DAY * DAY


def _as_before(old: _Kept | None, new: _Kept) -> _Kept:
    """A calendar that was read again and says the same stays the one it was, with its masks."""
    if old is None or old.calendar is None or new.calendar is None:
        return new
    was, is_ = vars(old.calendar), vars(new.calendar)
    same = all(was[name] == value for name, value in is_.items() if name != "memo")
    return replace(new, calendar=old.calendar) if same else new


def _keep(tx: Connection, site_id: str, fresh: dict[str, _Kept]) -> None:
    with _lock:
        mine = _kept.setdefault(tx.engine, OrderedDict())
        for rep, kept in fresh.items():
            mine[site_id, rep] = kept
            mine.move_to_end((site_id, rep))
        while len(mine) > _KEPT:
            mine.popitem(last=False)


def _read(
    tx: Connection,
    version: Version,
    reps: Sequence[str],
    first: int,
    now: float,
    stamps: dict[str, int],
    without: str | None,
) -> dict[str, _Kept]:
    found = {rep: _Found() for rep in reps}
    since = datetime.fromtimestamp(first, UTC)
    for row in store.busy_meetings(tx, version.site_id, reps, since):
        if row.id != without:
            _add_meeting(found[row.rep], row, now)
    for rep, own in own_times.known(tx, version.site_id, reps, first).items():
        found[rep].busy += own.busy
        found[rep].labels |= own.labels
        found[rep].extra += own.extra
        found[rep].reach = math.inf if own.until is None else own.until - own_times.REACH
    team = version.part(Team).reps_by_id
    if connected := sources.of(tx, version, [team[rep] for rep in reps]):
        _add_connected(tx, version, connected, found, now)
    return {
        rep: _Kept(
            None if one.problem else _calendar(version, team[rep], one, since.year),
            one.problem, stamps.get(rep, 0), version, first, now, one.valid_until, one.reach,
        )
        for rep, one in found.items()
    }  # fmt: skip


def _add_meeting(found: _Found, row: Any, now: float) -> None:
    span = _span(row.busy_from, row.busy_until)
    if row.status == store.HELD:
        expires = row.held_until.timestamp()
        if expires <= now:
            return
        found.valid_until = min(found.valid_until, expires)
        found.holds.append(span)
    else:
        found.busy.append(span)
    start = int(row.start_at.timestamp())
    found.counted.append(start)
    found.counted_of.setdefault(row.type, []).append(start)
    found.labels[span] = f"meeting {row.id}"


def _add_connected(
    tx: Connection, version: Version, connected: Mapping[str, Sequence[Source]], found: dict[str, _Found], now: float
) -> None:
    """Busy times of connected calendars. One that is silent, stale or failing is a problem, never free time."""
    wanted = [rep for rep, some in connected.items() if some]
    if not wanted:
        return
    read = store.calendars_read(tx, version.site_id, wanted)
    rows = {(row.rep, row.connection_id, row.calendar): row for row in read}
    for rep in wanted:
        for source in connected[rep]:
            _add_calendar(found[rep], source, rows.get((rep, *source.key)), now)


def _add_calendar(one: _Found, source: Source, row: Any, now: float) -> None:
    problem = calendar_problem(row, now)
    one.problem = one.problem or source.named(problem)
    if row is None or problem:
        return  # until the next reading, which changes the stamp
    one.valid_until = min(one.valid_until, row.read_at.timestamp() + STALE_AFTER.total_seconds())
    known = (int(row.covers_from.timestamp()), int(row.covers_until.timestamp()))
    spans = [(start, end) for start, end in row.spans]
    called = source.title or "the calendar"
    one.busy += spans
    one.labels |= dict.fromkeys(spans, called)
    one.busy += [(-_FAR, known[0]), (known[1], _FAR)]
    one.labels |= dict.fromkeys(one.busy[-2:], f"{called} has not been read that far")


def calendar_problem(row: Any, now: float) -> str:
    """Why a connected calendar cannot be trusted; "" when it can."""
    return standing(row, now)[1]


def standing(row: Any, now: float) -> tuple[str, str]:
    """How far a connected calendar (its row of busy_times) can be trusted, and why no farther."""
    if row is None or row.read_at is None:
        failed = row is not None and row.problem
        return (FAILING, row.problem) if failed else (UNREAD, "the calendar has not been read yet")
    if row.failed_at is not None and row.failed_at >= row.read_at:
        return FAILING, row.problem or "the calendar could not be read"
    if now - row.read_at.timestamp() > STALE_AFTER.total_seconds():
        return STALE, "the calendar was last read too long ago"
    return TRUSTED, ""


def _calendar(version: Version, rep: Rep, found: _Found, year: int) -> RepCalendar:
    return RepCalendar(
        id=rep.id,
        schedule=_with_extra(schedule_of(version, rep.id, year, year + _YEARS_AHEAD), found.extra),
        busy=found.busy,
        holds=found.holds,
        counted=found.counted,
        counted_of=found.counted_of,
        max_per_day=rep.limits.per_day,
        max_per_week=rep.limits.per_week,
        before=_seconds(rep.buffer_before_minutes),
        after=_seconds(rep.buffer_after_minutes),
        notice=_seconds(rep.notice_minutes),
        labels=found.labels,
    )


def _with_extra(schedule: Schedule, spans: list[Span]) -> Schedule:
    return replace(schedule, extra=tuple(sorted(spans))) if spans else schedule


def _seconds(minutes: int | None) -> int | None:
    return None if minutes is None else minutes * 60


def _span(start: datetime, end: datetime) -> Span:
    """Widened to whole seconds."""
    return int(start.timestamp()), math.ceil(end.timestamp())
