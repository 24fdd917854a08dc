"""A booked meeting is moved or given to a colleague: by whom, to whom, once, and what is no reason against it."""

from __future__ import annotations

import threading
from datetime import timedelta, timezone

import pytest
from sqlalchemy import select, update

from server import events
from server.booking import service as booking
from server.booking.tables import cells, meeting_hosts, meetings
from server.errors import Conflict, Gone, Invalid, SlotTaken
from server.events import Actor
from server.outbox import service as outbox
from server.routing import ledger
from tests.booking.conftest import ADA, MEETINGS, NINE, TEAM
from tests.booking.test_meetings import counts, event_of, mails

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


def test_given_to_a_named_colleague_everybody_hears_of_it_and_the_turn_goes_along(db, version, book):
    meeting = book()
    sent = len(mails(db, meeting))
    given = give(db, version, meeting, "margaret", reason="Grace is ill")
    assert (given.rep, given.start_at, given.end_at, given.status) == ("margaret", NINE, NINE + HOUR / 2, "booked")
    assert (given.uid, given.sequence) == (meeting.uid, 1)
    assert counts(db, version) == {"margaret": 1}
    told = {(to, method): event_of(ics) for to, _, method, ics in mails(db, given, sent)}
    assert set(told) == {
        ("grace@acme.example", "CANCEL"), ("Ada@globex.example", "CANCEL"), ("Ada@globex.example", "REQUEST"),
        ("margaret@acme.example", "REQUEST"),
    }  # fmt: skip
    assert str(told["Ada@globex.example", "REQUEST"]["ORGANIZER"]) == "mailto:margaret@acme.example"
    with db.reading() as tx:
        sent_on = [one.operation for one in outbox.of_subject(tx, "meeting", meeting.id) if one.kind == "calendar"]
        told_why = [
            one for one in events.of_subject(tx, "meeting", meeting.id) if one.name == events.MEETING_REASSIGNED
        ]
        taken = set(tx.execute(select(cells.c.rep).where(cells.c.meeting_id == meeting.id)).scalars())
    assert sent_on == ["create", "cancel", "create"]
    assert (told_why[0].reason, told_why[0].data["rep_was"], told_why[0].actor_name) == (
        "Grace is ill",
        "grace",
        "Boss",
    )
    assert taken == {"margaret"}


def test_the_next_in_turn_is_the_fair_one_and_the_diary_says_why(db, version, book):
    meeting = book()
    book(NINE + HOUR, who=BOB, pool="pair")  # a turn of another account
    with db.reading() as tx:
        foretold = booking.next_in_turn(tx, version, meeting)
    given = give(db, version, meeting)
    assert given.rep == foretold.rep != "grace"
    with db.reading() as tx:
        trace = [one for one in events.of_subject(tx, "meeting", meeting.id) if one.trace][-1].trace
    assert trace["chosen"] == given.rep
    assert all(one["because"] for one in trace["looked_at"])


def test_a_form_sent_twice_gives_the_meeting_away_once(db, version, book):
    meeting = book()
    first = give(db, version, meeting, None, leaving="grace", seen=0)
    again = give(db, version, meeting, None, leaving="grace", seen=0)
    assert (again.rep, again.sequence) == (first.rep, 1)
    named = give(db, version, meeting, first.rep, seen=0)
    assert named.sequence == 1


def test_a_colleague_who_is_not_free_cannot_be_chosen_and_the_reason_is_told(db, version, book):
    meeting = book()
    busy(db, NINE, "linus")
    book(NINE, who=BOB, rep="margaret")
    with db.reading() as tx:
        found = {one.rep: one for one in booking.colleagues(tx, version, meeting)}
        assert booking.next_in_turn(tx, version, meeting).rep is None
    assert list(found) == ["linus", "margaret", "joan"]  # the pool first
    assert (found["linus"].verdict.answer, found["linus"].verdict.because[:7]) == ("busy", "Dentist")
    assert [one.free for one in found.values()] == [False, False, True]
    with pytest.raises(Conflict, match="Linus Pauling cannot take it: Dentist"):
        give(db, version, meeting, "linus")
    with pytest.raises(Conflict, match="Nobody of the pool is free"):
        give(db, version, meeting)
    with pytest.raises(Invalid, match="no active rep"):
        give(db, version, meeting, "nobody")
    assert counts(db, version) == {"grace": 1}
    assert give(db, version, meeting, "joan").rep == "joan"  # from outside the pool, as a person decided
    assert counts(db, version).get("grace") is None


