"""Connected calendars are read ahead of all questions. What one told is kept; one that is silent is never free time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from plugins.calendar import Busy, Calendar, Window
from plugins.errors import InvalidInput, NotFound, PermissionDenied, PluginError
from server import clock
from server.adapters import connections, own_calendars
from server.booking import calendars, store
from server.booking.calendars import FAILING, TRUSTED
from server.booking.connected import asking, sources, spans, told_store
from server.booking.connected.asking import Opener
from server.booking.connected.sources import Key, Source
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
    """How one connected calendar of a rep stands. `state`: ok | unread | failing | stale; all but ok keep the rep out.

    `reason` is for people. `not_followed` says why changes made in the calendar are not noticed, "" when they are.
    `title` names it beside the rep's others, "" when it is the only one; `own`: the rep has connected it.
    """

    rep: str
    name: str
    calendar: str
    state: str
    reason: str
    read_at: datetime | None
    failed_at: datetime | None
    not_followed: str
    connection_id: str = ""
    title: str = ""
    own: bool = False
    gets_events: bool = True

    @property
    def is_out(self) -> bool:
        """Whether the rep gets no meetings because of it."""
        return self.state != TRUSTED

    @property
    def said(self) -> str:
        """The reason, with the name of the calendar where the rep has several."""
        return f"{self.title}: {self.reason}" if self.title and self.reason else self.reason


def is_connected(tx: Connection, version: Version, reps: Collection[str] | None = None) -> bool:
    """Whether calendars of anybody (or of these reps) are somebody else's; the built-in one needs no reading."""
    if reps is None:
        return own_calendars.any_connected(tx, version)
    return any(sources.of_names(tx, version, list(reps)).values())


def forget(tx: Connection, version: Version, connection_id: str, before: datetime, rep: str = "") -> None:
    """Another service, or another account, keeps the calendars of the site, or of a `rep`, since then: what this
    connection told `before` is no answer."""
    reps = [one for one in active_reps(version) if rep in ("", one.id)]
    store.lock_calendars(tx, version.site_id, [one.id for one in reps])
    own = [row.source for row in store.positions(tx, version.site_id) if f":{connection_id}:" in row.source]
    sites = [f"calendar:{one.id}:{one.calendar_id}"[:260] for one in reps]
    told_store.forget_calendars(tx, version.site_id, connection_id, [*sites, *own], before)
    store.touch(tx, version.site_id, [one.id for one in reps])


def distrust(tx: Connection, version: Version, connection_id: str, problem: str) -> None:
    """This connection is broken until somebody mends it: whose calendars are read through it are out at once."""
    reps = told_store.fail_calendars(tx, version.site_id, connection_id, clock.now(), problem)
    store.lock_calendars(tx, version.site_id, reps)
    store.touch(tx, version.site_id, reps)


def active_reps(version: Version) -> list[Rep]:
    """Whose calendars are read."""
    return [rep for rep in version.part(Team).reps if rep.active]


def read_ahead(
    db: Database,
    version: Version,
    open_calendar: Opener,
    *,
    only: Collection[str] | None = None,
    due: bool = False,
    seconds: float = READ_SECONDS,
) -> int:
    """Read the connected calendars of all active reps (or `only` of these) once and keep what they tell.

    `open_calendar` opens a connection's adapter. A failure is kept with its reason: the rep is out until the next
    success. `due`: leave alone what was read in the last five minutes, or failed in the last one. After `seconds` who
    has not answered is silent. Returns how many calendars could be read. Nothing is called inside a transaction.
    """
    reps = [rep for rep in active_reps(version) if only is None or rep.id in only]
    with db.reading() as tx:
        wanted = [one for some in sources.of(tx, version, reps).values() for one in some]
    if due and wanted:
        wanted = _due(db, version, wanted)
    window = Window(clock.now() - READ_BACK, clock.now() + READ_AHEAD)
    found = busy(open_calendar, wanted, window, seconds)
    note(db, wanted, {key: told.error or told for key, told in found.items()})
    kept = 0
    for source in wanted:
        if source.key in found:
            with db.transaction() as tx:
                store.lock_calendars(tx, version.site_id, [source.rep])
                kept += keep(tx, version.site_id, source, window, found[source.key])
    return kept


def busy(open_calendar: Opener, wanted: Sequence[Source], window: Window, seconds: float) -> dict[Key, Busy]:
    """What these calendars tell within the time; one whose turn did not come is left out."""

    def question(calendar: Calendar, _: str, some: Sequence[str]) -> Mapping[str, Busy]:
        return calendar.busy(some, window)

    asked = sources.by_connection(wanted)
    found = asking.ask(open_calendar, asked, question, seconds, size=lambda calendar: calendar.at_once)
    return {key: Busy(error=told) if isinstance(told, PluginError) else told for key, told in found.items()}


def note(db: Database, wanted: Sequence[Source], found: Mapping[Key, object]) -> None:
    """Tell each connection how it went: it works when one of its calendars could be read. What concerns a single
    calendar (it is gone, or not shared any more) says nothing of the connection."""
    for connection, names in sources.by_connection(wanted):
        told = [found[connection.id, name] for name in names if (connection.id, name) in found]
        problems = [one for one in told if isinstance(one, PluginError)]
        if not told:
            continue
        if len(problems) < len(told):
            if connections.is_news(connection, clock.now()):
                with db.transaction() as tx:
                    connections.worked(tx, connection.id)
            continue
        general = [one for one in problems if not isinstance(one, NotFound | PermissionDenied | InvalidInput)]
        if general and not general[0].held:
            with db.transaction() as tx:
                connections.failed(tx, connection.id, general[0])


