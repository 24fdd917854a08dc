"""At the moment of booking the chosen rep's calendar is read again; on conflict the next fair rep gets the meeting."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from server import clock, events
from server.booking import service as booking
from server.booking import store
from server.errors import SlotTaken
from server.routing import ledger
from server.routing.schema import Team
from tests.booking.conftest import ADA, CONNECTED, GOAL, NINE

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def mail(rep):
    return f"{rep}@acme.example"


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


@pytest.fixture
def version(db, apply, opened):
    version = apply(site=CONNECTED)
    booking.read_ahead(db, version, opened)
    return version


@pytest.fixture
def hold(db, version):
    def run(meeting="demo", start=NINE, **more):
        with db.transaction() as tx:
            return booking.hold(tx, version, meeting=meeting, start=start, **more)

    return run


@pytest.fixture
def confirm(db, version, opened):
    """As a door does it: calendars are read between two tries."""

    def run(held, who=ADA, **more):
        def once():
            with db.transaction() as tx:
                told = GOAL if held.type == "demo" else {}
                return booking.confirm(tx, version, held.id, **who, **told, **more)

        return booking.with_calendars_read(db, once, opened)

    return run


def hosts(db, meeting_id):
    with db.reading() as tx:
        return {row.rep for row in store.hosts_of(tx, [meeting_id])}


def story(db, meeting_id, name=events.MEETING_PASSED_ON):
    with db.reading() as tx:
        return [event for event in events.of_subject(tx, "meeting", meeting_id) if event.name == name]


def counts(db, version):
    """Turns of each rep that count."""
    with db.reading() as tx:
        pool = version.part(Team).pools_by_id["sales"]
        counts = ledger.tally(tx, version.site_id, pool, clock.now()).counts
        return {rep: int(count) for rep, count in counts.items() if count}


def test_a_hold_is_not_confirmed_before_the_calendar_was_read_again(db, version, hold, wall, opened):
    held = hold()
    wall.asked.clear()
    with pytest.raises(booking.CalendarUnread) as unread, db.transaction() as tx:
        booking.confirm(tx, version, held.id, **ADA, **GOAL)
    assert unread.value.meeting_id == held.id
    assert wall.asked == []
    booking.check_calendars(db, version, held.id, opened)
    assert wall.asked == [mail(held.rep)]
    with db.transaction() as tx:
        assert booking.confirm(tx, version, held.id, **ADA, **GOAL).rep == held.rep


def test_only_the_chosen_rep_is_read_and_a_second_try_within_a_minute_reads_nobody(
    hold, confirm, wall, db, version, opened, monday
):
    held = hold()
    wall.asked.clear()
    booking.check_calendars(db, version, held.id, opened)
    booking.check_calendars(db, version, held.id, opened)
    assert wall.asked == [mail(held.rep)]
    monday.advance(timedelta(seconds=61))
    made = confirm(held, key="k")
    assert (made.status, wall.asked) == ("booked", [mail(held.rep)] * 2)
    assert confirm(held, key="k").id == made.id
    assert len(wall.asked) == 2


def test_a_rep_who_has_become_busy_gives_the_hold_to_the_next_fair_one_in_the_same_request(
    db, version, hold, confirm, wall
):
    held = hold()
    wall.write(mail(held.rep), NINE + 40 * MINUTE, NINE + HOUR)  # within the quarter of an hour after the meeting
    made = confirm(held)
    assert made.status == "booked"
    assert made.rep != held.rep
    assert hosts(db, made.id) == {made.rep}
    assert counts(db, version) == {made.rep: 1}
    (passed,) = story(db, made.id)
    assert passed.data["passed"] == {held.rep: "busy in the calendar, read at the moment of booking"}
    first, *others = passed.trace["looked_at"]
    assert (first["name"], first["answer"]) == (held.rep, "no")
    assert passed.trace["chosen"] == made.rep
    assert made.rep in {one["name"] for one in others if one["answer"] == "yes"}


def test_what_the_second_look_found_is_known_from_then_on(db, version, hold, confirm, wall):
    held = hold(rep="grace")
    wall.write(mail("grace"), NINE, NINE + HOUR)
    with pytest.raises(SlotTaken):
        confirm(held)
    with db.reading() as tx:
        found = booking.slots(tx, version, meeting="demo", reps=["grace"], start=NINE, end=NINE + HOUR, zone="UTC")
    assert found.starts == ()
    assert found.silent == {}


def test_busy_time_beside_the_meeting_and_its_buffers_is_no_conflict(hold, confirm, wall):
    held = hold()
    wall.write(mail(held.rep), NINE + 45 * MINUTE, NINE + HOUR)
    wall.write(mail(held.rep), NINE - HOUR, NINE)
    assert confirm(held).rep == held.rep


def test_when_nobody_is_left_the_visitor_gets_the_nearest_open_times(db, version, hold, confirm, wall):
    held = hold()
    for rep in ("grace", "linus", "margaret"):
        wall.write(mail(rep), NINE, NINE + 10 * MINUTE)
    with pytest.raises(SlotTaken) as refusal:
        confirm(held)
    assert refusal.value.extra["reason"] == "busy"
    assert refusal.value.alternatives[0] == NINE + 30 * MINUTE
    assert NINE not in refusal.value.alternatives
    assert counts(db, version) == {}
    with db.reading() as tx:
        assert store.get(tx, held.id) is None
    assert set(story(db, held.id)[-1].data["passed"]) == {"grace", "linus", "margaret"}


def test_a_calendar_that_is_down_takes_its_rep_out_and_the_next_one_is_asked(db, version, hold, confirm, wall):
    held = hold()
    wall.down = {mail(held.rep)}
    made = confirm(held)
    assert made.rep != held.rep
    assert story(db, made.id)[0].data["passed"] == {held.rep: "The calendar service is down."}
    with db.reading() as tx:
        states = {one.rep: one.state for one in booking.calendar_states(tx, version)}
    assert states[held.rep] == "failing"
    assert states[made.rep] == "ok"


def test_a_calendar_that_hangs_costs_the_visitor_half_of_the_patience_and_no_more(db, version, hold, wall, opened):
    held = hold()
    wall.hanging = {mail(held.rep)}
    began = time.monotonic()
    booking.check_calendars(db, version, held.id, opened, patience=4.0)
    waited = time.monotonic() - began
    wall.ended.set()
    with db.reading() as tx:
        assert store.get(tx, held.id).rep != held.rep
    assert waited < 20  # the hanging one would have answered then


def test_a_service_that_hangs_altogether_ends_in_a_refusal_within_the_patience(db, version, hold, wall, opened):
    held = hold()
    wall.hanging = {mail(rep) for rep in ("grace", "linus", "margaret")}
    with pytest.raises(SlotTaken) as refusal:
        booking.check_calendars(db, version, held.id, opened, patience=2.0)
    wall.ended.set()
    assert refusal.value.extra["reason"] == "calendar"
    assert "did not answer in time" in str(story(db, held.id)[-1].data["passed"])


def test_where_no_time_is_left_to_ask_anybody_the_time_is_not_called_taken(db, version, hold, wall, opened):
    held = hold()
    wall.asked.clear()
    with pytest.raises(SlotTaken) as refusal:
        booking.check_calendars(db, version, held.id, opened, patience=0.0)
    assert refusal.value.extra["reason"] == "calendar"
    assert refusal.value.message == "This time cannot be booked at the moment."
    assert wall.asked == []
    assert set(story(db, held.id)[-1].data["passed"]) == {"grace", "linus", "margaret"}


def test_where_one_is_busy_and_the_others_are_silent_the_time_is_taken(db, version, hold, wall, opened):
    held = hold()
    wall.write(mail(held.rep), NINE, NINE + HOUR)
    wall.down = {mail(rep) for rep in ("grace", "linus", "margaret") if rep != held.rep}
    with pytest.raises(SlotTaken) as refusal:
        booking.check_calendars(db, version, held.id, opened)
    assert refusal.value.extra["reason"] == "busy"


def test_all_hosts_of_a_collective_meeting_are_read_and_one_who_is_busy_ends_it(db, hold, confirm, wall):
    held = hold("board")
    wall.asked.clear()
    assert confirm(held).status == "booked"
    assert sorted(wall.asked) == [mail("grace"), mail("linus")]
    second = hold("board", NINE + HOUR)
    wall.write(mail("linus"), NINE + HOUR, NINE + 2 * HOUR)
    with pytest.raises(SlotTaken):
        confirm(second, who=ADA | {"email": "zoe@globex.example"})


def test_of_two_hosts_the_busy_one_is_replaced_and_the_other_stays(db, version, hold, confirm, wall):
    held = hold("panel")
    before = hosts(db, held.id)
    (other,) = before - {held.rep}
    wall.write(mail(held.rep), NINE, NINE + HOUR)
    made = confirm(held)
    assert held.rep not in hosts(db, made.id)
    assert other in hosts(db, made.id)
    assert len(hosts(db, made.id)) == 2
    assert counts(db, version) == dict.fromkeys(hosts(db, made.id), 1)


def test_a_rep_who_was_asked_for_by_name_has_no_stand_in(hold, confirm, wall):
    held = hold(rep="grace")
    wall.write(mail("grace"), NINE, NINE + HOUR)
    with pytest.raises(SlotTaken) as refusal:
        confirm(held)
    assert refusal.value.alternatives


def test_two_doors_that_check_the_same_hold_agree(db, version, hold, wall, opened):
    """The second comes while the first is reading: the hold has gone on when it wants to settle."""
    held = hold()
    wall.write(mail(held.rep), NINE, NINE + HOUR)
    seen = []

    def meanwhile(_=None):
        if not seen:
            seen.append(1)
            booking.check_calendars(db, version, held.id, opened)
        return opened()

    booking.check_calendars(db, version, held.id, meanwhile)
    with db.reading() as tx:
        after = store.get(tx, held.id)
    assert after.rep != held.rep
    assert hosts(db, held.id) == {after.rep}
    assert len(story(db, held.id)) == 1


def test_with_the_built_in_calendar_nothing_is_read(db, apply, wall, opened):
    version = apply()
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE)
        assert booking.confirm(tx, version, held.id, **ADA, **GOAL).status == "booked"
    assert wall.asked == []
