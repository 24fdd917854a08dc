"""Busy times of Google calendars, by freeBusy: Google leaves out what is free, cancelled or declined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from plugins.calendar import Busy, Window
from plugins.calendar.google.api import Api
from plugins.calendar.google.errors import of_calendar
from plugins.calendar.times import merge
from plugins.errors import Permanent, PluginError
from plugins.oauth import Authorized

AT_ONCE = 50
"""Calendars of one question (calendarExpansionMax)."""
LONGEST = timedelta(days=80)
"""Google refuses questions about more than some three months: "The requested time range is too long"."""


def busy(api: Api, authorized: Authorized, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
    """The busy times of each. One that is in trouble in any part of the window is not known."""
    found: dict[str, Busy] = {}
    for first in range(0, len(calendars), AT_ONCE):
        some = calendars[first : first + AT_ONCE]
        answers = [_asked(api, authorized, some, part) for part in _parts(window)]
        found |= {calendar: _told(calendar, [one.get(calendar) for one in answers], window) for calendar in some}
    return found


def _asked(api: Api, authorized: Authorized, calendars: Sequence[str], window: Window) -> dict[str, Any]:
    question = {
        "timeMin": _said(window.start),
        "timeMax": _said(window.end, up=True),
        "calendarExpansionMax": AT_ONCE,
        "items": [{"id": calendar} for calendar in calendars],
    }
    answer = api.call("busy", "freebusy.query", authorized, repeatable=True, body=question)
    found = answer.get("calendars")
    if not isinstance(found, dict):
        return {}
    if len(calendars) == len(found) == 1:  # "primary" may be answered under its address
        return dict(zip(calendars, found.values(), strict=True))
    return {calendar: found.get(calendar, found.get(calendar.lower())) for calendar in calendars}


def _told(calendar: str, answers: Sequence[Any], window: Window) -> Busy:
    """An answer without a list of times is none, whatever else it says."""
    times: list[Window] = []
    for answer in answers:
        told = answer if isinstance(answer, dict) else {}
        if told.get("errors") or not isinstance(told.get("busy"), list):
            return Busy(error=_error(calendar, told))
        try:
            times += [_span(one) for one in told["busy"]]
        except (KeyError, TypeError, ValueError) as unreadable:
            problem = Permanent(f"a time that cannot be read: {unreadable}", http_status=200)
            return Busy(error=problem.at("calendar.google", "busy"))
    return Busy(merge(times, window))


def _span(told: Any) -> Window:
    start, end = (datetime.fromisoformat(told[name]) for name in ("start", "end"))
    if start.tzinfo is None or end.tzinfo is None or end < start:
        raise ValueError("without a zone, or backwards")
    return Window(start, end)


def _error(calendar: str, told: dict[str, Any]) -> PluginError:
    return of_calendar(calendar, told.get("errors") or []).at("calendar.google", "busy")


def _parts(window: Window) -> Iterator[Window]:
    start = window.start
    while window.end - start > LONGEST:
        yield Window(start, start + LONGEST)
        start += LONGEST
    yield Window(start, window.end)


def _said(moment: datetime, *, up: bool = False) -> str:
    """In whole seconds, so that nothing is left out."""
    more = timedelta(microseconds=-moment.microsecond % 1_000_000 if up else -moment.microsecond)
    return (moment.astimezone(UTC) + more).strftime("%Y-%m-%dT%H:%M:%SZ")
