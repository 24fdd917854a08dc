"""When a turn comes back: cancelled (by whom, how late), missed, with a lead that is no fit; once, in its period."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server import clock, events
from server.booking import service as booking
from server.events import Actor
from server.leads import service as leads
from server.reactions import REACTIONS
from server.routing import ledger
from server.routing import service as routing
from tests.booking.conftest import ADA, NINE, TEAM

STRICT = "credit: {late_cancel_minutes: 1440, no_show: false}"


@pytest.fixture
def counted(db):
    """How many turns count for a pool in the period of `at`."""

    def count(version, pool="late", at=None):
        with db.reading() as tx:
            found = ledger.tally(tx, version.site_id, routing.pool_of(version, pool), at or clock.now())
        return sum(found.counts.values())

    return count


def cancel(db, version, meeting, by):
    with db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=Actor(by, "x"))


def disqualify(db, meeting):
    """As the console does, and then the worker."""
    with db.transaction() as tx:
        leads.disqualify(tx, meeting.lead_id, reason="too small", actor=Actor("user", "usr_1", "Ann"))
        (event,) = [one for one in events.of_subject(tx, "lead", meeting.lead_id) if "disqualified" in one.name]
    for _ in range(2):  # reactions run at least once
        for reaction in REACTIONS[events.LEAD_DISQUALIFIED]:
            with db.transaction() as tx:
                reaction(tx, event)


@pytest.mark.parametrize(("by", "counts"), [("visitor", 1), ("rep", 0), ("user", 0), ("calendar", 0), ("system", 0)])
def test_less_than_a_day_before_only_the_visitor_costs_the_rep_the_turn(db, version, book, monday, counted, by, counts):
    meeting = book(pool="late")
    monday.advance(timedelta(hours=12))
    cancel(db, version, meeting, by)
    assert counted(version) == counts


def test_exactly_a_day_before_is_not_late(db, version, book, monday, counted):
    meeting = book(pool="late", start=NINE + timedelta(days=1))
    monday.advance(NINE - clock.now())
    cancel(db, version, meeting, "visitor")
    assert counted(version) == 0


def test_a_no_show_comes_back_where_the_pool_says_so_and_in_the_month_in_which_it_was_given(
    db, version, book, monday, counted
):
    monday.advance(timedelta(days=29))
    given = clock.now()
    missed, kept = book(start=NINE + timedelta(days=30)), book(start=NINE + timedelta(days=31), pool="late")
    monday.advance(timedelta(days=4))
    for meeting in (missed, kept):
        with db.transaction() as tx:
            booking.mark(tx, version, meeting.id, booking.NO_SHOW, by=Actor("rep", meeting.rep))
    assert (counted(version, "sales", given), counted(version, "late", given)) == (0, 1)
    assert counted(version, "sales") == 0  # nothing of March changes April


def test_a_lead_that_is_no_fit_gives_its_turns_back_where_the_pool_says_so_and_once(db, book, apply, counted):
    version = apply(team=TEAM.replace(STRICT, "credit: {disqualified: true}"))
    here = book(pool="late")
    elsewhere = book(start=NINE + timedelta(days=1))
    assert here.lead_id == elsewhere.lead_id
    disqualify(db, here)
    assert (counted(version, "late"), counted(version, "sales")) == (0, 1)
    with db.reading() as tx:
        (credit,) = [one for one in ledger.of_meeting(tx, here.id) if one.kind == ledger.DISQUALIFIED]
    assert (credit.reason, credit.by_kind, credit.by_id) == ("too small", "user", "usr_1")
    cancel(db, version, here, "rep")
    assert counted(version, "late") == 0
    with db.reading() as tx:
        assert booking.get(tx, elsewhere.id).status == booking.BOOKED


def test_what_was_cancelled_before_does_not_come_back_again_with_the_lead(db, book, apply, counted):
    version = apply(team=TEAM.replace(STRICT, "credit: {disqualified: true}"))
    meeting = book(pool="late", who=ADA)
    cancel(db, version, meeting, "visitor")
    disqualify(db, meeting)
    assert counted(version) == 0
