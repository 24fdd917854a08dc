"""When the visitor would like to meet: which of the open times fit what was typed. Pure; all on the visitor's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from plugins.ai import PartOfDay, TimeWish, Understanding

_HOURS = {
    PartOfDay.MORNING: (time(6), time(12)),
    PartOfDay.NOON: (time(11), time(14)),
    PartOfDay.AFTERNOON: (time(12), time(17)),
    PartOfDay.EVENING: (time(17), time(21)),
}


def fitting(starts: Sequence[datetime], wishes: Sequence[TimeWish], zone: str) -> list[datetime]:
    """The starts (aware) that fit one of the wishes and none of the negated ones; all when nothing is wished."""
    wanted = [wish for wish in wishes if not wish.negated]
    refused = [wish for wish in wishes if wish.negated]
    clock = ZoneInfo(zone)
    fit = []
    for start in starts:
        local = start.astimezone(clock)
        if wanted and not any(_fits(local, wish) for wish in wanted):
            continue
        if not any(_fits(local, wish) for wish in refused):
            fit.append(start)
    return fit


def nearest(starts: Sequence[datetime], wishes: Sequence[TimeWish], zone: str, most: int) -> list[datetime]:
    """Where nothing fits: the starts nearest to what was wished, in order of time."""
    clock = ZoneInfo(zone)
    wanted = [wish for wish in wishes if not wish.negated]
    if not wanted:
        return sorted(starts)[:most]
    ranked = sorted(starts, key=lambda start: min(_distance(start.astimezone(clock), wish) for wish in wanted))
    return sorted(ranked[:most])


def first_day(wishes: Sequence[TimeWish]) -> date | None:
    """The earliest date that is wished for, None when any day will do."""
    days = [wish.first for wish in wishes if not wish.negated]
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None


def is_for_a_meeting(wish: TimeWish) -> bool:
    """Is it so narrow that a meeting is meant, as "Thursday afternoon" is, and "this year" or "in March" is not?"""
    if wish.negated:
        return False
    timed = wish.at or wish.part or wish.not_before or wish.not_after
    return bool(timed or wish.weekdays or (wish.first and wish.last and wish.last - wish.first < timedelta(days=7)))


def is_to_the_hour(wish: TimeWish) -> bool:
    """Does it name an hour or a part of the day?"""
    return is_for_a_meeting(wish) and bool(wish.at or wish.part or wish.not_before or wish.not_after)


def are_for_another_time(meant: Understanding) -> bool:
    """Below the form of a held time: would the visitor like another, rather than fill the form in? Who says how to be
    reached fills it in."""
    told = meant.entities
    if told.emails or told.phones or told.name:
        return False
    return bool(meant.shift) or any(one.negated or is_for_a_meeting(one) for one in told.times)


def name_exactly(wishes: Sequence[TimeWish], start: datetime, zone: str) -> bool:
    """Do they name this very time, by its hour?"""
    hours = [wish for wish in wishes if wish.at and not wish.negated]
    return bool(hours) and bool(fitting([start], wishes, zone))


def name_the_day_of(wishes: Sequence[TimeWish], start: datetime, zone: str) -> bool:
    """Does every one of them name the day of this time and no other?"""
    day = start.astimezone(ZoneInfo(zone)).date()
    return all(wish.first == wish.last == day and not wish.negated for wish in wishes)


def as_json(wish: TimeWish) -> dict[str, Any]:
    """A wish as the conversation remembers it; only what was said."""
    told = {name: getattr(wish, name) for name in TimeWish.__slots__ if getattr(wish, name)}
    return {name: value.isoformat() if isinstance(value, date | time) else value for name, value in told.items()}


def of_json(kept: Mapping[str, Any]) -> TimeWish:
    """The wish that was remembered."""
    told: dict[str, Any] = {
        **kept,
        "part": PartOfDay(kept.get("part", "")),
        "weekdays": tuple(kept.get("weekdays", ())),
    }
    told |= {name: date.fromisoformat(kept[name]) for name in ("first", "last") if name in kept}
    told |= {name: time.fromisoformat(kept[name]) for name in ("at", "not_before", "not_after") if name in kept}
    return TimeWish(**told)


def _fits(local: datetime, wish: TimeWish) -> bool:
    return _fits_day(local.date(), wish) and _fits_time(local.time(), wish)


def _fits_day(day: date, wish: TimeWish) -> bool:
    if (wish.first and day < wish.first) or (wish.last and day > wish.last):
        return False
    return not wish.weekdays or day.weekday() in wish.weekdays


def _fits_time(at: time, wish: TimeWish) -> bool:
    if wish.at is not None and at != wish.at:
        return False
    if (wish.not_before and at < wish.not_before) or (wish.not_after and at > wish.not_after):
        return False
    if wish.not_before and at == wish.not_after:  # "between 2 and 4": what begins at 4 is not
        return False
    start, end = _HOURS.get(wish.part, (time.min, time.max))
    return start <= at < end


def _distance(local: datetime, wish: TimeWish) -> timedelta:
    """How far a start is from a wish: a wrong day weighs more than a wrong hour."""
    if _fits(local, wish):
        return timedelta(0)
    day = local.date()
    away = 0
    if wish.first and day < wish.first:
        away = (wish.first - day).days
    elif wish.last and day > wish.last:
        away = (day - wish.last).days
    if wish.weekdays:
        away += min(min((day.weekday() - one) % 7, (one - day.weekday()) % 7) for one in wish.weekdays)
    start, end = _HOURS.get(wish.part, (wish.not_before or time.min, wish.not_after or time.max))
    wanted = wish.at or min(max(local.time(), start), end)
    minutes = abs((local.hour * 60 + local.minute) - (wanted.hour * 60 + wanted.minute))
    return timedelta(days=away, minutes=minutes + 1)
