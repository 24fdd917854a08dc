"""Booking against the bare driver: how many a second, contended and not, and how many statements each deed takes.

Run: python -m bench.booking. The reference does by the same driver what a hold is at its heart: lock the rep's row,
look for an overlap, insert the meeting and its five-minute cells. Ours chooses fairly, keeps account and diary, and,
when it confirms, queues calendar, CRM and mails. Prints; never fails.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import event

from bench.databases import databases
from server import ids
from server.booking import service as booking
from server.config import service as config
from server.db import Database, migrate
from server.errors import SlotTaken
from server.events import Actor
from server.sections import SECTIONS

CLIENTS, EACH, REPS, ROUNDS = 8, 15, 10, 3
FIRST = (datetime.now(UTC) + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)
SITE = "key: acme\nname: Acme\norigins: [http://localhost:8010]\nzone: UTC\n"
TEAM = "reps:\n" + "".join(
    f"  - {{id: rep{n}, name: Rep {n}, email: rep{n}@acme.example, zone: UTC,"
    ' hours: [{days: [mon, tue, wed, thu, fri, sat, sun], start: "00:00", end: "24:00"}]}\n'
    for n in range(REPS)
)
TEAM += f"pools:\n  - {{id: all, members: [{', '.join(f'rep{n}' for n in range(REPS))}]}}\n"
MEETINGS = (
    "meetings:\n  - {id: demo, name: Demo, duration_minutes: 30, step_minutes: 30, notice_minutes: 0, pool: all,"
    " window: {kind: rolling_days, days: 90}}\n"
)
FILES = {"site.yml": SITE, "team.yml": TEAM, "meetings.yml": MEETINGS}
BARE = (
    "CREATE TABLE bare_reps (rep TEXT PRIMARY KEY, rev INT NOT NULL)",
    "CREATE TABLE bare_meetings (id TEXT PRIMARY KEY, rep TEXT NOT NULL, start BIGINT NOT NULL, finish BIGINT)",
    "CREATE INDEX bare_by_rep ON bare_meetings (rep, start)",
    "CREATE TABLE bare_cells (rep TEXT, cell BIGINT, meeting TEXT NOT NULL, PRIMARY KEY (rep, cell))",
)
Book = Callable[[int, random.Random], bool]


def main() -> None:
    """Measure and print."""
    ids.use_key("a key for measuring only")
    speed = Table("", "bookings/s, own times", "of bare", "attempts/s, 20 times wanted by all", "of bare")
    cost = Table("", "statements", "of these writing", "CPU ms")
    with tempfile.TemporaryDirectory() as place:
        for name, url in databases(place):
            db = Database(url)
            migrate.upgrade(db)
            version = config.apply(db, FILES, author="bench", sections=SECTIONS)
            for row in speeds(db, version, Bare(url)):
                speed.add_row(f"{name}: {row[0]}", *row[1:])
            for deed, (all_of_them, writing, seconds) in statements(db, version).items():
                cost.add_row(f"{name}: {deed}", str(all_of_them), str(writing), f"{seconds * 1e3:.1f}")
            db.close()
    for table in (speed, cost):
        Console(width=120).print(table)


def speeds(db: Database, version: Any, bare: Bare) -> list[tuple[str, ...]]:
    """A row for each way of booking."""
    ways: dict[str, Book] = {
        "bare lock, check, insert, cells": bare.book,
        "hold": lambda slot, chance: hold(db, version, slot) is not None,
        "hold and confirm": lambda slot, chance: book(db, version, slot, chance),
    }
    free = best({way: lambda one=one: uncontended(one) for way, one in ways.items()})  # type: ignore[misc]
    wanted = best({way: lambda one=one: contended(one) for way, one in ways.items()})  # type: ignore[misc]
    first = next(iter(ways))

    def cells(way: str, of: dict[str, float]) -> tuple[str, str]:
        return f"{of[way]:.0f}", f"1/{of[first] / of[way]:.1f}"

    return [(way, *cells(way, free), *cells(way, wanted)) for way in ways]


def best(ways: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The best of interleaved rounds."""
    rounds = [{way: run() for way, run in ways.items()} for _ in range(ROUNDS)]
    return {way: max(one[way] for one in rounds) for way in ways}


_next = iter(range(10**9))


def uncontended(book: Book) -> float:
    """Bookings a second when every client has times of its own; rep and time are new each time."""
    slots = [next(_next) for _ in range(CLIENTS * EACH)]
    return len(slots) / crowd(lambda number, chance: [book(slot, chance) for slot in slots[number::CLIENTS]])


