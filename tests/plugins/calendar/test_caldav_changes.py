"""Only what is gone is told as gone: servers list events that they then do not give, or give under another address."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from plugins.calendar import Change, Changed
from plugins.calendar.caldav.changes import ALONE
from plugins.errors import Transient
from plugins.testing.calendar import at
from plugins.testing.foreign_events import event
from tests.plugins.calendar.between import Answered, Asked, Between, Rule
from tests.plugins.calendar.conftest import Open
from tests.radicale import CalendarServer

WHOLE = '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{}<sync-token>t9</sync-token></multistatus>'
ONE = "<response><href>{}</href>{}</response>"
STATUS = "<status>HTTP/1.1 {}</status>"
PROPS = "<propstat><prop>{}</prop><status>HTTP/1.1 {}</status></propstat>"
TAG, DATA = '<getetag>"1"</getetag>', "<C:calendar-data/>"
NOT_GIVEN = {
    "left out": "",
    "not found": ONE.format("HERE", STATUS.format("404 Not Found")),
    "refused": ONE.format("HERE", STATUS.format("403 Forbidden")),
    "out of order": ONE.format("HERE", STATUS.format("503 Service Unavailable")),
    "text refused": ONE.format("HERE", PROPS.format(TAG, "200 OK") + PROPS.format(DATA, "403 Forbidden")),
    "empty": ONE.format("HERE", PROPS.format(TAG + DATA, "200 OK")),
    "the calendar itself": ONE.format("FOLDER", STATUS.format("404 Not Found")),
    "cut short": ONE.format("FOLDER", STATUS.format("507 Insufficient Storage")),
}


@pytest.fixture
def path(of_radicale: CalendarServer, calendar: str) -> str:
    """An event of the rep's."""
    return of_radicale.put(calendar, at(9).start, at(9).end, uid="own@acme.example")


def answering(to: bytes, body: str) -> Rule:
    """In place of the server to requests that have this in them."""

    def rule(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        return Answered(207, {}, WHOLE.format(body).encode()) if to in asked.body else pass_on()

    return rule


def refusing(rule: Rule, status: int, path: str) -> Rule:
    """Also the event itself when it is asked for."""

    def both(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        if (asked.method, asked.path) == ("GET", path):
            return Answered(status, {}, b"")
        return rule(asked, pass_on)

    return both


def is_there(items: tuple[Changed, ...]) -> bool:
    """Whether it is the rep's event, at its time."""
    return [(item.what, item.uid, item.start) for item in items] == [
        (Change.CHANGED, "own@acme.example", at(9).start)
    ]  # fmt: skip


@pytest.mark.parametrize("what", NOT_GIVEN)
def test_an_event_that_is_listed_and_not_given_is_asked_for_alone(
    adapter: Open, way: Between, calendar: str, path: str, what: str
) -> None:
    body = NOT_GIVEN[what].replace("HERE", path).replace("FOLDER", calendar)
    subject = adapter()
    with way.ruled(answering(b"calendar-multiget", body)):
        found = subject.changes(calendar)
    assert is_there(found.items)
    assert subject.changes(calendar, found.cursor).items == ()


def test_an_event_that_is_given_under_another_base_is_known_by_its_name(
    adapter: Open, way: Between, calendar: str, path: str
) -> None:
    def moved(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        asked.headers["accept-encoding"] = "identity"
        answered = pass_on()
        if b"calendar-multiget" in asked.body:
            answered.body = answered.body.replace(calendar.encode(), b"/dav/other-caldav/")
        return answered

    with way.ruled(moved):
        [item] = adapter().changes(calendar).items
    assert is_there((item,))
    assert item.ref.id == path
    assert "GET" not in {asked.method for asked in way.seen}


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("403 Forbidden", Change.CHANGED),
        ("500 Internal Server Error", Change.CHANGED),
        ("404 Not Found", Change.DELETED),
        ("410 Gone", Change.DELETED),
    ],
)
def test_only_what_the_list_calls_gone_is_gone(
    adapter: Open, way: Between, calendar: str, path: str, status: str, what: Change
) -> None:
    with way.ruled(answering(b"sync-collection", ONE.format(path, STATUS.format(status)))):
        [item] = adapter().changes(calendar).items
    assert (item.what, item.ref.id) == (what, path)
    assert is_there((item,)) is (what is Change.CHANGED)


@pytest.mark.parametrize("status", [404, 410])
def test_an_event_that_is_nowhere_is_gone(
    adapter: Open, way: Between, calendar: str, path: str, status: int
) -> None:  # fmt: skip
    with way.ruled(refusing(answering(b"calendar-multiget", ""), status, path)):
        [item] = adapter().changes(calendar).items
    assert (item.what, item.ref.id) == (Change.DELETED, path)


@pytest.mark.parametrize("status", [400, 403])
def test_an_event_that_may_not_be_read_is_there_and_holds_up_no_other(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str, path: str, status: int
) -> None:
    other = of_radicale.put(calendar, at(15).start, at(15).end, uid="other@acme.example")
    subject = adapter()
    with way.ruled(refusing(answering(b"calendar-multiget", ""), status, path)):
        found = subject.changes(calendar)
    items = {item.ref.id: item for item in found.items}
    assert (items[path].what, items[path].start, items[path].end) == (Change.CHANGED, None, None)
    assert items[other].start == at(15).start
    assert subject.changes(calendar, found.cursor).items == ()


def test_an_event_that_cannot_be_had_now_is_waited_for(
    adapter: Open, way: Between, calendar: str, path: str
) -> None:  # fmt: skip
    rule = refusing(answering(b"calendar-multiget", ""), 503, path)
    with way.ruled(rule), pytest.raises(Transient):
        adapter().changes(calendar)


def test_an_event_that_nobody_can_read_is_there(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    text = event("DTSTART;TZID=Nowhere/Atall:20260302T120000", "DURATION:PT1H")
    path = of_radicale.put_raw(calendar, text)
    [item] = adapter().changes(calendar).items
    assert (item.what, item.ref.id, item.start) == (Change.CHANGED, path, None)


def test_the_calendar_listed_among_its_events_without_its_slash_is_none_of_them(
    adapter: Open, way: Between, calendar: str, path: str
) -> None:
    listed = ONE.format(calendar.rstrip("/"), PROPS.format(TAG, "200 OK"))
    full = ONE.format("/elsewhere", STATUS.format("507 Insufficient Storage"))
    event_ = ONE.format(path, PROPS.format(TAG, "200 OK"))
    with way.ruled(answering(b"sync-collection", listed + full + event_)):
        found = adapter().changes(calendar)
    assert is_there(found.items)
    assert found.more
    assert not [asked for asked in way.seen if re.search(r"/$|elsewhere$", asked.path) and asked.method == "GET"]


def test_of_many_events_that_are_not_given_some_are_asked_for_and_none_is_gone(
    adapter: Open, way: Between, of_radicale: CalendarServer, calendar: str
) -> None:
    for n in range(ALONE + 5):
        of_radicale.put(calendar, at(9).start, at(9).end, uid=f"own{n}@acme.example")
    with way.ruled(answering(b"calendar-multiget", "")):
        items = adapter().changes(calendar).items
    assert [asked.method for asked in way.seen].count("GET") == ALONE
    assert {item.what for item in items} == {Change.CHANGED}
    assert [item.start for item in items].count(None) == 5
