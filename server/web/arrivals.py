"""`POST /v1/sites/<key>/arrivals`: a browser that may be recorded is on a page of a site that looks companies up on
page load. Nothing is kept of the visitor: only whose network it is, under a digest, for when the chat is opened."""

from __future__ import annotations

from flask import Blueprint, Response, request

from server.playbooks import service as playbooks
from server.web import limits, origins
from server.web.callers import Caller

bp = Blueprint("arrivals", __name__)


@bp.post("/v1/sites/<key>/arrivals")
def arrive(key: str) -> Response:
    """Look ahead; 204 whatever comes of it."""
    version = origins.site_of(key)
    caller = Caller.of(request.headers)
    caller.refuse_crawlers()
    address = request.remote_addr or ""
    limits.spend("arrival", address=address, site=version.site_id)
    if not caller.discreet:
        playbooks.look_ahead(origins.database(), version, address)
    return origins.share(Response(status=204))
