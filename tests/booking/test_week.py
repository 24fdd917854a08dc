"""A rep's week as it really is, and what becomes of meetings whose rep's calendar is silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.booking import service as booking
from server.booking.recurrence import WEEK, Repeat
from server.events import SYSTEM, Actor
from tests.booking.conftest import ADA, CONNECTED, GOAL, NINE, TEAM

MONDAY = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Berlin
HOUR = timedelta(hours=1)
GRACE = "grace@acme.example"


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


def week(db, version, rep="grace", days=7):
    with db.reading() as tx:
        return booking.week(tx, version, rep, MONDAY, MONDAY + timedelta(days=days))


def kinds(found, *wanted):
    """(kind, hours after Monday's midnight, what it is called)."""
    shown = ((one.kind, (one.start - MONDAY) / HOUR, (one.end - MONDAY) / HOUR, one.label) for one in found.items)
    return [one for one in shown if one[0] in wanted]


def own(db, version, kind, start, end, repeat=None, title=""):
    with db.transaction() as tx:
        wanted = booking.OwnTime(kind, "Europe/Berlin", start, end, repeat.rule() if repeat else "", title)
        booking.add_own_time(tx, version.site_id, "grace", wanted, by=SYSTEM)


def test_hours_meetings_holds_and_own_times_lie_where_they_are(db, version, book):
    book(rep="grace")
    with db.transaction() as tx:
        booking.hold(tx, version, meeting="demo", start=NINE + HOUR, rep="grace")
    day = datetime(2026, 3, 4)
    own(db, version, "blocked", day + 9 * HOUR, day + 10 * HOUR, Repeat(WEEK, tuple(range(7))), "Round")
    own(db, version, "away", day + timedelta(days=1), day + timedelta(days=3))
    own(db, version, "open", day + 20 * HOUR, day + 26 * HOUR)
    found = week(db, version)
    assert found.silent == ""
    assert kinds(found, "hours") == [("hours", day * 24 + 9, day * 24 + 12, "") for day in range(5)]
    assert kinds(found, "meeting", "hold") == [("meeting", 33, 33.5, ""), ("hold", 34, 34.5, "held for a visitor")]
    assert kinds(found, "blocked") == [("blocked", day * 24 + 9, day * 24 + 10, "Round") for day in range(2, 7)]
    assert kinds(found, "away", "open") == [("open", 68, 74, ""), ("away", 72, 120, "out of office")]
    assert kinds(found, "busy") == []


def test_what_the_calendar_says_is_shown_and_so_is_its_silence(db, apply, wall, opened):
    version = apply(site=CONNECTED)
    assert "has not been read yet" in week(db, version).silent
    wall.write(GRACE, NINE, NINE + HOUR)
    booking.read_ahead(db, version, opened)
    found = week(db, version)
    assert found.silent == ""
    assert [one[:3] for one in kinds(found, "busy")] == [("busy", 33, 34)]
    assert kinds(found, "busy")[0][3]


def test_a_meeting_whose_rep_has_gone_silent_moves_to_somebody_of_the_pool(db, apply, wall, opened, monday):
    version = apply(site=CONNECTED)
    booking.read_ahead(db, version, opened)

    def meet(who, **more):
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting="demo", start=NINE, **more)

        def confirm():
            with db.transaction() as tx:
                return booking.confirm(tx, version, held.id, **{**ADA, "email": who}, **GOAL)

        return booking.with_calendars_read(db, confirm, opened)

    by_pool, by_name = meet("ada@x.example", rep=None), meet("bob@x.example", rep="joan")
    assert by_pool.rep == "grace"
    wall.down = {GRACE, "joan@acme.example"}
    monday.advance(timedelta(minutes=1))
    booking.read_ahead(db, version, opened)
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, by_pool.id, NINE + HOUR, by=Actor("visitor"))
        other = booking.reschedule(tx, version, by_name.id, NINE + HOUR, by=Actor("visitor"))
        assert {one.rep: one.verdict.answer for one in booking.colleagues(tx, version, moved)}["joan"] == "calendar"
    assert {moved.rep, other.rep} == {"linus", "margaret"}


def test_meetings_of_people_who_have_left_are_found(db, version, book, apply):
    mine, board = book(rep="joan"), book(NINE + 24 * HOUR, meeting="board", who=ADA | {"email": "b@x.example"})
    later = apply(
        team=TEAM.replace("{id: joan,", "{id: joan, active: false,").replace(
            "{id: linus,", "{id: linus, active: false,"
        )
    )
    with db.reading() as tx:
        assert booking.orphans(tx, version) == []
        assert [one.id for one in booking.orphans(tx, later)] == [mine.id, board.id]
