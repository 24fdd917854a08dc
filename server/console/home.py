"""What needs you now."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

bp = Blueprint("home", __name__)


@bp.get("/")
def show() -> ResponseReturnValue:
    """Waiting visitors, today's meetings, failed deliveries."""
    return render_template("home/show.html")
