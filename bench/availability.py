"""Open slots against a plain interval-merge loop: prints ratios, never fails. Run: python -m bench.availability

The reference, `interval_merge`, is what most schedulers do: sort each rep's busy list, merge it, subtract it from the
working hours (cached per zone), step through the gaps. Both sides start from the same raw, unsorted busy lists in
seconds, and both end with the list of starts at which somebody can.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from server.booking.availability.hours import Schedule, working_blocks
from server.booking.availability.openings import Question, RepCalendar, Shape, openings
from server.booking.availability.stamps import stamps
from server.booking.availability.wallclock import DAY, day_number

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
    return Question(NOW, FIRST_DAY * DAY, (FIRST_DAY + days) * DAY, SHAPE, calendars)


def median_ms(work: Callable[[], Any], times: int) -> float:
    """Median CPU milliseconds of a call."""
    lengths = []
    for _ in range(times):
        since = time.process_time()
        work()
        lengths.append(time.process_time() - since)
    return statistics.median(lengths) * 1000


def row(reps: int, days: int, events: int) -> str:
    """One line of the table; both ways must agree before they are timed."""
    lists = workload(reps, days, events)
    start, end = FIRST_DAY * DAY, (FIRST_DAY + days) * DAY
    times = 5 if reps * days > 10_000 else 30
    reference = interval_merge(lists, start, end, days)
    if openings(question(lists, days)).starts() != reference:
        raise SystemExit("the two ways disagree")
    plain = median_ms(lambda: interval_merge(lists, start, end, days), times)
    raw = median_ms(lambda: openings(question(lists, days)).starts(), times)
    ready = question(lists, days)
    openings(ready)
    cached = median_ms(lambda: stamps(openings(ready).starts(20)), times)
    memory = statistics.mean(sum(map(sys.getsizeof, rep.memo.values())) for rep in ready.reps)
    return (
        f"{reps:5} {days:5} {events:6} {len(reference):6} | {plain:9.2f} {raw:8.2f} {raw / plain:6.2f} |"
        f" {cached:19.3f} {cached / plain:6.3f} | {memory:9.0f}"
    )


def main() -> None:
    print(
        f"{'reps':>5} {'days':>5} {'events':>6} {'slots':>6} | {'merge ms':>9} {'raw ms':>8} {'ratio':>6} |"
        f" {'cached, first 20 ms':>19} {'ratio':>6} | {'bytes/rep':>9}"
    )
    for reps, days, events in ((50, 30, 8), (50, 30, 2), (50, 60, 8), (10, 30, 8), (200, 30, 8), (1000, 60, 8)):
        print(row(reps, days, events))


if __name__ == "__main__":
    main()
