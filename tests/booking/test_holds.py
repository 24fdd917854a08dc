"""A time is held for one visitor, with one rep, for five minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server import clock, events
from server.booking import service as booking
from server.booking.tables import cells, meeting_hosts, meetings
from server.errors import Conflict, Invalid, NotFound, SlotTaken
from server.routing import ledger
from server.routing import service as routing
from tests.booking.conftest import NINE

HALF = timedelta(minutes=30)


def open_starts(db, version, meeting="demo", **more):
    with db.reading() as tx:
        found = booking.slots(
            tx, version, meeting=meeting, start=NINE - HALF, end=NINE + timedelta(hours=4), zone="UTC", **more
        )
    return [(start - NINE) // timedelta(minutes=1) for start in found.starts]


def hold(db, version, start=NINE, meeting="demo", **more):
    with db.transaction() as tx:
        return booking.hold(tx, version, meeting=meeting, start=start, **more)


def counts(db, version, pool="sales"):
    with db.reading() as tx:
        found = ledger.tally(tx, version.site_id, routing.pool_of(version, pool), clock.now()).counts
    return {rep: int(count) for rep, count in found.items() if count}


def test_a_time_stays_open_until_every_rep_of_the_pool_has_it(db, version):
    reps = []
    for _ in range(3):
        assert 0 in open_starts(db, version)
        reps.append(hold(db, version).rep)
    assert sorted(reps) == ["grace", "linus", "margaret"]
    assert 0 not in open_starts(db, version)
    with pytest.raises(SlotTaken) as refusal:
        hold(db, version)
    assert [(one - NINE) // timedelta(minutes=1) for one in refusal.value.alternatives] == [60, 90, 120]
    assert refusal.value.as_json()["error"]["alternatives"][0] == "2026-03-03T09:00:00Z"


def test_buffer_of_a_meeting_keeps_the_time_after_it_free(db, version):
    hold(db, version, rep="grace")
    assert open_starts(db, version, reps=["grace"]) == [60, 90, 120, 150]


def test_a_hold_ends_after_five_minutes_and_gives_the_turn_back(db, version, monday):
    held = hold(db, version, rep=None)
    assert counts(db, version) == {held.rep: 1}
    monday.advance(timedelta(minutes=5))
    assert open_starts(db, version, reps=[held.rep])[0] == 0
    with db.transaction() as tx:
        assert booking.release_expired(tx, clock.now()) == 1
        assert booking.release_expired(tx, clock.now()) == 0
        assert tx.execute(select(cells)).all() == []
        assert tx.execute(select(meeting_hosts)).all() == []
        names = [event.name for event in events.of_subject(tx, "meeting", held.id)]
    assert names == [events.MEETING_HELD, events.MEETING_RELEASED]
    assert counts(db, version) == {}


def test_an_expired_hold_that_nobody_cleared_away_stands_in_nobodys_way(db, version, monday):
    for _ in range(3):
        hold(db, version)
    monday.advance(timedelta(minutes=6))
    assert hold(db, version).rep == "grace"
    assert counts(db, version) == {"grace": 1}


def test_an_expired_hold_with_several_hosts_stands_in_nobodys_way_either(db, version, monday):
    held = hold(db, version, meeting="board")
    (colleague,) = {"grace", "linus"} - {held.rep}
    monday.advance(timedelta(minutes=6))
    assert hold(db, version, meeting="deep-dive", rep=colleague).rep == colleague


def test_the_same_key_gives_the_same_hold_and_another_time_under_it_is_refused(db, version):
    first = hold(db, version, key="tab-1")
    assert hold(db, version, key="tab-1").id == first.id
    with pytest.raises(Conflict, match="used for another time"):
        hold(db, version, NINE + HALF, key="tab-1")


def test_a_key_whose_hold_has_expired_can_hold_again(db, version, monday):
    first = hold(db, version, key="tab-1")
    monday.advance(timedelta(minutes=5))
    again = hold(db, version, key="tab-1")
    assert again.id != first.id
    assert again.held_until == clock.now() + booking.HOLD_FOR


def test_a_conversation_that_chooses_another_time_lets_the_first_one_go(db, version):
    first = hold(db, version, conversation_id="cnv_1")
    assert hold(db, version, conversation_id="cnv_1").id == first.id
    second = hold(db, version, NINE + HALF, conversation_id="cnv_1")
    with db.reading() as tx:
        assert [row.id for row in tx.execute(select(meetings))] == [second.id]
    assert sum(counts(db, version).values()) == 1


def test_a_refused_choice_leaves_the_conversation_its_earlier_hold(db, version):
    first = hold(db, version, conversation_id="cnv_1")
    with pytest.raises(SlotTaken), db.transaction() as tx:
        booking.hold(tx, version, meeting="demo", start=NINE - HALF, conversation_id="cnv_1")
    with db.transaction() as tx:
        with pytest.raises(SlotTaken):
            booking.hold(tx, version, meeting="demo", start=NINE - HALF, conversation_id="cnv_1")
        assert booking.get(tx, first.id).status == booking.HELD


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [(-60, "outside_hours"), (10, "off_grid"), (60 * 24 * 60, "window"), (-60 * 24 * 7, "notice")],
)
def test_what_is_not_listed_is_refused_with_its_reason_and_with_what_is(db, version, minutes, reason):
    with pytest.raises(SlotTaken) as refusal:
        hold(db, version, NINE + timedelta(minutes=minutes))
    assert refusal.value.extra["reason"] == reason
    assert all(hold(db, version, start) for start in refusal.value.alternatives)


def test_malformed_and_foreign_input_is_refused(db, version):
    with pytest.raises(Invalid, match="with Z or an offset"):
        hold(db, version, NINE.replace(tzinfo=None))
    with pytest.raises(Invalid, match="whole seconds"):
        hold(db, version, NINE.replace(microsecond=1))
    with pytest.raises(NotFound, match="no meeting lunch"):
        hold(db, version, meeting="lunch")
    with pytest.raises(NotFound, match="no pool ops"):
        hold(db, version, pool="ops")
    with pytest.raises(NotFound, match="no rep nobody"):
        hold(db, version, rep="nobody")


def test_a_collective_meeting_takes_everybodys_time_and_a_panel_takes_two(db, version):
    board = hold(db, version, meeting="board")
    with db.reading() as tx:
        hosts = {row.rep for row in tx.execute(select(meeting_hosts).where(meeting_hosts.c.meeting_id == board.id))}
    assert hosts == {"grace", "linus"}
    assert 0 not in open_starts(db, version, "board")
    assert 0 not in open_starts(db, version, "panel")
    assert 0 in open_starts(db, version)
    panel = hold(db, version, NINE + timedelta(hours=1), meeting="panel")
    with db.reading() as tx:
        found = tx.execute(select(meeting_hosts).where(meeting_hosts.c.meeting_id == panel.id)).all()
    assert len(found) == 2
    assert counts(db, version) == {row.rep: 1 for row in found}


def test_the_turns_go_round_and_the_diary_says_why(db, version):
    reps = [hold(db, version, NINE + HALF * number, key=str(number)).rep for number in (0, 2, 4)]
    assert sorted(reps) == ["grace", "linus", "margaret"]
    with db.reading() as tx:
        held = tx.execute(select(meetings).where(meetings.c.rep == reps[1])).one()
        trace = events.of_subject(tx, "meeting", held.id)[0].trace
    assert trace["chosen"] == reps[1]
    assert {one["name"]: one["answer"] for one in trace["looked_at"]}[reps[0]] == "no"
    assert all(one["because"] for one in trace["looked_at"])


def test_limits_of_a_rep_count_holds_and_meetings(db, version):
    assert open_starts(db, version, reps=["joan"]) == [0, 30, 60, 90, 120, 150]
    hold(db, version, rep="joan")
    assert open_starts(db, version, reps=["joan"]) == []
    with pytest.raises(SlotTaken) as refusal:
        hold(db, version, NINE + HALF * 4, rep="joan")
    assert refusal.value.extra["reason"] == "limit"


def test_own_time_blocks_are_kept_free(db, version):
    with db.transaction() as tx:
        block = booking.add_block(
            tx, version.site_id, "grace", NINE, NINE + HALF * 3, title="Dentist", created_by="usr_1"
        )
    assert open_starts(db, version, reps=["grace"]) == [90, 120, 150]
    with db.reading() as tx:
        told = booking.why_not(tx, version, booking.ask(tx, version, "demo", None, ["grace"]), NINE)
    assert (told["grace"].answer, told["grace"].because[:7]) == ("busy", "Dentist")
    with db.transaction() as tx:
        booking.remove_own_time(tx, version.site_id, "grace", block)
    assert open_starts(db, version, reps=["grace"])[0] == 0
    with pytest.raises(NotFound), db.transaction() as tx:
        booking.remove_own_time(tx, version.site_id, "linus", block)


def test_cells_refuse_an_overlap_even_when_the_check_is_passed_by(db, version):
    hold(db, version, rep="grace")
    with pytest.raises(Exception, match="(?i)unique|duplicate"), db.transaction() as tx:
        site = {"site_id": version.site_id, "rep": "grace", "meeting_id": "mtg_other"}
        tx.execute(cells.insert(), [{**site, "cell": int(NINE.timestamp()) // 300 + 8}])


@pytest.mark.parametrize("undo", ["cancel", "reschedule"])
def test_a_time_chosen_again_in_a_chat_after_its_meeting_was_called_off_or_moved_is_held_anew(db, version, book, undo):
    first = book(conversation_id="cnv_1")
    with db.transaction() as tx:
        more = {"start": NINE + timedelta(hours=1)} if undo == "reschedule" else {}
        getattr(booking, undo)(tx, version, first.id, by=events.Actor("visitor"), **more)
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE, conversation_id="cnv_1")
    assert (held.status, held.start_at) == (booking.HELD, NINE)
    assert held.id != first.id
