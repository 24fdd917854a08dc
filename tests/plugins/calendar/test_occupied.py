"""What iCalendar text of all makes comes to: odd zones, odd series, and what nobody can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from plugins.calendar import Window
from plugins.calendar.occupied import Owner, busy, periods, told, zone_of
from plugins.calendar.steps import Unreadable
from plugins.testing.foreign_events import event

BERLIN = ZoneInfo("Europe/Berlin")
YEAR = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
# Outlook gives one name to whatever zone a user made up.
CUSTOM = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE
"""


def calendar(*parts: str) -> str:
    return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n" + "".join(parts) + "END:VCALENDAR\n"


def times(*parts: str, zone: tzinfo = BERLIN, me: str = "", window: Window = YEAR) -> list[str]:
    """When these parts of a calendar are busy, in UTC."""
    found = busy(calendar(*parts), window, Owner(zone, frozenset({me})))
    return sorted(f"{one.start:%m-%d %H:%M}-{one.end:%d %H:%M}" for one in found)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DTSTART:20260302T090000Z"], "03-02 09:00-02 09:00"),
        (["DTSTART:20260302T090000Z", "DURATION:PT90M"], "03-02 09:00-02 10:30"),
        (["DTSTART:20260302T090000Z", "DTEND:20260302T080000Z"], "03-02 09:00-02 09:00"),
        (["DTSTART;VALUE=DATE:20260329", "DURATION:P2D"], "03-28 23:00-30 22:00"),
        (["DTSTART;TZID=Europe/Berlin:20260328T220000", "DURATION:PT8H"], "03-28 21:00-29 05:00"),
        (["DTSTART;TZID=Europe/Berlin:20260328T220000", "DURATION:P1D"], "03-28 21:00-29 20:00"),
        (["DTSTART;TZID=W. Europe Standard Time:20260602T090000", "DURATION:PT1H"], "06-02 07:00-02 08:00"),
        (['DTSTART;TZID="Europe/Berlin":20260602T090000', "DURATION:PT1H"], "06-02 07:00-02 08:00"),
        (["DTSTART;TZID=tzone://Microsoft/Utc:20260602T090000", "DURATION:PT1H"], "06-02 09:00-02 10:00"),
        (['DTSTART;TZID="tzone://Microsoft/Utc":20260602T090000', "DURATION:PT1H"], "06-02 09:00-02 10:00"),
        (["DTSTART;TZID=Eastern Standard Time 1:20260602T090000", "DURATION:PT1H"], "06-02 13:00-02 14:00"),
        (["DTSTART;TZID=/mozilla.org/2005_1/Asia/Tokyo:20260602T090000", "DURATION:PT1H"], "06-02 00:00-02 01:00"),
        (["DTSTART;TZID=asia/tokyo:20260602T090000", "DURATION:PT1H"], "06-02 00:00-02 01:00"),
        (["DTSTART;TZID=America/New_York:20260602T090000Z", "DURATION:PT1H"], "06-02 09:00-02 10:00"),
        (["DTSTART;TZID=Nowhere/Atall;VALUE=DATE:20260602", "DTEND;VALUE=DATE:20260603"], "06-01 22:00-02 22:00"),
        (["DTSTART;VALUE=DATE:20260602", "DTEND;VALUE=DATE:20260602"], "06-01 22:00-02 22:00"),
        (["DTSTART;VALUE=DATE:20260602", "DTEND;VALUE=DATE:20260601"], "06-01 22:00-02 22:00"),
        (["DTSTART;VALUE=DATE:20260602", "DURATION:PT0S"], "06-01 22:00-02 22:00"),
        (["DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:PT1H"], "03-29 01:30-29 02:30"),
        (["DTSTART:20260302T090000Z", "DURATION:PT1H", "SUMMARY;X=\x07:no\\", "A LINE: x"], "03-02 09:00-02 10:00"),
        (["DTSTART:20260302T09", " 0000Z", "DURATION:PT1H"], "03-02 09:00-02 10:00"),
    ],
)  # fmt: skip
def test_an_event_lasts_as_long_as_it_says(lines: list[str], expected: str) -> None:
    assert times(event(*lines)) == [expected]


