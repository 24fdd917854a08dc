"""What every calendar adapter must make of events that others wrote: series, all-day, free, cancelled, declined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest

from plugins.calendar import Window
from plugins.testing.errors import ErrorTable
from plugins.testing.guard import exempt, left_out

Put = Callable[[str], Any]
MARCH = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC))


class ForeignEvents(ErrorTable):
    """The author may give `put`, which stores a VEVENT (RFC 5545 text) in `calendar` as another program would; without
    it these tests are skipped. `zone` is the zone of that calendar, `owner` the address its person is invited under
    ("": such a service says itself what was declined, and that test is skipped)."""

    zone: ClassVar[str] = "Europe/Berlin"
    owner: ClassVar[str] = ""

    @pytest.fixture
    def calendar(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def put(self) -> Put:
        if self.no_http:
            exempt(f"no HTTP: {self.no_http}")
        left_out("the fake takes no events of others")

    def hours(self, subject: Any, calendar: str, window: Window = MARCH) -> list[str]:
        """Busy times as the clock on the wall of the calendar's zone shows them, "02 09:00-10:00"."""
        found = subject.busy([calendar], window)[calendar]
        assert found.error is None
        zone = ZoneInfo(self.zone)
        spans = [(time.start.astimezone(zone), time.end.astimezone(zone)) for time in found.times]
        return [f"{start:%d %H:%M}-{end:%H:%M}" for start, end in spans]

    def test_events_of_others_are_busy(self, subject: Any, calendar: str, put: Put) -> None:
        put(event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z"))
        put(event("DTSTART;TZID=America/New_York:20260302T120000", "DURATION:PT1H"))
        assert self.hours(subject, calendar) == ["02 13:00-13:30", "02 18:00-19:00"]

    @pytest.mark.parametrize(
        ("line", "blocks"),
        [
            ("STATUS:TENTATIVE", True),
            ("STATUS:CONFIRMED", True),
            ("STATUS:CANCELLED", False),
            ("TRANSP:TRANSPARENT", False),
            ("TRANSP:OPAQUE", True),
        ],
    )
    def test_tentative_blocks_and_free_or_cancelled_does_not(
        self, subject: Any, calendar: str, put: Put, line: str, blocks: bool
    ) -> None:  # fmt: skip
        put(event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z", line))
        assert bool(self.hours(subject, calendar)) is blocks

    def test_what_the_person_declined_does_not_block_and_what_others_declined_does(
        self, subject: Any, calendar: str, put: Put
    ) -> None:
        if not self.owner:
            exempt("the service tells nobody's answers")
        boss, ada = "ORGANIZER:mailto:boss@globex.example", "ATTENDEE;PARTSTAT={}:mailto:ada@globex.example"
        mine = f"ATTENDEE;CN=Me;PARTSTAT={{}}:mailto:{self.owner}"
        put(event("DTSTART:20260302T080000Z", "DURATION:PT1H", boss, mine.format("DECLINED"), ada.format("ACCEPTED")))
        put(event("DTSTART:20260302T100000Z", "DURATION:PT1H", boss, mine.format("ACCEPTED"), ada.format("DECLINED")))
        put(event("DTSTART:20260302T120000Z", "DURATION:PT1H", boss, mine.format("NEEDS-ACTION")))
        assert self.hours(subject, calendar) == ["02 11:00-12:00", "02 13:00-14:00"]

    def test_an_all_day_event_is_a_day_of_the_calendars_zone(self, subject: Any, calendar: str, put: Put) -> None:
        put(event("DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330"))
        start, end = (datetime(2026, 3, day, tzinfo=ZoneInfo(self.zone)) for day in (29, 30))
        [only] = subject.busy([calendar], MARCH)[calendar].times
        assert (only.start, only.end) == (start, end)

    def test_a_day_without_an_end_is_one_day(self, subject: Any, calendar: str, put: Put) -> None:
        put(event("DTSTART;VALUE=DATE:20260310"))
        assert self.hours(subject, calendar) == ["10 00:00-00:00"]

    def test_a_time_without_zone_is_a_time_of_the_calendars_zone(self, subject: Any, calendar: str, put: Put) -> None:
        put(event("DTSTART:20260302T090000", "DTEND:20260302T100000"))
        put(event("DTSTART:20260330T090000", "DTEND:20260330T100000"))
        assert self.hours(subject, calendar) == ["02 09:00-10:00", "30 09:00-10:00"]

    def test_a_series_keeps_its_time_on_the_wall_over_a_change_of_clocks(
        self, subject: Any, calendar: str, put: Put
    ) -> None:
        put(event("DTSTART;TZID=Europe/Berlin:20260323T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2"))
        found = subject.busy([calendar], MARCH)[calendar].times
        assert [time.start for time in found] == [
            datetime(2026, 3, 23, 8, tzinfo=UTC),
            datetime(2026, 3, 30, 7, tzinfo=UTC),
        ]

    def test_of_a_series_instances_are_moved_cancelled_freed_left_out_and_added(
        self, subject: Any, calendar: str, put: Put
    ) -> None:
        at = "TZID=Europe/Berlin"
        series = event(
            f"DTSTART;{at}:20260302T090000", f"DTEND;{at}:20260302T100000", "RRULE:FREQ=DAILY;COUNT=6",
            f"EXDATE;{at}:20260303T090000", f"RDATE;{at}:20260320T170000",
        )  # fmt: skip
        uid = series.split("UID:")[1].split("\n")[0]
        moved = event(
            f"RECURRENCE-ID;{at}:20260304T090000",
            f"DTSTART;{at}:20260304T150000",
            f"DTEND;{at}:20260304T153000",
            uid=uid,
        )
        cancelled = event(
            f"RECURRENCE-ID;{at}:20260305T090000", f"DTSTART;{at}:20260305T090000", f"DTEND;{at}:20260305T100000",
            "STATUS:CANCELLED", uid=uid,
        )  # fmt: skip
        free = event(
            f"RECURRENCE-ID;{at}:20260306T090000", f"DTSTART;{at}:20260306T090000", f"DTEND;{at}:20260306T100000",
            "TRANSP:TRANSPARENT", uid=uid,
        )  # fmt: skip
        put(series + moved + cancelled + free)
        assert self.hours(subject, calendar) == ["02 09:00-10:00", "04 15:00-15:30", "07 09:00-10:00", "20 17:00-18:00"]

    def test_an_instance_moved_into_the_window_counts_and_one_moved_out_does_not(
        self, subject: Any, calendar: str, put: Put
    ) -> None:
        series = event("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=WEEKLY")
        uid = series.split("UID:")[1].split("\n")[0]
        inward = event("RECURRENCE-ID:20260615T090000Z", "DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", uid=uid)
        outward = event("RECURRENCE-ID:20260309T090000Z", "DTSTART:20260616T090000Z", "DTEND:20260616T100000Z", uid=uid)
        put(series + inward + outward)
        window = Window(MARCH.start + timedelta(days=7), MARCH.start + timedelta(days=14))
        assert self.hours(subject, calendar, window) == ["10 10:00-11:00"]

    def test_a_series_begun_long_ago_is_busy_today(self, subject: Any, calendar: str, put: Put) -> None:
        put(event("DTSTART;TZID=Europe/Berlin:20190107T090000", "DURATION:PT30M", "RRULE:FREQ=WEEKLY;BYDAY=MO"))
        mondays = [f"{day:02} 09:00-09:30" for day in (2, 9, 16, 23, 30)]
        assert self.hours(subject, calendar) == mondays


def event(*lines: str, uid: str = "") -> str:
    """A VEVENT of somebody else's with these lines."""
    uid = uid or f"{abs(hash(lines)):x}@globex.example"
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""])
