"""Connected calendars are read ahead of all questions. What one told is kept; one that is silent is never free time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from plugins.calendar import Busy, Calendar, Window
from plugins.errors import PluginError
from server import clock
from server.adapters import connections
from server.booking import calendars, store
from server.booking.calendars import FAILING, TRUSTED
from server.booking.connected import asking, spans
from server.config.service import Version
from server.db import Database
from server.routing.schema import Rep, Team

READ_BACK = timedelta(days=8)
READ_AHEAD = timedelta(days=120)
READ_EVERY = timedelta(minutes=5)
RETRY_EVERY = timedelta(minutes=1)
READ_SECONDS = 40.0


@dataclass(frozen=True)
class CalendarState:
    """How a rep's connected calendar stands. `state`: ok | unread | failing | stale; all but ok keep the rep out.

    `reason` is for people. `not_followed` says why changes made in the calendar are not noticed, "" when they are.
    """

    rep: str
    name: str
    calendar: str
    state: str
    reason: str
    read_at: datetime | None
    failed_at: datetime | None
    not_followed: str

    @property
    def is_out(self) -> bool:
        """Whether the rep gets no meetings because of it."""
        return self.state != TRUSTED


def is_connected(tx: Connection, version: Version) -> bool:
    """Whether the site's calendars are somebody else's; the built-in one needs no reading."""
    return connections.is_connected(tx, version, "calendar")


def forget(tx: Connection, version: Version) -> None:
    """Another service, or none, keeps the site's calendars from now on: what the last one told is no answer."""
    reps = [rep.id for rep in active_reps(version)]
    store.lock_calendars(tx, version.site_id, reps)
    store.forget_calendars(tx, version.site_id, [source_of(rep) for rep in active_reps(version)])
    store.touch(tx, version.site_id, reps)


def active_reps(version: Version) -> list[Rep]:
    """Whose calendars are read."""
    return [rep for rep in version.part(Team).reps if rep.active]


def read_ahead(
    db: Database,
    version: Version,
    open_calendar: Callable[[], Calendar],
    *,
    only: Collection[str] | None = None,
    due: bool = False,
    seconds: float = READ_SECONDS,
) -> int:
    """Read the connected calendars of all active reps (or `only` of these) once and keep what they tell.

    `open_calendar` gives the site's adapter. A failure is kept with its reason: the rep is out until the next success.
    `due`: leave alone what was read in the last five minutes, or failed in the last one. After `seconds` whoever has
    not answered is silent. Returns how many calendars could be read. Nothing is called inside a transaction.
    """
    with db.reading() as tx:
        connected = is_connected(tx, version)
    reps = [rep for rep in active_reps(version) if only is None or rep.id in only] if connected else []
    if due:
        reps = _due(db, version, reps)
    window = Window(clock.now() - READ_BACK, clock.now() + READ_AHEAD)
    found = busy(open_calendar, {rep.calendar_id for rep in reps}, window, seconds)
    kept = 0
    for rep in reps:
        if rep.calendar_id in found:
            with db.transaction() as tx:
                store.lock_calendars(tx, version.site_id, [rep.id])
                kept += keep(tx, version.site_id, rep.id, rep.calendar_id, window, found[rep.calendar_id])
    return kept


def busy(
    open_calendar: Callable[[], Calendar], names: Collection[str], window: Window, seconds: float
) -> dict[str, Busy]:
    """What these calendars tell within the time; one whose turn did not come is left out."""

    def question(calendar: Calendar, some: Sequence[str]) -> Mapping[str, Busy]:
        return calendar.busy(some, window)

    found = asking.ask(open_calendar, sorted(names), question, seconds, size=lambda calendar: calendar.at_once)
    return {name: Busy(error=told) if isinstance(told, PluginError) else told for name, told in found.items()}


def keep(tx: Connection, site_id: str, rep: str, calendar: str, window: Window, told: Busy) -> bool:
    """Keep what one calendar told; False when it told that it could not. The rep's calendar row is locked."""
    before = _row(tx, site_id, rep, calendar)
    if told.error is not None:
        _keep_failure(tx, site_id, rep, calendar, told.error)
    else:
        times = [list(one) for one in _foreign(tx, site_id, rep, window, told)]
        known = {"covers_from": window.start, "covers_until": window.end, "read_at": clock.now(), "failed_at": None}
        store.keep_calendar(tx, site_id, rep, calendar, {"spans": times, "problem": "", **known})
        if _is_as_before(before, times):
            return True
    store.touch(tx, site_id, [rep])
    return told.error is None


