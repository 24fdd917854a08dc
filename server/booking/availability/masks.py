"""Sets of possible starts as one integer: bit i stands for the instant origin + i * cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.booking.availability.wallclock import Span


@dataclass(frozen=True, slots=True)
class Grid:
    """Instants that bits stand for; all in whole UTC seconds.

    Every start that can be asked for lies on the grid, so turning "starts in [x, y)" into bits loses nothing, whatever
    second x and y fall on.
    """

    origin: int
    cell: int
    size: int

    @property
    def end(self) -> int:
        """First instant after the grid."""
        return self.origin + self.cell * self.size


def within(spans: Iterable[Span], grid: Grid) -> int:
    """Bits of the starts that lie in any of the half-open spans."""
    mask, origin, cell, size = 0, grid.origin, grid.cell, grid.size
    for start, end in spans:
        low, high = -((origin - start) // cell), -((origin - end) // cell)
        low, high = max(low, 0), min(high, size)
        if low < high:
            mask |= (1 << high) - (1 << low)
    return mask


def meeting_starts(spans: Iterable[Span], lead: int, trail: int, grid: Grid) -> int:
    """Bits of the starts s whose [s - lead, s + trail) meets any non-empty span: those a busy time forbids.

    Bits are gathered in words of 256 and joined at the end: a busy time then costs the same however long the grid is.
    """
    cell, size = grid.cell, grid.size
    after, before = grid.origin + trail - cell, grid.origin - lead - cell + 1
    words = [0] * ((size >> 8) + 1)
    for start, end in spans:
        low, high = (start - after) // cell, (end - before) // cell
        if low < 0 or high > size:
            low, high = max(low, 0), min(high, size)
        if low < high and start < end:
            words[low >> 8] |= ((1 << high - low) - 1) << (low & 255)
    mask = 0
    for word in reversed(words):
        mask = mask << 256 | word
    return mask


def comb(first: int, last: int, step: int, grid: Grid) -> int:
    """Bits of first, first + step, first + 2 * step … up to and including `last`, as far as they lie on the grid."""
    if first < grid.origin:
        first += -((first - grid.origin) // step) * step
    last = min(last, grid.end - 1)
    if first > last:
        return 0
    stride, count = step // grid.cell, (last - first) // step + 1
    teeth = ((1 << stride * count) - 1) // ((1 << stride) - 1)
    return teeth << (first - grid.origin) // grid.cell


def bits(mask: int, limit: int | None = None) -> list[int]:
    """Positions of the set bits, ascending, at most `limit` of them."""
    text = bin(mask)[:1:-1]
    found: list[int] = []
    at = text.find("1")
    while at >= 0 and (limit is None or len(found) < limit):
        found.append(at)
        at = text.find("1", at + 1)
    return found


def at_least(needed: int, masks: Iterable[int]) -> int:
    """Bits set in `needed` or more of the masks."""
    levels = [0] * needed
    for mask in masks:
        for level in range(needed - 1, 0, -1):
            levels[level] |= levels[level - 1] & mask
        levels[0] |= mask
    return levels[-1]