def keep(tx: Connection, site_id: str, source: Source, window: Window, told: Busy) -> bool:
    """Keep what one calendar told; False when it told that it could not. The rep's calendar row is locked."""
    before = _row(tx, site_id, source)
    if told.error is not None:
        _keep_failure(tx, site_id, source, told.error)
    else:
        times = [list(one) for one in _foreign(tx, site_id, source.rep, window, told)]
        known = {"covers_from": window.start, "covers_until": window.end, "read_at": clock.now(), "failed_at": None}
        told_store.keep_calendar(tx, site_id, source.rep, *source.key, {"spans": times, "problem": "", **known})
        if _is_as_before(before, times):
            return True
    store.touch(tx, site_id, [source.rep])
    return told.error is None


def keep_near(tx: Connection, site_id: str, source: Source, window: Window, told: Busy) -> list[spans.Span]:
    """Keep what a calendar told about a short window just now; what it told of other times stays. Returns when the rep
    is busy in it with something else than our meetings. The rep's calendar row is locked."""
    before, times = _row(tx, site_id, source), _foreign(tx, site_id, source.rep, window, told)
    if told.error is not None:
        _keep_failure(tx, site_id, source, told.error)
    elif before is not None and before.read_at is not None:
        known = spans.spliced(((first, last) for first, last in before.spans), _span(window), times)
        values = {"spans": [list(one) for one in known], "problem": "", "failed_at": None}
        told_store.keep_calendar(tx, site_id, source.rep, *source.key, values)
    store.touch(tx, site_id, [source.rep])
    return times


def states(tx: Connection, version: Version, reps: Collection[str] | None = None) -> list[CalendarState]:
    """How the connected calendars of all active reps (or of these) stand; nothing of who uses the built-in one."""
    asked = [rep for rep in active_reps(version) if reps is None or rep.id in reps]
    connected = sources.of(tx, version, asked)
    if not any(connected.values()):
        return []
    rows = {(row.rep, row.connection_id, row.calendar): row for row in store.calendars_read(tx, version.site_id)}
    followed = {row.source: row.problem for row in store.positions(tx, version.site_id)}
    now = clock.now().timestamp()
    return [_state(rep, one, rows.get((rep.id, *one.key)), followed, now) for rep in asked for one in connected[rep.id]]


def _state(rep: Rep, source: Source, row: Any, followed: Mapping[str, str], now: float) -> CalendarState:
    state, reason = calendars.standing(row, now)
    read_at, failed_at = (row.read_at, row.failed_at) if row is not None else (None, None)
    problem = followed.get(source.position, "") if source.gets_events else ""
    return CalendarState(
        rep.id, rep.name, source.calendar, state, reason, read_at, failed_at, problem,
        source.connection.id, source.title, source.is_own, source.gets_events,
    )  # fmt: skip


def _due(db: Database, version: Version, wanted: Sequence[Source]) -> list[Source]:
    now = clock.now()
    with db.reading() as tx:
        found = store.calendars_read(tx, version.site_id)
    rows = {(row.rep, row.connection_id, row.calendar): row for row in found}

    def is_due(row: Any) -> bool:
        failing = calendars.standing(row, now.timestamp())[0] == FAILING
        last, rest = (row.failed_at, RETRY_EVERY) if failing else (row.read_at, READ_EVERY)
        return last is None or now - last >= rest

    return [one for one in wanted if (row := rows.get((one.rep, *one.key))) is None or is_due(row)]


def _keep_failure(tx: Connection, site_id: str, source: Source, problem: PluginError) -> None:
    values = {"failed_at": clock.now(), "problem": problem.user_message}
    told_store.keep_calendar(tx, site_id, source.rep, *source.key, values)


def _foreign(tx: Connection, site_id: str, rep: str, window: Window, told: Busy) -> list[spans.Span]:
    """When the rep is busy with something else than our meetings: those block by themselves, and a meeting that is
    moved must not stand in its own way."""
    rows = store.busy_meetings(tx, site_id, [rep], window.start)
    ours = [(int(row.start_at.timestamp()), int(row.end_at.timestamp())) for row in rows if row.status != store.HELD]
    return spans.without((_span(one) for one in told.times), ours)


def _span(window: Window) -> spans.Span:
    """In whole seconds, widened to them."""
    return int(window.start.timestamp()), -int(-window.end.timestamp() // 1)


def _row(tx: Connection, site_id: str, source: Source) -> Any:
    rows = store.calendars_read(tx, site_id, [source.rep])
    return next((row for row in rows if (row.connection_id, row.calendar) == source.key), None)


def _is_as_before(before: Any, times: Sequence[Sequence[int]]) -> bool:
    """Nothing that lies ahead has changed, and the calendar was trusted: what others keep of it holds."""
    now = int(clock.now().timestamp())
    if before is None or calendars.standing(before, now)[0] != TRUSTED:
        return False
    old, new = ([list(one) for one in some if one[1] > now] for some in (before.spans, times))
    return old == new
