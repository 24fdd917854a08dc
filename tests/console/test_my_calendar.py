"""A rep's own page: what is connected and chosen is theirs alone; others see how it stands."""

from __future__ import annotations

import re

import pytest

from plugins.errors import Transient
from server import settings
from server.adapters import connections, own_calendars
from server.booking import service as booking
from server.config import service as config
from server.people import service as people
from tests.booking.wall import WallCalendar, connected


@pytest.fixture
def wall():
    settings.get.cache_clear()
    with connected() as found:
        yield found


@pytest.fixture
def mine(desk, db, story, wall, monday):
    """Grace has connected the wall, which needs no settings."""
    for name in ("grace@acme.example", "family"):
        wall.write(name, monday.at, monday.at)
    grace = desk("grace")
    assert grace.post("/my-calendar/connect/wall", {"site": "acme"}).status_code == 303
    with db.reading() as tx:
        return next(one for one in connections.all_of(tx, story.site_id, "calendar") if one.rep == "grace")


def choice(db, one):
    with db.reading() as tx:
        return own_calendars.choice_of(connections.get(tx, one.id))


def test_what_is_connected_is_chosen_and_read_at_once(desk, db, mine):
    page = desk("grace").text("/my-calendar")
    assert "Wall calendar" in page
    assert "family" in page
    assert "Up to date" in page
    assert len(choice(db, mine).blocking) == 1
    assert choice(db, mine).events
    desk("grace").post(f"/my-calendar/{mine.id}/choose", {"blocks": "family", "events": ""})
    assert (choice(db, mine).blocking, choice(db, mine).events) == (("family",), "")
    assert "so your meetings stand in" in desk("grace").text("/my-calendar")


def test_others_look_and_touch_nothing(desk, db, mine):
    before = choice(db, mine)
    for who in ("dennis", "owner", "supervisor", "marketing"):
        other = desk(who)
        assert other.post(f"/my-calendar/{mine.id}/choose", {"blocks": "family"}).status_code == 403
        assert other.post(f"/my-calendar/{mine.id}/look").status_code == 403
    assert choice(db, mine) == before
    for who in ("owner", "supervisor", "marketing"):
        page = desk(who).text("/calendars")
        assert "Wall calendar (" in page
        assert "Connected by the rep" in page
    assert "Wall calendar" not in desk("dennis").text("/calendars")


def test_nothing_ticked_is_said_and_keeps_what_was(desk, db, mine):
    grace, before = desk("grace"), choice(db, mine)
    grace.post(f"/my-calendar/{mine.id}/choose", {"events": ""})
    assert "Tick at least one calendar" in grace.said()
    assert choice(db, mine) == before


def test_a_calendar_that_cannot_be_listed_is_said_and_nothing_is_chosen(desk, db, story, wall, monkeypatch):
    def down(self):
        raise Transient("503", user_message="The calendar service is down.")

    monkeypatch.setattr(WallCalendar, "calendars", down)
    grace = desk("grace")
    grace.post("/my-calendar/connect/wall", {"site": "acme"})
    page = grace.text("/my-calendar")
    assert "Your calendars could not be listed: The calendar service is down." in page
    assert "Which calendars there are has not been told yet." in page
    with db.reading() as tx:
        version = config.active_of(tx, story.site_id)
        assert booking.calendar_states(tx, version, ["grace"]) == []


def test_a_service_of_a_sign_in_is_offered_once_an_owner_has_set_its_application_up(desk, monkeypatch):
    def offered():
        page = desk("grace").text("/my-calendar")
        return page[page.index("Google Calendar") :].split("</li>")[0]

    assert "An owner has to set up the application" in offered()
    monkeypatch.setenv("USHER_CALENDAR_GOOGLE_CLIENT_ID", "client")
    monkeypatch.setenv("USHER_CALENDAR_GOOGLE_CLIENT_SECRET", "secret")
    assert "Sign in" in offered()


def test_who_is_no_rep_has_no_such_page(desk, db):
    with db.reading() as tx:
        assert {one.email for one in people.everybody(tx) if not one.rep} >= {"owner@acme.example"}
    assert desk("owner").get("/my-calendar").status_code == 403
    assert "/my-calendar" not in desk("owner").text("/")
    assert "/my-calendar" in desk("grace").text("/")


def test_every_service_has_its_button(desk):
    page = desk("grace").text("/my-calendar")
    for title, way in (("CalDAV", "Connect"), ("iCalendar feed", "Connect")):
        card = page[page.index(f'<span class="strong">{title}') :].split("</li>")[0]
        assert re.search(rf'<a class="button small main-deed" href="[^"]+">{way}<', card), title
