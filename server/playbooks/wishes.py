"""When the visitor would like to meet: which of the open times fit what was typed. Pure; all on the visitor's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from plugins.ai import PartOfDay, TimeWish

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
