"""Connected calendars: when each was last read, and who gets no meetings because his is silent."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.booking import service as booking
from server.booking.service import CalendarState
from server.console import here
from server.console.here import SiteHere
from server.db import Connection

bp = Blueprint("calendars", __name__, url_prefix="/calendars")

Standing = tuple[SiteHere, list[CalendarState]]


@bp.get("")
def index() -> ResponseReturnValue:
    """Everybody's, or one's own, by site; those in trouble first."""
    with here.database().reading() as tx:
        found = _standing(tx, everybody=here.may("see_all_meetings"))
    return render_template("calendars/index.html", found=found)


def in_trouble(tx: Connection) -> list[Standing]:
    """Calendars that keep their rep out, or are not followed: those of all for who looks after the reps, else one's
    own."""
    found = _standing(tx, everybody=here.may("change_all_meetings"))
    bad = [(site, [one for one in states if one.is_out or one.not_followed]) for site, states in found]
    return [(site, states) for site, states in bad if states]


def _standing(tx: Connection, *, everybody: bool) -> list[Standing]:
    sites = [one] if (one := here.chosen()) else here.sites()
    found = [(site, booking.calendar_states(tx, site.version)) for site in sites]
    if not everybody:
        found = [(site, [state for state in states if state.rep == here.user().rep]) for site, states in found]
    return [(site, sorted(states, key=_trouble_first)) for site, states in found if states]


def _trouble_first(state: CalendarState) -> tuple[bool, bool, str]:
    return not state.is_out, not state.not_followed, state.name
