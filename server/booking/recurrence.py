"""Times on a wall clock, once or by a rule (RRULE of RFC 5545), as UTC spans. Pure; the rule is python-dateutil's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from dateutil.rrule import rrule, rrulestr

from server.booking.availability.wallclock import DAY, Span, instants, join
from server.errors import Invalid

WEEK, MONTH = "week", "month"
DAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NTHS = (1, 2, 3, 4, -1)
MOST_WEEKS = 52
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Repeat:
    """Every `interval` weeks on `days` (Monday is 0), or in every month on the `nth` (-1: the last) of one day of the
    week; the last time is on `until`, that date included, or never."""

    every: str
    days: tuple[int, ...]
    interval: int = 1
    nth: int = 0
    until: date | None = None

    def rule(self) -> str:
        """As RRULE text, its UNTIL on the wall clock like its start."""
        if self.every == MONTH:
            parts = ["FREQ=MONTHLY", f"BYDAY={self.nth:+d}{DAY_CODES[self.days[0]]}"]
        else:
            parts = [
                "FREQ=WEEKLY",
                f"INTERVAL={self.interval}",
                "BYDAY=" + ",".join(DAY_CODES[day] for day in self.days),
            ]
        return ";".join(parts + ([f"UNTIL={self.until:%Y%m%d}T235959"] if self.until else []))

    @classmethod
    def read(cls, rule: str) -> Repeat:
        """What `rule` wrote."""
        given = dict(part.split("=") for part in rule.split(";"))
        until = datetime.strptime(given["UNTIL"], "%Y%m%dT%H%M%S").date() if "UNTIL" in given else None
        days = tuple(DAY_CODES.index(day[-2:]) for day in given["BYDAY"].split(","))
        if given["FREQ"] == "MONTHLY":
            return cls(MONTH, days, nth=int(given["BYDAY"][:-2]), until=until)
        return cls(WEEK, days, int(given["INTERVAL"]), until=until)

    def check(self) -> None:
        """Invalid, in a sentence, for what cannot be repeated."""
        if not self.days or not set(self.days) <= set(range(7)):
            raise Invalid("Choose on which days of the week it repeats.", field="days")
        if self.every == MONTH and (len(self.days) != 1 or self.nth not in NTHS):
            raise Invalid("Choose which day of the month it repeats on, such as the first Tuesday.", field="nth")
        if not 1 <= self.interval <= MOST_WEEKS:
            raise Invalid(f"It can repeat every 1 to {MOST_WEEKS} weeks.", field="interval")


@dataclass(frozen=True)
class Pattern:
    """From `start` to `end` (naive, as the clocks of `zone` show it), and then again and again by the RRULE `rule`.

    With a rule the first time is the first day at or after `start` that the rule names.
    """

    zone: str
    start: datetime
    end: datetime
    rule: str = ""

    def spans(self, first: int, until: int) -> tuple[Span, ...]:
        """The UTC spans that meet [first, until), in order, joined where they touch. A time that is skipped when
        clocks change is no time; one that is repeated is twice as long."""
        return _spans(self, first, until)

    def ends_at(self) -> int | None:
        """When it is over, in UTC seconds; None: never. Invalid when it never takes place at all."""
        start, length = _wall(self.start), _wall(self.end) - _wall(self.start)
        if self.rule:
            rule = _rule(self)
            if "UNTIL" not in self.rule:
                return None
            if (last := rule.before(datetime.max, inc=True)) is None:
                raise Invalid("There is no such day in these dates.", field="until")
            start = _wall(last)
        found = instants(self.zone, start, start + length)
        if not found:
            raise Invalid("The clocks skip this time on that day; choose another one.", field="start")
        return found[-1][1]


@lru_cache(maxsize=2048)
def _spans(of: Pattern, first: int, until: int) -> tuple[Span, ...]:
    start, length = _wall(of.start), _wall(of.end) - _wall(of.start)
    starts = [start]
    if of.rule:
        near = _rule(of).between(_naive(first - length - DAY), _naive(until + DAY), inc=True)
        starts = [_wall(one) for one in near]
    found = join(span for one in starts for span in instants(of.zone, one, one + length))
    return tuple(span for span in found if span[0] < until and first < span[1])


def _rule(of: Pattern) -> rrule:
    found = rrulestr(of.rule, dtstart=of.start)
    assert isinstance(found, rrule)
    return found


def _wall(naive: datetime) -> int:
    """A reading of the clock, as if it were UTC's."""
    return (naive - _EPOCH) // timedelta(seconds=1)


def _naive(wall: int) -> datetime:
    return _EPOCH + timedelta(seconds=wall)
