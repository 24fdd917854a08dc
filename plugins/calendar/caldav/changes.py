"""What changed in a CalDAV calendar: which events by sync-collection (RFC 6578), what they say by multiget."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Self
from xml.sax.saxutils import escape

from plugins.calendar import Change, Changed, Changes, EventRef, occupied
from plugins.calendar.caldav.places import CAL, Place
from plugins.calendar.occupied import Owner
from plugins.errors import CursorExpired, PluginError
from plugins.http import Reply
from plugins.webdav import DAV, Resource, WebDav, parsed, preconditions, xml

PAGE = 250
TRUNCATED = 507


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
    inside = sorted((one for one in listed if one.href != place.href and one.href > at.after), key=lambda one: one.href)
    page = inside[:PAGE]
    items = _items(dav, place, page, calendar, owner)
    then = at.then or token
    if len(inside) > PAGE:
        return Changes(tuple(items), _Place(at.token, page[-1].href, then).written(), more=True)
    return Changes(tuple(items), _Place(then).written(), more=truncated)


def _items(dav: WebDav, place: Place, page: list[Resource], calendar: str, owner: Owner) -> list[Changed]:
    there = [one.href for one in page if one.status == 200]
    texts = {one.href: one for one in _fetched(dav, place, there)}
    return [
        item
        for one in page
        if (item := _item(EventRef(calendar, one.href, one.text(f"{DAV}getetag")), texts.get(one.href), owner))
    ]


def _item(ref: EventRef, found: Resource | None, owner: Owner) -> Changed | None:
    """None for what is no event, such as a task."""
    text = found.text(f"{CAL}calendar-data") if found else ""
    if not text:
        return Changed(Change.DELETED, ref)
    told = occupied.told(text, owner)
    if told is None:
        return None
    ref = EventRef(ref.calendar, ref.id, found.text(f"{DAV}getetag") if found else ref.version)
    if told.gone:
        return Changed(Change.DELETED, ref, uid=told.uid)
    return Changed(Change.CHANGED, ref, told.uid, told.start, told.end, told.blocks)


def _fetched(dav: WebDav, place: Place, hrefs: Iterable[str]) -> list[Resource]:
    wanted = "".join(f"<href>{escape(href)}</href>" for href in hrefs)
    if not wanted:
        return []
    body = xml("C:calendar-multiget", f"<prop><getetag/><C:calendar-data/></prop>{wanted}")
    return dav.resources(dav.report("changes", place.href, body))


def _expired(reply: Reply) -> PluginError | None:
    if reply.status in (403, 409, 412) and "valid-sync-token" in preconditions(reply):
        return CursorExpired(f"{reply.call.place()}: the token is too old", http_status=reply.status)
    return None
