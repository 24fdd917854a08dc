"""What follows when a rep has connected a calendar service: its calendars are asked for, the usual one is chosen, and
it is read, so that the page they come back to shows how it stands."""

from __future__ import annotations

from functools import partial

from flask import flash

from server.adapters import connections
from server.adapters.connections import Connection
from server.booking import service as booking
from server.console import here
from server.console.here import SiteHere

PATIENCE_SECONDS = 8.0


def after_connecting(made: Connection, *, again: bool = False) -> None:
    """Choose what is usual, or what was chosen before, and read it. `again`: only to see which calendars there are."""
    site = here.site_of(made.site_id)
    if site is None or not made.rep or made.kind != "calendar":
        return
    problem = booking.settle_first(here.database(), site.version, made, actor=here.user().actor)
    if problem:
        flash(problem, "problem")
    elif again:
        flash("These are the calendars there are now.", "done")
    read_now(site, made.rep)


def read_now(site: SiteHere, rep: str) -> None:
    """Read a rep's calendars at once; what does not answer in time is read by the timetable."""
    db = here.database()
    opener = partial(connections.open, db, seconds=PATIENCE_SECONDS)
    booking.read_ahead(db, site.version, opener, only={rep}, seconds=PATIENCE_SECONDS)
