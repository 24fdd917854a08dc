"""What a rep does to a meeting's event in his own calendar, the meeting follows; what cannot be, is put back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from server import clock, events
from server.adapters import service as adapters
from server.booking import service as booking
from server.booking import store
from server.events import Actor
from server.outbox import service as outbox
from server.routing import ledger
from server.routing.schema import Team
from tests.booking.conftest import ADA, CONNECTED, GOAL, NINE, SITE

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
VISITOR = Actor("visitor")


def mail(rep):
    return f"{rep}@acme.example"


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


@pytest.fixture
def version(db, apply, opened):
    version = apply(site=CONNECTED)
    booking.read_ahead(db, version, opened)
    booking.follow(db, version, opened)
    return version


def deliver(db):
    """The outbox until nothing more can go out; nobody takes mail."""
    while outbox.deliver_due(db, partial(adapters.carry_out, db)):
        pass


@pytest.fixture
def booked(db, version, opened):
    """A meeting whose event stands in its rep's calendar."""

    def run(start=NINE, meeting="demo", who=ADA, **more):
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting=meeting, start=start, **more)

        def confirm():
            with db.transaction() as tx:
                return booking.confirm(tx, version, held.id, **who, **(GOAL if meeting == "demo" else {}))

        made = booking.with_calendars_read(db, confirm, opened)
        deliver(db)
        booking.follow(db, version, opened)
        return made

    return run


@pytest.fixture
def follow(db, version, opened):
    def run(of=None):
        news = booking.follow(db, of or version, opened)
        booking.read_ahead(db, of or version, opened, only=news)
        deliver(db)
        return news

    return run


def now(db, meeting):
    with db.reading() as tx:
        return booking.get(tx, meeting.id)


def turns(db, version, pool="sales"):
    with db.reading() as tx:
        counts = ledger.tally(tx, version.site_id, version.part(Team).pools_by_id[pool], clock.now()).counts
        return {rep: int(count) for rep, count in counts.items() if count}


def mails(db, meeting, since=0):
    with db.reading() as tx:
        found = [row for row in outbox.of_subject(tx, "meeting", meeting.id) if row.kind == "notify"]
    return [(row.payload["mail"]["to"], row.payload["mail"]["subject"]) for row in found[since:]]


def open_starts(db, version, rep):
    with db.reading() as tx:
        return booking.slots(
            tx, version, meeting="demo", reps=[rep], start=NINE, end=NINE + DAY, zone="Europe/Berlin"
        ).starts


def told(db, meeting, name):
    with db.reading() as tx:
        return [event for event in events.of_subject(tx, "meeting", meeting.id) if event.name == name]


def test_deleting_the_event_cancels_the_meeting_gives_the_turn_back_and_opens_the_time(
    db, version, booked, follow, wall
):
    meeting = booked()
    assert turns(db, version) == {meeting.rep: 1}
    before = len(mails(db, meeting))
    wall.delete(wall.id_of(meeting.uid))
    follow()
    after = now(db, meeting)
    assert (after.status, after.ended_by, after.sequence) == ("cancelled", "calendar", 1)
    assert turns(db, version) == {}
    assert NINE in open_starts(db, version, meeting.rep)
    assert mails(db, meeting, before)[0] == ("Ada@globex.example", "Cancelled: Product demo with Grace Hopper")
    with db.reading() as tx:
        reminders = [row for row in outbox.of_subject(tx, "meeting", meeting.id) if ":reminder:" in row.key]
    assert {row.state for row in reminders} == {"withdrawn"}
    (event,) = told(db, meeting, events.MEETING_CANCELLED)
    assert (event.actor_kind, event.actor_name) == ("calendar", "Grace Hopper's calendar")


def test_moving_the_event_moves_the_meeting_with_one_uid_and_tells_the_visitor(db, version, booked, follow, wall):
    meeting = booked()
    before = len(mails(db, meeting))
    wall.move(
        wall.id_of(meeting.uid), NINE + 12 * HOUR, NINE + 12 * HOUR + 45 * MINUTE
    )  # outside his hours, and longer
    follow()
    after = now(db, meeting)
    assert (after.status, after.start_at, after.end_at) == (
        "rescheduled", NINE + 12 * HOUR, NINE + 12 * HOUR + 45 * MINUTE,
    )  # fmt: skip
    assert (after.uid, after.sequence) == (meeting.uid, 1)
    assert ("Ada@globex.example", "New time: Product demo with Grace Hopper") in mails(db, meeting, before)
    assert NINE in open_starts(db, version, meeting.rep)
    assert turns(db, version) == {meeting.rep: 1}
    with db.reading() as tx:
        told_calendar = [row for row in outbox.of_subject(tx, "meeting", meeting.id) if row.kind == "calendar"]
        cells = tx.exec_driver_sql("select min(cell), max(cell) from meeting_cells").one()
    assert [row.operation for row in told_calendar] == ["create"]
    first = int(after.start_at.timestamp()) // 300
    assert tuple(cells) == (first, first + 11)  # 45 minutes and the quarter of an hour after them
    assert follow() == set()
    assert now(db, meeting) == after


