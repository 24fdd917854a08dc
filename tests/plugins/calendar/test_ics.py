"""The feed adapter keeps the contract as far as a calendar that is only read can, and is careful where it reads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import responses

from plugins.calendar import Window
from plugins.calendar.ics import Ics
from plugins.errors import ConfigError, NotFound, Permanent, PluginError, RateLimited, Transient
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing import CalendarConformance
from plugins.testing.calendar import DAY
from plugins.testing.conformance import LOOPBACK
from plugins.testing.deeds import fresh
from plugins.testing.fakes import Fault
from plugins.testing.fakes.feeds import FeedFake
from plugins.testing.foreign_events import event

GRACE = "grace@acme.example"
NOON = event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z")


@pytest.fixture(scope="module")
def feeds() -> Iterator[FeedFake]:
    with FeedFake() as fake:
        yield fake


@pytest.fixture
def fake(feeds: FeedFake) -> FeedFake:
    feeds.faults.clear()
    feeds.asked.clear()
    feeds.feeds.clear()
    feeds.moved.clear()
    return feeds


@pytest.fixture
def reader() -> Iterator[Callable[..., Ics]]:
    """Opens the adapter with these feeds."""
    opened: list[Ics] = []

    def open_(*addresses: str, private: tuple[str, ...] = LOOPBACK, **settings: Any) -> Ics:
        given = {"feeds": " ".join(addresses), **settings}
        adapter = Registry(discover=list).open("calendar", "ics", given, records=MemoryRecords(), private=private)
        opened.append(adapter)
        return adapter

    yield open_
    for adapter in opened:
        adapter.close()


def hours(adapter: Ics, calendar: str, window: Window = DAY) -> list[str]:
    found = adapter.busy([calendar], window)[calendar]
    if found.error:
        raise found.error
    return [f"{time.start:%H:%M}-{time.end:%H:%M}" for time in found.times]


class TestIcs(CalendarConformance):
    adapter = Ics
    owner: ClassVar[str] = GRACE
    error_in_200: ClassVar[Fault | str] = Fault(200, b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "text/calendar")
    sign_in: ClassVar[str] = ""

    @pytest.fixture
    def fake(self, fake: FeedFake) -> FeedFake:
        return fake

    @pytest.fixture
    def feed(self) -> str:
        """Another one for each test: what was read is remembered by its address."""
        return f"grace{fresh()}"

    @pytest.fixture
    def config(self, fake: FeedFake, feed: str) -> dict[str, Any]:
        return {"feeds": f"{GRACE}={fake.publish(feed)}"}

    @pytest.fixture
    def calendar(self) -> str:
        return GRACE

    @pytest.fixture
    def put(self, fake: FeedFake, feed: str) -> Callable[[str], Any]:
        there: list[str] = []

        def put(text: str) -> None:
            there.append(text)
            fake.publish(feed, "".join(there))

        return put


def test_an_unchanged_feed_is_asked_for_by_its_etag_and_not_sent_again(fake: FeedFake, reader: Any) -> None:
    address = fake.publish("unchanged", NOON)
    assert hours(reader(f"g={address}"), "g") == ["12:00-12:30"]
    sent = fake.sent
    assert hours(reader(f"g={address}"), "g") == ["12:00-12:30"]
    assert (fake.sent, fake.asked[-1].headers["If-None-Match"][:1]) == (sent, '"')
    fake.publish("unchanged", event("DTSTART:20260302T150000Z", "DURATION:PT1H"))
    assert hours(reader(f"g={address}"), "g") == ["15:00-16:00"]


def test_several_feeds_are_calendars_and_one_in_trouble_is_an_error_of_that_one(fake: FeedFake, reader: Any) -> None:
    good = fake.publish("good", NOON, head="X-WR-CALNAME:Grace\\, at work\n")
    adapter = reader(f"{GRACE}={good}", fake.address("gone"))
    first, second = adapter.calendars()
    assert (first.id, first.title, first.writable) == (GRACE, "Grace, at work", False)
    assert second.id.startswith("feed-")
    found = adapter.busy([GRACE, second.id, "nobody@acme.example"], DAY)
    assert len(found[GRACE].times) == 1
    assert isinstance(found[second.id].error, NotFound)
    assert isinstance(found["nobody@acme.example"].error, NotFound)


def test_the_secret_address_is_in_no_log_and_no_error(
    fake: FeedFake, reader: Any, caplog: pytest.LogCaptureFixture
) -> None:
    address = fake.publish("secret")
    path = address.removeprefix(fake.url)
    fake.faults.add(Fault(500, path.encode(), "text/plain"))
    adapter = reader(address)
    with caplog.at_level(logging.DEBUG):
        [calendar] = adapter.calendars()
        with pytest.raises(Transient) as caught:
            hours(adapter, calendar.id)
    shown = f"{caught.value} {caught.value.as_json()} {calendar} {adapter!r} {[r.getMessage() for r in caplog.records]}"
    assert path not in shown
    assert path.split("/")[1] not in shown


def test_a_private_address_is_refused_also_when_a_redirect_leads_there(fake: FeedFake, reader: Any) -> None:
    address = fake.publish("private", NOON)
    with pytest.raises(ConfigError) as caught:
        hours(reader(f"g={address}", private=()), "g")
    assert "private network" in caught.value.user_message
    port = fake.url.rpartition(":")[2]
    fake.moved["private"] = f"http://169.254.169.254:{port}/latest"
    with pytest.raises(ConfigError):
        hours(reader(f"g={address}"), "g")


def test_a_feed_that_moved_is_followed_and_a_circle_is_not(fake: FeedFake, reader: Any) -> None:
    fake.moved["old"] = fake.publish("new", NOON)
    assert hours(reader(f"g={fake.address('old')}"), "g") == ["12:00-12:30"]
    fake.moved["round"] = fake.address("round")
    with pytest.raises(ConfigError):
        hours(reader(f"g={fake.address('round')}"), "g")


def test_encryption_is_not_given_up_on_the_way(reader: Any) -> None:
    with responses.RequestsMock() as web:
        web.get("https://cal.example/a.ics", status=302, headers={"Location": "http://cal.example/a.ics"})
        with pytest.raises(ConfigError) as caught:
            hours(reader("g=webcal://cal.example/a.ics"), "g")
    assert "not encrypted" in caught.value.user_message


@pytest.mark.parametrize(
    "body", ["<!doctype html><title>Sign in</title>", '{"error": "no"}', "BEGIN:VCARD\nEND:VCARD", ""]
)
def test_what_is_no_feed_is_never_free_time(fake: FeedFake, reader: Any, body: str) -> None:
    fake.feeds["page"] = fake.publish("page") and body
    adapter = reader(f"g={fake.address('page')}")
    with pytest.raises(Permanent):
        hours(adapter, "g")
    checked = adapter.check()
    assert not checked.ok
    assert "iCalendar" in checked.message


def test_an_event_that_cannot_be_read_makes_the_calendar_unknown(fake: FeedFake, reader: Any) -> None:
    broken = event("DTSTART:20260302T120000Z", "RRULE:FREQ=SECONDLY")
    adapter = reader(f"g={fake.publish('broken', NOON + broken)}")
    with pytest.raises(Permanent):
        hours(adapter, "g")


def test_a_feed_that_is_too_large_is_an_error(fake: FeedFake, reader: Any) -> None:
    text = event("DTSTART:20260302T120000Z", "DURATION:PT1H", f"DESCRIPTION:{'x' * 10_100_000}")
    with pytest.raises(Permanent):
        hours(reader(f"g={fake.publish('large', text)}"), "g")


def test_zones_of_the_feed_itself_are_kept_apart_and_its_own_zone_holds_for_days(fake: FeedFake, reader: Any) -> None:
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    text = zone + event("DTSTART;TZID=Office:20260302T120000", "DURATION:PT1H") + event("DTSTART;VALUE=DATE:20260305")
    adapter = reader(f"g={fake.publish('zones', text, head='X-WR-TIMEZONE:America/New_York' + chr(10))}")
    assert hours(adapter, "g") == ["09:00-10:00"]
    [day] = adapter.busy(["g"], Window(DAY.end, DAY.end + timedelta(days=7)))["g"].times
    assert day.start == datetime(2026, 3, 5, 5, tzinfo=UTC)


def test_a_zone_of_the_feed_is_found_by_a_name_with_commas(fake: FeedFake, reader: Any) -> None:
    name = "(UTC-03:00) Salvador, here"
    zone = (
        f"BEGIN:VTIMEZONE\nTZID:{name.replace(',', chr(92) + ',')}\nBEGIN:STANDARD\nDTSTART:16010101T000000\n"
        "TZOFFSETFROM:-0300\nTZOFFSETTO:-0300\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    text = zone + event(f'DTSTART;TZID="{name}":20260302T090000', "DURATION:PT1H")
    assert hours(reader(f"g={fake.publish('commas', text)}"), "g") == ["12:00-13:00"]


def test_a_feed_of_free_and_busy_times_only_is_read(fake: FeedFake, reader: Any) -> None:
    lines = ["FREEBUSY;FBTYPE=BUSY:20260302T100000Z/PT1H", "FREEBUSY;FBTYPE=FREE:20260302T120000Z/PT1H"]
    text = "\n".join(["BEGIN:VFREEBUSY", "UID:1", "DTSTAMP:20260301T000000Z", *lines, "END:VFREEBUSY", ""])
    assert hours(reader(f"g={fake.publish('times', text)}"), "g") == ["10:00-11:00"]


def test_a_long_feed_is_read_again_without_reading_each_event_again(fake: FeedFake, reader: Any) -> None:
    many = "".join(event(f"DTSTART:20260302T{n % 24:02}0000Z", "DURATION:PT5M", uid=f"{n}@acme") for n in range(300))
    address = fake.publish("long", many)
    assert len(hours(reader(f"g={address}"), "g")) == 24
    fake.publish("long", many + event("DTSTART:20260302T003000Z", "DURATION:PT5M"))
    assert len(hours(reader(f"g={address}"), "g")) == 25


def test_who_asks_too_often_is_told_until_when(fake: FeedFake, reader: Any) -> None:
    address = fake.publish("busy")
    fake.faults.add(Fault(429, headers={"Retry-After": "60"}))
    with pytest.raises(RateLimited) as caught:
        hours(reader(f"g={address}"), "g")
    assert caught.value.retry_after is not None


@pytest.mark.parametrize(
    "given",
    ["nonsense", "ftp://cal.example/a.ics", "https://a.example/1 x=", "a=https://a.example/1 A=https://b.example/2"],
)
def test_addresses_that_cannot_be_are_named_as_such(reader: Any, given: str) -> None:
    adapter = reader(given)
    with pytest.raises(PluginError) as caught:
        adapter.calendars()
    assert isinstance(caught.value, ConfigError)
    assert caught.value.problems[0][0] == "feeds"
    assert not adapter.check().ok
