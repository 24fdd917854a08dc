"""The times of a series near a window (RFC 5545 3.3.10). Goes straight to the window where nothing has to be counted
from the start, and looks at no day behind it: the library's own search for what never happens ends in the year 9999."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, product
from math import prod
from typing import Any

import recurring_ical_events
from icalendar import Calendar, vRecur
from recurring_ical_events.selection.name import ComponentsWithName
from recurring_ical_events.series import Series

from plugins.calendar import Window
from plugins.calendar.steps import Steps, Unreadable

TIMES_A_DAY = 100
OCCURRENCE = 50
"""Steps that a time of a series takes: the library compares it with all that changes or leaves out one of them."""
_DAY = timedelta(days=1)
_AHEAD = timedelta(hours=14)
"""No clock of the world is further ahead of UTC."""
_UNITS = {"SECONDLY": timedelta(seconds=1), "MINUTELY": timedelta(minutes=1), "HOURLY": timedelta(hours=1)}
TURN = 4
"""Steps that an interval takes, be it as short as it may."""
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_SPANS = {"DAILY": _DAY, "WEEKLY": 7 * _DAY}
_CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
_KNOWN = frozenset(
    ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYSETPOS")
    + ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", *_CLOCK)
)


def occurrences(whole: Calendar, window: Window, steps: Steps) -> list[Any]:
    """Each time that the events of a calendar take place inside the window. Unreadable for rules that we do not follow,
    TooMuch when it would take more steps than there are."""
    events: list[Any] = whole.walk("VEVENT")
    for event in events:
        for rule in many(event.get("RRULE")):
            _hold(rule, event["DTSTART"].dt)
    chosen: Any = ComponentsWithName("VEVENT", series=lambda events: _Series(events, steps))
    return recurring_ical_events.of(whole, components=[chosen]).between(window.start, window.end)


def changes_clocks(text: str) -> bool:
    """Whether a rule of a zone is a day in each year: its library follows it through all the years, day by day."""
    given = vRecur.from_ical(text)
    known = set(given) <= {"FREQ", "INTERVAL", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY"}
    known = known and [int(one) for one in many(given.get("INTERVAL", 1))] == [1]  # Exchange writes it into each rule
    start = datetime(2001, 1, 1)  # noqa: DTZ001 - a wall clock's
    rule = Rule(text, start, Steps())
    return known and "YEARLY" in text.upper() and any(rule.between(start, start.replace(year=2003)))


def many(values: Any) -> list[Any]:
    """The values of a property that may stand once, several times, or not at all."""
    return values if isinstance(values, list) else [] if values is None else [values]


def _hold(rule: Any, start: date) -> None:
    """Refuse what we do not follow. An end that is a day includes that day, and one without a zone is in that of the
    start, as its writer meant: RFC 5545 3.3.10 wants UTC, Nextcloud and iOS write the time on the wall. One in UTC of a
    series without a zone may be that late on a wall."""
    if set(rule) - _KNOWN or prod(max(1, len(many(rule.get(name)))) for name in _CLOCK) > TIMES_A_DAY:
        raise Unreadable("an event repeats too often, or by a rule that we do not know")
    until = many(rule.get("UNTIL"))
    if until and isinstance(start, datetime):
        last = until[0] if isinstance(until[0], datetime) else datetime.combine(until[0], time(23, 59, 59))
        if start.tzinfo and not last.tzinfo:
            last = last.replace(tzinfo=start.tzinfo).astimezone(UTC)
        elif last.tzinfo and not start.tzinfo:
            last = last.astimezone(UTC).replace(tzinfo=None) + _AHEAD
        rule["UNTIL"] = [last]


class _Series(Series):
    """The library's, with rules that count their steps."""

    def __init__(self, events: Sequence[Any], steps: Steps) -> None:
        super().__init__(events)
        if self.recurrence.has_core:
            start, rules = self.recurrence.start, self.recurrence.rrules
            cost = OCCURRENCE + len(self.this_and_future)
            steps.spend(cost * len(self.recurrence.rdates))
            rules[1:] = [Rule(rule.string, start, steps, rule.until, cost) for rule in rules[1:]]


