"""Calendars are locked in one order, also those that nobody has locked before: PostgreSQL ends one of two that wait for
each other, and a visitor would see an error."""

from __future__ import annotations

import threading
import time

from sqlalchemy import text

from server.booking import store

SITE = "sit_locks"


def test_who_locks_a_new_calendar_holds_no_other_one_while_it_is_being_made(db):
    with db.transaction() as tx:
        store.lock_calendars(tx, SITE, ["grace"])
    done = threading.Event()

    def both() -> None:
        with db.transaction() as tx:
            store.lock_calendars(tx, SITE, ["grace", "ada"])
        done.set()

    other = threading.Thread(target=both)
    with db.transaction() as tx:
        store.lock_calendars(tx, SITE, ["ada"])
        other.start()
        if tx.dialect.name == "postgresql":  # on SQLite it waits for the whole file
            _until_somebody_waits(db)
        store.lock_calendars(tx, SITE, ["ada", "grace"])
    other.join(30)
    assert done.is_set()


def _until_somebody_waits(db) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with db.reading() as tx:
            if tx.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar():
                return
    raise AssertionError("nobody waits")
