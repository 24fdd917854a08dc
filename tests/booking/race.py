"""Clients that hold, confirm, move, give away and cancel at the same moment; run in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from server import clock, ids
from server.booking import service as booking
from server.booking.tables import meetings
from server.config import service as config
from server.db import Database
from server.errors import Conflict, SlotTaken
from server.events import Actor

VISITOR, REP = Actor("visitor"), Actor("rep", "rep0")
STARTS, QUARTER = 20, timedelta(minutes=15)
REPS = [f"rep{number}" for number in range(10)]
FEW = REPS[1:4]
SITE = """\
key: acme
name: Acme
origins: [http://localhost:8010]
zone: UTC
"""
TEAM = "reps:\n" + "".join(
    f"  - {{id: {rep}, name: {rep}, email: {rep}@acme.example, zone: UTC,"
    ' hours: [{days: [mon, tue, wed, thu, fri, sat, sun], start: "09:00", end: "14:00"}]}\n'
    for rep in REPS
)
TEAM += f"pools:\n  - {{id: all, members: [{', '.join(REPS)}]}}\n  - {{id: some, members: [{', '.join(FEW)}]}}\n"


# 09:00 UTC of a day that surely lies ahead; processes that are started at midnight agree on it.
_DAY = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
FIRST = datetime.fromisoformat(os.environ.setdefault("USHER_TEST_RACE_DAY", _DAY) + "T09:00:00Z")


def _type(name: str, minutes: int, pool: str, more: str = "step_minutes: 15") -> str:
    return f"  - {{id: {name}, name: {name}, duration_minutes: {minutes}, notice_minutes: 0, pool: {pool}, {more}}}\n"


MORNING = f"window: {{kind: dates, from: {FIRST:%Y-%m-%d}, to: {FIRST:%Y-%m-%d}}}"
BUFFERED = {"before": "buffer_before_minutes: 15", "after": "buffer_after_minutes: 15", "bare": "step_minutes: 15"}
# Whatever the crowd books, the month after that morning is never full: a refusal without other times is a fault.
MIXED = {
    f"{minutes}-{side}": _type(f"{minutes}-{side}", minutes, "some" if (minutes, side) == (15, "bare") else "all", more)
    for minutes in (15, 30, 60)
    for side, more in BUFFERED.items()
}
OTHERS = {"hour": _type("hour", 60, "all"), "closed": _type("closed", 60, "all", f"step_minutes: 60, {MORNING}")}
MEETINGS = "meetings:\n" + "".join((*MIXED.values(), *OTHERS.values()))
FILES = {"site.yml": SITE, "team.yml": TEAM, "meetings.yml": MEETINGS}


@dataclass
class Seen:
    """What clients saw, counted, and how long each attempt took (seconds)."""

    answers: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    spent: float = 0.0

    def __add__(self, other: Seen) -> Seen:
        return Seen(self.answers + other.answers, self.took + other.took, max(self.spent, other.spent))

    def told(self) -> str:
        """One line for whoever reads the output."""
        took = sorted(self.took)
        part = [f"{took[int(len(took) * share)] * 1e3:.0f}" for share in (0.5, 0.99)]
        return f"{len(took) / self.spent:.0f} attempts/s, p50 {part[0]} ms, p99 {part[1]} ms, {dict(self.answers)}"


Client = Callable[[Database, Any, int, int, Callable[[Callable[[], str]], None]], None]
"""client(database, version, its number, attempts, try_it): each `try_it(attempt)` is one attempt and what it got."""


def compete(url: str, client: Client, *, processes: int, threads: int, attempts: int = 1) -> Seen:
    """Run the client in so many processes and threads that start together; what all of them saw."""
    fresh = multiprocessing.get_context("forkserver")
    fresh.set_forkserver_preload(["tests.booking.race"])
    barrier, out = fresh.Barrier(processes), fresh.Queue()
    running = [
        fresh.Process(target=_process, args=(url, client, number, threads, attempts, barrier, out))
        for number in range(processes)
    ]
    for one in running:
        one.start()
    seen: Seen = sum((out.get(timeout=600) for _ in running), Seen())
    for one in running:
        one.join()
    return seen


def open_database(url: str) -> tuple[Database, Any]:
    ids.use_key("a key for tests only")
    db = Database(url)
    return db, config.active(db, "acme")


def _process(url: str, client: Client, process: int, threads: int, attempts: int, barrier: Any, out: Any) -> None:
    db, version = open_database(url)
    seen, lock, start = Seen(), threading.Lock(), threading.Barrier(threads)

    def try_it(attempt: Callable[[], str]) -> None:
        since = time.perf_counter()
        try:
            answer = attempt()
        except Exception as problem:  # noqa: BLE001 (whatever it is, the test must see it)
            answer = f"{type(problem).__name__}: {problem}"[:300]
        with lock:
            seen.answers[answer] += 1
            seen.took.append(time.perf_counter() - since)

    def run(number: int) -> None:
        start.wait()
        client(db, version, process * threads + number, attempts, try_it)

    barrier.wait()
    since = time.perf_counter()
    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    seen.spent = time.perf_counter() - since
    out.put(seen)
    db.close()


def mixed(db: Database, version: Any, number: int, attempts: int, try_it: Any) -> None:
    """A mix of everything; every attempt ends in a meeting or in a refusal with other times."""
    chance = random.Random(number)
    for one in range(attempts):
        try_it(lambda mine=f"c{number}-{one}@x.example": attempt(db, version, chance, mine))  # type: ignore[misc]


def attempt(db: Database, version: Any, chance: random.Random, email: str) -> str:
    """Hold a time, or the first of those offered in its place; then one of all that can become of it."""
    start = FIRST + QUARTER * chance.randrange(STARTS)
    wanted: dict[str, Any] = {"meeting": chance.choice(list(MIXED))}
    if chance.random() < 0.2:
        wanted["rep"] = chance.choice(REPS)
    if chance.random() < 0.3:  # who holds another time lets the first one go
        wanted["conversation_id"] = email
    try:
        held = hold(db, version, start, wanted)
    except SlotTaken as taken:
        if not taken.alternatives:
            return "refused without other times"
        try:
            held = hold(db, version, chance.choice(taken.alternatives), wanted)
        except SlotTaken as again:
            return "refused with other times" if again.alternatives else "refused without other times"
    if "conversation_id" in wanted and chance.random() < 0.5:
        try:
            held = hold(db, version, start + QUARTER * chance.randrange(STARTS), wanted)
        except SlotTaken as taken:
            return "kept the first" if taken.alternatives else "refused without other times"
    return _fate(db, version, chance, held, email)


def hold(db: Database, version: Any, start: datetime, wanted: dict[str, Any]) -> booking.Meeting:
    with db.transaction() as tx:
        return booking.hold(tx, version, start=start, **wanted)


def _fate(db: Database, version: Any, chance: random.Random, held: booking.Meeting, email: str) -> str:
    fate = chance.random()
    if fate < 0.15:  # the visitor never comes back; the next who wants this rep clears up, or the timetable
        with db.transaction() as tx:
            tx.execute(update(meetings).where(meetings.c.id == held.id).values(held_until=clock.now()))
            if fate < 0.05:
                booking.release_expired(tx, clock.now(), 5)
        return "expired"
    with db.transaction() as tx:
        booking.confirm(tx, version, held.id, name="Ada", email=email)
    if fate < 0.35:
        with db.transaction() as tx:
            booking.cancel(tx, version, held.id, by=VISITOR)
        return "cancelled"
    if fate < 0.65:
        return _moved(db, version, held, FIRST + QUARTER * chance.randrange(STARTS))
    if fate < 0.75 and held.pool:
        return _given_away(db, version, held)
    if fate < 0.8:
        start = FIRST + QUARTER * chance.randrange(STARTS)
        with db.transaction() as tx:
            booking.add_block(
                tx, version.site_id, chance.choice(REPS), start, start + QUARTER, title="dentist", created_by="rep"
            )
        return "kept free"
    return "booked"


def _moved(db: Database, version: Any, held: booking.Meeting, start: datetime) -> str:
    try:
        with db.transaction() as tx:
            booking.reschedule(tx, version, held.id, start, by=VISITOR)
    except SlotTaken as taken:
        return "not moved, other times" if taken.alternatives else "refused without other times"
    return "moved"


def _given_away(db: Database, version: Any, held: booking.Meeting) -> str:
    try:
        with db.transaction() as tx:
            booking.reassign(tx, version, held.id, None, by=REP, reason="ill")
    except Conflict:  # nobody else has time then
        return "not given away"
    return "given away"


def same_slot(db: Database, version: Any, number: int, attempts: int, try_it: Any) -> None:
    """All clients want the same time."""

    def once() -> str:
        try:
            with db.transaction() as tx:
                held = booking.hold(tx, version, meeting="hour", start=FIRST)
                booking.confirm(tx, version, held.id, name="Ada", email=f"{number}@x.example")
        except SlotTaken as taken:
            return "refused with other times" if taken.alternatives else "refused"
        return "booked"

    try_it(once)


def morning(db: Database, version: Any, number: int, attempts: int, try_it: Any) -> None:
    """Each client books what is left of one closed morning, until there is nothing."""
    chance, left = random.Random(number), [FIRST + 4 * QUARTER * (number % 5)]
    for _ in range(attempts):

        def once() -> str:
            nonlocal left
            try:
                with db.transaction() as tx:
                    held = booking.hold(tx, version, meeting="closed", start=chance.choice(left))
                    booking.confirm(tx, version, held.id, name="Ada", email=f"{held.id}@x.example")
            except SlotTaken as taken:
                left = taken.alternatives
                return "other times" if left else "full"
            return "booked"

        try_it(once)
        if not left:
            return


def one_visitor(db: Database, version: Any, number: int, attempts: int, try_it: Any) -> None:
    """One impatient visitor in many tabs: the same conversation, the same choice, the same name."""

    def once() -> str:
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting="hour", start=FIRST, conversation_id="cnv_1")
        with db.transaction() as tx:
            return str(booking.confirm(tx, version, held.id, name="Ada", email="ada@x.example").id)

    try_it(once)


def one_request(db: Database, version: Any, number: int, attempts: int, try_it: Any) -> None:
    """The same request, again and again: the same key, and one rep only who can."""

    def once() -> str:
        with db.transaction() as tx:
            return str(booking.hold(tx, version, meeting="hour", start=FIRST, rep=REPS[0], key="one").id)

    try_it(once)


def own_slots(db: Database, version: Any, number: int, attempts: int, try_it: Any) -> None:
    """Every client has a time of its own, at which all reps are free."""

    def once() -> str:
        with db.transaction() as tx:
            start = FIRST + timedelta(days=number // 2, hours=2 * (number % 2))
            return str(booking.hold(tx, version, meeting="hour", start=start).rep)

    try_it(once)
