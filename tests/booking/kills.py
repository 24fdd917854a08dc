"""Processes that are killed between any two statements, or at any moment: run as a process of its own by test_kills.py.

Each child does one thing that people or the timetable do, and ends by SIGKILL: half of them after a number of
statements, so that every gap is hit, half after some milliseconds, so that the inside of a statement is.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import event, select, update

from server import clock
from server.booking import service as booking
from server.booking.tables import meetings
from server.db import Database
from server.errors import UsherError
from server.events import Actor
from server.worker import Worker
from tests.booking import race
from tests.booking.race import FIRST, QUARTER, VISITOR

REP = Actor("rep", "rep0")
MOST_STATEMENTS, LONGEST_SECONDS = 45, 0.08


def main() -> None:
    """`kills.py URL COUNT SEED`: so many children, one after the other."""
    url, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    names = list(DEEDS)
    for number in range(count):
        child = os.fork()
        if child == 0:
            _live(url, names[number % len(names)], random.Random(seed + number), number)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"a child that was to {names[number % len(names)]} ended by itself: {status}")


def _live(url: str, name: str, chance: random.Random, number: int) -> None:
    db, version = race.open_database(url)
    meeting = _prepared(db, version, name, chance, number)
    if chance.random() < 0.5:
        _die_after_statements(db, chance.randrange(1, MOST_STATEMENTS))
    else:
        threading.Thread(target=_die_after, args=(chance.random() * LONGEST_SECONDS,), daemon=True).start()
    with contextlib.suppress(UsherError):  # refused: then it dies idle
        DEEDS[name](db, version, meeting, chance)
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_after(seconds: float) -> None:
    time.sleep(seconds)
    _die()


def _die_after_statements(db: Database, left: int) -> None:
    """Before that statement is sent; commits and rollbacks count as statements."""

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            _die()

    for what in ("before_cursor_execute", "commit", "rollback"):
        event.listen(db.engine, what, count)


def _prepared(db: Database, version: Any, name: str, chance: random.Random, number: int) -> Any:
    """The hold or the meeting that it is about; None for what needs none."""
    if name in ("hold", "deliver"):
        return None
    for _ in range(20):
        try:
            held = race.hold(db, version, _start(chance), {"meeting": chance.choice(list(race.MIXED))})
            break
        except booking.SlotTaken:
            continue
    if name == "release":
        with db.transaction() as tx:
            past = clock.now() - timedelta(seconds=1)
            tx.execute(update(meetings).where(meetings.c.id == held.id).values(held_until=past))
    elif name != "confirm":
        _confirm(db, version, held, chance)
    return held


def _start(chance: random.Random) -> Any:
    return FIRST + timedelta(days=chance.randrange(5)) + QUARTER * chance.randrange(race.STARTS)


def _hold(db: Database, version: Any, _: Any, chance: random.Random) -> None:
    race.hold(db, version, _start(chance), {"meeting": chance.choice(list(race.MIXED))})


def _confirm(db: Database, version: Any, held: Any, chance: random.Random) -> None:
    with db.transaction() as tx:
        booking.confirm(tx, version, held.id, name="Ada", email=f"{held.id}@x.example")


def _move(db: Database, version: Any, meeting: Any, chance: random.Random) -> None:
    with db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, _start(chance), by=VISITOR)


def _cancel(db: Database, version: Any, meeting: Any, chance: random.Random) -> None:
    with db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=VISITOR)


def _give_away(db: Database, version: Any, meeting: Any, chance: random.Random) -> None:
    with db.transaction() as tx:
        booking.reassign(tx, version, meeting.id, None, by=REP, reason="ill")


def _release(db: Database, version: Any, held: Any, chance: random.Random) -> None:
    with db.transaction() as tx:
        booking.release_expired(tx, clock.now())


def _deliver(db: Database, version: Any, _: Any, chance: random.Random) -> None:
    """A worker with the built-in calendar and CRM, and mails as files."""
    with db.reading() as tx:
        assert tx.execute(select(meetings.c.id).limit(1)).first()
    Worker(db).round()


DEEDS: dict[str, Callable[[Database, Any, Any, random.Random], None]] = {
    "confirm": _confirm,
    "hold": _hold,
    "move": _move,
    "cancel": _cancel,
    "deliver": _deliver,
    "give away": _give_away,
    "release": _release,
}

if __name__ == "__main__":
    main()
