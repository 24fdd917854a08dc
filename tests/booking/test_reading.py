"""Connected calendars: read ahead, kept with how fresh they are, and never taken for free time when they are silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plugins.calendar import Window
from server import clock
from server.adapters.connections import Connection
from server.booking import service as booking
from server.booking import store
from server.booking.connected import asking, reading, sources
from server.booking.connected.sources import Source
from server.errors import SlotTaken
from server.events import Actor
from tests.booking.conftest import ADA, CONNECTED, GOAL, NINE, TEAM
from tests.booking.wall import WallCalendar

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
GRACE, LINUS = "grace@acme.example", "linus@acme.example"


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


@pytest.fixture
def version(apply, opened):
    return apply(site=CONNECTED)


def minutes(db, version, meeting="demo", **more):
    with db.reading() as tx:
        found = booking.slots(tx, version, meeting=meeting, start=NINE, end=NINE + DAY, zone="Europe/Berlin", **more)
    return [(one - NINE) // MINUTE for one in found.starts]


def states(db, version):
    with db.reading() as tx:
        return {one.rep: (one.state, one.reason) for one in booking.calendar_states(tx, version)}


def booked(db, version, opened, meeting="demo", start=NINE, **more):
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting=meeting, start=start, **more)

    def confirm():
        with db.transaction() as tx:
            return booking.confirm(tx, version, held.id, **ADA, **(GOAL if meeting == "demo" else {}))

    return booking.with_calendars_read(db, confirm, opened)


def test_a_calendar_that_nobody_has_read_yet_is_not_free(db, version, opened):
    assert minutes(db, version) == []
    assert states(db, version)["grace"] == ("unread", "the calendar has not been read yet")
    with pytest.raises(SlotTaken) as refusal, db.transaction() as tx:
        booking.hold(tx, version, meeting="demo", start=NINE, rep="grace")
    assert refusal.value.extra["reason"] == "calendar"


def test_a_time_that_only_a_silent_rep_could_have_taken_is_refused_for_the_calendar(db, apply, wall, opened):
    later = TEAM.replace(
        "linus@acme.example, zone: Europe/Berlin, hours: *day",
        'linus@acme.example, zone: Europe/Berlin, hours: [{days: [tue], start: "14:00", end: "16:00"}]',
    )
    version = apply(site=CONNECTED, team=later)
    wall.down = {GRACE}
    booking.read_ahead(db, version, opened)
    with pytest.raises(SlotTaken) as refusal, db.transaction() as tx:
        booking.hold(tx, version, meeting="deep-dive", start=NINE)
    assert refusal.value.extra["reason"] == "calendar"


def test_what_stands_in_a_calendar_blocks_and_one_that_fails_takes_its_rep_out(db, version, wall, opened):
    wall.write(GRACE, NINE, NINE + 45 * MINUTE)
    wall.down = {LINUS, "margaret@acme.example"}
    assert booking.read_ahead(db, version, opened) == 2
    assert minutes(db, version) == [60, 90, 120, 150]
    assert states(db, version)["linus"] == ("failing", "The calendar service is down.")
    wall.down = set()
    assert booking.read_ahead(db, version, opened) == 4
    assert minutes(db, version)[0] == 0
    assert set(states(db, version).values()) == {("ok", "")}
    wall.down = {GRACE, LINUS, "margaret@acme.example"}
    booking.read_ahead(db, version, opened)
    assert states(db, version)["linus"] == ("failing", "The calendar service is down.")
    assert minutes(db, version) == []


def test_a_calendar_that_was_read_too_long_ago_is_not_trusted(db, version, opened, monday):
    booking.read_ahead(db, version, opened)
    assert minutes(db, version)[0] == 0
    monday.advance(timedelta(minutes=31))
    assert minutes(db, version) == []
    assert states(db, version)["grace"] == ("stale", "the calendar was last read too long ago")


def test_beyond_what_was_read_nothing_is_free(db, version, opened):
    window = Window(clock.now(), NINE + HOUR)
    with db.reading() as tx:
        (source,) = sources.of_names(tx, version, ["grace"])["grace"]
    told = reading.busy(opened, [source], window, 5)[source.key]
    with db.transaction() as tx:
        reading.keep(tx, version.site_id, source, window, told)
    assert minutes(db, version, reps=["grace"]) == [0]


def test_a_calendar_that_hangs_is_silent_and_holds_up_no_other(db, version, wall, opened):
    wall.hanging = {GRACE}
    assert booking.read_ahead(db, version, opened, seconds=0.3) == 3
    assert states(db, version)["grace"] == ("failing", "The calendar did not answer in time.")
    assert states(db, version)["linus"] == ("ok", "")
    assert minutes(db, version)[0] == 0


def test_an_adapter_that_breaks_is_a_silent_calendar(db, version, opened, monkeypatch):
    def broken(self, calendars, window):
        raise ZeroDivisionError

    monkeypatch.setattr(WallCalendar, "busy", broken)
    assert booking.read_ahead(db, version, opened) == 0
    assert {state for state, _ in states(db, version).values()} == {"failing"}


def test_the_timetable_reads_what_is_due_and_tries_failing_ones_more_often(db, version, wall, opened, monday):
    wall.down = {GRACE}
    assert booking.read_ahead(db, version, opened, due=True) == 3
    assert booking.read_ahead(db, version, opened, due=True) == 0
    wall.asked.clear()
    wall.down = set()
    monday.advance(timedelta(minutes=1))
    assert booking.read_ahead(db, version, opened, due=True) == 1
    assert wall.asked == [GRACE]
    monday.advance(timedelta(minutes=4))
    assert booking.read_ahead(db, version, opened, due=True) == 3


def test_our_own_event_in_the_rep_s_calendar_does_not_stand_in_its_own_way(db, version, wall, opened):
    booking.read_ahead(db, version, opened)
    meeting = booked(db, version, opened, "deep-dive", rep="grace")
    wall.write(GRACE, meeting.start_at, meeting.end_at, meeting.uid)
    wall.write(GRACE, NINE + 150 * MINUTE, NINE + 180 * MINUTE)
    booking.read_ahead(db, version, opened)
    assert minutes(db, version, "deep-dive", reps=["grace"]) == [60, 90]
    assert minutes(db, version, "deep-dive", reps=["grace"], exclude_meeting=meeting.id) == [0, 30, 60, 90]
    with db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + 30 * MINUTE, by=Actor("visitor"))
    assert minutes(db, version, "deep-dive", reps=["grace"]) == [90]


def test_a_reading_that_tells_nothing_new_leaves_the_masks_of_others_alone(db, version, wall, opened, monday):
    def stamps():
        with db.reading() as tx:
            return store.stamps(tx, version.site_id, ["grace", "linus"])

    wall.write(GRACE, NINE, NINE + HOUR)
    booking.read_ahead(db, version, opened)
    before = stamps()
    monday.advance(timedelta(minutes=5))
    booking.read_ahead(db, version, opened)
    assert stamps() == before
    wall.write(GRACE, NINE + HOUR, NINE + 2 * HOUR)
    booking.read_ahead(db, version, opened)
    assert (stamps()["grace"] != before["grace"], stamps()["linus"] == before["linus"]) == (True, True)


def test_the_built_in_calendar_is_never_read(db, apply, wall, opened):
    version = apply(team=TEAM)
    assert booking.read_ahead(db, version, opened) == 0
    assert wall.asked == []
    with db.reading() as tx:
        assert booking.calendar_states(tx, version) == []


def test_those_whose_turn_does_not_come_in_time_are_not_said_to_have_failed(wall, opened):
    wall.hanging = {f"a{number}" for number in range(asking.MOST_AT_ONCE)}
    service = Connection("con_wall", "site", "calendar", "wall")
    wanted = [Source("somebody", service, name) for name in (*wall.hanging, "b")]
    found = reading.busy(opened, wanted, Window(clock.now(), clock.now() + DAY), 0.2)
    assert {calendar for _, calendar in found} == wall.hanging
