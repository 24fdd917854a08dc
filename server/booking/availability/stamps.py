"""Many UTC instants as ISO text, fast: a month of slots is formatted thousands of times a day."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from server.booking.availability.wallclock import DAY, date_of


def stamp(instant: int) -> str:
    """2026-03-02T09:00:00Z"""
    day, second = divmod(instant, DAY)
    return f"{_date(day)}T{_time(second)}Z"


def stamps(instants: Iterable[int]) -> list[str]:
    """`stamp` of each."""
    return [f"{_date(instant // DAY)}T{_time(instant % DAY)}Z" for instant in instants]


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return date_of(day).isoformat()


@lru_cache(maxsize=4096)
def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
