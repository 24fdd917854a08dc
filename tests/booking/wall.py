"""A calendar service in memory, as far as the contract tells: people write in it, it goes down, hangs and forgets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from plugins import registry
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
    Window,
)
from plugins.calendar.times import merge
from plugins.errors import Conflict, CursorExpired, NotFound, Transient

PAGE = 2


@dataclass
class Entry:
    """An event on the wall."""

    calendar: str
    uid: str
    start: datetime
    end: datetime
    version: int = 1
    gone: bool = False


@dataclass
class Wall:
    """What hangs there. `down`: calendars that fail; `hanging`: calendars that do not answer until `end_hanging`."""

    entries: dict[str, Entry] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)  # ids in the order of their changes
    forgotten: int = 0  # changes before this one are no longer known
    down: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None  # what happens while the service is being asked
    counter: int = 0

    def write(self, calendar: str, start: datetime, end: datetime, uid: str = "") -> str:
        """Somebody puts an event into their calendar; returns its id."""
        self.counter += 1
        id = f"event-{self.counter}"
        self.entries[id] = Entry(calendar, uid or id, start, end)
        self.log.append(id)
        return id

    def move(self, id: str, start: datetime, end: datetime) -> None:
        """Somebody drags an event."""
        self.entries[id] = replace(self.entries[id], start=start, end=end, version=self.entries[id].version + 1)
        self.log.append(id)

    def delete(self, id: str) -> None:
        self.entries[id].gone = True
        self.log.append(id)

    def id_of(self, uid: str) -> str:
        """The id of the event with this UID that still stands."""
        return next(id for id, one in self.entries.items() if one.uid == uid and not one.gone)

    def forget(self) -> None:
        """Cursors given out before are of no use any more."""
        self.forgotten = len(self.log)

    def reach(self, calendar: str) -> None:
        self.asked.append(calendar)
        if self.meanwhile:
            self.meanwhile()
        if calendar in self.hanging:
            self.ended.wait(20)
        if calendar in self.down:
            raise Transient("503", user_message="The calendar service is down.")


@contextmanager
def connected() -> Iterator[Wall]:
    """A wall that `adapters: {calendar: wall}` in site.yml leads to."""
    WallCalendar.wall = found = Wall()
    registry.register(WallCalendar)
    yield found
    found.ended.set()
    registry.unregister(WallCalendar)


class WallCalendar(Calendar):
    """The adapter; registered for the time of a test."""

    name = "wall"
    title = "Wall calendar"
    about = "For tests."
    capabilities = frozenset({Capability.WRITE, Capability.CHANGES})
    wall: ClassVar[Wall]

    def calendars(self) -> list[CalendarInfo]:
        return [CalendarInfo(one, one) for one in {entry.calendar for entry in self.wall.entries.values()}]

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        return {one: self._busy(one, window) for one in calendars}

    def create(self, calendar: str, draft: Draft, *, key: str) -> EventRef:
        self.wall.reach(calendar)
        id = f"ours-{key}"
        if id not in self.wall.entries:
            self.wall.entries[id] = Entry(calendar, draft.uid, draft.start, draft.end)
            self.wall.log.append(id)
        return self._ref(id)

    def update(self, ref: EventRef, draft: Draft, *, key: str) -> EventRef:
        self.wall.reach(ref.calendar)
        there = self.wall.entries.get(ref.id)
        if there is None or there.gone:
            raise NotFound(f"there is no {ref.id}")
        if ref.version and ref.version != str(there.version):
            raise Conflict(f"{ref.id} is at version {there.version}, not {ref.version}")
        self.wall.move(ref.id, draft.start, draft.end)
        return self._ref(ref.id)

    def cancel(self, ref: EventRef, *, key: str, reason: str = "") -> None:
        self.wall.reach(ref.calendar)
        if ref.id in self.wall.entries and not self.wall.entries[ref.id].gone:
            self.wall.delete(ref.id)

    def changes(self, calendar: str, cursor: str = "") -> Changes:
        self.wall.reach(calendar)
        since = int(cursor or 0)
        if cursor and since < self.wall.forgotten:
            raise CursorExpired("too old")
        page = self.wall.log[since : since + PAGE] if cursor else self.wall.log
        last = since + PAGE if cursor and since + PAGE < len(self.wall.log) else len(self.wall.log)
        ids = [id for id in dict.fromkeys(page) if self.wall.entries[id].calendar == calendar]
        items = tuple(self._changed(id) for id in ids if cursor or not self.wall.entries[id].gone)
        return Changes(items, str(last), more=last < len(self.wall.log))

    def _busy(self, calendar: str, window: Window) -> Busy:
        try:
            self.wall.reach(calendar)
        except Transient as problem:
            return Busy(error=problem)
        here = [one for one in self.wall.entries.values() if one.calendar == calendar and not one.gone]
        return Busy(merge([Window(one.start, one.end) for one in here], window))

    def _ref(self, id: str) -> EventRef:
        return EventRef(self.wall.entries[id].calendar, id, str(self.wall.entries[id].version))

    def _changed(self, id: str) -> Changed:
        one = self.wall.entries[id]
        if one.gone:  # as CalDAV has it: nothing but the address of what is gone
            return Changed(Change.DELETED, EventRef(one.calendar, id, ""))
        return Changed(Change.CHANGED, self._ref(id), one.uid, one.start, one.end)
