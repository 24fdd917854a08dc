"""Working hours of a rep as UTC blocks: weekly spans, overrides that own their date, travel, joined across midnight."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from server.booking.availability.wallclock import DAY, Span, date_of, day_number, day_start, instants, join

Spans = tuple[Span, ...]
Block = tuple[int, int, int]


@dataclass(frozen=True)
class Schedule:
    """When a rep works, on local wall clocks (availability-form.md, `working_hours`, `overrides`, `travel`).

    `weekly`: seven tuples, Monday first, of (start, end) in seconds after midnight; an end past 86,400 lies on the next
    date. `overrides`: (day number, spans). `travel`: (first day, last day, zone), both included, first match wins.
    `extra`: further hours as UTC spans, which no override cuts.
    """

    zone: str
    weekly: tuple[Spans, ...]
    overrides: tuple[tuple[int, Spans], ...] = ()
    travel: tuple[tuple[int, int, str], ...] = ()
    extra: Spans = ()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        # Schedules are cache keys in every query: hashing the nested tuples once keeps 1,000 reps cheap.
        object.__setattr__(self, "_hash", hash((self.zone, self.weekly, self.overrides, self.travel, self.extra)))

    def __hash__(self) -> int:
        return self._hash

    def zone_on(self, day: int) -> str:
        """The zone in which this local date's hours are read."""
        return next((zone for first, last, zone in self.travel if first <= day <= last), self.zone)


@lru_cache(maxsize=8192)
def shared(schedule: Schedule) -> Schedule:
    """The one schedule of these hours: reps who work alike share it, and with it everything that is derived from it."""
    return schedule


@lru_cache(maxsize=2048)
def working_blocks(schedule: Schedule, first_day: int, last_day: int) -> tuple[Block, ...]:
    """Joined blocks of working time that meet the UTC days [first_day, last_day), in order.

    A block is (first, until, end): slots start at `first` and every step after it while before `until`, and must end
    by `end`. `first` is the true start of the block even when it lies before `first_day`; `end` is true or lies after
    `last_day`. A block that never began (round the clock, every day) is counted anew from each 1 January at midnight.
    """
    back = 8
    while True:
        left = first_day - back
        spans = [span for span in join(_raw_spans(schedule, left, last_day + 3)) if span[1] > first_day * DAY]
        if not spans or spans[0][0] >= (left + 3) * DAY:
            return tuple((start, end, end) for start, end in spans)
        if back > 60 and left < _first_irregular_day(schedule, first_day) - 60:
            return (*_endless(schedule.zone, spans[0][1], first_day, last_day), *((a, b, b) for a, b in spans[1:]))
        back *= 2


def _raw_spans(schedule: Schedule, first_day: int, last_day: int) -> list[Span]:
    overrides = dict(schedule.overrides)
    spans: list[Span] = []
    for day in range(first_day, last_day + 1):
        zone, midnight = schedule.zone_on(day), day * DAY
        hours = overrides[day] if day in overrides else schedule.weekly[(day + 3) % 7]
        found = [span for start, end in hours for span in instants(zone, midnight + start, midnight + end)]
        if found and day + 1 in overrides:
            limit = day_start(schedule.zone_on(day + 1), day + 1)
            found = [(start, min(end, limit)) for start, end in found if start < limit]
        spans += found
    near = (span for span in schedule.extra if span[0] < (last_day + 2) * DAY and (first_day - 1) * DAY < span[1])
    return [*spans, *near]


def _first_irregular_day(schedule: Schedule, default: int) -> int:
    days = [day for day, _ in schedule.overrides] + [first for first, _, _ in schedule.travel]
    days += [start // DAY - 1 for start, _ in schedule.extra]
    return min(days, default=default)


def _endless(zone: str, end: int, first_day: int, last_day: int) -> list[Block]:
    years = range(date_of(first_day).year - 1, date_of(last_day).year + 3)
    starts = [day_start(zone, day_number(date_of(0).replace(year=year))) for year in years]
    pairs = zip(starts, starts[1:], strict=False)
    return [(start, min(until, end), end) for start, until in pairs if start < end and until > first_day * DAY]
