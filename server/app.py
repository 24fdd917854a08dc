"""Builds the app: opens the database, hangs up the doors, turns our errors into answers."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from io import BytesIO
from json import dumps as json_text
from typing import Any

import gevent
from flask import Flask, Response, json, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import get_input_stream

from plugins import registry
from server import clock, console, ids, settings
from server.db import AWAY, Database, migrate
from server.errors import Invalid, TooMany, Unavailable, UsherError
from server.web import (
    arrivals,
    assets,
    booking,
    chat,
    connection,
    hooks,
    meeting_page,
    metrics,
    poll,
    proxies,
    site_config,
    status,
)

MOST_BODY_BYTES = 256 * 1024
BODY_SECONDS = 8
VISITOR_DOORS = (assets, site_config, arrivals, booking, meeting_page, poll, status, metrics, hooks)
_log = logging.getLogger("usher")


def create_app(database: Database | None = None) -> Flask:
    """The whole server as one Flask app, on a database that is brought up to date first."""
    of = settings.get()
    key = of.key()
    ids.use_key(key, of.old_keys)
    registry.allow(of.adapters_allowed)
    if of.stopped_clock:
        clock.start_at(datetime.fromisoformat(of.stopped_clock).astimezone(UTC))
    app = Flask("server", static_folder=None, template_folder=None)
    app.config.update(
        SECRET_KEY=key,
        SECRET_KEY_FALLBACKS=of.old_keys,
        MAX_CONTENT_LENGTH=MOST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BODY_BYTES,
        SESSION_COOKIE_NAME="usher_console",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=of.cookies_are_secure,
        SOCK_SERVER_OPTIONS=connection.SERVER_OPTIONS,
        RATELIMIT_ENABLED=of.rate_limits,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    db = database or Database(of.database_url)
    migrate.upgrade(db)
    app.extensions["usher_db"] = db
    _hang_doors(app)
    app.register_error_handler(UsherError, _answer_usher_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    for problem in AWAY:
        app.register_error_handler(problem, _answer_unavailable)
    app.register_error_handler(Exception, _answer_fault)
    app.before_request(_refuse_nul)
    app.after_request(_harden)
    app.wsgi_app = _Front(app.wsgi_app)  # type: ignore[method-assign]
    if of.trusted_proxies:
        app.wsgi_app = proxies.Trusted(app.wsgi_app, of.trusted_proxies)  # type: ignore[method-assign]
    return app


def _hang_doors(app: Flask) -> None:
    for door in VISITOR_DOORS:
        app.register_blueprint(door.bp)
    chat.init_app(app)
    console.init_app(app)


def _refuse_nul() -> None:
    """No page sends a NUL; PostgreSQL takes none, so it would be a fault of ours wherever it is looked for or kept."""
    given = [request.path, *(text for _, text in (*request.args.items(multi=True), *request.form.items(multi=True)))]
    if any("\x00" in text for text in given):
        raise Invalid("The request contains a character that cannot be stored.")


def _answer_usher_error(error: UsherError) -> ResponseReturnValue:
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
    return _answer(error.as_json(), error.status, error.message), error.status, headers


def _answer_http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    sentence = _SENTENCES.get(error.code, error.description or "This request cannot be answered.")
    body = {"error": {"code": (error.name or "error").lower().replace(" ", "_"), "message": sentence}}
    kept = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After")]
    return _answer(body, error.code, sentence), error.code, kept


def _answer_unavailable(error: SQLAlchemyError) -> ResponseReturnValue:
    """The database is away or full: one line, for there is one a request until somebody mends it."""
    _log.warning("%s: the database does not answer (%s)", request.method, str(error).split("\n")[0])
    return _answer_usher_error(Unavailable("Something we need does not answer just now; please try again in a minute."))


def _answer_fault(error: Exception) -> ResponseReturnValue:
    _log.exception("%s %s failed", request.method, request.path.split("/m/")[0] or "/m/…", exc_info=error)
    sentence = "Something went wrong on our side; please try again in a moment."
    return _answer({"error": {"code": "fault", "message": sentence}}, 500, sentence), 500


_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: "What was sent is too large.",
    415: "Send JSON with Content-Type: application/json.",
    429: "Too many requests; please wait a moment and try again.",
}


def _answer(body: dict[str, Any], status: int, sentence: str) -> str | Response:
    """JSON for programs; a page for people who look at one."""
    if request.path.startswith("/v1/") or request.is_json or not request.accept_mimetypes.accept_html:
        response: Response = Response(status=status)
        response.set_data(json.dumps(body))
        response.content_type = "application/json"
        return response
    return render_template("problem.html", sentence=sentence, status=status)


def _harden(response: Response) -> Response:
    """Headers that every answer carries; pages set a stricter Content-Security-Policy of their own where they can."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if settings.get().cookies_are_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.mimetype == "text/html":
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
    return response


class _Front:
    """Before Flask: a body comes whole and in time, or the request ends; and no permessage-deflate, which would cost
    100 KB of memory a socket (docs/decisions.md)."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS"):
            with gevent.Timeout(BODY_SECONDS) as slow:
                try:
                    environ["wsgi.input"] = BytesIO(get_input_stream(environ).read(MOST_BODY_BYTES + 1))
                except gevent.Timeout as passed:
                    if passed is not slow:
                        raise
                    return _TOO_SLOW(environ, start_response)
        return self._inner(environ, start_response)


_TOO_SLOW = Response(
    json_text({"error": {"code": "too_slow", "message": "The rest of this request did not come."}}),
    status=408,
    content_type="application/json",
)
