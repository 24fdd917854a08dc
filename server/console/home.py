"""What needs you now."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server import settings
from server.console import here
from server.conversations import service as conversations
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
        free = leads.latest(tx, site_ids, limit=MOST, sight=Sight())
        failed = _failed(tx)
    waiting.sort(key=lambda pair: pair[0].waiting_since or pair[0].last_at)
    return render_template(
        "home/show.html", waiting=waiting, mine=mine, free=free, failed=failed, server=settings.get().public_url
    )


def _failed(tx: outbox.Connection) -> list[outbox.Delivery]:
    if not here.may("see_deliveries"):
        return []
    one = here.chosen()
    return list(outbox.latest(tx, one.id if one else None, "dead", MOST))
