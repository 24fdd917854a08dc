"""What holds for all pages: headers, friendly problems, first steps, moments, and every state has words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server import events
from server.app import create_app
from server.booking import service as booking
from server.console import glass, words
from server.db import Database
from server.people import service as people
from server.people.rights import ROLES
from tests.console.conftest import Desk
from tests.console.story import PASSWORD


def test_pages_allow_no_script_or_style_but_our_own_files(desk):
    page = desk("owner").get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert " style=" not in page.text
    assert "<style" not in page.text


def test_a_style_sheet_is_kept_as_long_as_its_address_stays(desk):
    page = desk("owner").text("/")
    sheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
    found = desk().get(sheet)
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found.mimetype == "text/css"


def test_a_problem_has_a_page_for_people(desk):
    found = desk("owner").get("/conversations/cnv_nothing", headers={"Accept": "text/html"})
    assert found.status_code == 404
    assert "There is no such conversation." in found.text
    assert "Go to the start page" in found.text


def test_a_fresh_usher_says_what_to_do_first(app, tmp_path):
    db = Database(f"sqlite:///{tmp_path}/fresh.db")
    fresh = create_app(db)
    people.add(db, email="owner@acme.example", name="Owner", password=PASSWORD, role="owner")
    owner = Desk(fresh, "owner@acme.example")
    assert "usher init my-site" in owner.text("/")
    for page in ("/conversations", "/leads", "/meetings", "/versions", "/deliveries", "/conversations?show=mine"):
        assert 'class="empty' in owner.text(page)
    db.close()


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(0), "just now"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(minutes=-59), "59 minutes ago"),
        (timedelta(minutes=-59, seconds=-50), "1 hour ago"),
        (timedelta(hours=3), "in 3 hours"),
        (timedelta(hours=-23, minutes=-50), "yesterday"),
        (timedelta(hours=11, minutes=20), "in 11 hours"),
        (timedelta(hours=18), "tomorrow"),
        (timedelta(hours=37, minutes=30), "tomorrow"),  # 38 hours are not two days
        (timedelta(hours=40), "in 2 days"),
        (timedelta(days=6), "in 6 days"),
        (timedelta(days=-20), "10 Feb 2026"),
    ],
)
def test_moments_are_told_as_people_tell_them(monday, ahead, text):
    assert glass.ago(monday.at + ahead) == text


def test_tomorrow_is_the_next_day_on_the_readers_clock(monday):
    late = monday.at + timedelta(hours=38)  # Tuesday, 22:00 in London, Wednesday in Tokyo
    assert ">tomorrow<" in glass.when(late, "Europe/London")
    assert ">in 2 days<" in glass.when(late, "Asia/Tokyo")


def test_a_moment_has_its_exact_time_in_the_sites_zone_and_in_utc(monday):
    shown = glass.when(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "Europe/Berlin")
    assert 'datetime="2026-03-29T01:30:00Z"' in shown
    assert 'title="Sun 29 Mar 2026, 03:30 Europe/Berlin · 01:30 UTC"' in shown


def test_a_day_on_which_the_clocks_change_is_one_day(monday):
    monday.advance(datetime(2026, 3, 29, 12, 0, tzinfo=UTC) - monday.at)
    start, end = glass.today_in("Europe/Berlin")
    assert (start.astimezone(UTC), end.astimezone(UTC)) == (
        datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
    )


def test_every_event_role_and_meeting_state_has_words():
    names = {value for key, value in vars(events).items() if key.isupper() and isinstance(value, str)}
    assert names - set(words.EVENTS) == set()
    assert set(words.ROLES) == set(ROLES)
    states = {*booking.AHEAD, booking.HELD, booking.CANCELLED, booking.DONE, booking.NO_SHOW}
    assert states <= set(words.STATES["meeting"])
