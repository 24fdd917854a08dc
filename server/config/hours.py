"""Is the site open? Its hours in its own zone, without its holidays. Sites without hours are always open."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from server.config.schema import Hours, Site

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD = 60  # days


def is_open(site: Site, at: datetime) -> bool:
    """Whether `at` (aware) reads, on the wall clock of the site's zone, as a time inside its hours."""
    if not site.hours:
        return True
    local = at.astimezone(ZoneInfo(site.zone))
    today = local.date()
    if is_holiday(site, today):
        return False
    minute = local.hour * 60 + local.minute
    yesterday = today - timedelta(days=1)
    spilled = () if is_holiday(site, yesterday) else _spans(site, yesterday)
    return any(start <= minute < end for start, end in _spans(site, today)) or any(
        minute < end - 1440 for _, end in spilled
    )


def next_opening(site: Site, at: datetime) -> datetime | None:
    """The first moment (UTC) from `at` on at which the site is open; `at` itself when it is; None within 60 days."""
    if is_open(site, at):
        return at.astimezone(UTC)
    starts = sorted(moment for moment in _starts(site, at) if moment > at)
    return next((moment for moment in starts if is_open(site, moment)), None)


def is_holiday(site: Site, day: date) -> bool:
    """A date of its own, or a public holiday of its country and part of the country."""
    closed = site.holidays
    if day in closed.dates:
        return True
    return bool(closed.country) and day in _public(closed.country, closed.subdivision, day.year)


@lru_cache(64)
def _public(country: str, subdivision: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def _spans(site: Site, day: date) -> Iterator[tuple[int, int]]:
    """Minutes after midnight of `day`; an end beyond 1440 is on the next date."""
    for hours in site.hours:
        if _DAYS[day.weekday()] in hours.days:
            start, end = _minutes(hours)
            yield start, end


def _minutes(hours: Hours) -> tuple[int, int]:
    start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (hours.start, hours.end))
    return start, end if end > start else end + 1440


def _starts(site: Site, at: datetime) -> Iterator[datetime]:
    """Every moment at which it might open: the starts of its hours, and midnights, at which a holiday may end."""
    zone = ZoneInfo(site.zone)
    first = at.astimezone(zone).date() - timedelta(days=1)
    for number in range(_LOOK_AHEAD + 2):
        day = first + timedelta(days=number)
        for start in {0, *(start for start, _ in _spans(site, day))}:
            yield _first_instant(datetime.combine(day, time(), zone) + timedelta(minutes=start))


def _first_instant(local: datetime) -> datetime:
    """The moment of a wall-clock reading; for one that the clocks skip, the first moment after the gap."""
    moment = local.astimezone(UTC)
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    before = local.replace(fold=1).astimezone(UTC)
    offset = before.astimezone(local.tzinfo).utcoffset()
    while before < moment and before.astimezone(local.tzinfo).utcoffset() == offset:
        before += timedelta(minutes=1)
    return before