def test_notice_dates_and_steps_are_no_reason_against_a_meeting_that_is_booked(db, version, book, apply, monday):
    meeting = book()
    strict = apply(
        team=TEAM.replace("name: Linus", "notice_minutes: 3000, name: Linus").replace('"12:00"', '"12:00"'),
        meetings=MEETINGS.replace("notice_minutes: 0, pool: sales,\n", "notice_minutes: 9000, pool: sales,\n"),
    )
    monday.advance(timedelta(hours=23, minutes=50))
    assert give(db, strict, meeting, "linus").rep == "linus"


def test_a_meeting_that_is_longer_than_its_type_is_now_is_given_away_as_it_is(db, version, book, apply):
    meeting = book(meeting="deep-dive")
    shorter = apply(
        meetings=MEETINGS.replace(
            "deep-dive, name: Deep dive, duration_minutes: 60", "deep-dive, name: Deep dive, duration_minutes: 15"
        )
    )  # noqa: E501
    assert give(db, shorter, meeting).end_at == meeting.end_at
    with db.reading() as tx:
        assert len(tx.execute(select(cells)).all()) == 12


def test_what_is_over_is_given_to_nobody(db, version, book, monday):
    meeting = book()
    monday.advance(timedelta(days=2))
    with pytest.raises(Gone, match="has begun"):
        give(db, version, meeting, "linus")
    with db.transaction() as tx:
        booking.mark(tx, version, meeting.id, "done", by=BOSS)
    with pytest.raises(Gone, match="done"):
        give(db, version, meeting, "linus")
    assert counts(db, version) == {"grace": 1}


def test_one_host_of_several_can_be_replaced_but_none_of_everybody(db, version, book):
    panel = book(meeting="panel")
    second = next(iter(hosts(db, panel) - {panel.rep}))
    third = next(iter({"grace", "linus", "margaret"} - hosts(db, panel)))
    given = give(db, version, panel, third, leaving=second)
    assert (given.rep, hosts(db, given)) == (panel.rep, {panel.rep, third})
    assert counts(db, version) == {panel.rep: 1, third: 1}
    with db.reading() as tx:
        kinds = [(row.rep, row.kind) for row in ledger.of_meeting(tx, panel.id)]
    assert [kind for rep, kind in kinds if rep == panel.rep] == [ledger.ASSIGNED]  # who stays keeps the turn
    board = book(NINE + 24 * HOUR, meeting="board", who=BOB)
    with pytest.raises(Conflict, match="takes part"):
        give(db, version, board, "margaret")


def test_somebody_taken_off_the_team_gives_the_meeting_on(db, version, book, apply):
    meeting = book()
    later = apply(team=WITHOUT_GRACE.replace("  - {id: grace", "  - {id: gone"))
    given = give(db, later, meeting)
    assert given.rep in ("linus", "margaret")
    assert counts(db, later) == {given.rep: 1}


def test_a_hold_that_expired_is_no_reason_against_a_colleague(db, version, book, monday):
    meeting = book(rep="grace")
    with db.transaction() as tx:
        booking.hold(tx, version, meeting="demo", start=NINE, rep="linus")
    with pytest.raises(Conflict, match="held for another visitor"):
        give(db, version, meeting, "linus")
    monday.advance(timedelta(minutes=6))
    assert give(db, version, meeting, "linus").rep == "linus"
