"""Where a CalDAV account leads, and where it must not: settings, discovery, hosts, rights."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import responses

from plugins.calendar import Window
from plugins.errors import AuthError, ConfigError, PermissionDenied
from plugins.testing.calendar import DAY, DEMO, at
from plugins.testing.foreign_events import event
from tests.plugins.calendar.between import Answered, Asked, Between, Rule
from tests.plugins.calendar.conftest import Open
from tests.radicale import PASSWORD, USER, CalendarServer, radicale


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


def test_an_account_with_the_right_to_it_reads_and_writes_the_calendar_of_a_rep(adapter: Open, tmp_path: Path) -> None:
    with radicale(tmp_path, rights="authenticated") as server:
        grace = CalendarServer(server.url, "/grace/", "grace", PASSWORD)
        path = grace.calendar("Work")
        grace.put(path, DEMO.start, DEMO.end)
        subject = adapter(url=server.url)
        assert subject.busy([path], DAY)[path].times == (Window(DEMO.start, DEMO.end),)
        assert grace.event(subject.create(path, at(9), key="k1").id)["UID"] == at(9).uid
        assert path not in {info.id for info in subject.calendars()}


def test_discovery_begins_at_the_well_known_address(adapter: Open, way: Between, calendar: str) -> None:
    assert calendar in {info.id for info in adapter().calendars()}
    assert way.seen[0].path == "/.well-known/caldav"
    way.seen.clear()
    assert calendar in {info.id for info in adapter(url=f"{way.url}{USER}/").calendars()}
    assert way.seen[0].path == f"/{USER}/"


def test_the_well_known_address_may_lead_elsewhere_on_the_server(adapter: Open, way: Between, calendar: str) -> None:
    with way.answering(301, to=["PROPFIND"], at="/.well-known", location=f"/{USER}/"):
        assert calendar in {info.id for info in adapter().calendars()}


@pytest.mark.parametrize("status", [400, 403])
def test_where_the_well_known_address_is_refused_the_next_is_tried(
    adapter: Open, way: Between, calendar: str, status: int
) -> None:
    """Web servers are told to refuse paths with a dot."""
    with way.answering(status, at="/.well-known"):
        assert calendar in {info.id for info in adapter().calendars()}
        assert adapter(url=f"{way.url}{USER}/nothing/").check().message.startswith("No CalDAV server was found")
    with way.answering(status, at="/dav/"):
        assert calendar in {info.id for info in adapter(url=f"{way.url}dav/").calendars()}


def test_who_is_refused_everywhere_is_told_so(adapter: Open, way: Between) -> None:
    with way.answering(403), pytest.raises(PermissionDenied):
        adapter(url=f"{way.url}dav/").calendars()
    with way.answering(401, at="/dav/"), pytest.raises(AuthError):
        adapter(url=f"{way.url}dav/").calendars()


def of_the_principal(change: Callable[[bytes], bytes]) -> Rule:
    """The answer about it, changed."""

    def rule(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
        asked.headers["accept-encoding"] = "identity"
        answered = pass_on()
        if b"calendar-home-set" in asked.body:
            answered.body = change(answered.body)
        return answered

    return rule


def test_a_server_that_says_nothing_of_who_signed_in_is_none(adapter: Open, way: Between) -> None:
    with way.ruled(of_the_principal(lambda body: b'<multistatus xmlns="DAV:"/>')):
        assert adapter().check().message.startswith("No CalDAV server was found")


def test_a_home_that_may_not_be_seen_hides_no_other(adapter: Open, way: Between, calendar: str) -> None:
    grace = rb'\1<href xmlns="DAV:">/grace/</href>'
    with way.ruled(of_the_principal(lambda body: re.sub(rb"(<[\w:]*calendar-home-set>)", grace, body))):
        assert calendar in {info.id for info in adapter().calendars()}
    only = rb'\1<href xmlns="DAV:">/grace/</href>\2'
    whole = re.compile(rb"(<[\w:]*calendar-home-set>).*?(</[\w:]*calendar-home-set>)", re.DOTALL)
    with way.ruled(of_the_principal(lambda body: whole.sub(only, body))), pytest.raises(PermissionDenied):
        adapter().calendars()


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


def test_a_home_on_another_host_of_the_same_owner_is_trusted(adapter: Open) -> None:
    """iCloud: caldav.icloud.com leads to p34-caldav.icloud.com."""
    dav = adapter(url="https://caldav.icloud.com")._dav
    assert (
        dav.path("https://p34-caldav.icloud.com:443/1/calendars/") == "https://p34-caldav.icloud.com:443/1/calendars/"
    )
    for other in ("https://icloud.com.evil.example/", "http://p34-caldav.icloud.com/", "https://evil.example/"):
        with pytest.raises(ConfigError):
            dav.at(other)


ICLOUD = "https://caldav.icloud.com"
VEVENT = f"BEGIN:VCALENDAR\nVERSION:2.0\n{event('DTSTART:20260302T120000Z', 'DURATION:PT30M')}END:VCALENDAR\n"
HOME = "https://p37-caldav.icloud.com:443/1/calendars/"


def told(href: str, props: str) -> str:
    inside = f"<propstat><prop>{props}</prop><status>HTTP/1.1 200 OK</status></propstat>"
    spaces = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    return f"<multistatus {spaces}><response><href>{href}</href>{inside}</response></multistatus>"


@pytest.fixture
def icloud() -> Iterator[responses.RequestsMock]:
    """It answers with bare paths, which are those of the host that was asked (RFC 4918 8.3)."""
    of_calendar = "<resourcetype><collection/><C:calendar/></resourcetype><owner><href>/1/principal/</href></owner>"
    answers = {
        f"{ICLOUD}/.well-known/caldav": told(
            "/", "<current-user-principal><href>/1/principal/</href></current-user-principal>"
        ),
        f"{ICLOUD}/1/principal/": told(
            "/1/principal/", f"<C:calendar-home-set><href>{HOME}</href></C:calendar-home-set>"
        ),
        HOME: told("/1/calendars/office/", of_calendar),
        f"{HOME.removesuffix('1/calendars/')}1/principal/": told("/1/principal/", ""),
    }
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        for url, body in answers.items():
            web.add("PROPFIND", url, body=body, status=207)
        yield web


def test_a_bare_path_is_one_on_the_host_that_was_asked(adapter: Open, icloud: responses.RequestsMock) -> None:
    text = f"<C:calendar-data>{VEVENT}</C:calendar-data>"
    icloud.add("REPORT", f"{HOME}office/", body=told("/1/calendars/office/a.ics", text), status=207)
    subject = adapter(url=ICLOUD)
    [found] = subject.calendars()
    assert found.id == f"{HOME}office/"
    for name in (found.id, "office"):
        if name == found.id:
            one = told("/1/calendars/office/", "<resourcetype><collection/><C:calendar/></resourcetype>")
            icloud.add("PROPFIND", found.id, body=one, status=207)
        assert subject.busy([name], DAY)[name].times == (Window(DEMO.start, DEMO.end),)
    [item] = subject.changes("office").items
    assert item.ref.id == f"{HOME}office/a.ics"
    assert b"<href>/1/calendars/office/a.ics</href>" in icloud.calls[-1].request.body
    assert HOME.replace("calendars", "principal") in {call.request.url for call in icloud.calls}  # the owner


def test_what_a_host_of_the_same_owner_names_must_be_its_own_too(adapter: Open, icloud: responses.RequestsMock) -> None:
    icloud.replace("PROPFIND", HOME, body=told("https://evil.example/1/", "<resourcetype/>"), status=207)
    with pytest.raises(ConfigError) as caught:
        adapter(url=ICLOUD).calendars()
    assert "evil.example" in caught.value.user_message
    assert {urlsplit(call.request.url).hostname for call in icloud.calls} == {
        "caldav.icloud.com", "p37-caldav.icloud.com",
    }  # fmt: skip


def test_a_path_has_one_spelling_and_the_servers_own_name_does_not_matter(adapter: Open) -> None:
    dav = adapter(url="https://cloud.acme.example/remote.php/dav")._dav
    spellings = ("/a%40b/c%20d/%C3%A9.ics", "/a@b/c d/é.ics", "http://cloud.acme.example:8080/a%40b/c%20d/é.ics?x")
    assert {dav.path(one) for one in spellings} == {"/a@b/c%20d/%C3%A9.ics"}
    assert dav.path("/a%2Fb/") == "/a%2Fb/"
