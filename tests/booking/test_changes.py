"""A booked meeting is moved: by whom, to whom, once; and of two who change it at the same moment one wins."""

from __future__ import annotations

import threading
from datetime import timedelta, timezone

import pytest
from sqlalchemy import select, update

from server import events
from server.booking import service as booking
from server.booking.tables import cells, meeting_hosts, meetings
from server.errors import Conflict, Gone, SlotTaken
from server.events import Actor
from server.outbox import service as outbox
from tests.booking.conftest import ADA, MEETINGS, NINE, TEAM
from tests.booking.test_meetings import counts, mails

HOUR = timedelta(hours=1)
VISITOR, BOSS = Actor("visitor", "vis_1"), Actor("user", "usr_1", "Boss")
BOB = ADA | {"email": "bob@globex.example", "name": "Bob"}
WITHOUT_GRACE = TEAM.replace("[grace, linus, margaret]", "[linus, margaret]").replace("[grace, linus]", "[linus, joan]")


def move(db, version, meeting, start, **more):
    with db.transaction() as tx:
        return booking.reschedule(tx, version, meeting.id, start, by=VISITOR, **more)


def give(db, version, meeting, rep=None, **more):
    with db.transaction() as tx:
        return booking.reassign(tx, version, meeting.id, rep, by=BOSS, **more)


def busy(db, start, *reps):
    """Their time is taken for three hours."""
    with db.transaction() as tx:
        site = tx.execute(select(meetings.c.site_id)).scalars().first()
        for rep in reps:
            booking.add_block(tx, site, rep, start, start + 3 * HOUR, title="Dentist", created_by="x")


def hosts(db, meeting):
    with db.reading() as tx:
        found = select(meeting_hosts.c.rep).where(meeting_hosts.c.meeting_id == meeting.id)
        return set(tx.execute(found).scalars())


def at_once(db, *deeds):
    """Do them at the same moment; what each came to: a meeting, or the error."""
    start, came = threading.Barrier(len(deeds)), []

    def run(deed):
        start.wait()
        try:
            with db.transaction() as tx:
                came.append(deed(tx))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            came.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return came


def test_of_two_who_change_a_meeting_at_once_one_wins_and_the_other_is_told(db, version, book):
    def later(hours):
        return lambda tx: booking.reschedule(tx, version, meeting.id, NINE + HOUR * hours, by=VISITOR, seen=seen)

    def away(tx):
        return booking.cancel(tx, version, meeting.id, by=BOSS, seen=seen)

    def given(rep):
        return lambda tx: booking.reassign(tx, version, meeting.id, rep, by=BOSS, leaving="grace", seen=seen)

    both = ((later(1), later(2)), (later(1), away), (away, later(2)), (given("linus"), given("margaret")))
    for number, deeds in enumerate(both):
        meeting = book(who=ADA | {"email": f"ada{number}@globex.example"}, rep="grace")
        seen = meeting.sequence
        came = at_once(db, *deeds)
        won = [one for one in came if not isinstance(one, Exception)]
        lost = [one for one in came if isinstance(one, Exception)]
        assert len(won) == 1, came
        assert isinstance(lost[0], Conflict | Gone), came
        with db.reading() as tx:
            now = booking.get(tx, meeting.id)
            assert (now.sequence, now.status, now.start_at) == (1, won[0].status, won[0].start_at)
            told = [one.operation for one in outbox.of_subject(tx, "meeting", meeting.id) if one.kind == "calendar"]
            taken = tx.execute(select(cells.c.cell).where(cells.c.meeting_id == meeting.id)).all()
        assert told in (["create", "update"], ["create", "cancel"], ["create", "cancel", "create"])
        assert bool(taken) == (now.status != booking.CANCELLED)
        if now.status != booking.CANCELLED:
            with db.transaction() as tx:
                booking.cancel(tx, version, meeting.id, by=BOSS)


def test_who_has_seen_an_older_state_is_told_to_look_again(db, version, book):
    meeting = book()
    move(db, version, meeting, NINE + HOUR, seen=0)
    for deed in (
        lambda: move(db, version, meeting, NINE + 2 * HOUR, seen=0),
        lambda: give(db, version, meeting, "linus", seen=0),
    ):
        with pytest.raises(Conflict, match="just changed"):
            deed()
    with pytest.raises(Conflict, match="just changed"), db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=BOSS, seen=0)
    assert move(db, version, meeting, NINE + HOUR, seen=0).sequence == 1  # the same form, sent twice


def test_the_same_time_in_another_spelling_is_no_change(db, version, book):
    meeting = book()
    same = NINE.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert move(db, version, meeting, same).sequence == 0
    assert len(mails(db, meeting)) == 2


