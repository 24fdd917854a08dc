"""What changed in a calendar of Microsoft 365, by the delta of a view of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

from plugins.calendar import Change, Changed, Changes, EventRef, Window
from plugins.calendar.microsoft.events import id_of
from plugins.calendar.microsoft.graph import Graph, Place
from plugins.calendar.microsoft.times import blocks, span_of
from plugins.errors import CursorExpired, InvalidInput, NotFound
from plugins.odata import items_of

BACK, AHEAD = timedelta(days=30), timedelta(days=730)
RENEWED = timedelta(days=30)
"""A delta is of a fixed stretch of time: after so long it is begun anew, with a stretch that reaches far enough."""
PAGE = 200


@dataclass(frozen=True)
class _Place:
    """Where we are: `link` is Graph's own, `since` and `until` the stretch it speaks of, `made` when that began."""

    link: str
    since: str
    until: str
    made: str

    @classmethod
    def read(cls, cursor: str) -> Self:
        try:
            return cls(**json.loads(cursor))
        except (ValueError, TypeError):
            raise CursorExpired("this is no cursor of ours") from None

    @property
    def window(self) -> Window:
        return Window(datetime.fromisoformat(self.since), datetime.fromisoformat(self.until))


def changes_of(graph: Graph, calendar: str, cursor: str, now: datetime, zone: tzinfo) -> Changes:
    """The changes since `cursor`, one page. CursorExpired when Graph has forgotten it, or it is getting old."""
    place = Place.of(calendar)
    prefer = (f"odata.maxpagesize={PAGE}",)
    if cursor:
        at = _Place.read(cursor)
        if not graph.owns(at.link) or now - datetime.fromisoformat(at.made) > RENEWED:
            raise CursorExpired("the stretch of time that this cursor speaks of is getting old")
        page = _asked(graph, at.link, prefer)
    else:
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        at = _Place("", (day - BACK).isoformat(), (day + AHEAD).isoformat(), now.isoformat())
        params = {"startDateTime": _text(at.window.start), "endDateTime": _text(at.window.end)}
        page = graph.get("changes", place.inside("calendarView/delta"), params=params, prefer=prefer)
    told = [_item(graph, place, calendar, one, at.window, zone) for one in items_of(page)]
    onward = graph.link(page, "@odata.nextLink")
    link = onward or graph.link(page, "@odata.deltaLink")
    if not link:
        raise CursorExpired("the answer does not say where it goes on")
    after = json.dumps(asdict(_Place(link, at.since, at.until, at.made)))
    return Changes(tuple(one for one in told if one is not None), after, more=bool(onward))


def _asked(graph: Graph, link: str, prefer: tuple[str, ...]) -> dict[str, Any]:
    """Graph says 410 when it has forgotten the place, and 400 when it cannot read its own link any more."""
    try:
        return graph.get("changes", link, prefer=prefer)
    except NotFound as error:
        if error.http_status != 410:
            raise
        raise CursorExpired(error.message, http_status=410, vendor_code=error.vendor_code) from error
    except InvalidInput as error:
        raise CursorExpired(error.message, http_status=400, vendor_code=error.vendor_code) from error


def _item(
    graph: Graph, place: Place, calendar: str, event: dict[str, Any], window: Window, zone: tzinfo
) -> Changed | None:
    """None for what only stands for others, as the master of a series does for its instances."""
    ref = EventRef(calendar, id_of(event), str(event.get("@odata.etag") or ""))
    if "@removed" in event:
        return _gone(graph, place, ref, window, zone)
    if event.get("isCancelled"):
        return Changed(Change.DELETED, ref, uid=str(event.get("iCalUId") or ""))
    if event.get("type") == "seriesMaster" or not event.get("start"):
        return None
    return _changed(ref, event, zone)


def _changed(ref: EventRef, event: dict[str, Any], zone: tzinfo) -> Changed:
    span = span_of(event, zone)
    return Changed(Change.CHANGED, ref, str(event.get("iCalUId") or ""), span.start, span.end, blocks(event))


def _gone(graph: Graph, place: Place, ref: EventRef, window: Window, zone: tzinfo) -> Changed:
    """Graph calls removed also what changed outside of the stretch of time: that is there still, and is looked for."""
    try:
        event = graph.get("changes", place.event(ref.id))
    except NotFound:
        return Changed(Change.DELETED, ref)
    span = span_of(event, zone)
    inside = span.start < window.end and span.end > window.start
    if event.get("isCancelled") or inside or not _is_listed(graph, place, ref.id, span):
        return Changed(Change.DELETED, ref)
    return _changed(EventRef(ref.calendar, ref.id, str(event.get("@odata.etag") or "")), event, zone)


def _is_listed(graph: Graph, place: Place, id: str, span: Window) -> bool:
    """Whether the calendar shows it at its time: an event in the folder of deleted ones can be read as well."""
    until = span.end + timedelta(seconds=1)
    params = {"startDateTime": _text(span.start), "endDateTime": _text(until), "$select": "id"}
    return any(one.get("id") == id for one in graph.pages("changes", place.inside("calendarView"), params=params))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
