"""CalDAV when the server, or what lies between, does not do what it should: a calendar is unknown then, never free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from plugins.calendar import Window
from plugins.calendar.caldav import CalDav
from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    ConfigError,
    Conflict,
    Duplicate,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from plugins.testing.calendar import DAY, DEMO, at
from plugins.testing.foreign_events import event
from tests.plugins.calendar.between import Answered, Asked, Between
from tests.plugins.calendar.conftest import Open
from tests.processes import free_port
from tests.radicale import USER, CalendarServer

UNSUPPORTED = '<error xmlns="DAV:"><supported-report/></error>'


def error_of(subject: CalDav, calendar: str) -> PluginError | None:
    return subject.busy([calendar], DAY)[calendar].error


def test_anothers_calendar_is_an_error_of_that_calendar(adapter: Open, calendar: str) -> None:
    found = adapter().busy([calendar, "/grace/office/"], DAY)
    assert found[calendar].error is None
    assert isinstance(found["/grace/office/"].error, PermissionDenied)


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
        '<multistatus xmlns="DAV:"><response><href>HERE</href><status>HTTP/1.1 507 Full</status></response>'
        "</multistatus>",
        '<multistatus xmlns="DAV:"><response><href>/x.ics</href><propstat><prop/><status>HTTP/1.1 500 No</status>'
        "</propstat></response></multistatus>",
    ],
    ids=["half", "a page", "cut off by the server", "one event left out"],
)
def test_an_answer_that_is_not_whole_is_an_error(adapter: Open, way: Between, calendar: str, body: str) -> None:
    with way.answering(207, body.replace("HERE", calendar), to=["REPORT"]):
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
        (400, "", InvalidInput),
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


def test_a_uid_that_is_taken_is_a_duplicate_also_where_the_server_just_says_bad_request(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    """As Nextcloud does; a repeat of a call whose answer was lost finds its own event."""
    taken = of_radicale.put(calendar, DEMO.start, DEMO.end, uid=DEMO.uid)
    said = '<error xmlns="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>uid already exists</s:message></error>'
    subject = adapter()
    made = subject.create(calendar, at(9), key="k1")
    with way.answering(400, said, to=["PUT"], content_type="application/xml"):
        with pytest.raises(Duplicate) as caught:
            subject.create(calendar, DEMO, key="k2")
        assert subject.create(calendar, at(9), key="k1") == made
    assert caught.value.existing == taken


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


def plain(asked: Asked) -> Asked:
    """The same request for an answer that is not compressed."""
    asked.headers["accept-encoding"] = "identity"
    return asked
