"""Open times: one function that lists them, says who can take them, and explains why a rep cannot.

Pure: everything it needs is in the `Question`. Rules: availability-form.md. Instants are whole UTC seconds; fractions
are rounded outwards by the caller, which changes nothing because starts and lengths are whole seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from math import gcd

from server.booking.availability.hours import Schedule, working_blocks
from server.booking.availability.masks import Grid, at_least, bits, comb, meeting_starts, within
from server.booking.availability.wallclock import DAY, Span, instants, local_day

MEMO_SIZE = 64  # masks kept per rep: a few meeting types times a few ranges; a month of 30-minute cells is 180 bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """Lengths of a meeting in seconds: itself, the step between starts, the buffers around it, the notice it needs."""

    duration: int
    step: int
    before: int = 0
    after: int = 0
    notice: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Local dates (day numbers, both included) on which a meeting may start; no `first` means any earlier date."""

    zone: str
    first: int | None
    last: int

    @classmethod
    def rolling(cls, zone: str, now: datetime, days: int) -> Window:
        """Today and the `days` after it, by the date it is now in `zone`."""
        return cls(zone, None, local_day(zone, int(now.timestamp())) + days)

    def spans(self, start: int, end: int) -> list[Span]:
        """UTC spans of the window that meet [start, end), and some days around it.

        Not all of it: the window may end centuries after the range, and every year in between would be looked through.
        """
        first, last = start // DAY - 3, min(self.last, end // DAY + 3)
        if self.first is not None:
            first = max(first, self.first)
        return instants(self.zone, first * DAY, (last + 1) * DAY) if first <= last else []


@dataclass(frozen=True, eq=False)
class RepCalendar:
    """What is known of one rep. Treat as frozen: `memo` keeps bit masks, so a change needs a new calendar.

    `busy` and `holds` are UTC spans in any order; `counted` are the starts that count towards the limits; `labels` say
    what a busy span is. `before`, `after` and `notice` (seconds) replace those of the meeting for this rep.
    """

    id: str
    schedule: Schedule
    busy: Sequence[Span] = ()
    holds: Sequence[Span] = ()
    counted: Sequence[int] = ()
    max_per_day: int | None = None
    max_per_week: int | None = None
    before: int | None = None
    after: int | None = None
    notice: int | None = None
    labels: Mapping[Span, str] = field(default_factory=dict)
    memo: dict[object, int] = field(default_factory=dict, repr=False)

    def buffers(self, shape: Shape) -> tuple[int, int]:
        """Seconds kept free before and after a meeting of this rep."""
        return (
            shape.before if self.before is None else self.before,
            shape.after if self.after is None else self.after,
        )


@dataclass(frozen=True)
class Question:
    """Which starts in [start, end) can be booked, asked at `now` (aware).

    `needed` is how many of the reps must be able to take a meeting: 1 for a round robin, all of them for a collective.
    """

    now: datetime
    start: int
    end: int
    shape: Shape
    reps: Sequence[RepCalendar]
    needed: int = 1
    window: Window | None = None

    def earliest(self, rep: RepCalendar) -> int:
        """First whole second that keeps this rep's notice (equality is allowed)."""
        notice = self.shape.notice if rep.notice is None else rep.notice
        return int(self.now.timestamp()) + (1 if self.now.microsecond else 0) + notice


@dataclass(frozen=True)
class Openings:
    """The answer: bit masks over one grid, per rep and for the meeting as a whole."""

    grid: Grid
    reps: Sequence[RepCalendar]
    masks: Sequence[int]
    mask: int

    def starts(self, limit: int | None = None) -> list[int]:
        """Starts that can be booked, ascending."""
        return [self.grid.origin + bit * self.grid.cell for bit in bits(self.mask, limit)]

    def able(self, start: int) -> list[str]:
        """Reps who can take a meeting at a listed start, in the order asked."""
        bit = (start - self.grid.origin) // self.grid.cell
        return [rep.id for rep, mask in zip(self.reps, self.masks, strict=True) if mask >> bit & 1]


