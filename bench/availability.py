"""Open slots against a plain interval-merge loop: prints ratios, never fails. Run: python -m bench.availability

The reference, `interval_merge`, is what most schedulers do: sort each rep's busy list, merge it, subtract it from the
working hours (cached per zone), step through the gaps. Both sides start from the same raw, unsorted busy lists in
seconds, and both end with the list of starts at which somebody can. Then how the cost grows, and the whole way that the
product takes (`booking.slots` on a database) beside the engine alone. CPU time.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bench.databases import databases
from server import clock, ids
from server.booking import service as booking
from server.booking import store
from server.booking.availability.hours import Schedule, working_blocks
from server.booking.availability.openings import openings
from server.booking.availability.question import Crew, Question, RepCalendar, Shape
from server.booking.availability.stamps import stamps
from server.booking.availability.wallclock import DAY, day_number
from server.config import service as config
from server.db import Database, migrate
from server.sections import SECTIONS

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kathmandu")
WEEKDAYS = (((9 * 3600, 17 * 3600),),) * 5 + ((), ())
SCHEDULES = [Schedule(zone, WEEKDAYS) for zone in ZONES]
SHAPE = Shape(duration=1800, step=900, after=900)
FIRST_DAY = day_number(date(2027, 3, 12))
NOW = datetime(2027, 3, 1, tzinfo=UTC)


def workload(reps: int, days: int, events: int) -> list[list[tuple[int, int]]]:
    """Per rep `events` unsorted busy spans in the working hours of every working day."""
    chance = random.Random(1)
    lists = []
    for index in range(reps):
        busy = []
        for first, _, end in working_blocks(SCHEDULES[index % 5], FIRST_DAY, FIRST_DAY + days):
            for _ in range(events):
                start = first + chance.randrange(0, (end - first) // 300) * 300
                busy.append((start, start + chance.choice((900, 1500, 1800, 2700))))
        chance.shuffle(busy)
        lists.append(busy)
    return lists


def interval_merge(lists: list[list[tuple[int, int]]], start: int, end: int, days: int) -> list[int]:
    """The reference: sort, merge, subtract, step."""
    found: set[int] = set()
    for index, raw in enumerate(lists):
        merged: list[list[int]] = []
        for first, last in sorted(raw):
            if merged and first - SHAPE.after <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], last)
            else:
                merged.append([first - SHAPE.after, last])
        at = 0
        for opens, _, closes in working_blocks(SCHEDULES[index % 5], FIRST_DAY, FIRST_DAY + days):
            while at < len(merged) and merged[at][1] <= opens:
                at += 1
            slot, here = opens, at
            while slot + SHAPE.duration <= closes:
                while here < len(merged) and merged[here][1] <= slot:
                    here += 1
                if here < len(merged) and merged[here][0] < slot + SHAPE.duration:
                    slot += -(-(merged[here][1] - slot) // SHAPE.step) * SHAPE.step
                    continue
                if start <= slot < end:
                    found.add(slot)
                slot += SHAPE.step
    return sorted(found)


def question(lists: list[list[tuple[int, int]]], days: int) -> Question:
    """The same for `openings`, with calendars that have no masks yet."""
    calendars = [RepCalendar(str(index), SCHEDULES[index % 5], busy=busy) for index, busy in enumerate(lists)]
    return Question(NOW, FIRST_DAY * DAY, (FIRST_DAY + days) * DAY, SHAPE, Crew(calendars))


def median_ms(work: Callable[[], Any], times: int) -> float:
    """Median CPU milliseconds of a call."""
    lengths = []
    for _ in range(times):
        since = time.process_time()
        work()
        lengths.append(time.process_time() - since)
    return statistics.median(lengths) * 1000


def alternately(one: Callable[[], Any], other: Callable[[], Any], times: int) -> tuple[float, float]:
    """Median CPU milliseconds of two calls, taken in turns: what else the machine does then meets both."""
    lengths = [(median_ms(one, 1), median_ms(other, 1)) for _ in range(times)]
    return statistics.median(first for first, _ in lengths), statistics.median(second for _, second in lengths)


def engine(reps: int, days: int, events: int) -> dict[str, float]:
    """CPU milliseconds of each way to ask, and bytes per rep; both ways must agree before they are timed."""
    lists = workload(reps, days, events)
    start, end = FIRST_DAY * DAY, (FIRST_DAY + days) * DAY
    times = 5 if reps * days > 10_000 else 30
    reference = interval_merge(lists, start, end, days)
    if openings(question(lists, days)).starts() != reference:
        raise SystemExit("the two ways disagree")
    ready = question(lists, days)
    openings(ready).starts()

    def first(limit: int, crew: Crew | None = None) -> list[str]:
        return stamps(openings(ready if crew is None else replace(ready, reps=crew)).starts(limit))

    def changed() -> list[str]:
        """One rep has another busy time: his calendar is a new one, the others keep their masks."""
        one = replace(ready.reps[0], busy=[*ready.reps[0].busy, (start, start + 1800)], memo={})
        return first(20, Crew([one, *ready.reps[1:]]))

    plain, raw = alternately(
        lambda: interval_merge(lists, start, end, days), lambda: openings(question(lists, days)).starts(), times
    )
    return {
        "slots": len(reference),
        "plain": plain,
        "raw": raw,
        "first 20": median_ms(lambda: first(20), 300),
        "first 400": median_ms(lambda: first(400), 100),
        "one changed": median_ms(changed, 60),
        "bytes/rep": statistics.mean(sum(map(memory, rep.memo.values())) for rep in ready.reps),
    }


def memory(masks: dict[int, int]) -> int:
    """Bytes of a rep's masks of one kind of meeting."""
    return sys.getsizeof(masks) + sum(map(sys.getsizeof, masks.values()))


