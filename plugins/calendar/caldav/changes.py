"""What changed in a CalDAV calendar: which events by sync-collection (RFC 6578), what they say by multiget, or one by
one where that leaves some out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from plugins.calendar import Change, Changed, Changes, EventRef, occupied
from plugins.calendar.caldav.places import CAL, Place
from plugins.calendar.occupied import Owner
from plugins.errors import CursorExpired, InvalidInput, NotFound, Permanent, PermissionDenied, PluginError
from plugins.http import Reply
from plugins.webdav import DAV, Resource, WebDav, parsed, preconditions, xml

PAGE = 250
ALONE = 20
"""Events of a page that are asked for one by one; where a server gives none of many, the others are told without times,
and so move no meeting."""
GONE, TRUNCATED = (404, 410), 507


@dataclass(frozen=True)
class _Place:
    """Where we are in the list of changes: those since `token`. In the middle of it: after the address `after`, and
    `then` continues when it is through; what changes meanwhile comes once more."""

    token: str = ""
    after: str = ""
    then: str = ""

    @classmethod
    def read(cls, cursor: str) -> Self:
        try:
            return cls(**json.loads(cursor)) if cursor else cls()
        except (ValueError, TypeError):
            raise CursorExpired("this is no cursor of ours") from None

    def written(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value})


def changes_of(dav: WebDav, place: Place, calendar: str, cursor: str, owner: Owner) -> Changes:
    """The changes since `cursor`, those of one page. CursorExpired when the server has forgotten it."""
    at = _Place.read(cursor)
    body = xml(
        "sync-collection",
        f"<sync-token>{escape(at.token)}</sync-token><sync-level>1</sync-level><prop><getetag/></prop>",
    )
    reply = dav.report("changes", place.href, body, depth=0, judge=_expired)
    listed = dav.resources(reply)
    token = (parsed(reply).findtext(f"{DAV}sync-token") or "").strip()
    truncated = any(one.status == TRUNCATED for one in listed)
    members = (one for one in listed if one.status != TRUNCATED and one.href.rstrip("/") != place.href.rstrip("/"))
    inside = sorted((one for one in members if one.href > at.after), key=lambda one: one.href)
    page = inside[:PAGE]
    items = _items(dav, place, page, calendar, owner)
    then = at.then or token
    if len(inside) > PAGE:
        return Changes(tuple(items), _Place(at.token, page[-1].href, then).written(), more=True)
    return Changes(tuple(items), _Place(then).written(), more=truncated)


def _items(dav: WebDav, place: Place, page: list[Resource], calendar: str, owner: Owner) -> list[Changed]:
    """Removed is only what the listing itself calls so (RFC 6578 3.5.2), or what is nowhere when it is asked for."""
    there = [one for one in page if one.status not in GONE]
    given = _given(dav, place, there)
    alone = [one for one in there if _name(one) not in given]
    given |= {_name(one): _Given(one.text(f"{DAV}getetag")) for one in alone[ALONE:]}
    items = []
    for one in page:
        found = None if one.status in GONE else given.get(_name(one)) or _single(dav, one)
        ref = EventRef(calendar, one.href, found.version if found else one.text(f"{DAV}getetag"))
        items.append(_item(ref, found.text, owner) if found else Changed(Change.DELETED, ref))
    return [item for item in items if item]


def _item(ref: EventRef, text: str, owner: Owner) -> Changed | None:
    """None for what is no event, such as a task. An event that cannot be read has no times."""
    told = occupied.told(text, owner)
    if told is None:
        other = "BEGIN:VCALENDAR" in text.upper() and "BEGIN:VEVENT" not in text.upper()
        return None if other else Changed(Change.CHANGED, ref)
    if told.gone:
        return Changed(Change.DELETED, ref, uid=told.uid)
    return Changed(Change.CHANGED, ref, told.uid, told.start, told.end, told.blocks)


@dataclass(frozen=True)
class _Given:
    """An event as the server gives it; without text where it may not be read."""

    version: str
    text: str = ""


def _given(dav: WebDav, place: Place, there: list[Resource]) -> dict[str, _Given]:
    """What multiget gives, by the last part of its address: some servers answer under another base (davx5-ose 1098)."""
    wanted = "".join(f"<href>{escape(urlsplit(one.href).path)}</href>" for one in there)
    if not wanted:
        return {}
    body = xml("C:calendar-multiget", f"<prop><getetag/><C:calendar-data/></prop>{wanted}")
    found = dav.resources(dav.report("changes", place.href, body))
    texts = {_name(one): (one.text(f"{DAV}getetag"), one.text(f"{CAL}calendar-data")) for one in found}
    return {name: _Given(version, text) for name, (version, text) in texts.items() if text.strip()}


def _single(dav: WebDav, one: Resource) -> _Given | None:
    """An event that was listed but not given: iCloud's multiget says 404 of some that are there (dankcalendar 108).
    None when it is not; one that is refused for good must not hold up the others."""
    headers = {"Accept": "text/calendar", "Accept-Encoding": "identity"}
    try:
        reply = dav.send("changes", "GET", one.href, headers=headers)
    except NotFound:
        return None
    except (PermissionDenied, InvalidInput, Permanent):
        return _Given(one.text(f"{DAV}getetag"))
    return _Given(reply.headers.get("etag", ""), reply.body.decode("utf-8", "replace"))


def _name(one: Resource) -> str:
    return one.href.rstrip("/").rpartition("/")[2]


def _expired(reply: Reply) -> PluginError | None:
    if reply.status in (403, 409, 412) and "valid-sync-token" in preconditions(reply):
        return CursorExpired(f"{reply.call.place()}: the token is too old", http_status=reply.status)
    return None
