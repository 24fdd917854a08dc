"""What a reader sees of a mail: dates as at home, sentences as they begin there, an invitation of fair size."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from tests.booking.conftest import ADA
from tests.booking.test_meetings import deliveries, mails


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en-GB", "Tuesday, 3 March 2026, 08:00 – 08:30"),
        ("en-US", "Tuesday, March 3, 2026, 8:00\u202fAM"),
        ("de-AT", "Dienstag, 3. März 2026, 08:00"),
        ("en", "Tuesday, 3 March 2026, 08:00"),
        ("en-XX", "Tuesday, 3 March 2026, 08:00"),
        ("pt-BR", "Tuesday, 3 March 2026, 08:00"),
    ],
)
def test_a_visitor_reads_dates_as_at_home(db, version, book, locale, written):
    meeting = book(who=ADA | {"locale": locale, "zone": "Europe/London"})
    assert written in deliveries(db, meeting, "notify")[0].payload["mail"]["text"]


def test_an_english_mail_goes_on_with_a_capital(db, version, book):
    assert "\n\nYour meeting is booked." in deliveries(db, book(), "notify")[0].payload["mail"]["text"]


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/New_York", "Asia/Kolkata", "UTC", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_an_invitation_tells_the_zone_in_few_words(db, version, book, zone):
    meeting = book(who=ADA | {"zone": zone})
    (_, _, _, ics), *_ = mails(db, meeting)
    event = next(iter(Calendar.from_ical(ics).walk("VEVENT")))
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (meeting.start_at, meeting.end_at)
    for component in Calendar.from_ical(ics).walk("VTIMEZONE"):
        told = component.to_tz()
        assert meeting.start_at.astimezone(told).utcoffset() == meeting.start_at.astimezone(ZoneInfo(zone)).utcoffset()
        assert len(component.to_ical()) < 1_400
