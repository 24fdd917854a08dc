"""VTIMEZONE (RFC 5545 3.6.5) of a zone: yearly rules where it has any, as Outlook likes them, else each change.

Written here because the component that icalendar makes is true only for the days asked for, though readers keep the
first they meet of a name, and begins summer time an hour late.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Component, Timezone, TimezoneDaylight, TimezoneStandard, vRecur

_SECOND, _WEEK = timedelta(seconds=1), timedelta(days=7)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_CYCLE = 28
"""Years after which dates fall on the same weekdays again."""
_TOLD = 4
"""Years of changes that are told of a zone without rules, such as one with summer time around Ramadan."""


def is_utc(zone: str) -> bool:
    """Times of these are written with Z and need no VTIMEZONE."""
    return zone.rpartition("/")[2].upper() in ("UTC", "UCT", "ZULU", "GMT", "UNIVERSAL", "GREENWICH")


def is_second(moment: datetime) -> bool:
    """Whether the clock shows this time for the second time, after it was put back. RFC 5545 3.3.5 reads it as the
    first, so such a moment can only be written in UTC."""
    return bool(moment.fold) and moment.replace(fold=0).utcoffset() != moment.utcoffset()


@lru_cache(maxsize=700)
def vtimezone(zone: str, year: int) -> bytes:
    """The component for a meeting that begins in this year of UTC, from a year before on."""
    info = ZoneInfo(zone)
    changes = _changes(info, datetime(year - 1, 1, 1, tzinfo=UTC), datetime(year + _CYCLE, 1, 1, tzinfo=UTC))
    component = Timezone()
    component.add("tzid", zone)
    for one in _ruled(changes) or _listed(info, changes, year):
        component.add_component(one)
    return bytes(component.to_ical())


@dataclass(frozen=True)
class _Change:
    """The clocks go from one offset to another. `wall` is what they showed then (RFC 5545 3.6.5). Summer is what is
    ahead: Ireland calls its winter the exception, which calendars do not expect."""

    wall: datetime
    before: timedelta
    after: timedelta
    name: str
    is_summer: bool

    @property
    def kind(self) -> tuple[object, ...]:
        """Changes of one kind are those that a yearly rule can tell together."""
        return self.before, self.after, self.name, self.wall.month, self.wall.weekday(), self.wall.time()


def _changes(info: ZoneInfo, first: datetime, last: datetime) -> list[_Change]:
    found, week = [], first
    while week < last:
        early, late = week, week + _WEEK
        if _offset(info, early) != _offset(info, late):
            while late - early > _SECOND:
                middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
                early, late = (middle, late) if _offset(info, middle) == _offset(info, week) else (early, middle)
            found.append(_change(info, late, _offset(info, early)))
        week += _WEEK
    return found


def _change(info: ZoneInfo, onset: datetime, before: timedelta) -> _Change:
    local = onset.astimezone(info)
    wall = (onset + before).replace(tzinfo=None)
    after = _offset(info, onset)
    forward = after > before or (after == before and (local.dst() or timedelta(0)) > timedelta(0))
    return _Change(wall, before, after, local.tzname() or "", forward)


def _ruled(changes: list[_Change]) -> list[Component]:
    """Two yearly rules that tell all the changes; nothing where no two do."""
    kinds: dict[tuple[object, ...], list[_Change]] = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    if len(kinds) != 2 or not all(map(_is_yearly, kinds.values())):
        return []
    return [_observance(some[0], _days(some)) for some in kinds.values()]


def _is_yearly(changes: list[_Change]) -> bool:
    """Once in each year, within the same seven days."""
    days = [change.wall.day for change in changes]
    return [change.wall.year - changes[0].wall.year for change in changes] == list(range(_CYCLE + 1)) and (
        max(days) - min(days) < 7
    )


def _days(changes: list[_Change]) -> dict[str, object]:
    """On which days of its month: the last Sunday, the second one, or that of certain dates."""
    month, days = changes[0].wall.month, [change.wall.day for change in changes]
    weekday, first = _WEEKDAYS[changes[0].wall.weekday()], min(days)
    rule: dict[str, object] = {"FREQ": "YEARLY", "BYMONTH": month}
    if month != 2 and first == calendar.monthrange(2026, month)[1] - 6:
        return {**rule, "BYDAY": f"-1{weekday}"}
    if first % 7 == 1:
        return {**rule, "BYDAY": f"{first // 7 + 1}{weekday}"}
    return {**rule, "BYDAY": weekday, "BYMONTHDAY": list(range(first, max(days) + 1))}


def _listed(info: ZoneInfo, changes: list[_Change], year: int) -> Iterable[Component]:
    """What held before, and each change of the next years."""
    first = datetime(year - 1, 1, 1, tzinfo=UTC)
    yield _observance(_change(info, first, _offset(info, first)))
    for change in changes:
        if change.wall.year < year + _TOLD:
            yield _observance(change)


def _observance(change: _Change, rule: dict[str, object] | None = None) -> Component:
    component: Component = TimezoneDaylight() if change.is_summer else TimezoneStandard()
    component.add("dtstart", change.wall)
    component.add("tzoffsetfrom", change.before)
    component.add("tzoffsetto", change.after)
    component.add("tzname", change.name)
    if rule:
        component.add("rrule", vRecur(rule))
    return component


def _offset(info: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(info).utcoffset() or timedelta(0)