def openings(question: Question) -> Openings:
    """Every start of the range that can be booked. `explain` says the same of one start, from the same masks."""
    shape, reps = question.shape, question.reps
    first_day, last_day = question.start // DAY, -(-(question.end + shape.duration) // DAY)
    grid = _grid(reps, shape.step, first_day, last_day)
    allowed = within([(question.start, question.end)], grid)
    if question.window is not None:
        allowed &= within(question.window.spans(question.start, question.end), grid)
    masks = [
        _rep_mask(rep, shape, grid, first_day, last_day) & allowed & _noticed(question.earliest(rep), grid)
        for rep in reps
    ]
    enough = 0 < question.needed <= len(reps)
    return Openings(grid, reps, masks, at_least(question.needed, masks) if enough else 0)


def _grid(reps: Iterable[RepCalendar], step: int, first_day: int, last_day: int) -> Grid:
    """The coarsest grid on which every possible start of every rep lies."""
    cell = step
    for schedule in {rep.schedule for rep in reps}:
        cell = gcd(cell, _phase(schedule, step, first_day, last_day))
    origin = first_day * DAY // cell * cell
    return Grid(origin, cell, -(-(last_day * DAY - origin) // cell))


@lru_cache(maxsize=8192)
def _phase(schedule: Schedule, step: int, first_day: int, last_day: int) -> int:
    return gcd(*(first % step for first, _, _ in working_blocks(schedule, first_day, last_day)))


def _rep_mask(rep: RepCalendar, shape: Shape, grid: Grid, first_day: int, last_day: int) -> int:
    """Starts this rep can take, notice, window and range aside."""
    key = (shape.duration, shape.step, rep.buffers(shape), grid)
    mask = rep.memo.get(key)
    if mask is None:
        hours = _hours_mask(rep.schedule, shape.duration, shape.step, grid, first_day, last_day)
        if len(rep.memo) >= MEMO_SIZE:
            rep.memo.clear()
        rep.memo[key] = mask = hours & ~blocked(rep, shape, grid)
    return mask


@lru_cache(maxsize=8192)
def _hours_mask(schedule: Schedule, duration: int, step: int, grid: Grid, first_day: int, last_day: int) -> int:
    mask = 0
    for first, until, end in working_blocks(schedule, first_day, last_day):
        mask |= comb(first, min(until - 1, end - duration), step, grid)
    return mask


def blocked(rep: RepCalendar, shape: Shape, grid: Grid) -> int:
    """Starts that busy time, holds or limits forbid."""
    before, after = rep.buffers(shape)
    mask = meeting_starts(rep.busy, before, shape.duration + after, grid)
    mask |= meeting_starts(rep.holds, before, shape.duration + after, grid)
    return mask | within(full_spans(rep), grid)


def full_spans(rep: RepCalendar) -> list[Span]:
    """UTC spans of the local days and weeks (from Monday) in which the rep has all the meetings he may have."""
    if rep.max_per_day is None and rep.max_per_week is None:
        return []
    zone = rep.schedule.zone
    days = Counter(local_day(zone, start) for start in rep.counted)
    weeks: Counter[int] = Counter()
    for day, count in days.items():
        weeks[day - (day + 3) % 7] += count
    full = [(day, 1) for day, count in days.items() if rep.max_per_day is not None and count >= rep.max_per_day]
    full += [(day, 7) for day, count in weeks.items() if rep.max_per_week is not None and count >= rep.max_per_week]
    spans = [span for day, length in full for span in instants(zone, day * DAY, (day + length) * DAY)]
    return [(-(10**12), 10**12)] if 0 in (rep.max_per_day, rep.max_per_week) else spans


def _noticed(earliest: int, grid: Grid) -> int:
    first = max(0, -((grid.origin - earliest) // grid.cell))
    return -1 << first