def test_lengthening_the_event_lengthens_the_meeting(db, version, booked, follow, wall):
    meeting = booked()
    wall.move(wall.id_of(meeting.uid), NINE, NINE + 2 * HOUR)
    follow()
    after = now(db, meeting)
    assert (after.start_at, after.end_at) == (NINE, NINE + 2 * HOUR)
    assert open_starts(db, version, meeting.rep) == (NINE + 2 * HOUR + 30 * MINUTE,)


def test_our_own_writes_are_no_news(db, version, booked, follow):
    meeting = booked()
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
    deliver(db)
    assert follow() == {meeting.rep}
    assert now(db, meeting) == moved


def test_our_own_writing_that_comes_back_late_is_no_news(db, version, booked, wall, opened):
    """A service whose list of changes lags: it still tells the first time although the second is written."""
    meeting = booked()
    with db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
    deliver(db)
    id = wall.id_of(meeting.uid)
    written = wall.entries[id]
    wall.entries[id] = replace(written, start=NINE, end=NINE + 30 * MINUTE, version=1)
    booking.follow(db, version, opened)
    assert now(db, meeting).start_at == NINE + HOUR
    wall.entries[id] = written


def test_what_the_rep_takes_back_is_taken_back_though_it_looks_like_our_own_writing(db, booked, follow, wall):
    meeting = booked()
    id = wall.id_of(meeting.uid)
    ours = wall.entries[id]
    wall.move(id, NINE + HOUR, NINE + 90 * MINUTE)
    follow()
    assert now(db, meeting).start_at == NINE + HOUR
    wall.entries[id] = ours  # the very same text, and so the same version where versions are made of it
    wall.log.append(id)
    follow()
    assert now(db, meeting).start_at == NINE


def test_while_our_own_write_waits_the_calendar_is_not_believed_but_not_forgotten(
    db, version, booked, follow, wall, opened
):
    meeting = booked()
    id = wall.id_of(meeting.uid)
    wall.down = {mail(meeting.rep)}
    with db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
    deliver(db)  # the update has to wait
    wall.down = set()
    wall.delete(id)
    booking.follow(db, version, opened)
    assert now(db, meeting).status == "rescheduled"
    with db.transaction() as tx:
        (waiting,) = [row for row in outbox.of_subject(tx, "meeting", meeting.id) if row.state == "waiting" and
                      row.kind == "calendar"]  # fmt: skip
    outbox.retry(db, waiting.id, VISITOR)
    deliver(db)  # there is nothing to update any more
    booking.follow(db, version, opened)
    assert now(db, meeting).status == "cancelled"


def test_what_we_wrote_after_the_calendar_was_asked_wins(db, version, booked, wall, opened, monday):
    """The visitor moves the meeting while the rep's calendar is being read."""
    meeting = booked()
    real = opened()
    wall.move(wall.id_of(meeting.uid), NINE + 90 * MINUTE, NINE + 2 * HOUR)

    def slow(_):
        told = type(real).changes

        class Slow(type(real)):
            name = "slow-wall"

            def changes(self, calendar, cursor=""):
                found = told(self, calendar, cursor)
                if calendar == mail(meeting.rep) and now(db, meeting).start_at == NINE:
                    monday.advance(MINUTE)
                    with db.transaction() as tx:
                        booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
                    deliver(db)
                return found

        return Slow(real.config, records=real.records)

    booking.follow(db, version, slow)
    assert now(db, meeting).start_at == NINE + HOUR
    booking.follow(db, version, opened)
    assert now(db, meeting).start_at == NINE + HOUR
    assert wall.entries[wall.id_of(meeting.uid)].start == NINE + HOUR


def test_after_the_rep_has_edited_the_event_our_update_still_arrives(db, version, booked, follow, wall):
    meeting = booked()
    id = wall.id_of(meeting.uid)
    wall.move(id, NINE, NINE + 30 * MINUTE)  # another title, say: a new version at the same time
    follow()
    assert now(db, meeting).sequence == 0
    with db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
    deliver(db)
    assert wall.entries[id].start == NINE + HOUR
    wall.move(id, NINE + 2 * HOUR, NINE + 2 * HOUR + 30 * MINUTE)
    follow()
    with db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=VISITOR)
    deliver(db)
    assert wall.entries[id].gone


