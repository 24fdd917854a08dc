"""Is the server alive, and does its database answer? For load balancers and `make demo`."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from server import __version__
from server.web import origins

bp = Blueprint("status", __name__)


@bp.get("/healthz")
def health() -> ResponseReturnValue:
    """200 while the database answers, else 503."""
    try:
        origins.database().check()
    except SQLAlchemyError:
        return {"ok": False, "version": __version__}, 503
    return {"ok": True, "version": __version__}