class Rule:
    """A rule of a series that begins at `start`. Its end is kept to by the library, which knows it in `until`."""

    def __init__(self, text: str, start: datetime, steps: Steps, until: Any = None, cost: int = OCCURRENCE) -> None:
        self.until, self._steps, self._cost = until, steps, cost
        self._start, self._wall = start, start.replace(tzinfo=None)
        self._given = vRecur.from_ical(text)
        self._freq = str(self._given["FREQ"][0]).upper()
        self._interval = self._numbers("INTERVAL")[0] if "INTERVAL" in self._given else 1
        self._most = next((most for most in self._numbers("COUNT") if most >= 0), None)
        self._week = _DAYS.index(str(self._given.get("WKST", ["MO"])[0]).upper())
        self._days = Days(self._given, self._freq, self._wall)
        self._places = self._numbers("BYSETPOS")
        self._times = [time(hour, minute, second) for hour, minute, second in product(*map(self._clock, _CLOCK))]
        fine = self._freq in _UNITS and any(name in self._given for name in _CLOCK)
        if self._interval < 1 or fine or (self._week and "BYWEEKNO" in self._given):
            raise Unreadable("an event repeats by a rule that we do not know")

    def between(self, after: datetime, before: datetime, inc: bool = True) -> Iterator[datetime]:
        """Its times from `after` to `before`, both included."""
        counted = 0
        for turn in count(0 if self._most is not None else self._turn(after)):
            first, found = self._at(turn)
            if first is None or self._zoned(first) > before:
                return
            for moment in found:
                counted += 1
                if self._most is not None and counted > self._most:
                    return
                if after <= self._zoned(moment) <= before:
                    self._steps.spend(self._cost)
                    yield self._zoned(moment)

    def _numbers(self, name: str) -> list[int]:
        return sorted({int(one) for one in self._given.get(name, ())})

    def _clock(self, name: str) -> list[int]:
        """The hours, minutes or seconds of its times: as at the start where it does not say."""
        return self._numbers(name) or [getattr(self._wall, name.removeprefix("BY").lower())]

    def _zoned(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=self._start.tzinfo)

    def _turn(self, after: datetime) -> int:
        """The number of an interval that begins before `after`, and after which nothing of those before it comes."""
        zone = self._start.tzinfo
        wall = max((after.astimezone(zone) if zone else after).replace(tzinfo=None) - 2 * _DAY, self._wall)
        years = wall.year - self._wall.year
        if self._freq == "YEARLY":
            return years // self._interval
        if self._freq == "MONTHLY":
            return (years * 12 + wall.month - self._wall.month) // self._interval
        return int((wall - self._wall) // (self._interval * _UNITS.get(self._freq, _SPANS.get(self._freq, _DAY))))

    def _at(self, turn: int) -> tuple[datetime | None, list[datetime]]:
        """When an interval begins and the times in it, of the first those from the start on. None: beyond all time."""
        try:
            if self._freq in _UNITS:
                begins = self._wall + turn * self._interval * _UNITS[self._freq]
                days, times = [begins.date()], [begins.time()]
            else:
                days, times = self._interval_of(turn * self._interval), self._times
                begins = datetime.combine(days[0], time())
        except (OverflowError, ValueError):
            return None, []
        self._steps.spend(TURN + len(days) + len(times))
        found = [datetime.combine(day, at) for day in days if self._days.fits(day) for at in times]
        if self._places:
            found = sorted({found[place - (place > 0)] for place in self._places if 0 < abs(place) <= len(found)})
        return begins, [moment for moment in found if moment >= self._wall]

    def _interval_of(self, offset: int) -> list[date]:
        """The days of the day, week, month or year that comes so many after that of the start."""
        start = self._wall.date()
        if self._freq == "DAILY":
            return [start + offset * _DAY]
        if self._freq == "WEEKLY":
            first = start + (7 * offset - (start.weekday() - self._week) % 7) * _DAY
            return [first + n * _DAY for n in range(7)]
        if self._freq == "MONTHLY":
            year, month = divmod(start.year * 12 + start.month - 1 + offset, 12)
            return _month(year, month + 1)
        return [day for month in self._days.months or range(1, 13) for day in _month(start.year + offset, month)]


class Days:
    """Which days a rule names. What it leaves open is as at the start."""

    def __init__(self, given: Any, freq: str, start: datetime) -> None:
        def numbers(name: str) -> list[int]:
            return sorted({int(one) for one in given.get(name, ())})

        self.months, self._in_month = numbers("BYMONTH"), numbers("BYMONTHDAY")
        self._in_year, self._weeks = numbers("BYYEARDAY"), numbers("BYWEEKNO")
        self._week_days = {_week_day(str(one)) for one in given.get("BYDAY", ())}
        self._by_month = freq == "MONTHLY" or bool(self.months)
        if freq not in ("YEARLY", "MONTHLY"):
            self._week_days = {(0, day) for _, day in self._week_days}
        if any(name in given for name in ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY")):
            return
        if freq in ("YEARLY", "MONTHLY"):
            self._in_month = [start.day]
        if freq == "YEARLY":
            self.months = self.months or [start.month]
        if freq == "WEEKLY":
            self._week_days = {(0, start.weekday())}

    def fits(self, day: date) -> bool:
        return (
            (not self.months or day.month in self.months)
            and (not self._week_days or self._is_week_day(day))
            and (not self._in_month or _counted(day.day, _long(day), self._in_month))
            and (not self._in_year or _counted(day.timetuple().tm_yday, _year(day), self._in_year))
            and (not self._weeks or _counted(day.isocalendar().week, _weeks(day), self._weeks))
        )

    def _is_week_day(self, day: date) -> bool:
        """Any such day of the week, or the one at its place in the month or the year."""
        if (0, day.weekday()) in self._week_days:
            return True
        at, last = (day.day, _long(day)) if self._by_month else (day.timetuple().tm_yday, _year(day))
        places = ((at + 6) // 7, -((last - at) // 7) - 1)
        return any((place, day.weekday()) in self._week_days for place in places)


def _counted(number: int, last: int, wanted: Sequence[int]) -> bool:
    """Whether it is wanted as counted from the beginning, or from the end."""
    return number in wanted or number - last - 1 in wanted


def _long(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _year(day: date) -> int:
    return 366 if isleap(day.year) else 365


def _weeks(day: date) -> int:
    return date(day.isocalendar().year, 12, 28).isocalendar().week


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day + 1) for day in range(monthrange(year, month)[1])]


def _week_day(text: str) -> tuple[int, int]:
    """Its place, 0 for any, and its number in the week."""
    return int(text[:-2] or 0), _DAYS.index(text[-2:].upper())
