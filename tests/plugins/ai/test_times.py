"""When visitors say they would like to meet."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from plugins.ai import Correction, Expect, Expectation, Intent, Option, TimeWish
from tests.plugins.ai.conftest import Hear
from tests.plugins.ai.table import rows

OFFERED = ("2026-03-05T09:00:00+00:00", "2026-03-05T13:00:00+00:00", "2026-03-06T09:30:00+00:00")
SLOTS = Expectation(Expect.SLOT, tuple(Option(start, start) for start in OFFERED))
DATE = Expectation(Expect.DATE)


def written(wish: TimeWish) -> str:
    """A wish as the tables write it."""
    pieces = []
    if wish.first or wish.last:
        pieces.append(f"{_day(wish.first)}..{_day(wish.last)}")
    if wish.weekdays:
        pieces.append("w:" + "".join(map(str, wish.weekdays)))
    pieces += [str(wish.part)] if wish.part else []
    pieces += [f"{wish.at:%H:%M}"] if wish.at else []
    if wish.not_before or wish.not_after:
        pieces.append("-".join(f"{end:%H:%M}" if end else "" for end in (wish.not_before, wish.not_after)))
    return " ".join(pieces + ["not"] * wish.negated)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%m-%d}" if day.year == 2026 else day.isoformat()


@pytest.mark.parametrize(("locale", "text", "meaning"), rows("times"))
def test_a_visitor_names_a_time_and_it_is_found(hear: Hear, locale: str, text: str, meaning: str) -> None:
    times = hear(text, locale=locale).entities.times
    assert (" / ".join(map(written, times)) or "-") == meaning


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("the second one", 1), ("2", 1), ("last one please", 2), ("friday", 2), ("friday works", 2), ("2pm", 1),
        ("14:00", 1), ("thursday at 10", 0), ("the earliest", 0), ("the latest", 2), ("10:30", 2), ("le premier", 0),
        ("can we do friday?", 2), ("how about thursday at 2?", 1), ("donnerstag um 14 uhr", 1), ("any of them", 0),
        ("el viernes", 2), ("thursday afternoon", 1), ("not thursday", 2),
    ],
)  # fmt: skip
def test_a_visitor_takes_an_offered_time(hear: Hear, text: str, place: int) -> None:
    taken = hear(text, SLOTS)
    assert (taken.matched, taken.value, taken.intent) == (True, datetime.fromisoformat(OFFERED[place]), Intent.ANSWER)


@pytest.mark.parametrize(
    ("text", "correction"),
    [("thursday", Correction.SEVERAL_OPTIONS), ("tomorrow", Correction.NO_SLOT), ("hm", Correction.NO_SLOT)],
)
def test_a_visitor_is_asked_again_when_it_is_unclear_which_time(hear: Hear, text: str, correction: Correction) -> None:
    taken = hear(text, SLOTS)
    assert (taken.matched, taken.correction) == (False, correction)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("next thursday", date(2026, 3, 12)), ("12", date(2026, 3, 12)), ("end of march", date(2026, 3, 31)),
        ("in q3", date(2026, 7, 1)), ("3 weeks", date(2026, 3, 24)), ("asap", date(2026, 3, 3)),
        ("maybe around april 10?", date(2026, 4, 10)), ("le 15", date(2026, 3, 15)),
    ],
)  # fmt: skip
def test_a_visitor_gives_the_date_asked_for(hear: Hear, text: str, day: date) -> None:
    given = hear(text, DATE)
    assert (given.matched, given.value) == (True, day)


def test_a_visitor_who_names_a_day_gone_by_hears_so(hear: Hear) -> None:
    assert hear("yesterday", DATE).correction is Correction.PAST_DATE
    assert hear("12 march 2024", DATE).correction is Correction.PAST_DATE
    assert hear("whatever", Expectation(Expect.DATE)).correction in (Correction.NO_DATE, Correction.NONE)


def test_tomorrow_is_the_visitors_tomorrow(hear: Hear) -> None:
    there = hear("tomorrow", locale="en", zone="Pacific/Kiritimati").entities.times[0]
    here = hear("tomorrow", locale="en", zone="America/Los_Angeles").entities.times[0]
    assert (there.first, here.first) == (date(2026, 3, 4), date(2026, 3, 4))
    assert hear("today", zone="Pacific/Kiritimati").entities.times[0].first == date(2026, 3, 3)
    assert hear("in 16 hours", zone="Pacific/Kiritimati").entities.times[0].first == date(2026, 3, 4)
