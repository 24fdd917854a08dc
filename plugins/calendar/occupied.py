"""What iCalendar text makes busy: events, series with their exceptions, all-day and floating times in its zone."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Calendar
from icalendar.error import InvalidCalendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from plugins.calendar import Window
from plugins.calendar.repeats import changes_clocks, many, occurrences
from plugins.calendar.steps import ZONE_BYTES, Steps, Unreadable, nested, unfolded

REMEMBERED = 400_000
"""Of the times that a process keeps."""
_DAY = timedelta(days=1)
_ANYWHERE = ZoneInfo("Etc/GMT-14")
"""Stands for a zone that nobody knows: no clock of the world is ahead of it, and none is more than `_APART` behind."""
_APART = timedelta(hours=26)
_NEEDED = frozenset(
    ("BEGIN", "END", "VERSION", "CALSCALE", "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "STATUS")
    + ("RECURRENCE-ID", "SEQUENCE", "TRANSP", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME")
)
_VTIMEZONE = re.compile(r"^BEGIN:VTIMEZONE\n.*?^END:VTIMEZONE\n", re.DOTALL | re.IGNORECASE | re.MULTILINE)
_VALARM = re.compile(r"^BEGIN:VALARM\n.*?^END:VALARM\n", re.DOTALL | re.IGNORECASE | re.MULTILINE)
_TZID = re.compile(r';TZID=("[^"]*"|[^";]*)', re.IGNORECASE)
_OWN = "Zone-"
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, InvalidCalendar)


@dataclass(frozen=True)
class Owner:
    """Whose calendar it is: the zone of all-day and floating times, and the addresses under which they are invited."""

    zone: tzinfo
    addresses: frozenset[str] = frozenset()


class _Memory:
    """What texts came to, the latest of them. Pure results: nobody can tell whether one was remembered."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, list[Window]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def of(self, mark: Hashable) -> list[Window] | None:
        with self._lock:
            return self._kept.get(mark)

    def keep(self, mark: Hashable, found: list[Window]) -> None:
        with self._lock:
            self._size += len(found) + 1 - len(self._kept.pop(mark, ()))
            self._kept[mark] = found
            while self._size > REMEMBERED:
                self._size -= len(self._kept.popitem(last=False)[1]) + 1


_memory = _Memory()


@dataclass(frozen=True)
class Told:
    """An event as a change feed tells of it; of a series the first time. `gone`: it stands there as cancelled."""

    uid: str
    start: datetime
    end: datetime
    blocks: bool
    gone: bool


