"""What is asked of the engine: lengths, limits, dates, and the calendars of those who might take the meeting.

Everything an answer needs is in the `Question`. Instants are whole UTC seconds; fractions are rounded outwards by the
caller, which changes nothing because starts and lengths are whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from server.booking.availability.hours import Schedule
from server.booking.availability.wallclock import DAY, Span, instants, local_day


@dataclass(frozen=True, slots=True)
class Shape:
    """Lengths of a meeting in seconds: itself, the step between starts, the buffers around it, the notice it needs."""

    duration: int
    step: int
    before: int = 0
    after: int = 0
    notice: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The most meetings of one kind that a rep takes on a local date, and in a week from Monday; None: any number."""

    kind: str
    per_day: int | None = None
    per_week: int | None = None


@dataclass(frozen=True, slots=True)
class FirstOfDay:
    """Only the first `count` open starts of a date can be booked, by the clock of `zone`."""

    count: int
    zone: str


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

    `busy` and `holds` are UTC spans in any order; `counted` are the starts that count towards the limits, `counted_of`
    the same by kind of meeting; `labels` say what a busy span is. `before`, `after` and `notice` (seconds) replace
    those of the meeting for this rep.
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
    counted_of: Mapping[str, Sequence[int]] = field(default_factory=dict)
    memo: dict[object, dict[int, int]] = field(default_factory=dict, repr=False)

    def buffers(self, shape: Shape) -> tuple[int, int]:
        """Seconds kept free before and after a meeting of this rep."""
        return (
            shape.before if self.before is None else self.before,
            shape.after if self.after is None else self.after,
        )


class Crew(tuple[RepCalendar, ...]):
    """Calendars that are asked about together, in the order in which they are named.

    Kept as long as none of them changes, it answers from masks of the whole crew. `alike` are reps with the same notice
    and buffers, `schedules` the different ones among theirs.
    """

    alike: dict[tuple[int | None, int | None, int | None], list[RepCalendar]]
    schedules: tuple[Schedule, ...]
    memo: dict[object, dict[int | None, int]]
    cells: dict[object, int]

    def __new__(cls, reps: Iterable[RepCalendar] = ()) -> Crew:
        """Of any calendars; a crew stays the same crew."""
        if isinstance(reps, Crew):
            return reps
        made = super().__new__(cls, reps)
        made.alike, made.memo, made.cells = {}, {}, {}
        for rep in made:
            made.alike.setdefault((rep.notice, rep.before, rep.after), []).append(rep)
        made.schedules = tuple({id(rep.schedule): rep.schedule for rep in made}.values())
        return made


@dataclass(frozen=True)
class Question:
    """Which starts in [start, end) can be booked, asked at `now` (aware).

    `needed` is how many of the reps must be able to take a meeting: 1 for a round robin, all of them for a collective.
    """

    now: datetime
    start: int
    end: int
    shape: Shape
    reps: Crew
    needed: int = 1
    window: Window | None = None
    limits: Limits | None = None
    first_of_day: FirstOfDay | None = None

    def earliest(self, notice: int | None) -> int:
        """First whole second that keeps this notice, a rep's own or else the meeting's (equality is allowed)."""
        wait = self.shape.notice if notice is None else notice
        return int(self.now.timestamp()) + (1 if self.now.microsecond else 0) + wait
