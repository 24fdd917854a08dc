"""What a calendar adapter is: busy times of people's calendars, and events that we create, move and cancel.

Moments are aware. A calendar that cannot be read is an error of that calendar, never "free".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from plugins.adapter import Adapter, needs
from plugins.errors import PluginError


class Capability(StrEnum):
    """What a calendar may be able to do beyond telling busy times."""

    WRITE = "write"
    VIDEO = "video"
    CHANGES = "changes"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` (included) to `end` (not included)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Busy:
    """The busy times of one calendar inside the asked window, or why they are not known.

    `times` are in order, clipped to the window, merged where they touch. Transparent and cancelled events and
    those the person declined do not count; tentative ones and all-day ones that are opaque do.
    """

    times: tuple[Window, ...] = ()
    error: PluginError | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody invited."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event as we want it. `zone` is the IANA zone it is shown in; `uid` is the iCalendar UID, the same in the
    invitation mail. `video` asks the service for a video link (capability VIDEO). `blocks` False: shown as free."""

    uid: str
    start: datetime
    end: datetime
    zone: str
    title: str
    description: str = ""
    location: str = ""
    organizer: Guest | None = None
    guests: tuple[Guest, ...] = ()
    video: bool = False
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class EventRef:
    """An event at the service. `version` (ETag, change key) belongs to its present state; `video_url` when asked."""

    calendar: str
    id: str
    version: str
    url: str = ""
    video_url: str = ""


class Change(StrEnum):
    """What a change feed can report."""

    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Changed:
    """An event that is new, moved or gone. Times are None when it is gone, or is there but cannot be read. `uid` ""
    when the service hides it."""

    what: Change
    ref: EventRef
    uid: str = ""
    start: datetime | None = None
    end: datetime | None = None
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes in order; `cursor` continues after them; ask again at once while `more`."""

    items: tuple[Changed, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """A push subscription, to be renewed before `expires_at` by watching again. `resource`: what the service wants to
    hear at its end beside the id, "" when it does not."""

    id: str
    expires_at: datetime
    resource: str = ""


@dataclass(frozen=True, slots=True)
class CalendarInfo:
    """A calendar of the connected account, to choose from."""

    id: str
    title: str
    primary: bool = False
    writable: bool = True


class Calendar(Adapter, ABC):
    """Knows one calendar service. Raises `plugins.errors` and nothing else."""

    kind: ClassVar[str] = "calendar"
    at_once: ClassVar[int] = 1
    """How many calendars `busy` asks the service about in one request; more are asked for in calls of their own."""

    @abstractmethod
    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        """One result for each id asked. Raises only what concerns all of them (AuthError, Transient …)."""

    @abstractmethod
    def calendars(self) -> list[CalendarInfo]:
        """The calendars of the connected account."""

    @needs(Capability.WRITE)
    def create(self, calendar: str, draft: Draft, *, key: str) -> EventRef:
        """Add the event. The same key gives the same event, also when the first answer was lost."""
        raise NotImplementedError

    @needs(Capability.WRITE)
    def update(self, ref: EventRef, draft: Draft, *, key: str) -> EventRef:
        """Bring the event to `draft`. Conflict when it changed since `ref.version` ("" skips that check), NotFound
        when it is gone. The same key again answers as the first time."""
        raise NotImplementedError

    @needs(Capability.WRITE)
    def cancel(self, ref: EventRef, *, key: str, reason: str = "") -> None:
        """Take the event away. One that is gone already is a success."""
        raise NotImplementedError

    @needs(Capability.VIDEO)
    def video(self, ref: EventRef) -> EventRef:
        """The event with its `video_url`, for services that make the link after the event. Transient while it is not
        there yet, NotFound when there will be none."""
        raise NotImplementedError

    @needs(Capability.CHANGES)
    def changes(self, calendar: str, cursor: str = "") -> Changes:
        """What changed since `cursor`; "" gives the present state. CursorExpired asks for a new start."""
        raise NotImplementedError

    @needs(Capability.WATCH)
    def watch(self, calendar: str, callback: str, secret: str) -> Watch:
        """Ask the service to call the https address `callback` on changes; `secret` comes back with each call."""
        raise NotImplementedError

    @needs(Capability.WATCH)
    def unwatch(self, watch: Watch) -> None:
        """End a subscription. One that has ended already is a success."""
        raise NotImplementedError

    @needs(Capability.WATCH)
    def told(self, data: Mapping[str, Any]) -> str:
        """The id of the watch whose calendar changed, by a message that `hear` took; "" when nothing did."""
        raise NotImplementedError
