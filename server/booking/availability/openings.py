"""Open times: one function that lists them, says who can take them, and explains why a rep cannot (explain.py).

Pure. Rules: availability-form.md. Time is cut into blocks of 32 days; a rep's mask of one block is built once and
serves every question about it, and a list that needs only the first starts looks no further than it must.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import gcd

from server.booking.availability.hours import Schedule, working_blocks
from server.booking.availability.masks import Grid, at_least, comb, meeting_starts, starts_of, within
from server.booking.availability.question import (
    Crew,
    FirstOfDay,
    Limits,
    Question,
    RepCalendar,
    Shape,
    Window,
)
from server.booking.availability.wallclock import DAY, Span, date_spans, instants, local_day

__all__ = ["Crew", "FirstOfDay", "Limits", "Openings", "Question", "RepCalendar", "Shape", "Window", "openings"]

BLOCK_DAYS = 32
BLOCK = BLOCK_DAYS * DAY
SHAPES_KEPT, BLOCKS_KEPT, ANSWERS_KEPT = 64, 128, 256  # a block of 30-minute cells takes 230 bytes of a rep
_FOREVER = (-(10**12), 10**12)
Key = tuple[int, int, int, int, Limits | None, int]  # duration, step, before, after, limits, cell


def openings(question: Question) -> Openings:
    """Every start of the range that can be booked. `explain` says the same of one start, from the same masks."""
    return Openings(question)


class Openings:
    """The answer to a question, worked out block by block as far as it is asked for."""

    def __init__(self, question: Question) -> None:
        self.question = question
        first, end = question.start, question.end
        if question.first_of_day and first < end:  # whole dates are looked through
            zone = question.first_of_day.zone
            first = date_spans(zone, local_day(zone, first))[0][0]
            end = date_spans(zone, local_day(zone, end - 1))[-1][1]
        self._blocks = range(first // BLOCK, -(-end // BLOCK))
        self._enough = 0 < question.needed <= len(question.reps)
        self.cell = _cell(question.reps, question.shape.step, self._blocks)
        self._key = _key(question, question.shape.before, question.shape.after, self.cell)
        self._windows = None if question.window is None else question.window.spans(first, end)
        self._masks: dict[int, int] = {}

    def starts(self, limit: int | None = None) -> list[int]:
        """Starts that can be booked, ascending, at most `limit`."""
        asked, rule = self.question, self.question.first_of_day
        if asked.start >= asked.end or not self._enough:
            return []
        if rule is None:
            return self._between([(asked.start, asked.end)], limit)
        found: list[int] = []
        for day in range(local_day(rule.zone, asked.start), local_day(rule.zone, asked.end - 1) + 1):
            of_day = self._between(date_spans(rule.zone, day), rule.count)
            found += [start for start in of_day if asked.start <= start < asked.end]
            if limit and len(found) >= limit:
                break
        return sorted(found)[:limit]

    def able(self, start: int) -> list[str]:
        """Reps who can take a meeting at this start, in the order asked; whoever is named here is free."""
        if not self._may_start(start):
            return []
        block = start // BLOCK
        bit = start // self.cell - _low(block, self.cell)
        able = set()
        for (notice, before, after), reps in self.question.reps.alike.items():
            if start >= self.question.earliest(notice):
                key = self._key_of(before, after)
                able |= {rep.id for rep in reps if _rep_masks(rep, key, block, block + 1)[block] >> bit & 1}
        return [rep.id for rep in self.question.reps if rep.id in able]

    def who(self) -> dict[int, list[str]]:
        """Every start that can be booked, and the reps who can take it, in the order asked."""
        found: dict[int, list[str]] = {start: [] for start in self.starts()}
        for rep in self.question.reps:
            key, first = self._key_of(rep.before, rep.after), self.question.earliest(rep.notice)
            masks = _rep_masks(rep, key, self._blocks.start, self._blocks.stop) if found else {}
            for block in self._blocks if found else ():
                grid = _grid(block, block + 1, self.cell)
                for start in starts_of(masks[block] & self._open(block, block + 1) & _from(first, grid), grid):
                    if start in found:
                        found[start].append(rep.id)
        return found

    def _may_start(self, start: int) -> bool:
        """The start lies in the range, in the window and among the first of its date; on some rep's grid."""
        asked, rule = self.question, self.question.first_of_day
        if start % self.cell or not asked.start <= start < asked.end:
            return False
        if self._windows is not None and not any(first <= start < last for first, last in self._windows):
            return False
        if rule is None or not self._enough:
            return True
        first = self._between(date_spans(rule.zone, local_day(rule.zone, start)), rule.count)
        return len(first) < rule.count or start <= first[-1]

    def _between(self, spans: Sequence[Span], limit: int | None = None) -> list[int]:
        """The first open starts in spans of time, all of them without a limit; first_of_day plays no part."""
        found: list[int] = []
        if not spans:
            return found
        for block in range(spans[0][0] // BLOCK, -(-spans[-1][1] // BLOCK)):
            grid = _grid(block, block + 1, self.cell)
            mask = self._open(block, self._blocks.stop if limit is None else block + 1) & within(spans, grid)
            found += starts_of(mask, grid, None if limit is None else limit - len(found))
            if limit is not None and len(found) >= limit:
                break
        return found

    def _open(self, block: int, ahead: int) -> int:
        """Bits of the block that enough reps can take, inside the window. `ahead`: the masks of the blocks before this
        one will be needed too, and are cheaper built together."""
        mask = self._masks.get(block)
        if mask is None:
            grid = _grid(block, block + 1, self.cell)
            mask = 0
            for notice, together in self._together(block, max(ahead, block + 1)).items():
                mask |= together & _from(self.question.earliest(notice), grid)
            if self._windows is not None:
                mask &= within(self._windows, grid)
            self._masks[block] = mask
        return mask

    def _together(self, block: int, ahead: int) -> dict[int | None, int]:
        """By notice, the bits that enough of the reps with that notice can take."""
        crew, needed = self.question.reps, self.question.needed
        if (kept := crew.memo.get((self._key, needed, block))) is not None:
            return kept
        by_notice: dict[int | None, list[int]] = {}
        for (notice, before, after), reps in crew.alike.items():
            key = self._key_of(before, after)
            by_notice.setdefault(notice, []).extend(_masks_of(reps, key, block, ahead))
        if needed > 1 and len(by_notice) > 1:  # whoever comes too late does not count towards those needed
            grid = _grid(block, block + 1, self.cell)
            late = {notice: _from(self.question.earliest(notice), grid) for notice in by_notice}
            masks = [mask & late[notice] for notice, of in by_notice.items() for mask in of]
            return {min(late, key=self.question.earliest): at_least(needed, masks)}
        found = {notice: at_least(needed, masks) for notice, masks in by_notice.items()}
        if len(crew.memo) >= ANSWERS_KEPT:
            crew.memo.clear()
        crew.memo[self._key, needed, block] = found
        return found

    def _key_of(self, before: int | None, after: int | None) -> Key:
        shape = self.question.shape
        before, after = (shape.before if before is None else before), (shape.after if after is None else after)
        return _key(self.question, before, after, self.cell)


def _key(question: Question, before: int, after: int, cell: int) -> Key:
    """What a rep's mask depends on, besides the rep."""
    return question.shape.duration, question.shape.step, before, after, question.limits, cell


def _masks_of(reps: Iterable[RepCalendar], key: Key, block: int, ahead: int) -> list[int]:
    """The masks of a block. The loop is the price of a question about a crew that has changed: no calls in it."""
    masks = []
    for rep in reps:
        kept = rep.memo.get(key)
        if kept is None or (mask := kept.get(block)) is None:
            mask = _rep_masks(rep, key, block, ahead)[block]
        masks.append(mask)
    return masks


def _rep_masks(rep: RepCalendar, key: Key, first: int, until: int) -> dict[int, int]:
    """By block, the starts this rep can take; notice, window and range aside."""
    kept = rep.memo.get(key)
    if kept is None or len(kept) > BLOCKS_KEPT:  # a new one: others may be reading the old
        if len(rep.memo) >= SHAPES_KEPT:
            rep.memo.clear()
        rep.memo[key] = kept = {}
    missing = [block for block in range(first, until) if block not in kept]
    if missing:
        duration, step, before, after, limits, cell = key
        first, until = missing[0], missing[-1] + 1
        grid = _grid(first, until, cell)
        taken = meeting_starts(rep.busy, before, duration + after, grid)
        taken |= meeting_starts(rep.holds, before, duration + after, grid) | within(full_spans(rep, limits), grid)
        start = _low(first, cell)
        for block in range(first, until):
            taken_here = taken >> (_low(block, cell) - start)
            kept[block] = _hours_mask(rep.schedule, duration, step, cell, block) & ~taken_here
    return kept


def _cell(crew: Crew, step: int, blocks: range) -> int:
    """The coarsest grid, counted from 1970, on which every possible start of every rep lies."""
    asked = (step, blocks.start, blocks.stop)
    cell = crew.cells.get(asked)
    if cell is None:
        cell = gcd(step, *(_phase(schedule, step, block) for schedule in crew.schedules for block in blocks))
        if len(crew.cells) >= ANSWERS_KEPT:
            crew.cells.clear()
        crew.cells[asked] = cell
    return cell


@lru_cache(maxsize=32_768)
def _phase(schedule: Schedule, step: int, block: int) -> int:
    blocks = working_blocks(schedule, block * BLOCK_DAYS, (block + 1) * BLOCK_DAYS)
    return gcd(*(first % step for first, _, _ in blocks))


def _low(block: int, cell: int) -> int:
    """The number of a block's first cell: cells are counted from 1970, so that blocks share none and miss none."""
    return -(-block * BLOCK // cell)


def _grid(first: int, until: int, cell: int) -> Grid:
    low = _low(first, cell)
    return Grid(low * cell, cell, _low(until, cell) - low)


@lru_cache(maxsize=16_384)
def _hours_mask(schedule: Schedule, duration: int, step: int, cell: int, block: int) -> int:
    mask, grid = 0, _grid(block, block + 1, cell)
    last_day = (block + 1) * BLOCK_DAYS - -duration // DAY
    for first, until, end in working_blocks(schedule, block * BLOCK_DAYS, last_day):
        mask |= comb(first, min(until - 1, end - duration), step, grid)
    return mask


def full_spans(rep: RepCalendar, limits: Limits | None = None) -> list[Span]:
    """UTC spans of the local days and weeks (from Monday) in which the rep has all the meetings he may have."""
    spans = _full(rep, rep.counted, rep.max_per_day, rep.max_per_week)
    if limits is not None:
        spans += _full(rep, rep.counted_of.get(limits.kind, ()), limits.per_day, limits.per_week)
    return spans


def _full(rep: RepCalendar, counted: Sequence[int], per_day: int | None, per_week: int | None) -> list[Span]:
    if per_day is None and per_week is None:
        return []
    if 0 in (per_day, per_week):
        return [_FOREVER]
    zone = rep.schedule.zone
    days = Counter(local_day(zone, start) for start in counted)
    weeks: Counter[int] = Counter()
    for day, count in days.items():
        weeks[day - (day + 3) % 7] += count
    full = [(day, 1) for day, count in days.items() if per_day is not None and count >= per_day]
    full += [(day, 7) for day, count in weeks.items() if per_week is not None and count >= per_week]
    return [span for day, length in full for span in instants(zone, day * DAY, (day + length) * DAY)]


def _from(earliest: int, grid: Grid) -> int:
    """Bits of the starts at or after this instant."""
    return -1 << max(0, -((grid.origin - earliest) // grid.cell))
