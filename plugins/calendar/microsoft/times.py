"""When mailboxes of Microsoft 365 are busy: by getSchedule for whole mailboxes, by the events for single calendars.

getSchedule speaks of mailboxes, that is of their default calendar: one call for twenty of them, which needs no right to
read events. A chosen calendar of an account has no such report, so its events are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from plugins.calendar import Busy, Window
from plugins.calendar.microsoft.graph import Graph, Place, moment, named, wire
from plugins.calendar.times import merge
from plugins.errors import AuthError, NotFound, Permanent, PermissionDenied, PluginError, RateLimited, Transient
from plugins.odata import as_object, items_of

MAILBOXES = 20
"""How many getSchedule takes at a time."""
DAYS = 31
"""How long a window it is asked for: documents named 42 and 62 days at different times."""
SLOT_MINUTES = 15
DEAD_AFTER = 2
"""Calendars of one call that got no answer at all before the service counts as gone and the others are not asked."""
_PAGE = 250
_FREE, _ELSEWHERE = ("free",), ("free", "workingElsewhere")
_SEEN = "start,end,showAs,isAllDay,isCancelled,responseStatus,originalStartTimeZone,type"


class Times:
    """`zone` is where all-day events lie that do not say so; `elsewhere`: working elsewhere blocks."""

    def __init__(self, graph: Graph, *, person: bool, zone: tzinfo, elsewhere: bool) -> None:
        self._graph, self._person, self._zone = graph, person, zone
        self._free = _FREE if elsewhere else _ELSEWHERE
        self._silent: list[PluginError] = []

    def of(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        """One result for each; raises what concerns all of them."""
        places = {id: Place.of(id) for id in calendars}
        mailboxes = [id for id, place in places.items() if place.is_mailbox]
        found: dict[str, Busy] = {}
        for first in range(0, len(mailboxes), MAILBOXES):
            found |= self._mailboxes(mailboxes[first : first + MAILBOXES], window)
        for id, place in places.items():
            if id not in found:
                found[id] = self._guarded([id], lambda place=place, id=id: {id: self._events(place, window)})[id]
        return {id: found[id] for id in calendars}

    def _mailboxes(self, ids: Sequence[str], window: Window) -> dict[str, Busy]:
        """The mailbox that is asked through may be the one that is amiss: then each is asked by itself."""
        try:
            return self._guarded(ids, lambda: self._schedules(ids, window), alone=len(ids) == 1)
        except (NotFound, PermissionDenied):
            return {id: self._guarded([id], lambda id=id: self._schedules([id], window))[id] for id in ids}

    def _guarded(self, ids: Sequence[str], ask: Any, alone: bool = True) -> dict[str, Busy]:
        try:
            if len(self._silent) >= DEAD_AFTER:
                raise self._silent[-1]
            result: dict[str, Busy] = ask()
            return result
        except (AuthError, RateLimited):
            raise
        except PluginError as error:
            if not alone and isinstance(error, NotFound | PermissionDenied):
                raise
            self._silent += [error] if isinstance(error, Transient) and error.http_status is None else []
            return {id: Busy(error=error) for id in ids}

    def _schedules(self, ids: Sequence[str], window: Window) -> dict[str, Busy]:
        times: dict[str, list[Window]] = {id: [] for id in ids}
        errors: dict[str, PluginError] = {}
        for part in _parts(window):
            for id, told in self._asked(ids, part).items():
                if isinstance(told, PluginError):
                    errors[id] = told
                else:
                    times[id] += told
        return {
            id: Busy(error=errors[id]) if id in errors else Busy(merge(found, window)) for id, found in times.items()
        }

    def _asked(self, ids: Sequence[str], part: Window) -> dict[str, list[Window] | PluginError]:
        path = "/me" if self._person else Place.of(ids[0]).owner
        question = {
            "schedules": list(ids),
            "startTime": wire(part.start),
            "endTime": wire(part.end),
            "availabilityViewInterval": SLOT_MINUTES,
        }
        reply = self._graph.call("busy", "POST", f"{path}/calendar/getSchedule", json=question, repeatable=True)
        told = {str(one.get("scheduleId", "")).casefold(): one for one in items_of(as_object(reply))}
        return {id: self._told(told.get(id.casefold()), part) for id in ids}

    def _told(self, schedule: dict[str, Any] | None, part: Window) -> list[Window] | PluginError:
        """The busy times of one mailbox. What the answer leaves out, or calls an error, is not known."""
        if schedule is None:
            return Permanent("the answer leaves this mailbox out")
        if error := schedule.get("error"):
            return named(str(error.get("responseCode") or ""), str(error.get("message") or ""))
        items, view = schedule.get("scheduleItems"), schedule.get("availabilityView")
        if not isinstance(items, list) or (not items and view is None):
            return Permanent("the answer does not say when this mailbox is busy")
        items = items_of({"value": items})
        spans = [(Window(moment(one.get("start")), moment(one.get("end"))), str(one.get("status"))) for one in items]
        blocking = [span for span, status in spans if status not in self._free]
        return [*blocking, *self._coarse(str(view or ""), part, [span for span, _ in spans])]

    def _coarse(self, view: str, part: Window, known: Sequence[Window]) -> Iterator[Window]:
        """What only the coarse view tells, where single events may not be seen."""
        free = "0" if self._free == _FREE else "04"
        slot = timedelta(minutes=SLOT_MINUTES)
        for place, sign in enumerate(view):
            start = part.start + place * slot
            if sign not in free and not any(one.start < start + slot and one.end > start for one in known):
                yield Window(start, start + slot)

    def _events(self, place: Place, window: Window) -> Busy:
        params = {
            "startDateTime": _text(window.start - timedelta(days=1)),
            "endDateTime": _text(window.end + timedelta(days=1)),
            "$select": _SEEN,
            "$top": str(_PAGE),
        }
        events = self._graph.pages("busy", place.inside("calendarView"), params=params)
        return Busy(merge([span_of(one, self._zone) for one in events if blocks(one, self._free)], window))


def blocks(event: dict[str, Any], free: Sequence[str] = _ELSEWHERE) -> bool:
    """Whether an event keeps its time from others: not shown as free, called off, or declined."""
    answered = (event.get("responseStatus") or {}).get("response")
    return not event.get("isCancelled") and event.get("showAs") not in free and answered != "declined"


def span_of(event: dict[str, Any], zone: tzinfo) -> Window:
    """From start to end. Days are midnights without a zone: they lie where the event was made, else in `zone`."""
    start, end = moment(event.get("start")), moment(event.get("end"))
    if event.get("isAllDay") and start.time() == end.time() == time():
        lies = zone_named(str(event.get("originalStartTimeZone") or "")) or zone
        start, end = (at.replace(tzinfo=lies).astimezone(UTC) for at in (start, end))
    return Window(start, max(start, end))


@cache
def zone_named(name: str) -> tzinfo | None:
    """A zone by its Windows or IANA name. None for UTC, too: it stands in events made by programs."""
    known = WINDOWS_TO_OLSON.get(name, name)
    return ZoneInfo(known) if known in available_timezones() and known not in ("UTC", "Etc/UTC", "Etc/GMT") else None


def _parts(window: Window) -> Iterator[Window]:
    start = window.start.astimezone(UTC).replace(microsecond=0)
    end = window.end.astimezone(UTC)
    end = end.replace(microsecond=0) + timedelta(seconds=1 if end.microsecond else 0)
    while start < end:
        until = min(start + timedelta(days=DAYS), end)
        yield Window(start, until)
        start = until


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
