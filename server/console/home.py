"""What needs you now."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server import built
from server.booking import service as booking
from server.booking.service import Meeting
from server.console import calendars, here
from server.console.glass import today_in
from server.conversations import service as conversations
from server.db import Connection
from server.leads import service as leads
from server.outbox import service as outbox
from server.people.rights import Sight

bp = Blueprint("home", __name__)

MOST = 6


@bp.get("/")
def show() -> ResponseReturnValue:
    """Waiting visitors, my conversations, today's meetings, free leads, failed deliveries."""
    site_ids, sight = here.looked_at(), here.sight()
    with here.database().reading() as tx:
        waiting = conversations.latest(tx, site_ids, state=conversations.WAITING, limit=50, sight=sight)
        mine = conversations.latest(tx, site_ids, state=conversations.REP, rep=here.speaker(), limit=MOST, sight=sight)
        free = leads.latest(tx, site_ids, limit=MOST, sight=Sight(), disqualified=False)
        quiet = not conversations.latest(tx, site_ids, limit=1)
        today = _today(tx)
        failed = _failed(tx)
        silent = calendars.in_trouble(tx)
    waiting.sort(key=lambda pair: pair[0].waiting_since or pair[0].last_at)
    return render_template(
        "home/show.html",
        waiting=waiting,
        mine=mine,
        free=free,
        meetings=today,
        failed=failed,
        silent=silent,
        quiet=quiet,
        tags=[(site, built.script_tag(site.key)) for site in here.sites()] if quiet else [],
    )


def _today(tx: Connection) -> list[Meeting]:
    """Meetings that the person has, or looks after, from now to midnight on their clock."""
    sight = here.sight("see_all_meetings")
    found: list[Meeting] = []
    for site in [one] if (one := here.chosen()) else here.sites():
        start, end = today_in(here.zone_of(site.id))
        found += booking.list_for(tx, [site.id], sight=sight, start=start, end=end, statuses=booking.AHEAD, limit=MOST)
    return sorted(found, key=lambda meeting: meeting.start_at)


def _failed(tx: Connection) -> list[outbox.Delivery]:
    if not here.may("see_deliveries"):
        return []
    one = here.chosen()
    return list(outbox.latest(tx, one.id if one else None, "dead", MOST))
