"""Many at once, in several processes, on both databases: turns stay fair and follow from the ledger alone. With
USHER_SOAK=1 the long version: 4 processes of 13 clients, five rounds each."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest

from server import clock, ids
from server.booking import service as booking
from server.config import service as config
from server.errors import Conflict, Gone, SlotTaken
from server.events import BOT, Actor
from server.routing import ledger
from server.routing import service as routing
from server.sections import SECTIONS
from tests.booking import race

SOAK = os.environ.get("USHER_SOAK") == "1"
PROCESSES, THREADS, ATTEMPTS = (4, 13, 5) if SOAK else (2, 5, 2)
REPS = ["ann", "bob", "cyd", "dee"]
USER, VISITOR = Actor("user", "usr_1", "Ann"), Actor("visitor")
TEAM = "reps:\n" + "".join(
    f"  - {{id: {rep}, name: {rep}, email: {rep}@acme.example, zone: UTC,"
    ' hours: [{days: [mon, tue, wed, thu, fri, sat, sun], start: "09:00", end: "14:00"}]}\n'
    for rep in REPS
)
FILES = {
    "site.yml": race.SITE,
    "team.yml": TEAM + f"pools: [{{id: all, members: [{', '.join(REPS)}], credit: {{disqualified: true}}}},\n"
    f"  {{id: strict, members: [{', '.join(REPS)}], policy: strict}}]\n",
    "meetings.yml": """\
meetings:
  - {id: talk, name: Talk, duration_minutes: 15, notice_minutes: 0, pool: all}
  - {id: turn, name: Turn, duration_minutes: 15, notice_minutes: 0, pool: strict}
""",
}
THREE = FILES | {"team.yml": FILES["team.yml"].replace(", dee]", "]", 1)}


@pytest.fixture
def acme(db):
    return config.apply(db, FILES, author="test", sections=SECTIONS)


def own_start(number, attempt):
    """A start that nobody else wants, at which everybody is free."""
    place = number * ATTEMPTS + attempt
    return race.FIRST + timedelta(days=place // 20, minutes=15 * (place % 20))


def book(db, version, start, number, meeting="talk"):
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting=meeting, start=start)
    with db.transaction() as tx:
        return booking.confirm(tx, version, held.id, name="Ada", email=f"{number}-{start:%d%H%M}@x.example")


def booker(db, version, number, attempts, try_it):
    """Books times of its own, one after the other."""
    for attempt in range(attempts):
        try_it(lambda start=attempt: book(db, version, own_start(number, start), number).rep)


def in_turn(db, version, number, attempts, try_it):
    """Books times of its own in the pool in which only the next in turn is asked."""
    for attempt in range(attempts):
        try_it(lambda start=attempt: book(db, version, own_start(number, start), number, "turn").rep)


def meddler(db, version, number, attempts, try_it):
    """Books, and then somebody cancels, hands over, calibrates, disqualifies or changes the team."""
    chance = random.Random(number)

    def attempt(start):
        meeting, fate = book(db, version, start, number), chance.random()
        try:
            with db.transaction() as tx:
                if fate < 0.35:
                    booking.cancel(tx, version, meeting.id, by=VISITOR)
                elif fate < 0.5:
                    booking.reassign(tx, version, meeting.id, None, by=USER, reason="ill")
                elif fate < 0.6:
                    booking.credit_disqualified(tx, version, meeting.lead_id, by=USER, reason="no fit")
                elif fate < 0.7:
                    routing.calibrate(tx, version, "all", chance.choice(REPS[:3]), "1/2", by=USER, reason="by hand")
        except (Conflict, Gone, SlotTaken) as refused:
            return type(refused).__name__
        if fate > 0.9:
            config.apply(db, chance.choice([FILES, THREE]), author="test", sections=SECTIONS)
        return "done"

    for one in range(attempts):
        try_it(lambda start=one: attempt(own_start(number, start)))


def check_that_all_picks_can_be_made_again(db, version, at_least):
    with db.transaction() as tx:
        ledger.lock(tx, version.site_id, routing.pool_of(version, "all"))
    with db.reading() as tx:
        replayed = routing.replay(tx, version.site_id, routing.pool_of(version, "all"))
    assert replayed.picks >= at_least
    assert replayed.differences == []


def test_of_bookings_at_the_same_moment_everybody_gets_the_same_number(db, database_url, acme):
    seen = race.compete(database_url, booker, processes=PROCESSES, threads=THREADS, attempts=ATTEMPTS)
    assert set(seen.answers) == set(REPS)
    assert sum(seen.answers.values()) == PROCESSES * THREADS * ATTEMPTS
    assert max(seen.answers.values()) - min(seen.answers.values()) <= 1
    check_that_all_picks_can_be_made_again(db, acme, PROCESSES * THREADS * ATTEMPTS)


def test_in_a_strict_pool_nobody_is_refused_because_another_was_quicker(db, database_url, acme):
    seen = race.compete(database_url, in_turn, processes=PROCESSES, threads=THREADS)
    assert set(seen.answers) == set(REPS)
    assert max(seen.answers.values()) - min(seen.answers.values()) <= 1


def test_whatever_else_happens_meanwhile_turns_follow_from_the_ledger_and_soon_are_even(db, database_url, acme):
    seen = race.compete(database_url, meddler, processes=PROCESSES, threads=THREADS, attempts=ATTEMPTS)
    assert set(seen.answers) <= {"done", "Conflict", "Gone", "SlotTaken"}
    version = config.apply(db, FILES, author="test", sections=SECTIONS)
    pool = routing.pool_of(version, "all")
    for _ in range(len(REPS) * PROCESSES * THREADS * ATTEMPTS):
        with db.transaction() as tx:
            picked = routing.pick(tx, version, "all", REPS)
            trace = routing.pick_trace("all", picked)
            ledger.give(tx, version.site_id, pool, picked.rep, ids.new_id("meeting"), by=BOT, trace=trace)
            had = [share.count for share in routing.rotation(tx, version, "all", 1).shares]
        if max(had) - min(had) <= 1:
            break
    assert max(had) - min(had) <= 1
    with db.reading() as tx:
        counted = ledger.tally(tx, version.site_id, pool, clock.now()).counts
    assert {rep: counted[rep] for rep in REPS} == dict(zip(REPS, had, strict=True))
    check_that_all_picks_can_be_made_again(db, version, PROCESSES * THREADS * ATTEMPTS)
