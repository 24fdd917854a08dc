"""Other times than those on offer: earlier, later, on another day. Pure; days are those of the visitor's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from plugins.ai import Shift

DAYS = 4


def shifted(
    shift: Shift, found: Sequence[datetime], offered: Sequence[datetime], suggested: int, zone: str
) -> list[datetime]:
    """Those of the open times that are meant by "earlier", "later" or "another day". `offered`: what was, of which the
    first `suggested` were put before the visitor; without it there is nothing to compare with."""
    if not offered:
        return list(found)
    before_them = list(offered[:suggested]) or list(offered)
    if shift is Shift.EARLIER:
        return last_days([one for one in found if one < min(offered)], zone)
    if shift is Shift.LATER:
        return [one for one in found if one > max(before_them)]
    days = {_day(one, zone) for one in offered}
    if len(days) > 1:  # several were shown: another than those that were put before the visitor
        days = {_day(one, zone) for one in before_them}
    return [one for one in found if _day(one, zone) not in days]


def last_days(starts: Sequence[datetime], zone: str) -> list[datetime]:
    """Those of the last days: what is earlier than something is best when it is near it."""
    days = sorted({_day(one, zone) for one in starts})[-DAYS:]
    return [one for one in starts if _day(one, zone) in days]


def _day(start: datetime, zone: str) -> date:
    return start.astimezone(ZoneInfo(zone)).date()