def keep_near(tx: Connection, site_id: str, rep: str, calendar: str, window: Window, told: Busy) -> list[spans.Span]:
    """Keep what a calendar told about a short window just now; what it told of other times stays. Returns when the rep
    is busy in it with something else than our meetings. The rep's calendar row is locked."""
    before, times = _row(tx, site_id, rep, calendar), _foreign(tx, site_id, rep, window, told)
    if told.error is not None:
        _keep_failure(tx, site_id, rep, calendar, told.error)
    elif before is not None and before.read_at is not None:
        known = spans.spliced(((first, last) for first, last in before.spans), _span(window), times)
        values = {"spans": [list(one) for one in known], "problem": "", "failed_at": None}
        store.keep_calendar(tx, site_id, rep, calendar, values)
    store.touch(tx, site_id, [rep])
    return times


def states(tx: Connection, version: Version) -> list[CalendarState]:
    """How the connected calendars of all active reps stand; none where the built-in one is used."""
    if not is_connected(tx, version):
        return []
    rows = {(row.rep, row.calendar): row for row in store.calendars_read(tx, version.site_id)}
    followed = {row.source: row.problem for row in store.positions(tx, version.site_id)}
    now = clock.now().timestamp()
    return [_state(rep, rows.get((rep.id, rep.calendar_id)), followed, now) for rep in active_reps(version)]


def source_of(rep: Rep) -> str:
    """The name under which it is kept how far the changes of the rep's calendar have been read."""
    return f"calendar:{rep.id}:{rep.calendar_id}"[:260]


def _state(rep: Rep, row: Any, followed: Mapping[str, str], now: float) -> CalendarState:
    state, reason = calendars.standing(row, now)
    read_at, failed_at = (row.read_at, row.failed_at) if row is not None else (None, None)
    problem = followed.get(source_of(rep), "")
    return CalendarState(rep.id, rep.name, rep.calendar_id, state, reason, read_at, failed_at, problem)


def _due(db: Database, version: Version, reps: Sequence[Rep]) -> list[Rep]:
    now = clock.now()
    with db.reading() as tx:
        rows = {(row.rep, row.calendar): row for row in store.calendars_read(tx, version.site_id)}

    def is_due(row: Any) -> bool:
        failing = calendars.standing(row, now.timestamp())[0] == FAILING
        last, rest = (row.failed_at, RETRY_EVERY) if failing else (row.read_at, READ_EVERY)
        return last is None or now - last >= rest

    found = ((rep, rows.get((rep.id, rep.calendar_id))) for rep in reps)
    return [rep for rep, row in found if row is None or is_due(row)]


def _keep_failure(tx: Connection, site_id: str, rep: str, calendar: str, problem: PluginError) -> None:
    store.keep_calendar(tx, site_id, rep, calendar, {"failed_at": clock.now(), "problem": problem.user_message})


def _foreign(tx: Connection, site_id: str, rep: str, window: Window, told: Busy) -> list[spans.Span]:
    """When the rep is busy with something else than our meetings: those block by themselves, and a meeting that is
    moved must not stand in its own way."""
    rows = store.busy_meetings(tx, site_id, [rep], window.start)
    ours = [(int(row.start_at.timestamp()), int(row.end_at.timestamp())) for row in rows if row.status != store.HELD]
    return spans.without((_span(one) for one in told.times), ours)


def _span(window: Window) -> spans.Span:
    """In whole seconds, widened to them."""
    return int(window.start.timestamp()), -int(-window.end.timestamp() // 1)


def _row(tx: Connection, site_id: str, rep: str, calendar: str) -> Any:
    rows = store.calendars_read(tx, site_id, [rep])
    return next((row for row in rows if row.calendar == calendar), None)


def _is_as_before(before: Any, times: Sequence[Sequence[int]]) -> bool:
    """Nothing that lies ahead has changed, and the calendar was trusted: what others keep of it holds."""
    now = int(clock.now().timestamp())
    if before is None or calendars.standing(before, now)[0] != TRUSTED:
        return False
    old, new = ([list(one) for one in some if one[1] > now] for some in (before.spans, times))
    return old == new
