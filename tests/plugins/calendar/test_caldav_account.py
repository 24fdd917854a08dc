"""Where a CalDAV account leads, and where it must not: settings, discovery, hosts, rights."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.calendar import Window
from plugins.errors import (
    AuthError,
    ConfigError,
)
from plugins.testing.calendar import DAY, DEMO, at
from tests.plugins.calendar.between import Between
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


def test_a_path_has_one_spelling_and_the_servers_own_name_does_not_matter(adapter: Open) -> None:
    dav = adapter(url="https://cloud.acme.example/remote.php/dav")._dav
    spellings = ("/a%40b/c%20d/%C3%A9.ics", "/a@b/c d/é.ics", "http://cloud.acme.example:8080/a%40b/c%20d/é.ics?x")
    assert {dav.path(one) for one in spellings} == {"/a@b/c%20d/%C3%A9.ics"}
    assert dav.path("/a%2Fb/") == "/a%2Fb/"
