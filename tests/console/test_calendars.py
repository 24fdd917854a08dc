"""Who sees that a calendar is silent, and what they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from plugins import registry
from plugins.records import MemoryRecords
from server import clock
from server.booking import service as booking
from server.config import folder
from server.db import Database
from tests.booking.wall import Wall, connected
from tests.console import story as told
from tests.console.conftest import Desk
from tests.processes import ROOT

SILENT = "gets no meetings at the moment: The calendar service is down."


@pytest.fixture
def wall() -> Iterator[Wall]:
    with connected() as found:
        yield found


@pytest.fixture
def read(db: Database, wall: Wall) -> Callable[[], None]:
    """The site's calendars are connected, and can be read again."""
    site = folder.load(ROOT / "server" / "sample")["site.yml"].replace("calendar: builtin", "calendar: wall")
    version = told.apply(db, "acme", "Connected", site=site)

    def run() -> None:
        opened = lambda _: registry.open("calendar", "wall", {}, records=MemoryRecords())  # noqa: E731
        booking.read_ahead(db, version, opened)
        booking.follow(db, version, opened)

    return run


def test_owners_supervisors_and_the_rep_concerned_see_at_home_who_gets_no_meetings(
    desk: Callable[..., Desk], wall: Wall, read: Callable[[], None]
) -> None:
    wall.down = {"grace@acme.example"}
    read()
    for who in ("owner", "supervisor"):
        assert f"Grace Hopper {SILENT}" in desk(who).text("/")
    assert "You get no meetings at the moment: The calendar service is down." in desk("grace").text("/")
    for who in ("dennis", "marketing"):
        assert "no meetings at the moment" not in desk(who).text("/")
    wall.down = set()
    read()
    assert "no meetings at the moment" not in desk("owner").text("/")


def test_the_page_says_of_each_calendar_when_it_was_read_and_why_it_is_out(
    desk: Callable[..., Desk], wall: Wall, read: Callable[[], None], monday: clock.StoppedClock
) -> None:
    assert "Not read yet" in desk("owner").text("/calendars")
    wall.down = {"grace@acme.example"}
    read()
    monday.advance(timedelta(minutes=3))
    page = desk("owner").text("/calendars")
    assert page.index("Grace Hopper") < page.index("Dennis")
    assert "1 out of the pool" in page
    assert "Gets no meetings: The calendar service is down" in page
    assert "3 minutes ago" in page
    monday.advance(timedelta(hours=1))
    assert "the calendar was last read too long ago" in desk("owner").text("/calendars")


def test_a_rep_sees_his_own_calendar_only(desk: Callable[..., Desk], read: Callable[[], None]) -> None:
    read()
    page = desk("grace").text("/calendars")
    assert "grace@acme.example" in page
    assert "dennis@acme.example" not in page
    assert "Calendars" in desk("grace").text("/")


def test_without_connected_calendars_nobody_is_bothered(desk: Callable[..., Desk]) -> None:
    page = desk("owner")
    assert "/calendars" not in page.text("/")
    assert "No connected calendars" in page.text("/calendars")
