"""CalDAV when the server, or what lies between, does not do what it should: a calendar is unknown then, never free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.calendar import Window
from plugins.calendar.caldav import CalDav
from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    ConfigError,
    Conflict,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.calendar import DAY, DEMO, at
from plugins.testing.conformance import LOOPBACK
from plugins.testing.foreign_events import event
from tests.plugins.calendar.between import Answered, Asked, Between
from tests.processes import free_port
from tests.radicale import PASSWORD, USER, CalendarServer, radicale

Open = Callable[..., CalDav]
UNSUPPORTED = '<error xmlns="DAV:"><supported-report/></error>'


@pytest.fixture
def way(way_to_radicale: Between) -> Between:
    way_to_radicale.seen.clear()
    return way_to_radicale


@pytest.fixture
def adapter(way: Between) -> Iterator[Open]:
    """Opens the adapter with settings that differ from the good ones; the operator allows loopback unless said."""
    opened: list[CalDav] = []

    def open_one(*, private: tuple[str, ...] = LOOPBACK, **given: Any) -> CalDav:
        settings = {"url": way.url, "user": USER, "password": PASSWORD, **given}
        opened.append(
            Registry(discover=list).open("calendar", "caldav", settings, records=MemoryRecords(), private=private)
        )
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def calendar(of_radicale: CalendarServer, fresh: str) -> str:
    return of_radicale.calendar(fresh, zone="Europe/Berlin")


def error_of(subject: CalDav, calendar: str) -> PluginError | None:
    return subject.busy([calendar], DAY)[calendar].error


def test_a_wrong_password_concerns_all_calendars_and_check_says_so(adapter: Open, calendar: str) -> None:
    subject = adapter(password="wrong")
    with pytest.raises(AuthError) as caught:
        subject.busy([calendar], DAY)
    assert "wrong" not in f"{caught.value} {caught.value.as_json()}"
    assert (subject.check().ok, subject.check().message) == (False, AuthError.sentence)


def test_check_names_the_account_and_warns_of_an_open_line(adapter: Open, calendar: str) -> None:
    found = adapter().check()
    assert (found.ok, found.account) == (True, USER)
    assert "The password is sent without encryption." in found.warnings


def test_check_says_when_the_zone_is_none(adapter: Open) -> None:
    found = adapter(time_zone="Berlin").check()
    assert (found.ok, found.message) == (False, "Berlin is no time zone, such as Europe/Berlin.")


def test_hosts_in_private_networks_have_to_be_named_by_the_operator(adapter: Open, way: Between) -> None:
    with pytest.raises(ConfigError, match="not public"):
        adapter(private=()).calendars()
    assert way.seen == []


def test_anothers_calendar_is_an_error_of_that_calendar(adapter: Open, calendar: str) -> None:
    found = adapter().busy([calendar, "/grace/office/"], DAY)
    assert found[calendar].error is None
    assert isinstance(found["/grace/office/"].error, PermissionDenied)


def test_an_account_with_the_right_to_it_reads_and_writes_the_calendar_of_a_rep(adapter: Open, tmp_path: Path) -> None:
    with radicale(tmp_path, rights="authenticated") as server:
        grace = CalendarServer(server.url, "/grace/", "grace", PASSWORD)
        path = grace.calendar("Work")
        grace.put(path, DEMO.start, DEMO.end)
        subject = adapter(url=server.url)
        assert subject.busy([path], DAY)[path].times == (Window(DEMO.start, DEMO.end),)
        assert grace.event(subject.create(path, at(9), key="k1").id)["UID"] == at(9).uid
        assert path not in {info.id for info in subject.calendars()}


def test_a_calendar_at_somebody_elses_host_is_an_error_of_that_calendar(adapter: Open, calendar: str) -> None:
    found = adapter().busy(["https://evil.example/grace/", calendar], DAY)
    assert isinstance(found["https://evil.example/grace/"].error, ConfigError)
    assert found[calendar].error is None


@pytest.mark.parametrize(
    ("status", "kind"), [(403, PermissionDenied), (404, NotFound), (500, Transient), (503, Transient), (418, Permanent)]
)
def test_a_calendar_that_cannot_be_read_is_an_error_and_not_free(
    adapter: Open, way: Between, calendar: str, status: int, kind: type[PluginError]
) -> None:
    with way.answering(status, to=["REPORT"]):
        assert type(error_of(adapter(), calendar)) is kind


def test_a_server_that_asks_to_slow_down_is_left_alone_at_once(adapter: Open, way: Between, calendar: str) -> None:
    subject = adapter()
    with way.answering(429, to=["REPORT"], retry_after="30"), pytest.raises(RateLimited) as caught:
        subject.busy([calendar, calendar + "two/"], DAY)
    assert caught.value.retry_after is not None
    assert [asked.method for asked in way.seen] == ["PROPFIND", "REPORT"]


@pytest.mark.parametrize(
    "body",
    [
        '<?xml version="1.0"?><multistatus xmlns="DAV:"><respo',
        "<html><body>Please sign in</body></html>",
        '<multistatus xmlns="DAV:"><response><href>/x.ics</href><status>HTTP/1.1 507 Full</status></response>'
        "</multistatus>",
        '<multistatus xmlns="DAV:"><response><href>/x.ics</href><propstat><prop/><status>HTTP/1.1 500 No</status>'
        "</propstat></response></multistatus>",
    ],
    ids=["half", "a page", "cut off by the server", "one event left out"],
)
def test_an_answer_that_is_not_whole_is_an_error(adapter: Open, way: Between, calendar: str, body: str) -> None:
    with way.answering(207, body, to=["REPORT"]):
        assert error_of(adapter(), calendar) is not None


def test_a_calendar_listed_among_its_events_is_none_of_them(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    of_radicale.put_raw(calendar, event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z"))
    itself = f"<response><href>{calendar}</href><propstat><prop/></propstat></response></multistatus>".encode()

    def listed(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        answered = pass_on()
        if asked.method == "REPORT" and b"free-busy" not in asked.body:
            answered.body = answered.body.replace(b"</multistatus>", itself)
        return answered

    subject = adapter()
    with way.ruled(lambda asked, pass_on: listed(plain(asked), pass_on)):
        found = subject.busy([calendar], DAY)[calendar]
        items = subject.changes(calendar).items
    assert (found.error, found.times) == (None, (Window(DEMO.start, DEMO.end),))
    assert len(items) == 1
    assert not [asked for asked in way.seen if b"free-busy" in asked.body]


def test_entities_are_not_expanded(adapter: Open, way: Between, calendar: str) -> None:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{lol}]><multistatus xmlns="DAV:"><href>&l9;</href></multistatus>'
    outside = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><multistatus xmlns="DAV:">&x;</multistatus>'
    for body in (bomb, outside):
        with way.answering(207, body, to=["REPORT"]):
            error = error_of(adapter(), calendar)
        assert type(error) is Permanent
        assert "Forbidden" in error.message


def test_an_answer_without_end_is_left(adapter: Open, way: Between, calendar: str) -> None:
    with way.answering(207, " " * 10_000_001, to=["REPORT"]):
        assert isinstance(error_of(adapter(), calendar), Permanent)


def test_a_dead_server_is_asked_twice_and_no_more(adapter: Open, way: Between) -> None:
    def dead(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        return Answered(200, {}, b"", lost=True)

    names = [f"/{USER}/{n}/" for n in range(9)]
    with way.ruled(dead):
        found = adapter().busy(names, DAY)
    assert [type(found[name].error) for name in names] == [Transient] * 9
    assert len(way.seen) == 2


def test_nobody_there_is_transient(adapter: Open) -> None:
    with pytest.raises(Transient):
        adapter(url=f"http://127.0.0.1:{free_port()}/").calendars()


def test_where_events_may_not_be_read_the_report_tells_the_times(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    of_radicale.put_raw(calendar, event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z"))

    def refuse(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        return Answered(403, {}, b"") if b"calendar-query" in asked.body else pass_on()

    with way.ruled(refuse):
        found = adapter().busy([calendar], DAY)[calendar]
    assert (found.error, found.times) == (None, (Window(DEMO.start, DEMO.end),))


@pytest.mark.parametrize(("status", "body"), [(403, UNSUPPORTED), (501, ""), (415, ""), (200, "<html>hello</html>")])
def test_where_there_is_no_report_the_events_are_read(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str, status: int, body: str
) -> None:
    of_radicale.put_raw(calendar, event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z", "RRULE:FREQ=DAILY"))

    def refuse(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        unknown = b"free-busy-query" in asked.body
        return Answered(status, {"content-type": "text/xml"}, body.encode()) if unknown else pass_on()

    with way.ruled(refuse):
        found = adapter(busy_from="free-busy").busy([calendar], DAY)[calendar]
    assert (found.error, found.times) == (None, (Window(DEMO.start, DEMO.end),))


def test_for_an_event_that_we_cannot_read_the_report_is_asked_too(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    of_radicale.put_raw(calendar, event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z", uid="good"), name="good")
    of_radicale.put_raw(calendar, event("DTSTART:20260302T150000Z", "DTEND:20260302T160000Z", uid="odd"), name="odd")

    def garbled(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        answered = pass_on()
        answered.body = answered.body.replace(b"DTSTART:20260302T150000Z", b"DTSTART:sometime")
        answered.headers.pop("content-encoding", None)
        return answered

    with way.ruled(lambda asked, pass_on: garbled(plain(asked), pass_on)):
        found = adapter().busy([calendar], DAY)[calendar]
    assert found.error is None
    assert [time.start.hour for time in found.times] == [12, 15]


def test_discovery_begins_at_the_well_known_address(adapter: Open, way: Between, calendar: str) -> None:
    assert calendar in {info.id for info in adapter().calendars()}
    assert way.seen[0].path == "/.well-known/caldav"
    way.seen.clear()
    assert calendar in {info.id for info in adapter(url=f"{way.url}{USER}/").calendars()}
    assert way.seen[0].path == f"/{USER}/"


def test_the_well_known_address_may_lead_elsewhere_on_the_server(adapter: Open, way: Between, calendar: str) -> None:
    with way.answering(301, to=["PROPFIND"], at="/.well-known", location=f"/{USER}/"):
        assert calendar in {info.id for info in adapter().calendars()}


def test_redirects_without_end_are_a_mistake_in_the_settings(adapter: Open, way: Between) -> None:
    with way.answering(301, location="/.well-known/caldav"), pytest.raises(ConfigError, match="without end"):
        adapter().calendars()


def test_what_is_no_calendar_server_is_a_mistake_in_the_settings(adapter: Open, way: Between) -> None:
    with way.answering(200, "<html>It works!</html>"), pytest.raises(ConfigError) as caught:
        adapter().calendars()
    assert caught.value.user_message.startswith("No CalDAV server was found at 127.0.0.1.")


def test_a_server_that_wants_https_says_so(adapter: Open, way: Between) -> None:
    with way.answering(308, location="https://127.0.0.1/"):
        assert adapter().check().message.endswith("please give its address with https://.")


@pytest.mark.parametrize("target", ["http://evil.example/", "https://evil.example/dav/"])
def test_the_password_is_not_sent_to_another_host(adapter: Open, way: Between, target: str) -> None:
    with way.answering(301, location=target), pytest.raises(ConfigError) as caught:
        adapter().calendars()
    assert "evil.example" in caught.value.user_message


def test_an_etag_that_the_server_keeps_to_itself_is_asked_for(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    def silent(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        answered = pass_on()
        if asked.method == "PUT":
            answered.headers.pop("etag", None)
        return answered

    subject = adapter()
    with way.ruled(silent):
        ref = subject.create(calendar, at(9), key="k1")
        moved = subject.update(ref, at(10), key="k2")
    assert ref.version
    assert moved.version == of_radicale.send("GET", ref.id).headers["etag"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", AuthError),
        (403, "", PermissionDenied),
        (403, '<error xmlns="DAV:"><valid-calendar-data xmlns="urn:ietf:params:xml:ns:caldav"/></error>', InvalidInput),
        (413, "", Permanent),
        (423, "", Transient),
        (429, "", RateLimited),
        (500, "", Transient),
        (504, "", AmbiguousOutcome),
        (507, "", QuotaExhausted),
    ],
)
def test_a_refused_event_says_what_to_do(
    adapter: Open, way: Between, calendar: str, status: int, body: str, kind: type[PluginError]
) -> None:
    subject = adapter()
    with way.answering(status, body, to=["PUT"], content_type="application/xml"), pytest.raises(PluginError) as caught:
        subject.create(calendar, DEMO, key="k1")
    assert type(caught.value) is kind
    assert (caught.value.adapter, caught.value.operation, caught.value.http_status) == (
        "calendar.caldav",
        "create",
        status,
    )


def test_an_event_for_a_calendar_that_is_gone_is_not_made(adapter: Open) -> None:
    with pytest.raises((NotFound, Conflict)):
        adapter().create(f"/{USER}/gone/", DEMO, key="k1")


def test_an_update_that_meets_another_is_tried_again_when_no_version_was_named(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    subject = adapter()
    ref = subject.create(calendar, at(9), key="k1")

    def overtaken(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        if asked.method == "PUT":
            of_radicale.edit(ref.id, summary="Mine")
        return pass_on()

    with way.ruled(overtaken), pytest.raises(Transient):
        subject.update(replace(ref, version=""), at(10), key="k2")
    assert subject.update(replace(ref, version=""), at(10), key="k2").id == ref.id


def test_a_home_on_another_host_of_the_same_owner_is_trusted(adapter: Open) -> None:
    """iCloud: caldav.icloud.com leads to p34-caldav.icloud.com."""
    dav = adapter(url="https://caldav.icloud.com")._dav
    assert (
        dav.path("https://p34-caldav.icloud.com:443/1/calendars/") == "https://p34-caldav.icloud.com:443/1/calendars/"
    )
    for other in ("https://icloud.com.evil.example/", "http://p34-caldav.icloud.com/", "https://evil.example/"):
        with pytest.raises(ConfigError):
            dav.at(other)


def test_a_path_has_one_spelling_and_the_servers_own_name_does_not_matter(adapter: Open) -> None:
    dav = adapter(url="https://cloud.acme.example/remote.php/dav")._dav
    spellings = ("/a%40b/c%20d/%C3%A9.ics", "/a@b/c d/é.ics", "http://cloud.acme.example:8080/a%40b/c%20d/é.ics?x")
    assert {dav.path(one) for one in spellings} == {"/a@b/c%20d/%C3%A9.ics"}
    assert dav.path("/a%2Fb/") == "/a%2Fb/"


def plain(asked: Asked) -> Asked:
    """The same request for an answer that is not compressed."""
    asked.headers["accept-encoding"] = "identity"
    return asked
