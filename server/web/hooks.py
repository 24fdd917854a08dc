"""`/v1/hooks/<connection>`: for services that call to say what has changed. Verified, kept, answered at once."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, request

from plugins.errors import PermissionDenied, PluginError
from server.adapters import connections
from server.errors import Forbidden, Invalid, NotFound, TooMany, Unavailable
from server.web import limits, origins

bp = Blueprint("hooks", __name__)

MOST_BYTES = 256 * 1024
_log = logging.getLogger("usher.hooks")


@bp.route("/v1/hooks/<connection_id>", methods=["GET", "POST"])
def hear(connection_id: str) -> Response:
    """What the service tells, or its handshake. Who signs wrongly often is not looked at for a while."""
    address = request.remote_addr or ""
    if wait := limits.wait_for_hooks(address):
        raise TooMany("Too many calls that were not good.", retry_after=max(1, round(wait)))
    body = request.get_data(cache=False)
    if len(body) > MOST_BYTES:
        limits.hook_refused(address)
        raise Invalid("This is more than a service says at a time.")
    limits.spend("hook", visitor=f"{connection_id} {address}")  # nobody spends what another may say
    try:
        told = connections.hear(
            origins.database(),
            connection_id,
            method=request.method,
            query=request.query_string.decode("utf-8", "replace"),
            headers=dict(request.headers.items()),
            body=body,
        )
    except NotFound:
        limits.hook_refused(address)
        raise
    except PluginError as problem:
        limits.hook_refused(address)
        _log.warning("a call to %s was refused: %s", connection_id, problem)
        raise _refusal(problem) from problem
    answer = Response(told.body, status=told.status, content_type=told.content_type)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refusal(problem: PluginError) -> Forbidden | Invalid | Unavailable:
    """What went wrong, without a word of why: the caller may be anybody."""
    if isinstance(problem, PermissionDenied):
        return Forbidden("This call is not signed as it must be, or it is too old.")
    if problem.stops:
        return Unavailable("This connection cannot listen at the moment.")
    return Invalid("Nobody can read this.")