def test_an_alarm_with_times_of_its_own_is_none_of_the_event() -> None:
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDURATION:PT8H\nREPEAT:3\nEND:VALARM"
    assert times(event("DTSTART:20260302T090000Z", "DURATION:PT1H", alarm)) == ["03-02 09:00-02 10:00"]


def test_midnight_that_the_clocks_leave_out_begins_with_the_first_moment_after_it() -> None:
    """Santiago goes from 23:59:59 to 01:00 in the night to 6 September 2026."""
    day = event("DTSTART;VALUE=DATE:20260906", "DTEND;VALUE=DATE:20260907")
    assert times(day, zone=ZoneInfo("America/Santiago")) == ["09-06 04:00-07 03:00"]


def test_zones_of_one_name_are_those_that_each_calendar_defines() -> None:
    lines = event("DTSTART;TZID=Customized Time Zone:20260602T090000", "DURATION:PT1H")
    for offset, expected in (("+0330", "05:30-02 06:30"), ("-0500", "14:00-02 15:00"), ("+0330", "05:30-02 06:30")):
        assert times(CUSTOM.format(offset=offset), lines) == [f"06-02 {expected}"]


DUBLIN = "(UTC+00:00) Dublin, Edinburgh"


@pytest.mark.parametrize("defined", [DUBLIN, DUBLIN.replace(",", "\\,")])
@pytest.mark.parametrize("named", [f'"{DUBLIN}"', DUBLIN, DUBLIN.replace(",", "\\,")])
def test_a_zone_is_found_by_its_name_however_its_commas_are_written(defined: str, named: str) -> None:
    zone = CUSTOM.format(offset="-0300").replace("Customized Time Zone", defined)
    assert times(zone, event(f"DTSTART;TZID={named}:20260602T090000", "DURATION:PT1H")) == ["06-02 12:00-02 13:00"]


def test_a_zone_that_microsoft_defines_has_its_summer_time() -> None:
    """Its rules say INTERVAL=1."""
    rule = "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH={}\n"
    winter = CUSTOM.format(offset="+0300").replace("END:STANDARD\n", rule.format(10) + "END:STANDARD\n")
    summer = "BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0400\n" + rule.format(3)
    zone = winter.replace("TZOFFSETFROM:+0300", "TZOFFSETFROM:+0400").replace(
        "END:VTIMEZONE", f"{summer}END:DAYLIGHT\nEND:VTIMEZONE"
    )
    at = "DTSTART;TZID=Customized Time Zone:2026{}T090000"
    assert times(zone, event(at.format("0602"), "DURATION:PT1H")) == ["06-02 05:00-02 06:00"]
    assert times(zone, event(at.format("1202"), "DURATION:PT1H")) == ["12-02 06:00-02 07:00"]
    with pytest.raises(Unreadable):
        times(zone.replace("INTERVAL=1", "INTERVAL=2"), event(at.format("0602"), "DURATION:PT1H"))


NOWHERE = "TZID=Customized Time Zone"


def test_a_time_in_a_zone_that_nobody_knows_takes_all_that_it_may_mean() -> None:
    """It may be as early as in Kiritimati (UTC+14), and as late as on Baker Island (UTC-12)."""
    once = event(f"DTSTART;{NOWHERE}:20260602T090000", f"DTEND;{NOWHERE}:20260602T100000")
    assert times(once) == times(once, zone=UTC) == ["06-01 19:00-02 22:00"]
    ends = event("DTSTART:20260602T000000Z", f"DTEND;{NOWHERE}:20260602T020000")
    assert times(ends) == ["06-02 00:00-02 14:00"]
    weekly = event(
        f"DTSTART;{NOWHERE}:20260602T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;UNTIL=20260616T033000Z",
        f"EXDATE;{NOWHERE}:20260609T090000",
    )  # fmt: skip
    assert times(weekly) == ["06-01 19:00-02 22:00", "06-15 19:00-16 22:00"]
    assert told(calendar(once), Owner(BERLIN)) is None
    assert told(calendar(once.replace("END:VEVENT", "STATUS:CANCELLED\nEND:VEVENT")), Owner(BERLIN)) is not None


