"""Whoever writes a calendar cannot keep us busy: what would take too long is an error of that calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from plugins.calendar import Window, occupied, written
from plugins.calendar.ics.feeds import Feed
from plugins.calendar.occupied import Owner
from plugins.calendar.steps import TooMuch, Unreadable
from plugins.errors import Permanent
from plugins.testing.foreign_events import event

OWNER = Owner(ZoneInfo("Europe/Berlin"))
WINTER = Window(datetime(2026, 11, 22, tzinfo=UTC), datetime(2027, 1, 22, tzinfo=UTC))
DAILY = "RRULE:FREQ=DAILY"
ZONE = """BEGIN:VTIMEZONE
TZID:Ours
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:{rule}
END:STANDARD
END:VTIMEZONE
"""


def feed(*parts: str) -> Feed:
    return Feed(calendar(*parts))


def calendar(*parts: str) -> str:
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{''.join(parts)}END:VCALENDAR\n"


@pytest.mark.parametrize(
    "parts",
    [
        ["BEGIN:VEVENT\n"] * 100_000,
        ["BEGIN:VEVENT\nUID:1\n", *["BEGIN:VALARM\n"] * 50_000, "END:VEVENT\n"],
        ["BEGIN:VEVENT\nUID:1\n", *["BEGIN:VALARM\n", "END:VALARM \n"] * 50_000, "END:VEVENT\n"],
        ["BEGIN:VTIMEZONE\n"] * 100_000,
        ["END:VEVENT\n", *["BEGIN:VFREEBUSY\n"] * 100_000],
    ],
)  # fmt: skip
def test_what_begins_and_does_not_end_is_refused_before_anybody_searches_its_end(parts: list[str]) -> None:
    with pytest.raises(Permanent):
        feed(*parts).busy(WINTER, OWNER)
    with pytest.raises(Unreadable):
        occupied.busy(calendar(*parts), WINTER, OWNER)
    with pytest.raises(Permanent):
        written.stored(calendar(*parts).encode(), "")


def test_an_alarm_that_only_looks_like_one_is_not_searched_for_its_end() -> None:
    text = event("DTSTART:20261201T090000Z", "DURATION:PT1H", *["X-BEGIN:VALARM"] * 50_000)
    assert len(feed(text).busy(WINTER, OWNER)) == 1


def test_all_events_of_a_calendar_have_so_many_steps_together() -> None:
    times = ",".join(["20200101T000000Z"] * 1000 + [f"20200101T{n % 24:02}{n % 60:02}00Z" for n in range(1000)])
    one = event("DTSTART:20190101T000000Z", f"RDATE:{times}", uid="alone")
    assert feed(one).busy(WINTER, OWNER) == []
    some = [event("DTSTART:20190101T000000Z", f"RDATE:{times}", uid=f"{n}") for n in range(400)]
    with pytest.raises(Permanent) as caught:
        feed(*some).busy(WINTER, OWNER)
    assert caught.value.user_message == TooMuch.said


def test_reports_of_free_and_busy_times_count_too() -> None:
    report = "BEGIN:VFREEBUSY\nUID:1\nFREEBUSY:20261201T100000Z/PT1H\nEND:VFREEBUSY\n"
    assert len(feed(*[report] * 100).busy(WINTER, OWNER)) == 100
    with pytest.raises(Permanent):
        feed(*[f"BEGIN:VFREEBUSY\nUID:1\nCOMMENT:{'x' * 60_000}\nEND:VFREEBUSY\n"] * 100).busy(WINTER, OWNER)


def test_one_event_with_a_hundred_thousand_times_is_too_much() -> None:
    times = ",".join(f"{datetime(2026, 12, 1) + timedelta(seconds=n):%Y%m%dT%H%M%SZ}" for n in range(100_000))  # noqa: DTZ001
    with pytest.raises(TooMuch):
        occupied.busy(calendar(event("DTSTART:20261201T090000Z", f"RDATE:{times}")), WINTER, OWNER)


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYSETPOS=366"])
def test_a_zone_whose_clocks_change_every_second_or_never_is_refused(rule: str) -> None:
    told = event("DTSTART;TZID=Ours:20261201T090000", "DURATION:PT1H")
    with pytest.raises(Unreadable):
        occupied.busy(calendar(ZONE.format(rule=rule), told), WINTER, OWNER)
    assert occupied.zone_of(calendar(ZONE.format(rule=rule))) is None


def test_a_zone_whose_clocks_change_each_year_is_read() -> None:
    told = event("DTSTART;TZID=Ours:20261201T090000", "DURATION:PT1H")
    zone = ZONE.format(rule="FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10")
    [found] = occupied.busy(calendar(zone, told), WINTER, OWNER)
    assert found.start == datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_a_large_calendar_of_ten_years_is_read() -> None:
    begin = datetime(2017, 1, 2, 9)  # noqa: DTZ001 - the clock on the wall
    single = [
        event(
            f"DTSTART;TZID=Europe/Berlin:{begin + timedelta(hours=17 * n):%Y%m%dT%H%M%S}", "DURATION:PT1H", uid=f"{n}"
        )
        for n in range(5000)
    ]
    series = [
        event("DTSTART;TZID=Europe/Berlin:20100104T100000", "DURATION:PT30M", rule, uid=f"s{n}")
        for n, rule in enumerate([DAILY, "RRULE:FREQ=WEEKLY;BYDAY=MO,WE"] * 100)
    ]
    found = feed(*single, *series).busy(WINTER, OWNER)
    assert sum(one.start == datetime(2026, 11, 23, 9, tzinfo=UTC) for one in found) == 200


def test_blanks_without_end_in_the_name_of_a_zone_are_no_burden() -> None:
    assert occupied.zone_of(f"TZID:{' ' * 500_000}x") is None
