"""Clients that hold, confirm, move and cancel at the same moment; run in processes of their own by test_race.py."""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from server import clock, ids
from server.booking import service as booking
from server.booking.tables import meetings
from server.config import service as config
from server.db import Database
from server.errors import Conflict, Gone, SlotTaken
from server.events import Actor

VISITOR = Actor("visitor")
TYPES = ("short", "half", "half-buffered", "hour", "hour-buffered")
SITE = """\
key: acme
name: Acme
origins: [http://localhost:8010]
zone: UTC
"""
REPS = [f"rep{number}" for number in range(4)]
TEAM = "reps:\n" + "".join(
    f"  - {{id: {rep}, name: {rep}, email: {rep}@acme.example, zone: UTC,"
    ' hours: [{days: [mon, tue, wed, thu, fri, sat, sun], start: "09:00", end: "14:00"}]}\n'
    for rep in REPS
) + "pools:\n  - {id: all, members: [rep0, rep1, rep2, rep3]}\n  - {id: some, members: [rep1, rep2]}\n"  # fmt: skip
MEETINGS = """\
meetings:
  - {id: short, name: Short, duration_minutes: 15, notice_minutes: 0, pool: all}
  - {id: half, name: Half, duration_minutes: 30, step_minutes: 15, notice_minutes: 0, pool: all}
  - {id: half-buffered, name: Half, duration_minutes: 30, step_minutes: 15, buffer_before_minutes: 15, notice_minutes: 0, pool: some}  # noqa: E501
  - {id: hour, name: Hour, duration_minutes: 60, step_minutes: 15, notice_minutes: 0, pool: some}
  - {id: hour-buffered, name: Hour, duration_minutes: 60, step_minutes: 15, buffer_after_minutes: 15, notice_minutes: 0, pool: all}  # noqa: E501
"""  # noqa: E501
FILES = {"site.yml": SITE, "team.yml": TEAM, "meetings.yml": MEETINGS}


def first_start() -> datetime:
    """09:00 UTC of a day that surely lies ahead."""
    return (datetime.now(UTC) + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)


def open_database(url: str) -> tuple[Database, Any]:
    ids.use_key("a key for tests only")
    db = Database(url)
    return db, config.active(db, "acme")


def at_once(threads: int, work: Any, barrier: Any = None) -> Counter[str]:
    """Run work(number) in threads that start together; what they returned, or the class they raised, counted."""
    seen: Counter[str] = Counter()
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        try:
            result = work(number)
        except Exception as problem:  # noqa: BLE001 (whatever it is, the test must see it)
            result = [f"{type(problem).__name__}: {problem}"[:200]]
        seen.update(result)

    if barrier is not None:
        barrier.wait()
    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return seen


def mixed(url: str, process: int, threads: int, attempts: int, barrier: Any, out: Any) -> None:
    """Each client does a mix of everything; every attempt ends in a meeting or in a refusal with alternatives."""
    db, version = open_database(url)

    def client(number: int) -> list[str]:
        chance = random.Random(process * 1000 + number)
        return [attempt(db, version, chance, f"{process}-{number}-{one}@x.example") for one in range(attempts)]

    out.put(at_once(threads, client, barrier))
    db.close()


def attempt(db: Database, version: Any, chance: random.Random, email: str) -> str:
    start = first_start() + timedelta(minutes=15 * chance.randrange(20))
    try:
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting=chance.choice(TYPES), start=start)
    except SlotTaken as taken:
        return "refused with alternatives" if taken.alternatives else "refused"
    fate = chance.random()
    if fate < 0.15:
        with db.transaction() as tx:  # the visitor never comes back
            tx.execute(update(meetings).where(meetings.c.id == held.id).values(held_until=clock.now()))
            booking.release_expired(tx, clock.now(), 5)
        return "expired"
    with db.transaction() as tx:
        booking.confirm(tx, version, held.id, name="Ada", email=email)
    try:
        if fate < 0.35:
            with db.transaction() as tx:
                booking.cancel(tx, version, held.id, by=VISITOR)
            return "cancelled"
        if fate < 0.65:
            with db.transaction() as tx:
                booking.reschedule(
                    tx, version, held.id, first_start() + timedelta(minutes=15 * chance.randrange(20)), by=VISITOR
                )
            return "moved"
    except (SlotTaken, Conflict, Gone):
        return "not moved"
    return "booked"


def same_slot(url: str, process: int, threads: int, attempts: int, barrier: Any, out: Any) -> None:
    """All clients want the same time."""
    db, version = open_database(url)

    def client(number: int) -> list[str]:
        try:
            with db.transaction() as tx:
                held = booking.hold(tx, version, meeting="hour", start=first_start(), pool="all")
                booking.confirm(tx, version, held.id, name="Ada", email=f"{process}-{number}@x.example")
        except SlotTaken as taken:
            return ["refused with alternatives" if taken.alternatives else "refused"]
        return ["booked"]

    out.put(at_once(threads, client, barrier))
    db.close()


def one_visitor(url: str, process: int, threads: int, attempts: int, barrier: Any, out: Any) -> None:
    """One impatient visitor in many tabs: the same conversation, the same choice, the same name."""
    db, version = open_database(url)

    def client(number: int) -> list[str]:
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting="hour", start=first_start(), conversation_id="cnv_1")
        with db.transaction() as tx:
            return [booking.confirm(tx, version, held.id, name="Ada", email="ada@x.example").id]

    out.put(at_once(threads, client, barrier))
    db.close()


def own_slots(url: str, process: int, threads: int, attempts: int, barrier: Any, out: Any) -> None:
    """Every client has a time of its own, at which all reps are free."""
    db, version = open_database(url)

    def client(number: int) -> list[str]:
        start = first_start() + timedelta(days=process * threads + number)
        with db.transaction() as tx:
            return [booking.hold(tx, version, meeting="half", start=start).rep]

    out.put(at_once(threads, client, barrier))
    db.close()


def until_killed(url: str) -> None:
    """Book without end, a line for each attempt; somebody kills this process."""
    db, version = open_database(url)
    chance = random.Random()
    while True:
        print(attempt(db, version, chance, f"{chance.random()}@x.example"), flush=True)


if __name__ == "__main__":
    until_killed(sys.argv[1])
