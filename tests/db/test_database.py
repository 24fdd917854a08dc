"""What a transaction promises, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, insert, select

from server import events
from server.db import AWAY, Database


def note(tx, subject="one"):
    return events.record(tx, events.LEAD_CREATED, site_id=None, subject=("lead", subject), actor=events.SYSTEM)


def count(db: Database) -> int:
    with db.reading() as tx:
        return tx.execute(select(func.count()).select_from(events.table)).scalar_one()


def test_what_fails_leaves_nothing(db):
    with pytest.raises(RuntimeError), db.transaction() as tx:
        note(tx)
        raise RuntimeError
    assert count(db) == 0


def test_a_look_never_writes(db):
    with db.reading() as tx:
        note(tx)
    assert count(db) == 0


def test_a_refused_statement_in_a_savepoint_leaves_the_rest(db):
    with db.transaction() as tx:
        first = note(tx)
        row = tx.execute(select(events.table)).one()._asdict()
        with pytest.raises(Exception, match=r"(?i)unique"), tx.begin_nested():
            tx.execute(insert(events.table), {**row, "id": first})
        note(tx, "two")
    assert count(db) == 2


def test_two_writers_at_once_take_an_event_once(db):
    with db.transaction() as tx:
        event_id = note(tx)
    start, wins = threading.Barrier(8), []

    def take():
        start.wait()
        with db.transaction() as tx:
            wins.append(events.take(tx, event_id))

    threads = [threading.Thread(target=take) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(wins) == [False] * 7 + [True]


def test_who_waits_too_long_for_other_writers_is_told_that_the_database_does_not_answer(tmp_path):
    hurried = Database(f"sqlite:///{tmp_path}/one.db", patience_seconds=0.01)
    with hurried.transaction(), ThreadPoolExecutor(1) as other:
        waiting = other.submit(lambda: hurried.transaction().__enter__())
        assert isinstance(waiting.exception(), AWAY)
    hurried.close()


def test_times_come_back_aware_and_in_utc(db, monday):
    with db.transaction() as tx:
        note(tx)
    with db.reading() as tx:
        at = tx.execute(select(events.table.c.at)).scalar_one()
    assert at == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert at.utcoffset().total_seconds() == 0
