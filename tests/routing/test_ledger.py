"""The account of turns: added to, never changed; exact; in the pool's period and on its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server import clock, ids
from server.errors import Invalid, NotFound
from server.events import BOT
from server.routing import ledger
from server.routing import service as routing
from server.routing.pick import Candidate, Given, Policy, Tally, choose, tally
from server.routing.tables import credit_ledger
from server.routing.team import Pool


def give(db, version, rep, pool="enterprise", meeting=None):
    meeting = meeting or ids.new_id("meeting")
    with db.transaction() as tx:
        ledger.give(tx, version.site_id, routing.pool_of(version, pool), rep, meeting, by=BOT, trace={"why": "test"})
    return meeting


def counts(db, version, pool="enterprise"):
    with db.reading() as tx:
        return ledger.tally(tx, version.site_id, routing.pool_of(version, pool), clock.now()).counts


def picked(db, version, free, pool="enterprise"):
    with db.transaction() as tx:
        return routing.pick(tx, version, pool, free).rep


def test_turns_alternate_and_a_credit_gives_one_back_once(db, version):
    first = give(db, version, "grace")
    assert picked(db, version, ["grace", "linus"]) == "linus"
    give(db, version, "linus")
    with db.transaction() as tx:
        assert ledger.credit(tx, first, ledger.CANCELLED, by=BOT, reason="no budget")
        assert not ledger.credit(tx, first, ledger.NO_SHOW, by=BOT, reason="")
    assert counts(db, version) == {"grace": 0, "linus": 1}
    assert picked(db, version, ["grace", "linus"]) == "grace"


def test_nothing_is_ever_changed_in_the_ledger(db, version):
    meeting = give(db, version, "grace")
    with db.transaction() as tx:
        ledger.move(
            tx,
            version.site_id,
            routing.pool_of(version, "enterprise"),
            meeting,
            ["linus"],
            by=BOT,
            reason="ill",
            trace={},
        )
        ledger.credit(tx, meeting, ledger.CANCELLED, by=BOT, reason="no budget")
        history = [(row.kind, row.rep, row.amount) for row in ledger.of_meeting(tx, meeting)]
    assert history == [
        ("assigned", "grace", "1"), ("reassigned_away", "grace", "-1"), ("reassigned_to", "linus", "1"),
        ("cancelled", "linus", "-1"),
    ]  # fmt: skip


def test_a_credit_counts_in_the_period_in_which_the_turn_was_given(db, version, monday):
    meeting = give(db, version, "grace")
    monday.advance(timedelta(days=40))
    give(db, version, "grace")
    with db.transaction() as tx:
        ledger.credit(tx, meeting, ledger.NO_SHOW, by=BOT, reason="")
    assert counts(db, version) == {"grace": 1}


def test_a_released_hold_was_never_a_turn(db, version):
    meeting = give(db, version, "grace")
    with db.transaction() as tx:
        ledger.release(tx, meeting, by=BOT, reason="expired")
        standing = ledger.tally(tx, version.site_id, routing.pool_of(version, "enterprise"), clock.now())
    assert (standing.counts, standing.last_at) == ({"grace": 0}, {})


def test_calibration_is_exact_and_needs_a_member_a_number_and_a_reason(db, version):
    pool = routing.pool_of(version, "enterprise")
    with db.transaction() as tx:
        ledger.calibrate(tx, version.site_id, pool, "grace", "1/3", by=BOT, reason="joined late")
        ledger.calibrate(tx, version.site_id, pool, "grace", "2/3", by=BOT, reason="joined late")
    assert counts(db, version) == {"grace": 1}
    for rep, amount, reason in (("joan", "1", "x"), ("grace", "one", "x"), ("grace", "1/0", "x"), ("grace", "1", "")):
        with pytest.raises(Invalid), db.transaction() as tx:
            ledger.calibrate(tx, version.site_id, pool, rep, amount, by=BOT, reason=reason)


def test_pools_may_share_one_account(db, version):
    give(db, version, "linus", "shared")
    assert counts(db, version, "sharing") == {"linus": 1}
    assert picked(db, version, ["linus", "grace"], "sharing") == "grace"


def test_weights_of_the_pool_and_reps_who_left_count(db, version):
    turns = []
    for _ in range(6):
        turns.append(picked(db, version, ["grace", "linus", "gone"], "weekly"))
        give(db, version, turns[-1], "weekly")
    assert sorted(turns) == ["grace"] * 4 + ["linus"] * 2


def test_who_is_too_far_ahead_is_not_asked(db, version):
    for _ in range(3):
        give(db, version, "grace")
    with db.transaction() as tx:
        assert routing.who_may(tx, version, "enterprise") == ["linus"]
        assert routing.pick(tx, version, "enterprise", ["grace"]).rep is None


def test_the_next_turns_can_be_foretold_without_giving_them(db, version):
    with db.transaction() as tx:
        foretold = [pick.rep for pick in routing.simulate(tx, version, "enterprise", ["grace", "linus"], 4)]
        assert tx.execute(select(credit_ledger)).all() == []
    assert foretold == ["grace", "linus", "grace", "linus"]
    with pytest.raises(NotFound), db.reading() as tx:
        routing.simulate(tx, version, "none", [], 1)


@pytest.mark.parametrize(
    ("period", "zone", "at", "start"),
    [
        ("month", "Europe/Berlin", "2026-03-31T22:30:00+00:00", "2026-03-31T22:00:00+00:00"),  # already April there
        ("month", "UTC", "2026-03-31T22:30:00+00:00", "2026-03-01T00:00:00+00:00"),
        ("week", "America/New_York", "2026-03-09T03:30:00+00:00", "2026-03-02T05:00:00+00:00"),  # still Sunday there
        ("week", "America/New_York", "2026-03-09T04:30:00+00:00", "2026-03-09T04:00:00+00:00"),
        ("quarter", "UTC", "2026-05-09T00:00:00+00:00", "2026-04-01T00:00:00+00:00"),
        # the clock springs from 24:00 to 01:00: that day begins at one
        ("day", "America/Santiago", "2026-09-06T12:00:00+00:00", "2026-09-06T04:00:00+00:00"),
        ("day", "America/Havana", "2026-11-01T05:30:00+00:00", "2026-11-01T04:00:00+00:00"),  # midnight comes twice
        (
            "month",
            "Europe/Berlin",
            "2026-03-31T21:59:00+00:00",
            "2026-02-28T23:00:00+00:00",
        ),  # 23:59, summer time since
        ("week", "Europe/Berlin", "2026-03-30T08:00:00+00:00", "2026-03-29T22:00:00+00:00"),  # the day after the change
        ("quarter", "Australia/Lord_Howe", "2026-06-30T13:29:00+00:00", "2026-03-31T13:00:00+00:00"),
        ("day", "Asia/Kathmandu", "2026-05-09T18:15:00+00:00", "2026-05-09T18:15:00+00:00"),
        ("rolling", "UTC", "2026-05-09T10:00:00+00:00", "2026-04-09T10:00:00+00:00"),
    ],
)
def test_a_period_begins_on_the_clock_of_the_pool(period, zone, at, start):
    pool = Pool(id="p", members=["a"], period=period, zone=zone)
    assert ledger.period_start(pool, datetime.fromisoformat(at)) == datetime.fromisoformat(start)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["booked", "cancelled", "no_show"])), max_size=12))
def test_replaying_the_meetings_gives_the_same_picks(history):
    """A tally kept step by step and one counted afresh from all meetings lead to the same next rep."""
    reps = [Candidate(one, True) for one in "abc"]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    given_so_far, kept = [], Tally({})
    for number, (rep, status) in enumerate(history):
        at = start + timedelta(hours=number)
        given_so_far.append(Given(rep, at, status))
        kept = kept.plus(rep, at)
        if status != "booked":
            kept = Tally({**kept.counts, rep: kept.counts[rep] - Fraction(1)}, kept.last_at)
        afresh = tally(Policy(), start, start + timedelta(days=31), reps, given_so_far)
        assert choose(Policy(), reps, kept).rep == choose(Policy(), reps, afresh).rep


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer: this cannot happen
def test_a_turn_that_comes_back_while_somebody_is_picked_counts_at_the_next_pick_only(db, version):
    meeting, pool = give(db, version, "grace"), routing.pool_of(version, "enterprise")
    with db.transaction() as tx:
        first = ledger.lock(tx, version.site_id, pool)
        with db.transaction() as other:
            ledger.credit(other, meeting, ledger.CANCELLED, by=BOT, reason="")
        seen = ledger.tally(tx, version.site_id, pool, clock.now(), placed=True).counts
    with db.transaction() as tx:
        assert ledger.lock(tx, version.site_id, pool) == first + 1
        seen_later = ledger.tally(tx, version.site_id, pool, clock.now(), placed=True).counts
    assert (seen, seen_later) == ({"grace": 1}, {"grace": 0})
