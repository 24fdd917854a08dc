"""The calendar for reps who connected none: events and blocks in our own records, one calendar per id that is asked.

Each calendar has events by id, an index of busy spans by month, and a numbered log for `changes`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from plugins.adapter import CheckResult
from plugins.calendar import (
    Busy,
    Calendar,
    CalendarInfo,
    Capability,
    Change,
    Changed,
    Changes,
    Draft,
    EventRef,
    Guest,
    Window,
)
from plugins.calendar.times import hold_to_times, merge
from plugins.emails import stable_id
from plugins.errors import Conflict, CursorExpired, NotFound
from plugins.records import Record, append, change

CALENDARS = "calendar.calendar"
PAGE = 200


class BuiltinCalendar(Calendar):
    """A calendar's id is any text, in practice the rep's e-mail; it exists as soon as something stands in it.

    A time that a rep blocks for themselves is an event without guests.
    """

    name = "builtin"
    title = "Built-in calendar"
    about = "Keeps events and blocked times in Usher's own database."
    capabilities = frozenset({Capability.WRITE, Capability.CHANGES})

    def check(self) -> CheckResult:
        self.calendars()
        return CheckResult(ok=True, account=self.title)

    def calendars(self) -> list[CalendarInfo]:
        return [CalendarInfo(record["id"], record["id"]) for _, record in self.records.list(CALENDARS)]

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        return {calendar: Busy(merge(self._blocked(calendar, window), window)) for calendar in calendars}

    def events(self, calendar: str, window: Window) -> list[tuple[EventRef, Draft]]:
        """What stands in the calendar and touches the window, by start; also what does not block."""
        ids = dict.fromkeys(id for id, _ in self._rows(calendar, window))
        found = [self.records.get(_events_of(calendar), id) for id in ids]
        there = [_read(event) for event in found if event and not event["gone"]]
        touching = [(ref, draft) for ref, draft in there if draft.start < window.end and draft.end > window.start]
        return sorted(touching, key=lambda pair: pair[1].start)

    def create(self, calendar: str, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)
        id = stable_id("evt", calendar, key)
        new = {"id": id, "calendar": calendar, "version": 1, "gone": False, "keys": [key], **_written(draft)}
        self.records.put(CALENDARS, stable_id("cal", calendar), {"id": calendar}, new=True)
        return self._settle(calendar, id, lambda there: there or new)

    def update(self, ref: EventRef, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)

        def moved(there: Record | None) -> Record:
            if there is None or (there["gone"] and key not in there["keys"]):
                raise NotFound(f"there is no event {ref.id}")
            if key in there["keys"]:
                return there
            if ref.version and ref.version != str(there["version"]):
                raise Conflict(f"event {ref.id} is at version {there['version']}, not {ref.version}")
            changes = {**_written(draft), "version": there["version"] + 1, "keys": [*there["keys"], key]}
            return {**there, **changes, "months": sorted({*there["months"], *changes["months"]})}

        return self._settle(ref.calendar, ref.id, moved)

    def cancel(self, ref: EventRef, *, key: str, reason: str = "") -> None:
        def gone(there: Record | None) -> Record:
            if there is None:
                raise NotFound(f"there is no event {ref.id}")
            if there["gone"]:
                return there
            return {**there, "gone": True, "reason": reason, "version": there["version"] + 1}

        with suppress(NotFound):
            self._settle(ref.calendar, ref.id, gone)

    def changes(self, calendar: str, cursor: str = "") -> Changes:
        if cursor and self.records.get(_log_of(calendar), cursor) is None:
            raise CursorExpired(f"no entry {cursor} in the log of {calendar}")
        entries = self.records.list(_log_of(calendar), after=cursor, limit=PAGE + 1)
        page = entries[:PAGE]
        ids = dict.fromkeys(entry["event"] for _, entry in page)
        events = [event for event in (self.records.get(_events_of(calendar), id) for id in ids) if event]
        return Changes(tuple(map(_changed, events)), page[-1][0] if page else cursor, more=len(entries) > PAGE)

    def erase(self, uids: Collection[str]) -> None:
        """What these events say about people; that the time was taken stays."""
        blank = {"title": "", "description": "", "guests": [], "reason": ""}
        for _, calendar in self.records.list(CALENDARS):
            kind, after = _events_of(calendar["id"]), ""
            while rows := self.records.list(kind, after=after, limit=PAGE):
                for id, event in rows:
                    if event["uid"] in uids:
                        change(self.records, kind, id, lambda there: {**(there or {}), **blank})
                after = rows[-1][0]

    def _blocked(self, calendar: str, window: Window) -> list[Window]:
        return [_window(row) for _, row in self._rows(calendar, window) if row["blocks"]]

    def _rows(self, calendar: str, window: Window) -> Iterator[tuple[str, Record]]:
        """Events of the months the window touches, by id; one that spans months comes more than once."""
        for month in _months(window.start, window.end):
            after = ""
            while rows := self.records.list(_month_of(calendar, month), after=after, limit=PAGE):
                yield from rows
                after = rows[-1][0]

    def _settle(self, calendar: str, id: str, step: Callable[[Record | None], Record]) -> EventRef:
        """Change the event, then the index and the log that follow from it; a repeat mends what a crash left undone."""
        event = change(self.records, _events_of(calendar), id, step).now
        row = {name: event[name] for name in ("start", "end", "version")}
        row["blocks"] = event["blocks"] and not event["gone"]
        for month in event["months"]:
            change(self.records, _month_of(calendar, month), id, lambda there: _newer(there, row))
        append(self.records, _log_of(calendar), {"event": id})
        return _ref(event)


def _events_of(calendar: str) -> str:
    return stable_id("calendar.event", calendar)


def _month_of(calendar: str, month: str) -> str:
    return f"{stable_id('calendar', calendar)}.{month}"


def _log_of(calendar: str) -> str:
    return stable_id("calendar.log", calendar)


def _newer(there: Record | None, row: Record) -> Record:
    return there if there and there["version"] > row["version"] else row


def _months(start: datetime, end: datetime) -> list[str]:
    """The UTC months that the time from `start` to `end` touches, as "2026-03"."""
    day, last, months = start.astimezone(UTC).replace(day=1), end.astimezone(UTC), []
    while day.strftime("%Y-%m") <= last.strftime("%Y-%m"):
        months.append(day.strftime("%Y-%m"))
        day = (day + timedelta(days=32)).replace(day=1)
    return months


def _written(draft: Draft) -> Record:
    times = {"start": draft.start.isoformat(), "end": draft.end.isoformat()}
    guests = [asdict(guest) for guest in draft.guests]
    return {**asdict(draft), **times, "guests": guests, "months": _months(draft.start, draft.end)}


def _read(event: Record) -> tuple[EventRef, Draft]:
    values = {name: event[name] for name in ("uid", "zone", "title", "description", "location", "video", "blocks")}
    organizer = Guest(**event["organizer"]) if event["organizer"] else None
    guests = tuple(Guest(**guest) for guest in event["guests"])
    span = _window(event)
    return _ref(event), Draft(**values, start=span.start, end=span.end, organizer=organizer, guests=guests)


def _window(row: Record) -> Window:
    return Window(datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"]))


def _ref(event: Record) -> EventRef:
    return EventRef(event["calendar"], event["id"], str(event["version"]))


def _changed(event: Record) -> Changed:
    if event["gone"]:
        return Changed(Change.DELETED, _ref(event), uid=event["uid"])
    span = _window(event)
    return Changed(Change.CHANGED, _ref(event), event["uid"], span.start, span.end, event["blocks"])