def test_what_may_reach_into_a_short_window_is_seen_there() -> None:
    series = event(f"DTSTART;{NOWHERE}:20260101T115500", "DURATION:PT10M", "RRULE:FREQ=DAILY;COUNT=1")
    midnight = Window(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, 0, 1, tzinfo=UTC))
    assert times(series, window=midnight) == ["12-31 21:55-02 00:05"]


def test_a_known_zone_is_what_everybody_knows_whatever_a_calendar_says_of_it() -> None:
    wrong = CUSTOM.format(offset="+0000").replace("Customized Time Zone", "Europe/Berlin")
    assert times(wrong, event("DTSTART;TZID=Europe/Berlin:20260602T090000", "DURATION:PT1H")) == [
        "06-02 07:00-02 08:00"
    ]


def test_what_was_remembered_for_one_reader_is_not_told_to_another() -> None:
    day, at = event("DTSTART;VALUE=DATE:20260602"), ZoneInfo("Pacific/Auckland")
    assert times(day) != times(day, zone=at) == ["06-01 12:00-02 12:00"]
    said = event("DTSTART:20260302T090000Z", "DURATION:PT1H", "ATTENDEE;PARTSTAT=DECLINED:MAILTO:Grace@Acme.example")
    assert (len(times(said)), times(said, me="grace@acme.example"), len(times(said))) == (1, [], 1)
    daily = event("DTSTART:20260302T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    week = Window(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 8, tzinfo=UTC))
    assert len(times(daily)) > 300 > len(times(daily, window=week)) >= 7


def test_an_answer_is_known_by_the_address_beside_a_principal() -> None:
    line = "ATTENDEE;EMAIL=grace@acme.example;PARTSTAT=declined:/12345/principal/"
    assert times(event("DTSTART:20260302T090000Z", "DURATION:PT1H", line), me="grace@acme.example") == []


@pytest.mark.parametrize(
    ("lines", "count", "last"),
    [
        (["RRULE:FREQ=WEEKLY;UNTIL=20260316"], 3, "03-16 08:00-16 09:00"),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260316T080000Z"], 3, "03-16 08:00-16 09:00"),
        (["RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2"], 3, "04-24 07:00-24 08:00"),
        (["RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20260302"], 0, ""),
        (["RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260309T090000/PT3H"], 2, "03-09 08:00-09 11:00"),
        (["RRULE:FREQ=HOURLY;COUNT=3"], 3, "03-02 10:00-02 11:00"),
    ],
)
def test_a_series_ends_where_it_says(lines: list[str], count: int, last: str) -> None:
    found = times(event("DTSTART;TZID=Europe/Berlin:20260302T090000", "DURATION:PT1H", *lines))
    assert (len(found), found[-1] if found else "") == (count, last)


@pytest.mark.parametrize(("zone", "hour"), [("America/New_York", 14), ("Europe/Berlin", 8), ("Asia/Tokyo", 0)])
def test_a_series_that_ends_at_a_time_on_the_wall_has_its_last_time(zone: str, hour: int) -> None:
    """As Nextcloud and iOS write it; west of UTC that is before its last time in UTC."""
    lines = (f"DTSTART;TZID={zone}:20261123T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261125T090000")
    assert times(event(*lines)) == [f"11-{day} {hour:02}:00-{day} {hour + 1:02}:00" for day in (23, 24, 25)]


@pytest.mark.parametrize("until", ["20261124T230000Z", "20261125T080000Z", "20261125T170000Z"])
def test_a_series_without_a_zone_that_ends_in_utc_has_its_last_time(until: str) -> None:
    """At nine in Tokyo's, Berlin's or Los Angeles' morning."""
    lines = ("DTSTART:20261123T090000", "DURATION:PT1H", f"RRULE:FREQ=DAILY;UNTIL={until}")
    assert times(event(*lines)) == [f"11-{day} 08:00-{day} 09:00" for day in (23, 24, 25)]


def test_a_property_without_a_value_says_nothing() -> None:
    rule = "RRULE:FREQ=DAILY;COUNT=2"
    lines = ("DTSTART:20261123T080000Z", "DURATION:PT1H", rule, "EXDATE:", "RDATE;VALUE=DATE-TIME:")
    assert times(event(*lines)) == ["11-23 08:00-23 09:00", "11-24 08:00-24 09:00"]


def test_a_series_that_changed_from_some_day_on_follows() -> None:
    at = "TZID=Europe/Berlin"
    series = event(f"DTSTART;{at}:20260302T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4", uid="s")
    later = event(
        f"RECURRENCE-ID;RANGE=THISANDFUTURE;{at}:20260316T090000",
        f"DTSTART;{at}:20260316T100000",
        "DURATION:PT2H",
        uid="s",
    )
    assert times(series, later) == [
        "03-02 08:00-02 09:00", "03-09 08:00-09 09:00", "03-16 09:00-16 11:00", "03-23 09:00-23 11:00",
    ]  # fmt: skip


def test_a_single_invitation_to_one_instance_counts() -> None:
    one = event("RECURRENCE-ID:20260302T090000Z", "DTSTART:20260302T100000Z", "DURATION:PT1H")
    assert times(one) == ["03-02 10:00-02 11:00"]


def test_a_birthday_since_1604_is_no_burden() -> None:
    assert times(event("DTSTART;VALUE=DATE:16040302", "RRULE:FREQ=YEARLY")) == ["03-01 23:00-02 23:00"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,5,10,15;BYSECOND=0,1,2",
        "FREQ=NEVER",
        "COUNT=2",
    ],
)
def test_a_rule_that_cannot_be_counted_is_unreadable(rule: str) -> None:
    """At once: a search to the year 9999 takes minutes."""
    with pytest.raises(Unreadable):
        times(event("DTSTART:20200302T090000Z", "DURATION:PT1S", f"RRULE:{rule}"))


