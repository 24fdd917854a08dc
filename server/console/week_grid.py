"""A rep's week as columns of quarter hours: what lies where, side by side where it overlaps. Times are the rep's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from server.booking.service import Item

STEP_MINUTES = 15
MIDNIGHT = 24 * 60
USUAL_HOURS = (9, 17)
BEHIND = ("hours", "open")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Piece:
    """A part of something that lies in one day. `at` and `rows` count quarter hours from the top of the grid."""

    item: Item
    first: int
    last: int
    start: str
    end: str
    at: int = 0
    rows: int = 1
    lane: int = 1
    lanes: int = 1

    @property
    def whole(self) -> bool:
        """All day."""
        return self.first == 0 and self.last == MIDNIGHT


@dataclass(frozen=True)
class Column:
    """A day: what lasts all of it, its hours, and what lies in them."""

    day: date
    all_day: Sequence[Piece]
    hours: Sequence[Piece]
    pieces: Sequence[Piece]

    @property
    def in_order(self) -> list[Piece]:
        """Hours and what lies in them, by their start."""
        return sorted([*self.hours, *self.pieces], key=lambda piece: (piece.first, piece.item.kind not in BEHIND))

    @property
    def closed(self) -> bool:
        """Away or blocked all day."""
        return any(piece.item.kind in ("away", "blocked") for piece in self.all_day)


@dataclass(frozen=True)
class Grid:
    """The columns of a week, and the full hours beside them."""

    columns: Sequence[Column]
    clock: Sequence[tuple[str, int]]


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The first moment of a local date and of the next."""
    start = datetime.combine(day, time(), ZoneInfo(zone))
    return start, datetime.combine(day + _DAY, time(), ZoneInfo(zone))


def lay_out(items: Iterable[Item], monday: date, zone: str) -> Grid:
    """The week that begins on this Monday."""
    found, days = list(items), [monday + n * _DAY for n in range(7)]
    by_day = {day: [piece for item in found if (piece := _piece(item, day, zone))] for day in days}
    parts = [piece for pieces in by_day.values() for piece in pieces if not piece.whole]
    top = min([USUAL_HOURS[0], *(piece.first // 60 for piece in parts)])
    bottom = max([USUAL_HOURS[1], *(-(-piece.last // 60) for piece in parts)])
    columns = [_column(day, by_day[day], top * 60) for day in days]
    steps = 60 // STEP_MINUTES
    return Grid(columns, [(f"{hour:02d}:00", (hour - top) * steps) for hour in range(top, bottom)])


def _column(day: date, pieces: Sequence[Piece], top: int) -> Column:
    placed = [_placed(piece, top) for piece in pieces if not piece.whole or piece.item.kind in BEHIND]
    behind, before = _split(placed, lambda piece: piece.item.kind in BEHIND)
    all_day = [piece for piece in pieces if piece.whole and piece.item.kind not in BEHIND]
    return Column(day, all_day, behind, _side_by_side(before))


def _piece(item: Item, day: date, zone: str) -> Piece | None:
    start, end = bounds(day, zone)
    first, last = max(item.start, start), min(item.end, end)
    if first >= last:
        return None
    local, until = first.astimezone(ZoneInfo(zone)), last.astimezone(ZoneInfo(zone))
    over = last >= end
    minutes = 0 if first <= start else local.hour * 60 + local.minute
    ends = MIDNIGHT if over else max(until.hour * 60 + until.minute, minutes + 1)
    return Piece(item, minutes, ends, f"{local:%H:%M}", "24:00" if over else f"{until:%H:%M}")


def _placed(piece: Piece, top: int) -> Piece:
    at = max(0, (piece.first - top) // STEP_MINUTES)
    return replace(piece, at=at, rows=max(1, -(-(piece.last - top) // STEP_MINUTES) - at))


def _side_by_side(pieces: Sequence[Piece]) -> list[Piece]:
    """Those that overlap share the width; at most three side by side."""
    placed: list[Piece] = []
    group: list[Piece] = []
    until = -1
    for piece in sorted(pieces, key=lambda one: (one.at, -one.rows)):
        if group and piece.at >= until:
            placed, group = [*placed, *_shared(group)], []
        taken = {one.lane for one in group if one.at + one.rows > piece.at}
        group.append(replace(piece, lane=next((lane for lane in (1, 2, 3) if lane not in taken), 3)))
        until = max(until, piece.at + piece.rows) if len(group) > 1 else piece.at + piece.rows
    return [*placed, *_shared(group)]


def _shared(group: Sequence[Piece]) -> list[Piece]:
    lanes = max((piece.lane for piece in group), default=1)
    return [replace(piece, lanes=lanes) for piece in group]


def _split(pieces: Sequence[Piece], which: Callable[[Piece], bool]) -> tuple[list[Piece], list[Piece]]:
    return [piece for piece in pieces if which(piece)], [piece for piece in pieces if not which(piece)]
