"""The CalDAV adapter keeps the contract with two real servers, Radicale and Xandikos, and what people do in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from plugins.calendar import Change, Guest, Window
from plugins.calendar.caldav import CalDav
from plugins.errors import Conflict, CursorExpired, Duplicate, NotFound
from plugins.registry import Registry
from plugins.testing import CalendarConformance
from plugins.testing.calendar import DAY, DEMO, at
from plugins.testing.conformance import LOOPBACK
from plugins.testing.fakes import Passing
from plugins.testing.foreign_events import event
from tests.plugins.calendar.between import Between
from tests.radicale import CalendarServer


class OnServer(CalendarConformance):
    """The kit, and what any CalDAV server has to give."""

    adapter = CalDav
    many: ClassVar[int] = 12
    error_in_200 = "CalDAV says errors with a status"
    owner: ClassVar[str] = "grace@acme.example"

    @pytest.fixture
    def server(self) -> CalendarServer:
        raise NotImplementedError

    @pytest.fixture
    def way(self) -> Between:
        raise NotImplementedError

    @pytest.fixture
    def fake(self) -> Passing:
        raise NotImplementedError

    @pytest.fixture
    def config(self, server: CalendarServer, fake: Passing) -> dict[str, Any]:
        return {"url": f"{fake.url}/", "user": server.user or "anybody", "password": server.password or "any word"}

    @pytest.fixture
    def calendar(self, server: CalendarServer, fresh: str) -> str:
        return server.calendar(self.owner, zone=self.zone, name=fresh)

    @pytest.fixture
    def put(self, server: CalendarServer, calendar: str) -> Callable[[str], str]:
        return lambda text: server.put_raw(calendar, text, name=f"other {abs(hash(text))}")

    @pytest.fixture
    def by_reports(self, config: dict[str, Any]) -> Any:
        """The adapter of an account that asks for times only."""
        asked = {**config, "busy_from": "free-busy"}
        opened = Registry(discover=list).open("calendar", "caldav", asked, records=None, private=LOOPBACK)  # type: ignore[arg-type]
        yield opened
        opened.close()

    def test_calendars_are_told_with_path_and_title(self, subject: Any, server: CalendarServer, fresh: str) -> None:
        path = server.calendar(f"Sales, {fresh}", name=fresh)
        found = {info.id: info for info in subject.calendars()}[path]
        assert (found.title, found.writable) == (f"Sales, {fresh}", True)

    def test_a_calendar_is_found_by_its_name(self, subject: Any, server: CalendarServer, fresh: str) -> None:
        path = server.calendar(f"Ada & Co <{fresh}>", name=fresh)
        name = f"ada & co <{fresh}>"
        ref = subject.create(name, DEMO, key="k1")
        assert ref.id.startswith(path)
        assert self.times(subject, name) == [(DEMO.start, DEMO.end)]
        assert subject.update(ref, at(9), key="k2").calendar == name

    def test_one_unknown_and_one_ambiguous_calendar_are_errors_of_these(
        self, subject: Any, server: CalendarServer, calendar: str, fresh: str
    ) -> None:
        for name in ("one", "two"):
            server.calendar(f"Twice {fresh}", name=f"{fresh} {name}")
        gone = f"{server.home}nothing here/"
        asked = ["nobody@globex.example", f"Twice {fresh}", gone, calendar]
        unknown, twice, missing, good = (subject.busy(asked, DAY)[name] for name in asked)
        assert good.error is None
        assert all(isinstance(one.error, NotFound) for one in (unknown, twice, missing))
        assert "Several calendars" in twice.error.user_message
        assert "nobody@globex.example" in unknown.error.user_message

    def test_the_report_of_the_server_says_the_same(
        self, by_reports: Any, calendar: str, put: Any, way: Between
    ) -> None:
        put(event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z", "STATUS:TENTATIVE"))
        put(event("DTSTART:20260302T140000Z", "DTEND:20260302T143000Z", "STATUS:CANCELLED"))
        put(event("DTSTART:20260302T160000Z", "DTEND:20260302T163000Z", "TRANSP:TRANSPARENT"))
        put(event("DTSTART:20260301T180000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"))
        way.seen.clear()
        assert self.hours(by_reports, calendar) == [
            "01 19:00-20:00",
            "02 13:00-13:30",
            "02 19:00-20:00",
            "03 19:00-20:00",
        ]
        assert b"free-busy-query" in b"".join(asked.body for asked in way.seen)
        assert b"calendar-query" not in b"".join(asked.body for asked in way.seen)

    def test_what_the_owner_made_of_a_meeting_stays_when_it_is_moved(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        ref = subject.create(calendar, replace(at(9), location="Room 1"), key="k1")
        mark = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nTRIGGER:-PT10M\r\nEND:VALARM\r\nEND:VEVENT"
        server.edit(ref.id, summary="Demo with Ada (bring slides)", categories=["Big deals"], x_mood="good")
        server.send(
            "PUT",
            ref.id,
            data=server.read(ref.id).replace("END:VEVENT", mark),
            headers={"Content-Type": "text/calendar"},
        )
        moved = subject.update(replace(ref, version=""), replace(at(15), location="Room 2"), key="k2")
        now = server.event(moved.id)
        assert str(now["SUMMARY"]) == "Demo with Ada (bring slides)"
        assert str(now["LOCATION"]) == "Room 2"
        assert now["CATEGORIES"].to_ical() == b"Big deals"
        assert str(now["X-MOOD"]) == "good"
        assert str(now["SEQUENCE"]) == "1"
        assert [str(alarm["DESCRIPTION"]) for alarm in now.walk("VALARM")] == ["Soon"]
        assert now["DTSTART"].dt == at(15).start

    def test_an_event_moved_by_its_owner_is_a_conflict_and_stays_where_it_is(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        server.move(ref.id, timedelta(hours=2))
        with pytest.raises(Conflict):
            subject.update(ref, at(15), key="k2")
        assert self.times(subject, calendar) == [(at(11).start, at(11).end)]

    def test_a_late_repeat_of_an_update_undoes_nothing_that_the_owner_did(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        ref = replace(subject.create(calendar, at(9), key="k1"), version="")
        subject.update(ref, at(10), key="k2")
        server.move(ref.id, timedelta(hours=3))
        subject.update(ref, at(10), key="k2")
        assert self.times(subject, calendar) == [(at(13).start, at(13).end)]

    def test_an_update_is_known_again_where_the_key_was_dropped(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        subject.update(ref, at(10), key="k2")
        server.edit(ref.id, x_usher_keys=None)
        assert subject.update(ref, at(10), key="k2").id == ref.id
        with pytest.raises(Conflict):
            subject.update(ref, at(11), key="k3")

    def test_an_event_of_the_same_uid_is_a_duplicate_and_is_named(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        draft = replace(DEMO, uid="a<b&c>@usher")
        path = server.put(calendar, DEMO.start, DEMO.end, uid=draft.uid)
        with pytest.raises(Duplicate) as caught:
            subject.create(calendar, draft, key="k1")
        assert server.event(caught.value.existing)["UID"] == server.event(path)["UID"] == draft.uid

    def test_guests_and_organizer_are_written_and_the_server_is_asked_not_to_mail(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        draft = replace(DEMO, organizer=Guest("grace@acme.example", "Grace"))
        ref = subject.create(calendar, draft, key="k1")
        found = server.event(ref.id)
        assert str(found["ORGANIZER"]) == "mailto:grace@acme.example"
        assert (str(found["ATTENDEE"]), found["ATTENDEE"].params["CN"]) == ("mailto:ada@globex.example", "Ada Lovelace")
        assert found["ATTENDEE"].params["SCHEDULE-AGENT"] == "CLIENT"
        assert str(found["DESCRIPTION"]) == DEMO.description

    def test_changes_tell_what_people_did_in_the_calendar(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        ours, other = subject.create(calendar, at(9), key="k1"), subject.create(calendar, at(12), key="k2")
        start = subject.changes(calendar)
        assert {(item.ref, item.uid) for item in start.items} == {(ours, at(9).uid), (other, at(12).uid)}
        assert subject.changes(calendar, start.cursor).items == ()
        server.move(ours.id, timedelta(hours=1))
        server.delete(other.id)
        own = server.put(calendar, at(15).start, at(15).end, lines="TRANSP:TRANSPARENT", uid="own@acme.example")
        found = {item.ref.id: item for item in subject.changes(calendar, start.cursor).items}
        assert found.keys() == {ours.id, other.id, own}
        assert found[other.id].what is Change.DELETED
        assert (found[ours.id].start, found[ours.id].end, found[ours.id].uid) == (at(10).start, at(10).end, at(9).uid)
        assert (found[own].uid, found[own].blocks) == ("own@acme.example", False)
        assert subject.update(found[ours.id].ref, at(16), key="k3").id == ours.id

    def test_an_event_that_stands_there_as_cancelled_is_told_as_gone(
        self, subject: Any, server: CalendarServer, calendar: str
    ) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        start = subject.changes(calendar)
        server.edit(ref.id, status="CANCELLED")
        [item] = subject.changes(calendar, start.cursor).items
        assert (item.what, item.uid) == (Change.DELETED, at(9).uid)
        assert self.times(subject, calendar) == []

    def test_a_series_is_told_by_its_first_time_and_a_note_not_at_all(
        self, subject: Any, calendar: str, put: Callable[[str], str]
    ) -> None:
        put(event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z", "RRULE:FREQ=DAILY", uid="series"))
        put("BEGIN:VJOURNAL\nUID:note\nDTSTAMP:20260101T000000Z\nSUMMARY:Called\nEND:VJOURNAL")
        [item] = subject.changes(calendar).items
        assert (item.uid, item.start) == ("series", datetime(2026, 3, 2, 12, tzinfo=UTC))

    def test_a_place_that_the_server_has_forgotten_asks_for_a_new_start(self, subject: Any, calendar: str) -> None:
        cursor = subject.changes(calendar).cursor
        with pytest.raises(CursorExpired):
            subject.changes(calendar, cursor.replace('"token": "', '"token": "0'))

    @pytest.mark.parametrize(("zone", "hours"), [("Pacific/Auckland", (-13, -7)), ("America/Los_Angeles", (25, 31))])
    def test_a_day_off_is_seen_in_hours_that_are_another_day_in_utc(
        self, subject: Any, server: CalendarServer, fresh: str, zone: str, hours: tuple[int, int]
    ) -> None:
        path = server.calendar(fresh, zone=zone)
        server.put(path, date(2026, 3, 2), date(2026, 3, 3))
        start, end = (DAY.start + timedelta(hours=hour) for hour in hours)
        assert self.times(subject, path, Window(start, end)) == [(start, end)]

    def test_a_long_event_is_seen_inside_a_short_window(self, subject: Any, calendar: str) -> None:
        subject.create(calendar, replace(DEMO, start=DAY.start - timedelta(days=9), end=DAY.end), key="k1")
        noon = Window(DEMO.start, DEMO.start + timedelta(seconds=1))
        assert self.times(subject, calendar, noon) == [(noon.start, noon.end)]


class TestOnRadicale(OnServer):
    @pytest.fixture
    def server(self, of_radicale: CalendarServer) -> CalendarServer:
        return of_radicale

    @pytest.fixture
    def way(self, way_to_radicale: Between) -> Between:
        return way_to_radicale

    @pytest.fixture
    def fake(self, failing_radicale: Passing) -> Passing:
        return failing_radicale

    def test_a_long_calendar_comes_page_by_page(self, subject: Any, server: CalendarServer, fresh: str) -> None:
        """Also what changes between two pages is told."""
        days = [f"DTSTART:202603{1 + n % 28:02}T120000Z" for n in range(260)]
        events = "".join(event(day, "DURATION:PT1H", uid=f"{n:03}@acme") for n, day in enumerate(days))
        path = f"{server.home}{quote(fresh)}/"
        server.send("PUT", path, data=f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-\n{events}END:VCALENDAR\n")
        first = subject.changes(path)
        assert (len(first.items), first.more) == (250, True)
        server.move(first.items[0].ref.id, timedelta(hours=1))
        second = subject.changes(path, first.cursor)
        assert (len(second.items), second.more) == (10, False)
        assert len({item.uid for page in (first, second) for item in page.items}) == 260
        [late] = subject.changes(path, second.cursor).items
        assert (late.uid, late.start) == (first.items[0].uid, first.items[0].start + timedelta(hours=1))


class TestOnXandikos(OnServer):
    @pytest.fixture
    def server(self, of_xandikos: CalendarServer) -> CalendarServer:
        return of_xandikos

    @pytest.fixture
    def way(self, way_to_xandikos: Between) -> Between:
        return way_to_xandikos

    @pytest.fixture
    def fake(self, failing_xandikos: Passing) -> Passing:
        return failing_xandikos
