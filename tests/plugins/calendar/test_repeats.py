"""Rules of series as the library dateutil reads them, but straight at the window and never beyond it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.calendar.repeats import Rule
from plugins.calendar.steps import Steps, TooMuch

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _some(values: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda some: ",".join(map(str, some)))


def _signed(most: int) -> st.SearchStrategy[int]:
    return st.integers(-most, most).filter(bool)


_COMMON = {"BYMONTH": _some(st.integers(1, 12), 6), "BYMONTHDAY": _some(_signed(31), 8)}
_TIMES = {"BYHOUR": _some(st.integers(0, 23)), "BYMINUTE": _some(st.integers(0, 59))}
_PLACED = _some(st.tuples(_signed(4), st.sampled_from(DAYS)).map(lambda one: f"{one[0]}{one[1]}"))
_PLAIN = _some(st.sampled_from(DAYS), 7)
_PARTS: dict[str, dict[str, st.SearchStrategy[str]]] = {
    "HOURLY": {**_COMMON, "BYDAY": _PLAIN},
    "DAILY": {**_COMMON, **_TIMES, "BYDAY": _PLAIN},
    "WEEKLY": {**_TIMES, "BYMONTH": _COMMON["BYMONTH"], "BYDAY": _PLAIN, "WKST": st.sampled_from(DAYS)},
    "MONTHLY": {**_COMMON, **_TIMES, "BYDAY": _PLAIN | _PLACED, "BYSETPOS": _some(_signed(3))},
    "YEARLY": {
        **_COMMON,
        **_TIMES,
        "BYDAY": _PLAIN | _PLACED,
        "BYSETPOS": _some(_signed(3)),
        "BYYEARDAY": _some(_signed(366)),
        "BYWEEKNO": _some(_signed(53)),
    },
}


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(sorted(_PARTS)))
    parts = {"FREQ": freq, "INTERVAL": str(draw(st.integers(1, 5)))}
    for name in draw(st.lists(st.sampled_from(sorted(_PARTS[freq])), max_size=2, unique=True)):
        parts[name] = draw(_PARTS[freq][name])
    if draw(st.booleans()):
        parts["COUNT"] = str(draw(st.integers(0, 40)))
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _as_dateutil(text: str, start: datetime, after: datetime, before: datetime) -> list[datetime]:
    rule = rrulestr(text, dtstart=start)
    found: list[datetime] = []
    for moment in rule:
        if moment > before:
            break
        if moment >= after:
            found.append(moment)
    return found


@given(
    rules(),
    st.datetimes(datetime(2008, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - put into a zone below
    st.sampled_from([None, UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("America/Santiago")]),
    st.integers(-30, 6000),
)
@settings(max_examples=150, deadline=None)
def test_a_rule_has_the_times_that_another_program_finds(
    text: str, start: datetime, zone: tzinfo | None, later: int
) -> None:
    start = start.replace(microsecond=0, tzinfo=zone)
    after = start + timedelta(days=later)
    before = after + timedelta(days=60)
    assert list(Rule(text, start, Steps()).between(after, before)) == _as_dateutil(text, start, after, before)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYSETPOS=366",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=6SU",
    ],
)
def test_what_never_happens_is_not_looked_for_beyond_the_window(text: str) -> None:
    start = datetime(1970, 1, 5, 9, tzinfo=UTC)
    window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert list(Rule(text, start, Steps(1000)).between(*window)) == []


def test_a_day_and_one_at_its_place_are_both_meant() -> None:
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    found = Rule("FREQ=MONTHLY;BYDAY=MO,2TU", start, Steps()).between(start, datetime(2026, 3, 31, tzinfo=UTC))
    assert [moment.day for moment in found] == [2, 9, 10, 16, 23, 30]


def test_what_has_to_be_counted_from_the_start_takes_no_more_steps_than_there_are() -> None:
    rule = Rule("FREQ=SECONDLY;COUNT=999999999", datetime(1970, 1, 1, tzinfo=UTC), Steps(50_000))
    with pytest.raises(TooMuch):
        list(rule.between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)))
