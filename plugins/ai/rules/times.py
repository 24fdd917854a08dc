"""When a visitor would like to meet: moments in words become wishes, read in the language that explains most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from babel import Locale, UnknownLocaleError

from plugins.ai import PartOfDay, TimeWish
from plugins.ai.rules import clocks
from plugins.ai.rules.clocks import CLOCKS, WINDOWS
from plugins.ai.rules.day_rules import DAYS, FROM_DAYS
from plugins.ai.rules.days import Days, monday, within
from plugins.ai.rules.time_grammar import Frame
from plugins.ai.rules.time_mending import articles, half_day, hours, joined, promoted
from plugins.ai.rules.time_words import IDLE, Token, pieces, speaks_of_time, tokens


@dataclass(frozen=True, slots=True)
class Moment:
    """One wish, the single day that is meant best, and where it stands in the folded text."""

    wish: TimeWish
    best: date | None
    start: int
    end: int


def moments(folded: str, order: tuple[str, ...], locale: str, local: datetime, *, bare: str = "") -> list[Moment]:
    """All wishes in order of appearance. `local`: the visitor's local time. `bare`: a "day" or "hour" is expected, so
    a number alone is one."""
    frame = Frame(local, _day_first(locale))
    best: list[Moment] = []
    reach = 0
    found_pieces = pieces(folded)
    for language in order:
        native = language == order[0]
        if not native and not bare and not speaks_of_time(found_pieces, language):
            continue
        symbols = tokens(found_pieces, language, native=native)
        if not any(token.letter not in IDLE for token in symbols) and not bare:
            continue
        reading = _Reading(frame, bare, folded)
        found = reading.read(symbols, native=native)
        covered = reading.covered + (native and bool(found))
        if covered > reach:
            best, reach = found, covered
    return best


def _day_first(locale: str) -> bool:
    try:
        short = Locale.parse(locale.replace("-", "_")).date_formats["short"].pattern
    except (ValueError, UnknownLocaleError):
        return True
    return bool(short.find("d") < short.find("M") or short.startswith("y"))


class _Reading:
    """Goes through the tokens of one line and gathers what belongs to one wish."""

    def __init__(self, frame: Frame, bare: str, folded: str) -> None:
        self.frame, self.bare, self.folded = frame, bare, folded
        self.found: list[_Part] = []
        self.covered = 0

    def read(self, symbols: list[Token], *, native: bool) -> list[Moment]:
        sure = articles(promoted(joined(symbols), native=native, alone=bool(self.bare) and len(symbols) < 3))
        dated = FROM_DAYS.rewrite(DAYS.rewrite(CLOCKS.rewrite(sure, self.frame), self.frame), self.frame)
        timed = [half_day(token) for token in CLOCKS.rewrite(dated, self.frame)]
        row = _limits(WINDOWS.rewrite(hours(timed), self.frame), self.frame)
        if self.bare and not any(token.letter in "0CtP" for token in row):
            row = self._expected(row)
        self.covered = sum(token.end - token.start for token in row if token.letter in "0CtP")
        for place, token in enumerate(row):
            self._token(token, row, place)
        return [moment for part in _shared(self.found) for moment in part.moments()]

    def _expected(self, row: list[Token]) -> list[Token]:
        """A number alone, where a day of the month or an hour is waited for; "3 weeks" where a day is."""
        marked: list[Token] = []
        for place, token in enumerate(row):
            lone = token.letter == "N" and self.folded[token.start : token.end].isdigit()
            if token.letter == "H" and self.bare == "day":
                token = replace(token, name=".")
            counted = token.letter == "N" and place + 1 < len(row) and row[place + 1].letter == "U"
            if counted and self.bare == "day":
                marked.append(replace(token, letter="I"))
            elif lone and not counted and self.bare == "day":
                token = replace(token, letter="O")
            elif lone and not counted and token.number < 25:
                token = replace(token, letter="C")
            marked.append(token)
        return DAYS.rewrite(marked, self.frame) if self.bare == "day" else marked

    def _token(self, token: Token, row: Sequence[Token], place: int) -> None:
        if token.letter == "0":
            self._part("days", token, row, place).days = token.days
        elif token.letter in "Ct":
            part = self._part("clock", token, row, place)
            part.clock, part.days = token, token.days or part.days
        elif token.letter == "P":
            part = self._part("part", token, row, place)
            part.part = PartOfDay(token.name)
            if place and row[place - 1].letter == "T" and part.days is None:
                part.days = Days(self.frame.today, self.frame.today, best=self.frame.today)

    def _part(self, name: str, token: Token, row: Sequence[Token], place: int) -> _Part:
        """The wish being gathered, or a new one when it already has such a part or another sentence began."""
        joint = "".join(other.letter for other in row[self._last(row, place) : place])
        if not self.found or getattr(self.found[-1], name) or ";" in joint or joint.count(".") > 4:
            self.found.append(_Part(token.start, token.end, joined=bool(self.found) and ";" not in joint))
        part = self.found[-1]
        refused = self._refused_before(row, place) or _refused_after(row, place)
        if part.joined and joint.strip("la") in ("|", "&") and len(self.found) > 1:  # "not Monday or Tuesday"
            refused = refused or self.found[-2].refused_first
        part.negated = part.negated or refused
        part.refused_first = part.refused_first or (refused and not _refused_after(row, place))
        part.end = max(part.end, token.end)
        return part

    def _refused_before(self, row: Sequence[Token], place: int) -> bool:
        """A "not" stands right before. "That is no good for me, rather Tuesday" refuses what it does not name."""
        for other in row[max(self._last(row, place), place - 4) : place]:
            if other.letter == "!" and (other.name != "after" or "," not in self.folded[other.end : row[place].start]):
                return other.name != "after" or not self._last(row, place)
        return False

    @staticmethod
    def _last(row: Sequence[Token], place: int) -> int:
        return next((i + 1 for i in range(place - 1, -1, -1) if row[i].letter in "0CtP"), 0)


@dataclass
class _Part:
    start: int
    end: int
    joined: bool = False
    days: Days | None = None
    clock: Token | None = None
    part: PartOfDay | None = None
    negated: bool = False
    refused_first: bool = False  # by a "not" that stands before it

    def moments(self) -> list[Moment]:
        """One, or two where it cannot be told which day is meant."""
        days = self.days or Days()
        if self.negated and days.named and days.first:  # "not Monday" is no Monday
            days = Days(weekdays=(days.first.weekday(),))
        also = [self._moment(Days(days.also, days.also, best=days.also))] if days.also else []
        return [self._moment(days), *also]

    def _moment(self, days: Days) -> Moment:
        part = self.part or PartOfDay.ANY
        timed = clocks.wish(self.clock, part) if self.clock else TimeWish()
        kept = PartOfDay.ANY if timed.at else part
        wish = replace(timed, first=days.first, last=days.last, weekdays=days.weekdays, part=kept, negated=self.negated)
        return Moment(wish, days.best, self.start, self.end)


def _refused_after(row: Sequence[Token], place: int) -> bool:
    """ "Friday won't work": the refusal follows at once."""
    following = "".join(token.letter for token in row[place + 1 : place + 3])
    if following == "!" and place + 2 == len(row):
        return True
    return following.startswith(("!", ".!")) and row[place + 1 + (following[0] == ".")].name == "after"


def _shared(parts: list[_Part]) -> list[_Part]:
    """What is said once for several: "Tuesday morning or afternoon", "10 or 11 on Monday", "Mon or Tue at 10"."""
    for before, part in zip(parts, parts[1:], strict=False):
        if part.joined and part.days is None and before.days is not None:
            part.days = before.days
    for part, following in reversed(list(zip(parts, parts[1:], strict=False))):
        if not following.joined or part.negated != following.negated:
            continue
        if part.days is None:
            part.days = following.days
        elif part.clock is None and part.part is None:
            part.clock, part.part = following.clock, following.part
    return _in_their_week(parts)


def _in_their_week(parts: list[_Part]) -> list[_Part]:
    """ "Next week, Tuesday or Thursday", "next week except Friday": the week says which weekday is meant."""
    week: _Part | None = None
    kept: list[_Part] = []
    for part in parts:
        if not part.joined:
            week = None
        inside = (
            within(_week_of(week.days), part.days) if week and week.days and part.days and part.days.named else None
        )
        if inside and week and week.days:
            part.days = inside
            if not part.negated and not week.days.of_week:
                if part.clock is None and part.part is None:
                    part.clock, part.part = week.clock, week.part
                kept = [one for one in kept if one is not week]
        elif part.days and (part.days.of_week or part.days.first != part.days.last) and not part.negated:
            week = part
        kept.append(part)
    return kept


def _week_of(days: Days) -> Days:
    """The stretch itself, or the week of the weekday that was named in it."""
    if not days.of_week or days.first is None:
        return days
    start = monday(days.first)
    return Days(start, start + timedelta(days=6), best=start)


def _limits(row: list[Token], frame: Frame) -> list[Token]:
    """Days with a limit or two ends: "by Friday", "from Monday on", "between the 3rd and the 7th", "Mon-Wed"."""
    result: list[Token] = []
    place = 0
    while place < len(row):
        made, size = _limit(row, place, frame)
        result.append(made)
        place += size
    return result


def _limit(row: list[Token], place: int, frame: Frame) -> tuple[Token, int]:
    letters = "".join(token.letter for token in row[place : place + 4])
    token = row[place]
    if letters[:4] in ("F0K0", "F0A0", "F0&0"):
        return _between(row[place + 1], row[place + 3]), 4
    if letters[:3] in ("0K0", "0A0"):
        return _between(token, row[place + 2]), 3
    if letters[:2] in ("V0", "K0", "Q0", "F0") and row[place + 1].days and token.name != "weak":
        return replace(row[place + 1], days=_bounded(token, row[place + 1].days or Days(), frame.today)), 2
    return token, 1


def _between(first: Token, last: Token) -> Token:
    one, other = first.days or Days(), last.days or Days()
    end = other.last
    if one.weekdays and other.weekdays:
        return replace(first, days=Days(weekdays=tuple(range(one.weekdays[0], other.weekdays[-1] + 1))), end=last.end)
    if one.first and end and end < one.first:
        end += timedelta(days=7)
    return replace(first, days=Days(one.first, end, best=one.first), end=last.end)


def _bounded(limit: Token, days: Days, today: date) -> Days:
    strict = limit.name == "strict"
    if limit.letter in "VK":
        whole = days.best == days.last
        last = days.last if not strict or (whole and days.first != days.last) else days.first
        end = last - timedelta(days=1) if last and strict and not (whole and days.first != days.last) else last
        return Days(None, end, days.weekdays, best=end)
    start = days.last + timedelta(days=1) if strict and days.last else days.first
    return Days(start, None, days.weekdays, best=start or today)
