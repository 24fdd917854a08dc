"""Many clients in several processes at once: nobody is booked twice, nobody is lost, turns stay fair. With USHER_SOAK=1
the long version: 4 processes of 50 clients.

What each test is worth was tried by taking protections out (on PostgreSQL; SQLite's write lock hides a missing lock):
without the locks nothing overlaps, but of a crowd that wants one time 3 get one instead of 10, and turns are uneven;
without the cells every `check_cells` is red; without the check times that reps keep free are booked; without locks and
cells the first test finds overlaps, and 20 of 20 get one of 10 places, 103 one of 50.
"""

from __future__ import annotations

import os

import pytest

from server.config import service as config
from tests.booking import books, race
from tests.booking.conftest import SECTIONS

SOAK = os.environ.get("USHER_SOAK") == "1"
MANY = {"processes": 4, "threads": 50} if SOAK else {"processes": 2, "threads": 10}
ATTEMPTS = 10 if SOAK else 3
CLIENTS = MANY["processes"] * MANY["threads"]
ENDS = {
    "booked", "moved", "not moved, other times", "cancelled", "expired", "given away", "not given away", "kept free",
    "kept the first", "refused with other times",
}  # fmt: skip

pytestmark = pytest.mark.long


@pytest.fixture
def acme(db):
    return config.apply(db, race.FILES, author="test", sections=SECTIONS)


def test_a_crowd_that_holds_books_moves_and_cancels_never_books_a_rep_twice(db, database_url, acme):
    seen = race.compete(database_url, race.mixed, **MANY, attempts=ATTEMPTS)
    print(seen.told())
    assert set(seen.answers) <= ENDS
    assert sum(seen.answers.values()) == CLIENTS * ATTEMPTS
    assert books.check(db) >= len(race.REPS)


def test_of_a_crowd_that_wants_one_time_exactly_as_many_get_it_as_there_are_reps(db, database_url, acme):
    seen = race.compete(database_url, race.same_slot, **MANY)
    assert seen.answers == {"booked": len(race.REPS), "refused with other times": CLIENTS - len(race.REPS)}
    assert books.check(db) == len(race.REPS)


def test_a_crowd_fills_a_morning_to_the_last_hour_and_is_then_told_that_it_is_full(db, database_url, acme):
    seen = race.compete(database_url, race.morning, **MANY, attempts=200)
    print(seen.told())
    assert set(seen.answers) <= {"booked", "other times", "full"}
    assert (seen.answers["booked"], seen.answers["full"]) == (5 * len(race.REPS), CLIENTS)
    assert books.check(db) == 5 * len(race.REPS)


def test_one_visitor_in_many_tabs_books_one_meeting(db, database_url, acme):
    seen = race.compete(database_url, race.one_visitor, processes=2, threads=5)
    assert len(seen.answers) == 1
    assert books.check(db) == 1


def test_one_request_that_is_sent_again_and_again_has_one_answer_also_while_the_first_is_on_its_way(
    db, database_url, acme
):
    seen = race.compete(database_url, race.one_request, **MANY)
    assert list(seen.answers.values()) == [CLIENTS]
    assert books.check(db) == 1


def test_turns_given_at_the_same_moment_are_fair(db, database_url, acme):
    seen = race.compete(database_url, race.own_slots, processes=2, threads=15)
    assert seen.answers == dict.fromkeys(race.REPS, 3)
