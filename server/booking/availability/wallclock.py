"""Wall clock to instants: which UTC seconds read a given local time, across every change of a zone's clock.

Instants and wall readings are whole seconds since 1970-01-01T00:00, of UTC or of that wall clock; spans are half-open.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

Span = tuple[int, int]
DAY = 86_400
_SEASON = 64 * DAY
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def instants(zone: str, start: int, end: int) -> list[Span]:
    """UTC spans, in order, whose wall clock in `zone` reads inside [start, end).

    A reading that a spring-forward gap skips has no instant; one that a fall-back repeats has two
    (availability-form.md, "DST"). `zone` must be a valid IANA name.
    """
    short = end - start <= _SEASON
    spans = []
    for since, until, offset in _season(zone, start // _SEASON) if short else _segments(zone, start - DAY, end + DAY):
        first, last = max(since, start - offset), min(until, end - offset)
        if first < last:
            spans.append((first, last))
    return spans if len(spans) < 2 else join(spans)


@lru_cache(maxsize=8192)
def date_spans(zone: str, day: int) -> tuple[Span, ...]:
    """UTC spans of local date `day`: one as a rule, none of a date that the zone skipped."""
    return tuple(instants(zone, day * DAY, (day + 1) * DAY))


def day_start(zone: str, day: int) -> int:
    """First instant of local date `day` (days since 1970-01-01), or of the next date where the zone skipped it."""
    return instants(zone, day * DAY, (day + 3) * DAY)[0][0]


def local_day(zone: str, instant: int) -> int:
    """Local date of an instant, as days since 1970-01-01."""
    return (instant + _offset(ZoneInfo(zone), instant)) // DAY


def day_number(day: date) -> int:
    """Days since 1970-01-01; 0 was a Thursday, so weekday = (number + 3) % 7 with Monday 0."""
    return day.toordinal() - EPOCH_ORDINAL


def date_of(day: int) -> date:
    """The date of a day number."""
    return date.fromordinal(day + EPOCH_ORDINAL)


def join(spans: Iterable[Span]) -> list[Span]:
    """The same instants as sorted spans that neither touch nor overlap."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            if end > joined[-1][1]:
                joined[-1] = (joined[-1][0], end)
        elif start < end:
            joined.append((start, end))
    return joined


@lru_cache(maxsize=8192)
def _season(zone: str, number: int) -> tuple[tuple[int, int, int], ...]:
    """The pieces that a span of up to a season, beginning in this one, can meet: one or two as a rule."""
    start, end = number * _SEASON - DAY, (number + 2) * _SEASON + DAY
    return tuple(one for one in _segments(zone, start, end) if one[0] < end and start < one[1])


def _segments(zone: str, start: int, end: int) -> list[tuple[int, int, int]]:
    """(since, until, UTC offset in seconds) pieces that cover [start, end); offsets never reach a whole day."""
    first, last = datetime.fromtimestamp(start, UTC).year, datetime.fromtimestamp(end, UTC).year
    return [segment for year in range(first, last + 1) for segment in _segments_of_year(zone, year)]


@lru_cache(maxsize=4096)
def _segments_of_year(zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    info = ZoneInfo(zone)
    start, end = _year_start(year), _year_start(year + 1)
    segments, since, offset = [], start, _offset(info, start)
    for probe in (*range(start + DAY, end, DAY), end):
        if (now := _offset(info, probe)) != offset:
            change = _change(info, probe - DAY, probe, offset)
            segments.append((since, change, offset))
            since, offset = change, now
    segments.append((since, end, offset))
    return tuple(segment for segment in segments if segment[0] < segment[1])


def _year_start(year: int) -> int:
    return day_number(date(year, 1, 1)) * DAY


def _change(info: ZoneInfo, before: int, after: int, offset: int) -> int:
    """First instant in (before, after] whose offset is no longer `offset`."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(info, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(info: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, info).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
