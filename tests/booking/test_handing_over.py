"""A meeting is given to a colleague at the same time: to whom, once, and what is no reason against it.

That of two who give it away at once one wins is shown on both databases in test_changes.py.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server import events
from server.booking import service as booking
from server.booking.tables import cells
from server.errors import Conflict, Gone, Invalid
from server.outbox import service as outbox
from server.routing import ledger
from tests.booking.conftest import MEETINGS, NINE, TEAM
from tests.booking.test_changes import BOB, BOSS, HOUR, WITHOUT_GRACE, busy, give, hosts
from tests.booking.test_meetings import counts, event_of, mails


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


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
