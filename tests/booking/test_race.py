"""Many clients in several processes at once: nobody is booked twice, nobody is lost, turns stay fair. With USHER_SOAK=1
the long version: 4 processes of 50 clients, and 50 times kill -9."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import select

from server import clock
from server.booking import service as booking
from server.booking.tables import cells, meeting_hosts, meetings
from server.config import service as config
from server.outbox import service as outbox
from server.routing import ledger
from server.routing import service as routing
from tests.booking import race
from tests.booking.conftest import SECTIONS

SOAK = os.environ.get("USHER_SOAK") == "1"
PROCESSES, THREADS, ATTEMPTS = (4, 50, 10) if SOAK else (2, 10, 4)
KILLS = 50 if SOAK else 3


@pytest.fixture
def acme(db):
    return config.apply(db, race.FILES, author="test", sections=SECTIONS)


def compete(url, work, threads=THREADS, processes=PROCESSES):
    """What all clients saw, counted."""
    spawn = multiprocessing.get_context("spawn")
    barrier, out = spawn.Barrier(processes), spawn.Queue()
    running = [
        spawn.Process(target=work, args=(url, number, threads, ATTEMPTS, barrier, out)) for number in range(processes)
    ]
    for one in running:
        one.start()
    seen = sum((out.get(timeout=300) for _ in running), Counter())
    for one in running:
        one.join()
    return seen


def check_the_books(db):
    """No two meetings of a rep touch each other's time; cells are exactly those of the meetings that stand."""
    with db.reading() as tx:
        hosts = tx.execute(select(meeting_hosts).where(meeting_hosts.c.blocks)).all()
        taken = Counter((row.rep, row.cell, row.meeting_id) for row in tx.execute(select(cells)))
        standing = {row.id for row in tx.execute(select(meetings)) if row.status in (*booking.AHEAD, booking.HELD)}
    by_rep = defaultdict(list)
    expected = Counter()
    for row in hosts:
        assert row.meeting_id in standing
        by_rep[row.rep].append((row.busy_from, row.busy_until))
        first, last = (int(moment.timestamp()) // 300 for moment in (row.busy_from, row.busy_until))
        expected.update((row.rep, cell, row.meeting_id) for cell in range(first, last))
    for spans in by_rep.values():
        spans.sort()
        assert all(first[1] <= second[0] for first, second in zip(spans, spans[1:], strict=False))
    assert taken == expected
    return len(hosts)


def turns(db, version, pool):
    with db.reading() as tx:
        return ledger.tally(tx, version.site_id, routing.pool_of(version, pool), clock.now()).counts


def test_a_crowd_that_holds_books_moves_and_cancels_never_books_a_rep_twice(db, database_url, acme):
    since = time.monotonic()
    seen = compete(database_url, race.mixed)
    print(f"{sum(seen.values()) / (time.monotonic() - since):.0f} attempts/s {dict(seen)}")
    known = {"refused with alternatives", "refused", "expired", "cancelled", "moved", "not moved", "booked"}
    assert set(seen) <= known
    assert sum(seen.values()) == PROCESSES * THREADS * ATTEMPTS
    assert check_the_books(db) >= len(race.REPS)
    with db.reading() as tx:
        standing = Counter(row.pool for row in tx.execute(select(meetings)) if row.status != booking.CANCELLED)
    for pool in ("all", "some"):
        assert sum(turns(db, acme, pool).values()) == standing[pool]


def test_of_a_crowd_that_wants_one_time_exactly_as_many_get_it_as_there_are_reps(db, database_url, acme):
    seen = compete(database_url, race.same_slot)
    assert seen == {"booked": 4, "refused with alternatives": PROCESSES * THREADS - 4}
    check_the_books(db)


def test_one_visitor_in_many_tabs_books_one_meeting(db, database_url, acme):
    seen = compete(database_url, race.one_visitor, threads=5)
    assert len(seen) == 1
    assert check_the_books(db) == 1


def test_turns_given_at_the_same_moment_are_fair(db, database_url, acme):
    seen = compete(database_url, race.own_slots, threads=10)
    assert set(seen) == set(race.REPS)
    assert max(seen.values()) - min(seen.values()) <= 1


def test_a_killed_process_leaves_no_half_meeting(db, database_url, acme):
    chance = random.Random(7)
    for _ in range(KILLS):
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.booking.race", database_url], stdout=subprocess.PIPE, text=True
        )
        for _ in range(chance.randint(1, 9)):
            assert running.stdout.readline()
        for _ in range(chance.randint(0, 400_000)):  # into the middle of the next one
            pass
        running.kill()
        running.wait()
        running.stdout.close()
    with db.transaction() as tx:
        booking.release_expired(tx, clock.now() + timedelta(minutes=6))
    check_the_books(db)
    with db.reading() as tx:
        found = tx.execute(select(meetings)).all()
        assert found
        for meeting in found:
            assert meeting.status != booking.HELD
            assert {one.kind for one in outbox.of_subject(tx, "meeting", meeting.id)} == {"calendar", "crm", "notify"}