def test_what_the_visitor_holds_does_not_stand_in_their_way(db, version, book):
    meeting = book(conversation_id="cnv_1", rep="grace")
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE + HOUR, rep="grace", conversation_id="cnv_1")
    moved = move(db, version, meeting, NINE + HOUR)
    assert (moved.rep, moved.start_at) == ("grace", NINE + HOUR)
    with db.reading() as tx:
        assert [row.id for row in tx.execute(select(meetings.c.id))] == [meeting.id]
        assert [one.name for one in events.of_subject(tx, "meeting", held.id)][-1] == events.MEETING_RELEASED


def test_an_expired_hold_that_nobody_cleared_away_does_not_stand_in_the_way(db, version, book, monday):
    meeting = book(rep="grace")
    with db.transaction() as tx:
        booking.hold(tx, version, meeting="demo", start=NINE + HOUR, rep="grace")
    monday.advance(timedelta(minutes=6))
    assert move(db, version, meeting, NINE + HOUR).rep == "grace"


def test_a_meeting_of_somebody_erased_meets_no_other_of_nobody(db, version, book):
    first, second = book(rep="grace"), book(NINE + HOUR, who=BOB, rep="linus")
    with db.transaction() as tx:
        tx.execute(update(meetings).values(attendee=None))
    assert move(db, version, first, second.start_at).start_at == second.start_at


@pytest.mark.parametrize(
    "team",
    [
        WITHOUT_GRACE,
        TEAM.replace("{id: grace,", "{id: grace, active: false,"),
        WITHOUT_GRACE.replace("  - {id: grace", "  - {id: gone"),
    ],
    ids=["left the pool", "inactive", "left the team"],
)
def test_a_rep_who_has_left_keeps_the_meeting_until_it_is_moved_or_given_away(db, version, book, apply, team):
    meeting = book()
    assert meeting.rep == "grace"
    later = apply(team=team)
    with db.reading() as tx:
        assert booking.get(tx, meeting.id).status == "booked"
        listed = booking.open_times(
            tx, later, booking.takers(tx, later, meeting), start=NINE - HOUR, end=NINE + 4 * HOUR, zone="UTC",
            exclude_meeting=meeting.id,
        )  # fmt: skip
    assert listed.starts
    assert move(db, later, meeting, listed.starts[-1]).rep in ("linus", "margaret")


def test_a_meeting_with_one_person_who_has_left_goes_to_the_pool_of_its_type(db, version, book, apply):
    meeting = book(rep="joan")
    assert meeting.pool == ""
    moved = move(db, apply(team=TEAM.replace("{id: joan,", "{id: joan, active: false,")), meeting, NINE + HOUR)
    assert (moved.rep, moved.pool) == ("grace", "sales")
    assert counts(db, version) == {"grace": 1}


def test_a_type_or_pool_that_is_gone_from_the_folder_does_not_lock_the_meeting(db, version, book, apply):
    meeting = book(meeting="deep-dive")
    no_type = apply(meetings=MEETINGS.replace("{id: deep-dive", "{id: other"))
    assert move(db, no_type, meeting, NINE + HOUR).end_at == NINE + 2 * HOUR
    no_pool = apply(
        team=TEAM.replace("{id: sales", "{id: others"), meetings=MEETINGS.replace("pool: sales", "pool: pair")
    )
    assert move(db, no_pool, book(who=BOB, rep="linus"), NINE + 2 * HOUR).rep == "linus"


def test_where_nobody_is_left_the_meeting_stays_and_that_is_said(db, version, book, apply):
    meeting = book(rep="joan", meeting="demo")
    nobody = apply(
        team=TEAM.replace("{id: joan,", "{id: joan, active: false,"),
        meetings=MEETINGS.replace("notice_minutes: 0, pool: sales", "notice_minutes: 0"),
    )
    with pytest.raises(SlotTaken) as refusal:
        move(db, nobody, meeting, NINE + HOUR)
    assert refusal.value.alternatives == []
    with db.reading() as tx:
        assert booking.get(tx, meeting.id).start_at == NINE


def test_several_hosts_stay_and_only_who_cannot_is_replaced(db, version, book):
    panel = book(meeting="panel")
    before = hosts(db, panel)
    assert hosts(db, move(db, version, panel, NINE + HOUR)) == before
    again = book(NINE + 24 * HOUR, meeting="panel", who=BOB)
    staying, gone = again.rep, next(iter(hosts(db, again) - {again.rep}))
    busy(db, NINE + 48 * HOUR, gone)
    moved = move(db, version, again, NINE + 48 * HOUR)
    assert (moved.rep, hosts(db, moved)) == (staying, {"grace", "linus", "margaret"} - {gone})


def test_a_collective_meeting_moves_only_to_where_everybody_can(db, version, book):
    board = book(meeting="board")
    busy(db, NINE + 24 * HOUR, "linus")
    with pytest.raises(SlotTaken):
        move(db, version, board, NINE + 24 * HOUR)
    assert hosts(db, move(db, version, board, NINE + 48 * HOUR)) == {"grace", "linus"}