def contended(book: Book) -> float:
    """Attempts a second when all want the same 20 times."""
    since = next(_next) // 10 * 10 + 1000
    for _ in range(200):
        next(_next)
    return (
        CLIENTS * EACH / crowd(lambda number, chance: [book(since + chance.randrange(20), chance) for _ in range(EACH)])
    )


def crowd(work: Callable[[int, random.Random], Any]) -> float:
    """Seconds until all clients are done."""
    running = [threading.Thread(target=work, args=(n, random.Random(n))) for n in range(CLIENTS)]
    since = time.perf_counter()
    for one in running:
        one.start()
    for one in running:
        one.join()
    return time.perf_counter() - since


def start_of(slot: int) -> datetime:
    """Ten reps: a time is good for ten bookings."""
    return FIRST + timedelta(minutes=30 * (slot // REPS))


def hold(db: Database, version: Any, slot: int) -> Any:
    try:
        with db.transaction() as tx:
            return booking.hold(tx, version, meeting="demo", start=start_of(slot))
    except SlotTaken:
        return None


def book(db: Database, version: Any, slot: int, chance: random.Random) -> bool:
    held = hold(db, version, slot)
    if held is None:
        return False
    with db.transaction() as tx:
        booking.confirm(tx, version, held.id, name="Ada", email=f"{held.id}@x.example")
    return True


class Bare:
    """The same driver without us; a connection a thread."""

    def __init__(self, url: str) -> None:
        self.url, self.own = url, threading.local()
        self.is_sqlite = url.startswith("sqlite")
        run = self.connection().execute
        for statement in BARE:
            run(statement)
        for n in range(REPS):
            run(f"INSERT INTO bare_reps VALUES ('rep{n}', 0)")  # noqa: S608

    def connection(self) -> Any:
        if not hasattr(self.own, "db"):
            if self.is_sqlite:
                self.own.db = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None, timeout=60)
                self.own.db.execute("PRAGMA synchronous=FULL")
            else:
                self.own.db = psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)
        return self.own.db

    def book(self, slot: int, chance: random.Random) -> bool:
        db, rep, meeting = self.connection(), f"rep{slot % REPS}", ids.new_id("meeting")
        start = int(start_of(slot).timestamp())
        mark = "?" if self.is_sqlite else "%s"
        db.execute("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        try:
            db.execute(f"UPDATE bare_reps SET rev = rev + 1 WHERE rep = {mark}", (rep,))  # noqa: S608
            overlap = f"SELECT id FROM bare_meetings WHERE rep = {mark} AND start < {mark} AND finish > {mark}"  # noqa: S608
            if db.execute(overlap, (rep, start + 1800, start)).fetchone():
                return False
            db.execute(
                f"INSERT INTO bare_meetings VALUES ({', '.join([mark] * 4)})", (meeting, rep, start, start + 1800)
            )  # noqa: S608, E501
            cells = [(rep, cell, meeting) for cell in range(start // 300, start // 300 + 6)]
            db.cursor().executemany(f"INSERT INTO bare_cells VALUES ({mark}, {mark}, {mark})", cells)  # noqa: S608
            return True
        finally:
            db.execute("COMMIT")


def statements(db: Database, version: Any) -> dict[str, tuple[int, int, float]]:
    """Of each deed, done alone: statements, how many of them write, CPU seconds (the least of five)."""
    seen: Counter[str] = Counter()
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, text, *_: seen.update([text.split()[0]]))
    found: dict[str, tuple[int, int, float]] = {}

    def count(deed: str, do: Callable[[Any], Any]) -> Any:
        seen.clear()
        since = time.process_time()
        with db.transaction() as tx:
            result = do(tx)
        spent = time.process_time() - since
        writing = sum(n for word, n in seen.items() if word in ("INSERT", "UPDATE", "DELETE"))
        before = found.get(deed, (0, 0, spent))
        found[deed] = (sum(seen.values()) - seen["BEGIN"], writing, min(spent, before[2]))
        return result

    by = Actor("visitor")
    for _ in range(5):
        slot = next(_next) + 5000
        held = count("hold", lambda tx, slot=slot: booking.hold(tx, version, meeting="demo", start=start_of(slot)))
        more = {"name": "Ada", "email": f"{held.id}@x.example"}
        count("confirm", lambda tx, held=held, more=more: booking.confirm(tx, version, held.id, **more))
        to = start_of(slot) + timedelta(days=1)
        count("reschedule", lambda tx, held=held, to=to: booking.reschedule(tx, version, held.id, to, by=by))
        count("reassign", lambda tx, held=held: booking.reassign(tx, version, held.id, None, by=by))
        count("cancel", lambda tx, held=held: booking.cancel(tx, version, held.id, by=by))
    return found


if __name__ == "__main__":
    main()
