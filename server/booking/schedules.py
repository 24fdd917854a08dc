"""A rep's entry in team.yml as a `Schedule`: weekly hours, overrides, travel, holidays as days off."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

from server.booking.availability.hours import Schedule, Spans, shared
from server.booking.availability.wallclock import DAY, Span, day_number
from server.config.service import Version
from server.routing.schema import Rep, Team
from server.routing.team import Span as Hours

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=4096)
def schedule_of(version: Version, rep: str, first_year: int, last_year: int) -> Schedule:
    """The schedule of a rep with the holidays of these years; a date with an override of its own is no day off."""
    of = version.part(Team).reps_by_id[rep]
    weekly: tuple[list[Span], ...] = tuple([] for _ in _DAYS)
    for hours in of.hours:
        for name in hours.days:
            weekly[_DAYS.index(name)].append(_seconds(hours))
    days: dict[int, Spans] = {day_number(day): () for day in _days_off(version, of, first_year, last_year)}
    own: dict[int, Spans] = {}
    for override in of.overrides:
        day = day_number(override.date)
        own[day] = (*own.get(day, ()), *map(_seconds, override.hours))
    travel = tuple((day_number(trip.from_), day_number(trip.to), trip.zone) for trip in of.travel)
    return shared(Schedule(of.zone, tuple(map(tuple, weekly)), tuple(sorted((days | own).items())), travel))


def _seconds(hours: Hours) -> Span:
    start, end = (int(text[:2]) * 3600 + int(text[3:]) * 60 for text in (hours.start, hours.end))
    return (start, end) if start < end else (start, end + DAY)


def _days_off(version: Version, rep: Rep, first_year: int, last_year: int) -> set[date]:
    closed = rep.holidays or version.site.holidays
    days = set(closed.dates)
    if closed.country:
        days.update(*(_public(closed.country, closed.subdivision, year) for year in range(first_year, last_year + 1)))
    return days


@lru_cache(maxsize=256)
def _public(country: str, subdivision: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
