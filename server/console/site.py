"""Which site the lists show."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session
from flask.typing import ResponseReturnValue

from server.console import gate, here

bp = Blueprint("site", __name__)


@bp.post("/site")
def choose() -> ResponseReturnValue:
    """Look at one site, or at all of them; back to the list they came from."""
    key = request.form.get("site", "")
    session["site"] = key if any(site.key == key for site in here.sites()) else ""
    return redirect(gate.where_they_were(), 303)