def against_the_loop() -> None:
    """Both ways for companies of several sizes, as ratios to the plain loop."""
    columns = ("raw", "first 20", "first 400", "one changed")
    print(f"{'reps':>5} {'days':>5} {'events':>6} {'slots':>6} | {'plain ms':>9} |", end="")
    print("".join(f" {name + ' ms':>14} {'ratio':>7}" for name in columns), f"| {'bytes/rep':>9}")
    for reps, days, events in ((50, 30, 8), (50, 30, 2), (50, 60, 8), (10, 30, 8), (200, 30, 8), (1000, 60, 8)):
        took = engine(reps, days, events)
        print(f"{reps:5} {days:5} {events:6} {took['slots']:6} | {took['plain']:9.2f} |", end="")
        print("".join(f" {took[name]:14.3f} {took[name] / took['plain']:7.4f}" for name in columns), end="")
        print(f" | {took['bytes/rep']:9.0f}")


def growth() -> None:
    """How the cost grows, as ratios to 50 reps, 30 days and 8 events a working day."""
    base = engine(50, 30, 8)
    columns = ("plain", "raw", "first 20", "one changed", "bytes/rep")
    print(f"\n{'50 reps, 30 days, 8 events = 1':<32}" + "".join(f"{name:>13}" for name in columns))
    cases = {"reps x 2": (100, 30, 8), "reps x 4": (200, 30, 8), "reps x 16": (800, 30, 8), "days x 2": (50, 60, 8),
             "days x 4": (50, 120, 8), "events x 2": (50, 30, 16), "events x 4": (50, 30, 32)}  # fmt: skip
    for name, case in cases.items():
        took = engine(*case)
        print(f"{name:<32}" + "".join(f"{took[column] / base[column]:13.2f}" for column in columns))


def folder(reps: int) -> dict[str, str]:
    """A site folder of a company with so many reps in five zones, all in one pool."""
    hours = '[{days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00"}]'
    people = "".join(
        f"  - {{id: r{number}, name: Rep, email: r{number}@a.example, zone: {ZONES[number % 5]}, hours: {hours}}}\n"
        for number in range(reps)
    )
    window = "window: {kind: rolling_days, days: 90}"
    return {
        "site.yml": f"{{key: s{reps}, name: S, origins: [http://s.example], mail: {{from_address: s@a.example}}}}",
        "team.yml": f"reps:\n{people}pools: [{{id: all, members: [{', '.join(f'r{n}' for n in range(reps))}]}}]\n",
        "meetings.yml": "meetings: [{id: demo, name: Demo, duration_minutes: 30, step_minutes: 15, "
        f"buffer_after_minutes: 15, pool: all, {window}}}]\n",
    }


def product(db: Database, reps: int, alone: float) -> None:
    """The whole way: who may, what has changed, the calendars, the engine, the answer as JSON."""
    version = config.apply(db, folder(reps), author="bench", sections=SECTIONS)
    names = [f"r{number}" for number in range(reps)]
    ahead: dict[str, Any] = {"meeting": "demo", "zone": "Europe/Paris"}

    def ask(limit: int | None, days: int = 60, **more: Any) -> tuple[datetime, ...]:
        start = clock.now()
        with db.reading() as tx:
            found = booking.slots(
                tx, version, start=start, end=start + timedelta(days=days), limit=limit, **ahead, **more
            )
        found.as_json()
        return found.starts

    def change(look: bool = False) -> None:
        with db.transaction() as tx:
            store.touch(tx, version.site_id, names[:1])
        if look:
            ask(20)

    with db.transaction() as tx:
        store.lock_calendars(tx, version.site_id, names)
        store.touch(tx, version.site_id, names)
    nothing_kept = median_ms(lambda: ask(20), 1)
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=ask(20)[-1])
        booked = booking.confirm(tx, version, held.id, name="Ada", email="ada@globex.example", zone="UTC", locale="en")
    changing = median_ms(change, 20)
    took = {
        "first 20 of 60 days": median_ms(lambda: ask(20), 60),
        "first 400 of 60 days": median_ms(lambda: ask(400), 30),
        "a week": median_ms(lambda: ask(None, 7), 30),
        "first 20, one rep changed": median_ms(lambda: change(look=True), 20) - changing,
        "first 20, moving a meeting": median_ms(lambda: ask(20, exclude_meeting=booked.id), 20),
        "first 20, the process is new": nothing_kept,
    }
    for name, length in took.items():
        print(f"  {reps:5} reps, {name:<30} {length:9.3f} ms {length / alone:9.1f} x the engine alone")


def main() -> None:
    against_the_loop()
    growth()
    ids.use_key("a key for benchmarks only")
    alone = {reps: engine(reps, 60, 8)["first 20"] for reps in (50, 1000)}
    with tempfile.TemporaryDirectory(prefix="usher-bench-") as place:
        for kind, url in databases(place):
            print(f"\nThe whole way, {kind}:")
            db = Database(url)
            migrate.upgrade(db)
            for reps, engine_alone in alone.items():
                product(db, reps, engine_alone)
            db.close()


if __name__ == "__main__":
    main()