def test_onto_another_meeting_it_does_not_follow_the_event_is_put_back_and_the_rep_told(
    db, version, booked, follow, wall
):
    first, second = booked(rep="grace"), booked(NINE + HOUR, rep="grace", who=ADA | {"email": "zoe@globex.example"})
    id = wall.id_of(second.uid)
    before = len(mails(db, second))
    wall.move(id, NINE + 15 * MINUTE, NINE + 45 * MINUTE)
    follow()
    after = now(db, second)
    assert (after.status, after.start_at, after.sequence) == ("booked", NINE + HOUR, 0)
    assert wall.entries[id].start == NINE + HOUR
    assert mails(db, second, before) == [("grace@acme.example", "Stays where it was: Product demo with Ada Byron")]
    (event,) = told(db, second, events.MEETING_PUT_BACK)
    assert event.reason == "another meeting is there already"
    assert follow() == {"grace"}  # our own putting back
    wall.move(id, NINE + 15 * MINUTE, NINE + 45 * MINUTE)  # he tries again
    follow()
    assert wall.entries[id].start == NINE + HOUR
    assert len(told(db, second, events.MEETING_PUT_BACK)) == 2
    with db.transaction() as tx:
        booking.cancel(tx, version, second.id, by=VISITOR)
    deliver(db)
    assert wall.entries[id].gone
    assert now(db, first).status == "booked"


@pytest.mark.parametrize(
    ("start", "end"), [(NINE - 2 * DAY, NINE - 2 * DAY + HOUR), (NINE - 9 * HOUR, NINE + 15 * HOUR)]
)
def test_into_the_past_or_over_a_whole_day_it_does_not_follow(db, booked, follow, wall, start, end):
    meeting = booked()
    wall.move(wall.id_of(meeting.uid), start, end)
    follow()
    assert now(db, meeting).start_at == NINE
    assert wall.entries[wall.id_of(meeting.uid)].start == NINE
    assert told(db, meeting, events.MEETING_PUT_BACK)


def test_to_where_the_visitor_meets_a_colleague_it_does_not_follow(db, booked, follow, wall):
    booked(NINE + HOUR, rep="linus")
    meeting = booked(rep="grace")
    wall.move(wall.id_of(meeting.uid), NINE + HOUR, NINE + HOUR + 30 * MINUTE)
    follow()
    assert now(db, meeting).start_at == NINE
    assert told(db, meeting, events.MEETING_PUT_BACK)[0].reason == "the visitor has another meeting then"


def test_right_after_another_meeting_the_rep_may_do_without_his_buffer(db, booked, follow, wall):
    booked(NINE + 2 * HOUR, rep="grace", who=ADA | {"email": "zoe@globex.example"})
    meeting = booked(rep="grace")
    wall.move(wall.id_of(meeting.uid), NINE + 90 * MINUTE, NINE + 2 * HOUR)  # its buffer would meet the other one
    follow()
    assert now(db, meeting).start_at == NINE + 90 * MINUTE


def test_onto_a_time_that_a_visitor_is_holding_it_waits_for_the_outcome(db, version, booked, follow, wall, monday):
    meeting = booked(rep="grace")
    with db.transaction() as tx:
        booking.hold(tx, version, meeting="demo", start=NINE + HOUR, rep="grace")
    wall.move(wall.id_of(meeting.uid), NINE + HOUR, NINE + HOUR + 30 * MINUTE)
    follow()
    assert now(db, meeting).start_at == NINE
    assert not told(db, meeting, events.MEETING_PUT_BACK)
    monday.advance(6 * MINUTE)
    with db.transaction() as tx:
        booking.release_expired(tx, clock.now())
    follow()
    assert now(db, meeting).start_at == NINE + HOUR


def test_meetings_that_have_begun_do_not_change(db, booked, follow, wall, monday):
    meeting = booked()
    monday.advance(NINE - clock.now() + MINUTE)
    wall.delete(wall.id_of(meeting.uid))
    follow()
    assert now(db, meeting).status == "booked"


def test_a_forgotten_cursor_starts_anew_and_finds_what_is_missing_and_what_has_moved(db, booked, follow, wall):
    stays, moves = booked(rep="grace"), booked(NINE + HOUR, rep="grace", who=ADA | {"email": "zoe@globex.example"})
    goes = booked(NINE + 2 * HOUR, rep="grace", who=ADA | {"email": "bob@globex.example"})
    wall.delete(wall.id_of(goes.uid))
    wall.move(wall.id_of(moves.uid), NINE + DAY, NINE + DAY + 30 * MINUTE)
    wall.forget()
    follow()
    assert [now(db, one).status for one in (stays, moves, goes)] == ["booked", "rescheduled", "cancelled"]


