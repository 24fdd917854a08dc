"""What connected calendars told makes reps busy: read ahead, kept, and whom it cannot be asked of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection

from plugins.calendar import Busy, Calendar, Window
from plugins.errors import PluginError
from server import clock
from server.booking import calendars, store
from server.config.service import Version
from server.db import Database
from server.routing.schema import Team

READ_BACK = timedelta(days=8)
READ_AHEAD = timedelta(days=120)
_SILENT = Busy(error=PluginError("no answer", user_message="The calendar service said nothing about this calendar."))


def read_ahead(db: Database, version: Version, open_calendar: Callable[[], Calendar]) -> int:
    """Read the connected calendars of all active reps once and keep what they tell; the built-in one is never read.

    `open_calendar` gives the site's adapter. A failure is kept with its reason: the rep is out until the next success.
    Returns how many calendars could be read. Nothing is called inside a transaction.
    """
    if version.site.adapters.calendar == "builtin":
        return 0
    reps = {rep.id: rep.calendar_id for rep in version.part(Team).reps if rep.active}
    window = Window(clock.now() - READ_BACK, clock.now() + READ_AHEAD)
    try:
        found = open_calendar().busy(sorted(set(reps.values())), window)
    except PluginError as problem:
        found = {calendar: Busy(error=problem) for calendar in reps.values()}
    with db.transaction() as tx:
        store.lock_calendars(tx, version.site_id, reps)
        return sum(
            keep_read(tx, version.site_id, rep, name, window, found.get(name, _SILENT)) for rep, name in reps.items()
        )


def keep_read(tx: Connection, site_id: str, rep: str, calendar: str, window: Window, busy: Busy) -> bool:
    """Keep what one calendar told; False when it told that it could not. The rep's calendar row is locked."""
    now = clock.now()
    if busy.error is not None:
        store.keep_calendar(tx, site_id, rep, calendar, {"failed_at": now, "problem": busy.error.user_message})
    else:
        spans = [[int(one.start.timestamp()), -int(-one.end.timestamp() // 1)] for one in busy.times]
        known = {"covers_from": window.start, "covers_until": window.end, "read_at": now, "failed_at": None}
        store.keep_calendar(tx, site_id, rep, calendar, {"spans": spans, "problem": "", **known})
    store.touch(tx, site_id, [rep])
    return busy.error is None


def silent_calendars(tx: Connection, version: Version) -> dict[str, str]:
    """Active reps whose connected calendar cannot be trusted now, and why: {rep: reason}."""
    reps = [rep.id for rep in version.part(Team).reps if rep.active]
    return calendars.load(tx, version, reps, clock.now()).silent