def busy(text: str, window: Window, owner: Owner, steps: Steps | None = None) -> list[Window]:
    """The times in which the events of one resource block, near the window. Unreadable when it cannot be known, TooMuch
    when it takes more than the steps left to its calendar.

    Calendars are read again and again and hardly change: what a text came to is remembered.
    """
    steps = steps or Steps()
    steps.spend(len(text) // 10)
    early = 2 * _DAY  # what lies in no known zone is found up to _APART before it may end
    days = Window(_midnight(window.start) - early, _midnight(window.end) + 2 * _DAY)
    mark = _mark(text, owner)
    for known in (_memory.of(mark), _memory.of((mark, days))):
        if known is not None:
            return known
    try:
        series, found = _occurrences(_read(text, steps), days, owner, steps)
        times = [_span(one, owner) for one in found if _counts(one, owner)]
    except Unreadable:
        raise
    except _BROKEN as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    if mark is not None:
        _memory.keep((mark, days) if series else mark, times)
    return times


def told(text: str, owner: Owner) -> Told | None:
    """What a resource tells; None when it is no event or cannot be read, or lies in a zone that nobody knows."""
    try:
        events = _read(text, Steps()).walk("VEVENT")
        event = next((one for one in events if "RECURRENCE-ID" not in one), events[0])
        span = _span(event, owner)
    except _BROKEN:
        return None
    gone = _is(event, "STATUS", "CANCELLED")
    if _is_anywhere(event) and not gone:
        return None
    return Told(str(event.get("UID", "")), span.start, span.end, _counts(event, owner), gone)


def periods(text: str, steps: Steps | None = None) -> list[Window]:
    """The times of a VFREEBUSY answer; those that it calls free are left out."""
    (steps or Steps()).spend(len(text))
    try:
        reports = Calendar.from_ical(nested(unfolded(text))).walk("VFREEBUSY")
        return [Window(start, end) for one in reports for start, end in _reported(one)]
    except _BROKEN as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def zone_of(text: str) -> tzinfo | None:
    """The zone that a calendar names: a VTIMEZONE (calendar-timezone) or just its id (calendar-timezone-id)."""
    if not text.strip():
        return None
    named = re.search(r"(?m)^TZID(?:;[^:\n]*)?:(.+)$", text)
    found = _known(plain(named[1] if named else text))
    if found or not named:
        return found
    try:
        zones: list[Any] = Calendar.from_ical(_with_zones(nested(unfolded(text)), Steps())).walk("VTIMEZONE")
        return zones[0].to_tz() if zones else None
    except _BROKEN:
        return None


def _mark(text: str, owner: Owner) -> bytes | None:
    """What stands for a text and its reader; None where a calendar's zone has nothing but a definition of its own."""
    zone = owner.zone.key if isinstance(owner.zone, ZoneInfo) else "UTC" if owner.zone is UTC else None
    return None if zone is None else sha256("\0".join([text, zone, *sorted(owner.addresses)]).encode()).digest()


def _read(text: str, steps: Steps) -> Calendar:
    """The events with nothing but what their times hang on."""
    lines = _with_zones(_VALARM.sub("", nested(unfolded(text))), steps)
    needed = "".join(f"{_placed(line)}\r\n" for line in lines.split("\n") if _matters(line))
    steps.spend(len(needed))
    return Calendar.from_ical(needed)


def _with_zones(lines: str, steps: Steps) -> str:
    """Definitions of zones that we know are left out; others get a name of their own, because two calendars may define
    different zones under one name."""
    for block in _VTIMEZONE.findall(lines):
        lines = _with_zone(lines, block, steps)
    return lines


def _with_zone(lines: str, block: str, steps: Steps) -> str:
    steps.spend(2 * len(block) + len(lines) // 100)
    named = re.search(r"(?mi)^TZID(?:;[^:\n]*)?:(.+)$", block)
    if named is None or _known(plain(named[1])):
        return lines.replace(block, "")
    rules = re.findall(r"(?mi)^RRULE(?:;[^:\n]*)?:(.*)$", block)
    if len(block) > ZONE_BYTES or not all(changes_clocks(rule) for rule in rules):
        raise Unreadable("a zone whose clocks change as no clocks do")
    own = f"{_OWN}{sha256(block.encode()).hexdigest()[:16]}"
    lines = lines.replace(block, block.replace(named[0], f"TZID:{own}"))
    name = re.escape(plain(named[1])).replace(",", r"\\?,")
    return re.sub(rf'(?i);TZID="?{name}"?(?=[;:])', f";TZID={own}", lines)


def plain(name: str) -> str:
    """The name of a zone as parameters give it: a property's value has its commas escaped (RFC 5545 3.3.11)."""
    return name.replace("\\,", ",").strip()


def _placed(line: str) -> str:
    """The line with its zone by the name under which we know it, if it names one. Times in UTC have none, whatever they
    say (RFC 5545 3.2.19)."""
    head, _, value = line.rpartition(":")
    named = _TZID.search(head)
    if named is None or named[1].startswith(_OWN):
        return line
    zone = _meant(named[1].strip('"')) or (_ANYWHERE if "T" in value.upper() else None)
    said = f";TZID={zone.key}" if zone and "Z" not in value.upper() else ""
    return f"{head[: named.start()]}{said}{head[named.end() :]}:{value}"


def _matters(line: str) -> bool:
    name = re.split(r"[;:]", line, maxsplit=1)[0].upper()
    return (name in _NEEDED and not line.endswith(":")) or (name == "ATTENDEE" and "DECLINED" in line.upper())


def _occurrences(whole: Calendar, window: Window, owner: Owner, steps: Steps) -> tuple[bool, list[Any]]:
    """Whether there is more to it than one event at one time, and each time that it takes place."""
    events: list[Any] = whole.walk("VEVENT")
    if len(events) == 1 and not {"RRULE", "RDATE", "RECURRENCE-ID"} & set(events[0]):
        return False, events
    if not any(_counts(event, owner) for event in events):
        return True, []
    return True, occurrences(whole, window, steps)


def _counts(event: Any, owner: Owner) -> bool:
    """Whether the event keeps its time from others: not shown as free, cancelled, or declined by the owner."""
    if _is(event, "TRANSP", "TRANSPARENT") or _is(event, "STATUS", "CANCELLED"):
        return False
    return not any(_declined(one, owner.addresses) for one in many(event.get("ATTENDEE")))


def _declined(attendee: Any, addresses: Collection[str]) -> bool:
    if str(attendee.params.get("PARTSTAT", "")).upper() != "DECLINED":
        return False
    names = {str(attendee).casefold().removeprefix("mailto:"), str(attendee.params.get("EMAIL", "")).casefold()}
    return bool((names - {""}) & set(addresses))


def _span(event: Any, owner: Owner) -> Window:
    """From start to end in UTC. Without an end a day lasts a day and a moment nothing (RFC 5545 3.6.1); a day that ends
    as it begins lasts a day too, as Google and Outlook show it. In a zone that nobody knows: all that it may mean."""
    begins = event["DTSTART"].dt
    start = _moment(begins, owner.zone)
    at_least = start if isinstance(begins, datetime) else _moment(begins + _DAY, owner.zone)
    end = _ends(event, begins, start, owner.zone)
    return Window(start, max(at_least, end + _APART if _is_anywhere(event) else end))


def _ends(event: Any, begins: date, start: datetime, zone: tzinfo) -> datetime:
    if "DTEND" in event:
        return _moment(event["DTEND"].dt, zone)
    lasts = event["DURATION"].dt if "DURATION" in event else timedelta()
    if lasts % _DAY:
        return start + lasts  # hours are exact, days are as long as they are
    return _moment(begins + lasts, zone)


def _is_anywhere(event: Any) -> bool:
    times = (event[name].dt for name in ("DTSTART", "DTEND") if name in event)
    return any(getattr(when, "tzinfo", None) is _ANYWHERE for when in times)


def _moment(when: date, zone: tzinfo) -> datetime:
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def _reported(report: Any) -> Iterator[tuple[datetime, datetime]]:
    for line in many(report.get("FREEBUSY")):
        if str(line.params.get("FBTYPE", "BUSY")).upper() != "FREE":
            yield line.start.astimezone(UTC), line.end.astimezone(UTC)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _is(event: Any, name: str, value: str) -> bool:
    return str(event.get(name, "")).strip().upper() == value


@lru_cache(maxsize=1000)
def _meant(name: str) -> ZoneInfo | None:
    """The zone of a name that no calendar defines. Microsoft's programs have one of their own for UTC, and add a number
    to a name that they use twice; others put theirs before it, "/mozilla.org/20050126_1/Europe/Berlin"."""
    if name.casefold() == "tzone://microsoft/utc":
        return ZoneInfo("UTC")
    parts = name.strip("/").split("/")[-3:]
    tails = ["/".join(parts[n:]) for n in range(len(parts))] if name.startswith("/") else [name]
    return next(filter(None, map(_known, (*tails, name.removesuffix(" 1")))), None)


@lru_cache(maxsize=1000)
def _known(name: str) -> ZoneInfo | None:
    zone = _names().get(name.casefold())
    return ZoneInfo(zone) if zone else None


@cache
def _names() -> dict[str, str]:
    """Zones by their name and by Windows', in small letters. Asked of the disk once: each look there takes a while."""
    there = available_timezones()
    windows = {name: zone for name, zone in WINDOWS_TO_OLSON.items() if zone in there}
    return {name.casefold(): zone for name, zone in {**{name: name for name in there}, **windows}.items()}