def test_a_calendar_that_holds_none_of_ours_any_more_cancels_nobody_and_says_so(db, version, booked, follow, wall):
    mine = [
        booked(NINE + hours * HOUR, rep="grace", who=ADA | {"email": f"{hours}@globex.example"}) for hours in range(3)
    ]
    for one in mine:
        wall.delete(wall.id_of(one.uid))
    wall.forget()
    for _ in range(2):
        follow()
        assert {now(db, one).status for one in mine} == {"booked"}
        with db.reading() as tx:
            (state,) = [one for one in booking.calendar_states(tx, version) if one.rep == "grace"]
        assert "none of the 3 meetings" in state.not_followed


def test_what_was_booked_in_another_service_is_not_missed_in_this_one(db, apply, version, booked, wall, opened):
    meeting = booked(rep="grace")
    before = apply(site=SITE)
    with db.transaction() as tx:
        store.change(tx, meeting.id, ("booked",), {"version_id": before.id})
    version = apply(site=CONNECTED)
    wall.delete(wall.id_of(meeting.uid))
    wall.forget()
    booking.follow(db, version, opened)
    assert now(db, meeting).status == "booked"


def test_a_copy_of_the_invitation_in_the_same_calendar_moves_nobody(db, booked, follow, wall):
    meeting = booked(rep="grace")
    wall.write(mail("grace"), NINE + HOUR, NINE + 90 * MINUTE, meeting.uid)
    follow()
    assert now(db, meeting).start_at == NINE


def test_an_event_that_was_put_in_anew_under_another_address_is_the_same_event(db, booked, follow, wall):
    meeting = booked(rep="grace")
    wall.delete(wall.id_of(meeting.uid))
    wall.write(mail("grace"), NINE + HOUR, NINE + 90 * MINUTE, meeting.uid)
    follow()
    assert now(db, meeting).start_at == NINE + HOUR


def test_a_colleague_s_calendar_says_nothing_about_a_meeting_that_was_given_away(db, version, booked, follow, wall):
    meeting = booked(rep="grace")
    with db.transaction() as tx:
        booking.reassign(tx, version, meeting.id, "linus", by=VISITOR, reason="ill")
    deliver(db)
    follow()
    assert now(db, meeting).rep == "linus"
    assert now(db, meeting).status in ("booked", "rescheduled")


def test_changes_that_were_read_before_somebody_else_read_further_are_dropped(db, version, booked, wall, opened):
    """Two processes follow the same calendar: the slower one has outdated news."""
    meeting = booked()
    id = wall.id_of(meeting.uid)
    wall.move(id, NINE + HOUR, NINE + 90 * MINUTE)
    adapter = opened()

    class Slow(type(adapter)):
        name = "slow-wall"

        def changes(self, calendar, cursor=""):
            found = super().changes(calendar, cursor)
            if calendar == mail(meeting.rep) and now(db, meeting).start_at == NINE:
                wall.move(id, NINE + 2 * HOUR, NINE + 150 * MINUTE)
                booking.follow(db, version, opened)
            return found

    booking.follow(db, version, lambda _: Slow(adapter.config, records=adapter.records))
    assert now(db, meeting).start_at == NINE + 2 * HOUR


def test_a_calendar_that_cannot_be_followed_is_said_to_be_so_until_it_can(db, version, follow, wall):
    def problem():
        with db.reading() as tx:
            return {one.rep: one.not_followed for one in booking.calendar_states(tx, version)}["grace"]

    wall.down = {mail("grace")}
    assert follow() == set()
    assert problem() == "The calendar service is down."
    wall.down = set()
    follow()
    assert problem() == ""


def test_a_private_event_is_news_that_has_the_busy_times_read_at_once(db, version, follow, wall):
    wall.write(mail("linus"), NINE, NINE + HOUR)
    assert NINE in open_starts(db, version, "linus")
    assert follow() == {"linus"}
    assert NINE not in open_starts(db, version, "linus")


def test_positions_are_kept_per_rep_and_calendar(db, version):
    with db.reading() as tx:
        sources = {row.source for row in store.positions(tx, version.site_id)}
    assert sources == {f"calendar:{rep.id}:{rep.email}" for rep in version.part(Team).reps}
    assert "calendar:grace:grace@acme.example" in sources
