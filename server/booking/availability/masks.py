"""Sets of possible starts as one integer: bit i stands for the instant origin + i * cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import compress, islice
from operator import and_, or_

from server.booking.availability.wallclock import Span

_ONES = [(1 << length) - 1 for length in range(64)]  # a meeting covers a few cells: looked up faster than shifted
_DIGITS = bytes.maketrans(b"01", b"\x00\x01")


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


def meeting_starts(spans: Sequence[Span], lead: int, trail: int, grid: Grid) -> int:
    """Bits of the starts s whose [s - lead, s + trail) meets any non-empty span: those a busy time forbids.

    Bits are gathered in words of 256 and joined at the end: a busy time then costs the same however long the grid is.
    """
    if not spans:
        return 0
    cell, size, ones = grid.cell, grid.size, _ONES
    after, before = grid.origin + trail - cell, grid.origin - lead - cell + 1
    words = [0] * ((size >> 8) + 1)
    for start, end in spans:
        low, high = (start - after) // cell, (end - before) // cell
        if low < 0 or high > size:
            low, high = max(low, 0), min(high, size)
        if low < high and start < end:
            length = high - low
            words[low >> 8] |= (ones[length] if length < 64 else (1 << length) - 1) << (low & 255)
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


def starts_of(mask: int, grid: Grid, limit: int | None = None) -> list[int]:
    """The instants that the set bits stand for, ascending, at most `limit` of them."""
    flags = bin(mask)[:1:-1].encode().translate(_DIGITS)
    return list(islice(compress(range(grid.origin, grid.end, grid.cell), flags), limit))


def at_least(needed: int, masks: Iterable[int]) -> int:
    """Bits set in `needed` or more of the masks; `needed` is 1 or more, and 1 and all of them are the usual cases."""
    masks = list(masks)
    if needed == len(masks):
        return reduce(and_, masks)
    if needed == 1:
        return reduce(or_, masks, 0)
    levels = [0] * needed
    for mask in masks:
        for level in range(needed - 1, 0, -1):
            levels[level] |= levels[level - 1] & mask
        levels[0] |= mask
    return levels[-1]
