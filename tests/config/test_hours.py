"""Opening hours: in the site's zone, without holidays, across nights and clock changes."""
from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from server.config.hours import is_open, next_opening
from server.config.schema import Site

WEEK = [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "18:00"}]
NIGHTS = [{"days": ["fri", "sat"], "start": "22:00", "end": "02:00"}]


def site(hours: list[dict[str, Any]], zone: str = "Europe/Berlin", **more: Any) -> Site:
    return Site.model_validate({"key": "a", "name": "A", "origins": ["http://a"], "zone": zone, "hours": hours, **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02T07:59", False),
        ("2026-03-02T08:00", True),
        ("2026-03-02T16:59", True),
        ("2026-03-02T17:00", False),
        ("2026-07-06T07:00", True),  # summer time: an hour earlier in UTC
        ("2026-03-01T10:00", False),  # Sunday
    ],
)
def test_visitor_meets_an_open_site_within_its_hours(moment: str, expected: bool) -> None:
    assert is_open(site(WEEK), at(moment)) is expected


def test_nights_belong_to_the_day_they_start_on() -> None:
    club = site(NIGHTS, "UTC")
    assert is_open(club, at("2026-03-07T01:59"))
    assert not is_open(club, at("2026-03-07T02:00"))
    assert is_open(club, at("2026-03-08T00:30"))
    assert not is_open(club, at("2026-03-06T01:00"))


def test_holidays_are_closed_and_own_their_whole_date() -> None:
    unity = {"country": "DE", "dates": ["2026-03-07"]}
    assert not is_open(site(WEEK, holidays=unity), at("2026-12-25T10:00"))
    assert is_open(site(WEEK, holidays={"country": "FR"}), at("2026-12-26T10:00")) is False  # a Saturday
    club = site(NIGHTS, "UTC", holidays=unity)
    assert is_open(club, at("2026-03-06T23:30"))
    assert not is_open(club, at("2026-03-07T00:30"))
    assert not is_open(club, at("2026-03-08T00:30"))


def test_regional_holidays_are_closed_only_there() -> None:
    womens_day = at("2027-03-08T10:00")
    assert not is_open(site(WEEK, holidays={"country": "DE", "subdivision": "BE"}), womens_day)
    assert is_open(site(WEEK, holidays={"country": "DE", "subdivision": "BY"}), womens_day)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02T10:00", "2026-03-02T10:00"),
        ("2026-03-02T05:00", "2026-03-02T08:00"),
        ("2026-03-06T18:00", "2026-03-09T08:00"),
        ("2026-03-28T12:00", "2026-03-30T07:00"),  # the clocks go forward on the 29th
        ("2026-12-24T18:00", "2026-12-28T08:00"),
    ],
)
def test_visitor_learns_when_the_site_opens_next(moment: str, expected: str) -> None:
    assert next_opening(site(WEEK, holidays={"country": "DE"}), at(moment)) == at(expected)


def test_an_opening_inside_the_skipped_hour_is_the_first_moment_after_it() -> None:
    early = site([{"days": ["sun"], "start": "02:30", "end": "04:00"}])
    assert next_opening(early, at("2026-03-29T00:00")) == at("2026-03-29T01:00")
    assert is_open(early, at("2026-03-29T01:00"))
    assert not is_open(early, at("2026-03-29T00:59"))


def test_a_site_without_hours_is_always_open_and_one_on_eternal_holiday_never() -> None:
    assert is_open(site([]), at("2026-12-25T03:00"))
    sundays = [f"2026-{month:02d}-{day:02d}" for month in (3, 4, 5) for day in range(1, 31)]
    closed = site([{"days": ["sun"], "start": "09:00", "end": "10:00"}], holidays={"dates": sundays})
    assert next_opening(closed, at("2026-03-01T00:00")) is None
