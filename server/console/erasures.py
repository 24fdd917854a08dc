"""Erasures, for owners: who erased somebody when. Whom, nobody can tell."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server import events
from server.console import here

bp = Blueprint("erasures", __name__, url_prefix="/erasures")

MOST = 100


@bp.get("")
def index() -> ResponseReturnValue:
    """The newest facts, of the sites that are looked at."""
    here.need("erase")
    with here.database().reading() as tx:
        found = [line for site in here.looked_at() for line in events.latest(tx, site, [events.PERSON_ERASED], MOST)]
    return render_template("erasures/index.html", found=sorted(found, key=lambda line: line.id, reverse=True))
