"""Reading a JSON problem key by key: every refusal is an Invalid whose sentence names the key."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

from server.booking.availability.wallclock import DAY, Span, day_number
from server.config.zones import is_zone
from server.errors import Invalid

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(1970, 2500)
LONGEST_MINUTES = 60 * 24 * 366


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands in the problem, such as `reps[2].busy`."""

    value: Any
    path: str

    def key(self, name: str) -> Place:
        """The value of a key that must be there."""
        found = self.get(name)
        if found is None:
            raise self.wrong(f"needs the key {name!r}")
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The place of a key; when it is missing or null, of the default, or None without one."""
        if not isinstance(self.value, dict):
            raise self.wrong("must be an object")
        value = self.value.get(name)
        if value is None and default is None:
            return None
        return Place(default if value is None else value, f"{self.path}.{name}" if self.path else name)

    def items(self) -> list[Place]:
        """The places of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("must be a list")
        return [Place(one, f"{self.path}[{index}]") for index, one in enumerate(self.value)]

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("must be a text")
        return self.value

    def identifier(self) -> Any:
        """An id: a text or a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, (str, int)) or self.value == "":
            raise self.wrong("must be a text")
        return self.value

    def one_of(self, *allowed: str) -> str:
        """One of a few words."""
        if self.value not in allowed:
            raise self.wrong(f"is {self.value!r}, allowed are {', '.join(allowed)}")
        return str(self.value)

    def whole(self, least: int = 0, most: int = 10**9) -> int:
        """A whole number between two bounds, both allowed."""
        if self.number().denominator != 1:
            raise self.wrong("must be a whole number")
        if not least <= self.value <= most:
            raise self.wrong(f"must be {least} to {most}")
        return int(self.value)

    def number(self, least: int | None = None) -> Fraction:
        """A number, exactly as it was written."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)) or not math.isfinite(self.value):
            raise self.wrong("must be a number")
        if least is not None and self.value < least:
            raise self.wrong(f"must be {least} or more")
        return Fraction(str(self.value))

    def flag(self) -> bool:
        """true or false."""
        if not isinstance(self.value, bool):
            raise self.wrong("must be true or false")
        return self.value

    def refuse_near_misses(self, *known: str) -> None:
        """Unknown keys may pass, misspelt ones may not: they would silently change the answer."""
        for key in self.value if isinstance(self.value, dict) else ():
            close = () if key in known else difflib.get_close_matches(key, known, 1, 0.85)
            if close:
                raise self.wrong(f"has the unknown key {key!r}; did you mean {close[0]!r}?")

    def wrong(self, what: str) -> Invalid:
        """The error to raise for this place."""
        stop = "" if what.endswith("?") else "."
        return Invalid(f"{self.path or 'The problem'} {what}{stop}", field=self.path or None)


def moment(place: Place) -> datetime:
    """An ISO instant with Z or an offset."""
    try:
        found = datetime.fromisoformat(place.text())
    except ValueError:
        raise place.wrong(f"is {place.value!r}, not an instant such as 2026-03-02T09:00:00Z") from None
    if found.tzinfo is None:
        raise place.wrong(f"is {place.value!r}: add Z or an offset, so that it is one instant")
    if found.year not in YEARS:
        raise place.wrong(f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
    return found


def instant(place: Place, up: bool = False) -> int:
    """An ISO instant as whole UTC seconds, fractions rounded down, or up."""
    return _seconds(moment(place))[up]


def span_of(place: Place) -> Span:
    """A UTC span from `[start, end]` or `{start, end}`, widened to whole seconds; an empty one stays empty."""
    if isinstance(place.value, dict):
        ends = place.key("start"), place.key("end")
    else:
        if len(items := place.items()) != 2:
            raise place.wrong("must be a pair of start and end")
        ends = items[0], items[1]
    start, end = moment(ends[0]), moment(ends[1])
    if end < start:
        raise place.wrong("ends before it starts")
    return _seconds(start)[0], _seconds(end)[start < end]


def spans_of(place: Place) -> list[Span]:
    """A list of spans. Plain ones take a short cut; whatever that cannot read goes to `span_of`, which says why."""
    if not isinstance(place.value, list):
        raise place.wrong("must be a list")
    found = []
    for index, pair in enumerate(place.value):
        try:
            first, last = pair
            span = _whole(first), _whole(last)
        except (ValueError, TypeError):
            span = 1, 0
        found.append(span if span[0] <= span[1] else span_of(Place(pair, f"{place.path}[{index}]")))
    return found


@lru_cache(maxsize=65_536)
def _whole(text: str) -> int:
    found = datetime.fromisoformat(text)
    if found.microsecond or found.tzinfo is None or found.year not in YEARS:
        raise ValueError(text)
    return int(found.timestamp())


def _seconds(found: datetime) -> tuple[int, int]:
    since = found - _EPOCH
    whole = since.days * DAY + since.seconds
    return whole, whole + (1 if since.microseconds else 0)


def day_of(place: Place) -> int:
    """A date such as 2026-03-02, as a day number."""
    try:
        found = date.fromisoformat(place.text() if _DATE.fullmatch(place.text()) else "")
    except ValueError:
        raise place.wrong(f"is {place.value!r}, not a date such as 2026-03-02") from None
    if found.year not in YEARS:
        raise place.wrong(f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
    return day_number(found)


def time_of_day(place: Place, last: int = DAY - 1) -> int:
    """A wall clock time such as 09:30, in seconds after midnight; 24:00 where `last` allows it."""
    if place.value == "24:00" and last == DAY:
        return DAY
    match = _CLOCK.fullmatch(place.text())
    if not match:
        raise place.wrong(f"is {place.value!r}, not a time such as 09:30")
    hours, mins, seconds = match.groups(default="0")
    return int(hours) * 3600 + int(mins) * 60 + int(seconds)


def minutes(place: Place, least: int = 0) -> int:
    """A length in whole minutes, as seconds."""
    return place.whole(least, LONGEST_MINUTES) * 60


def optional_count(place: Place, key: str) -> int | None:
    """A number of meetings, or None when the key is missing."""
    found = place.get(key)
    return None if found is None else found.whole()


def zone_name(place: Place) -> str:
    """An IANA zone name."""
    if not is_zone(place.text()):
        raise place.wrong(f"is {place.value!r}, not an IANA time zone such as Europe/Berlin")
    return str(place.value)