def test_a_rule_that_cannot_be_counted_does_not_matter_to_one_who_is_free() -> None:
    assert times(event("DTSTART:20200302T090000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY", "TRANSP:TRANSPARENT")) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        calendar(event("DURATION:PT1H")),
        calendar(event("DTSTART:tomorrow")),
        calendar(event("DTSTART:20260302T090000Z", "DTEND:never")),
        calendar(event("DTSTART:20260302T090000Z", "DURATION:PT1H")).replace("END:VEVENT\n", ""),
    ],
)
def test_what_cannot_be_read_is_not_free(text: str) -> None:
    with pytest.raises(Unreadable):
        busy(text, YEAR, Owner(BERLIN))
    assert told(text, Owner(BERLIN)) is None


def test_notes_take_no_time() -> None:
    assert times("BEGIN:VJOURNAL\nUID:t\nDTSTART:20260302T090000Z\nEND:VJOURNAL\n") == []


def test_a_report_gives_all_but_what_it_calls_free() -> None:
    text = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VFREEBUSY
FREEBUSY:20260302T090000Z/20260302T100000Z,20260302T110000Z/PT30M
FREEBUSY;FBTYPE=FREE:20260303T090000Z/20260303T100000Z
FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260304T090000Z/20260304T100000Z
FREEBUSY;FBTYPE=BUSY-UNAVAILABLE;VALUE=PERIOD:20260305T090000Z/20260305T100000Z
END:VFREEBUSY
END:VCALENDAR
"""
    assert [f"{one.start:%d %H:%M}-{one.end:%H:%M}" for one in periods(text)] == [
        "02 09:00-10:00", "02 11:00-11:30", "04 09:00-10:00", "05 09:00-10:00",
    ]  # fmt: skip
    assert periods("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n") == []


def test_a_calendar_names_its_zone_in_either_way() -> None:
    assert zone_of("Europe/Berlin") == BERLIN
    assert zone_of(calendar("BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nEND:VTIMEZONE\n")) == BERLIN
    assert zone_of("W. Europe Standard Time") == BERLIN
    own = zone_of(calendar(CUSTOM.format(offset="+0330")))
    assert datetime(2026, 3, 2, tzinfo=own).utcoffset() == timedelta(hours=3, minutes=30)
    assert [zone_of(text) for text in ("", "Nowhere/Atall", "BEGIN:VCALENDAR\nTZID:x\n")] == [None, None, None]
