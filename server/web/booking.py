"""Open times, holds and meetings as requests: for the widget's calendar and for pages of the site's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, json, request
from werkzeug.exceptions import UnsupportedMediaType

from server import clock
from server.adapters import connections
from server.booking import service as booking
from server.booking.invitations import links
from server.booking.offers import zone_of
from server.config.service import Version
from server.conversations.frames import moment
from server.db import Database
from server.db.storing import storable
from server.errors import Invalid
from server.playbooks import whose
from server.playbooks.whose import Whose
from server.routing.schema import Team
from server.routing.service import POOL
from server.web import limits, origins
from server.web.callers import Caller

bp = Blueprint("booking", __name__)

DAYS_AT_ONCE = 7
MOST_DAYS = 31
FARTHEST = timedelta(days=800)
_INSTEAD = "There is a meeting at this time already; the link in its mail shows, moves and cancels it."


@bp.get("/v1/slots")
def slots() -> Response:
    """Open times by local day."""
    version = _version("slots", _argument("site"))
    zone = _argument("zone", version.site.zone)
    first, days = _range(zone)
    given = request.args.get("with")
    asked = whose.of_token(version, given) if given else Whose(((POOL, request.args.get("pool") or ""),))
    with origins.database().reading() as tx:
        found = whose.starts(
            tx,
            version,
            asked,
            meeting=_argument("meeting"),
            start=first,
            end=first + timedelta(days=days),
            zone=zone,
        )
    return _answer(found.as_json())


@bp.post("/v1/holds")
def create_hold() -> Response:
    """Keep a time for five minutes."""
    Caller.of(request.headers).refuse_crawlers()
    body = _body({"site": str, "meeting": str, "start": str}, {"pool": str, "key": str})
    version = _version("booking", body["site"])
    with origins.database().transaction() as tx:
        held = booking.hold(
            tx,
            version,
            meeting=body["meeting"],
            start=_moment(body["start"], "start"),
            pool=body.get("pool"),
            key=_key(body),
        )
    return _answer({"hold": _hold(version, held)}, 201)


@bp.post("/v1/meetings")
def create_meeting() -> Response:
    """Make a held time a meeting."""
    Caller.of(request.headers).refuse_crawlers()
    texts = {"phone": str, "place": str, "zone": str, "locale": str, "key": str}
    body = _body({"site": str, "hold": str, "name": str, "email": str}, {**texts, "guests": list, "answers": dict})
    version = _version("booking", body["site"])
    db = origins.database()
    held = links.meeting_id_of(body["hold"])
    made = booking.with_calendars_read(
        db,
        lambda: _confirmed(db, version, held, body),
        partial(connections.open, db, seconds=booking.PATIENCE_SECONDS),
    )
    if made.id == held:
        return _answer({"meeting": booking.shown(version, made)}, 201)
    return _answer({"meeting": booking.glimpse(version, made), "instead": _INSTEAD}, 201)


@bp.before_app_request
def answer_preflight() -> Response | None:
    """Browsers ask before a page of another origin sends JSON; what comes then is checked against the site's list."""
    asked = request.method == "OPTIONS" and request.path.startswith("/v1/")
    return origins.preflight() if asked else None


def _confirmed(db: Database, version: Version, held: str, body: Mapping[str, Any]) -> booking.Meeting:
    with db.transaction() as tx:
        return booking.confirm(
            tx,
            version,
            held,
            name=body["name"],
            email=body["email"],
            guests=_texts(body.get("guests") or [], "guests"),
            answers=body.get("answers"),
            phone=body.get("phone", ""),
            place=body.get("place", ""),
            zone=body.get("zone", ""),
            locale=body.get("locale", ""),
            key=_key(body),
        )


def _hold(version: Any, held: booking.Meeting) -> dict[str, Any]:
    rep = version.part(Team).reps_by_id.get(held.rep)
    return {
        "token": booking.token_of(held.id),
        "start": moment(held.start_at),
        "end": moment(held.end_at),
        "rep": {"name": rep.name if rep else held.rep},
        "expires_at": moment(held.held_until or held.created_at + booking.HOLD_FOR),
    }


def _answer(body: Mapping[str, Any], status: int = 200) -> Response:
    response = Response(json.dumps(body), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return origins.share(response)


def _argument(name: str, default: str | None = None) -> str:
    value = request.args.get(name) or default
    if not value:
        raise Invalid(f"Name `{name}` in the address.", field=name)
    return value


def _range(zone: str) -> tuple[datetime, int]:
    """The first moment asked for, and how many local days from there."""
    local, days = zone_of(zone), request.args.get("days", str(DAYS_AT_ONCE))
    if not days.isdecimal() or len(days) > 2 or not 1 <= int(days) <= MOST_DAYS:
        raise Invalid(f"`days` must be a number from 1 to {MOST_DAYS}.", field="days")
    given = request.args.get("from")
    if not given:
        return clock.now(), int(days)
    try:
        first = datetime.combine(date.fromisoformat(given[:10]), time(), local).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("`from` must be a date such as 2026-03-02.", field="from") from None
    if abs(first - clock.now()) > FARTHEST:
        raise Invalid(f"`from` must lie within {FARTHEST.days} days from today.", field="from")
    return first, int(days)


def _body(needed: Mapping[str, type], optional: Mapping[str, type]) -> dict[str, Any]:
    """The JSON body, each field in its type. Invalid names the first that is not."""
    given = _object()
    fields = {**needed, **optional}
    for name, value in given.items():
        if name not in fields:
            raise Invalid(f"There is no field `{name[:40]}` here; allowed: {', '.join(fields)}.", field=name[:40])
        if value is not None and not isinstance(value, fields[name]):
            raise Invalid(f"`{name}` must be {_NAMES[fields[name]]}.", field=name)
        if isinstance(value, str) and len(value) > 2000:
            raise Invalid(f"`{name}` cannot be used as it is.", field=name)
    for name in needed:
        if not given.get(name):
            raise Invalid(f"`{name}` is needed.", field=name)
    return {name: value for name, value in given.items() if value is not None}


def _object() -> dict[str, Any]:
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        given = json.loads(request.get_data(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Invalid("Send a JSON object in which each key stands once.")
    if not storable(given):
        raise Invalid("The JSON contains a character that cannot be stored.")
    return given


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which each key stands once: of two, readers take one or the other."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_NAMES: Mapping[type, str] = {str: "text", list: "a list", dict: "an object"}


def _moment(text: str, field: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"`{field}` must be a moment such as 2026-03-02T09:00:00Z.", field=field) from None
    if found.tzinfo is None:
        raise Invalid(f"`{field}` must say its zone: end it with Z.", field=field)
    return found


def _texts(values: list[Any], field: str) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        raise Invalid(f"`{field}` must be a list of texts.", field=field)
    return values


def _key(body: Mapping[str, Any]) -> str | None:
    key = request.headers.get("Idempotency-Key") or body.get("key")
    if key and len(key) > 150:
        raise Invalid("`key` can have 150 characters at most.", field="key")
    return f"request:{key}" if key else None


def _version(kind: str, site: str) -> Version:
    """The site's version, for a page that may use it and has not asked too often."""
    limits.spend(kind, address=request.remote_addr or "")
    version = origins.site_of(site)
    limits.spend(kind, site=version.site_id)
    return version
