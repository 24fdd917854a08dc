"""What rows of time symbols mean as days: one function a way of saying it, for the grammar in day_rules.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from plugins.ai.rules import days
from plugins.ai.rules.days import Days
from plugins.ai.rules.time_grammar import Frame, Make
from plugins.ai.rules.time_words import Token

_AHEAD = {"T": 0, "X": 1, "Y": 1, "L": -1, "x": 2, "J": 0}


def made(find: Callable[[Sequence[Token], Frame], Days | date | None]) -> Make:
    """A rule's function from one that finds days; a date beyond the calendar is no date."""

    def make(tokens: Sequence[Token], frame: Frame) -> Token | None:
        try:
            found = find(tokens, frame)
        except (OverflowError, ValueError):
            return None
        if found is None:
            return None
        stretch = days.one(found) if isinstance(found, date) else found
        return Token("0", tokens[0].start, tokens[-1].end, days=stretch)

    return make


def _get(tokens: Sequence[Token], letters: str) -> Token | None:
    return next((token for token in tokens if token.letter in letters), None)


def _count(tokens: Sequence[Token]) -> int:
    number = _get(tokens, "N")
    return number.number if number else 1


def _name(tokens: Sequence[Token]) -> str:
    unit = _get(tokens, "U")
    return unit.name if unit else "quarter" if _get(tokens, "q") else "week"


def _year(tokens: Sequence[Token]) -> int:
    year = _get(tokens, "y")
    return year.number if year else 0


def relative(tokens: Sequence[Token], frame: Frame) -> date | None:
    token = _get(tokens, "RDw")
    if token is None:
        return None
    if token.letter == "R":
        return frame.today + timedelta(days=token.number)
    mark = _get(tokens, "TXYL")
    return days.weekday(frame.today, token.number % 10, mark.letter if mark else "")


def plainly(tokens: Sequence[Token], frame: Frame) -> Days | None:
    """A day named alone: "today", "Thursday"."""
    day = relative(tokens, frame)
    return Days(day, day, best=day, named=tokens[0].letter == "D") if day else None


def agreeing(find: Callable[[Sequence[Token], Frame], date | None]) -> Callable[[Sequence[Token], Frame], Days | None]:
    """A date said with its weekday: "Thursday, 6 March", which may be a Friday."""

    def found(tokens: Sequence[Token], frame: Frame) -> Days | None:
        day, weekday = find(tokens, frame), _get(tokens, "D")
        if day is None or weekday is None or day.weekday() == weekday.number % 10:
            return days.one(day) if day else None
        return days.doubtful(day, weekday.number % 10, frame.today)

    return found


def written(tokens: Sequence[Token], frame: Frame) -> date | None:
    token = tokens[-1]
    if token.name == ".?" and tokens[0].letter != "D":
        return None  # "1.5" is a number; it is a day where a day is asked for (times.py)
    if token.name.isdigit():
        return date(token.year, int(token.name), token.number)
    day, month = (token.number, token.minute) if frame.day_first or "." in token.name else (token.minute, token.number)
    if month > 12:
        day, month = month, day
    return days.month_day(frame.today, month, day, token.year)


def day_and_month(tokens: Sequence[Token], frame: Frame) -> date | None:
    month, day = _get(tokens, "M"), _get(tokens, "NO")
    if month is None or day is None:
        return None
    return days.month_day(frame.today, month.number, day.number, _year(tokens))


def days_of_month(tokens: Sequence[Token], frame: Frame) -> Days | None:
    """ "12-14 March", "from 3 to 7 April", "March 3 to 7"."""
    month = _get(tokens, "M")
    first, last = (token.number for token in tokens if token.letter in "NO")
    if month is None or first >= last:
        return None
    start = days.month_day(frame.today, month.number, first, _year(tokens))
    end = days.month_day(frame.today, month.number, last, _year(tokens))
    return days.stretch(start, end) if start and end and start <= end else None


def weekday_in_week(tokens: Sequence[Token], frame: Frame) -> Days:
    """ "Thursday next week", "nächste Woche Donnerstag"."""
    mark, day = _get(tokens, "TXYLx"), _get(tokens, "Dw")
    ahead = _AHEAD[mark.letter] if mark else 1
    found = days.monday(frame.today) + timedelta(days=7 * ahead + (day.number % 10 if day else 0))
    return Days(found, found, best=found, of_week=True)


def from_day(tokens: Sequence[Token], frame: Frame) -> date | None:
    """ "a week from Monday", "Montag in zwei Wochen", "lundi en huit"."""
    start = relative(tokens, frame)
    if start is None:
        return None
    later = _get(tokens, "+")
    if later and later.number:
        return start + timedelta(days=later.number)
    return days.moved(start, _count(tokens), _name(tokens))


def whole(tokens: Sequence[Token], frame: Frame) -> Days:
    mark = _get(tokens, "TXYLx")
    name = mark.name if mark and mark.letter == "x" else _name(tokens)
    return days.unit(frame.today, name, _AHEAD[mark.letter] if mark else 0)


def third(tokens: Sequence[Token], frame: Frame) -> Days:
    """ "end of the month", "early next week", "Mitte März"."""
    month, quarter, mark = _get(tokens[1:], "M"), _get(tokens[1:], "c"), _get(tokens[1:], "TXYLx")
    if month:
        year = _year(tokens) or frame.today.year
        whole = days.whole_month(month.number, year)
        if whole.last and whole.last < frame.today and not _year(tokens):
            whole = days.whole_month(month.number, year + 1)
    elif quarter:
        whole = days.quarter(frame.today, quarter.number, _year(tokens))
    elif _year(tokens):
        whole = days.stretch(date(_year(tokens), 1, 1), date(_year(tokens), 12, 31))
    else:
        name = mark.name if mark and mark.letter == "x" else _name(tokens)
        whole = days.unit(frame.today, name, _AHEAD[mark.letter] if mark else 0, whole=True)
    return days.third(whole, tokens[0].letter, frame.today)


def next_few(tokens: Sequence[Token], frame: Frame) -> Days:
    """ "within two weeks", "the next 3 days": from today on."""
    if _get(tokens, "L"):
        return days.stretch(days.moved(frame.today, -_count(tokens), _name(tokens)), frame.today)
    return days.stretch(frame.today, days.moved(frame.today, _count(tokens), _name(tokens)))


def ahead(tokens: Sequence[Token], frame: Frame) -> Days | None:
    """ "in two weeks": the day itself, and for weeks and longer the six days after it as well."""
    name = _name(tokens)
    start = days.moved(frame.today, _count(tokens), name)
    return days.one(start) if name in ("day", "workday") else days.stretch(start, start + timedelta(days=6))


def later_today(tokens: Sequence[Token], frame: Frame) -> Token | None:
    """ "in two hours", "in 30 minutes": a clock time with its day."""
    name = "hour" if tokens[-1].letter == "o" else _name(tokens)
    if name not in ("hour", "minute"):
        return None
    minutes = 30 if _get(tokens, "h") else _count(tokens) * (60 if name == "hour" else 1)
    then = frame.now + timedelta(minutes=minutes)
    day = days.one(then.date())
    return Token("C", tokens[0].start, tokens[-1].end, then.hour, "sure", then.minute, days=day)


def ago(tokens: Sequence[Token], frame: Frame) -> date:
    return days.moved(frame.today, -_count(tokens), _name(tokens))


def weekend(tokens: Sequence[Token], frame: Frame) -> Days:
    mark = _get(tokens, "TXYL")
    return days.weekend(frame.today, 1 if mark and mark.letter == "X" else -1 if mark and mark.letter == "L" else 0)


def month(tokens: Sequence[Token], frame: Frame) -> Days | None:
    month, mark = _get(tokens, "M"), _get(tokens, "XL")
    if month is None:
        return None
    if mark and mark.letter == "L":
        return days.whole_month(month.number, frame.today.year - (month.number >= frame.today.month))
    return days.month(frame.today, month.number, _year(tokens))


def quarter(tokens: Sequence[Token], frame: Frame) -> Days:
    token = _get(tokens, "c")
    return days.quarter(frame.today, token.number if token else 1, _year(tokens))


def of_month(tokens: Sequence[Token], frame: Frame) -> date | None:
    token = _get(tokens, "NO")
    if token is None or token.name == "word" or (token.letter == "N" and tokens[0].name != "day"):
        return None  # "the second" is rather the second of some list, "die 30" are thirty
    return days.day_of_month(frame.today, token.number)


def weekday_and_number(tokens: Sequence[Token], frame: Frame) -> Days | None:
    """ "Monday 21", "Wed the 13th": the next day that is both; a number that is no such day soon is an hour, and a date
    that is no such day soon is probably a slip."""
    weekday, number = _get(tokens, "D"), tokens[-1]
    if weekday is None:
        return None
    for ahead in range(60):
        day = frame.today + timedelta(days=ahead)
        if day.day == number.number and day.weekday() == weekday.number:
            return days.one(day)
    slip = days.day_of_month(frame.today, number.number) if number.letter == "O" else None
    return days.doubtful(slip, weekday.number, frame.today) if slip else None


def counted_from(tokens: Sequence[Token], _: Frame) -> date | None:
    """ "two weeks after January 15": counted from a day already read."""
    start = tokens[-1].days.best if tokens[-1].days else None
    return days.moved(start, _count(tokens), _name(tokens)) if start else None


def every(tokens: Sequence[Token], _: Frame) -> Days:
    number = tokens[0].number
    return Days(weekdays=(number - 10,) if number >= 10 else (0, 1, 2, 3, 4))


def soon(_: Sequence[Token], frame: Frame) -> Days:
    return Days(frame.today, None, best=frame.today)


def in_year(tokens: Sequence[Token], _: Frame) -> Days:
    return days.stretch(date(_year(tokens), 1, 1), date(_year(tokens), 12, 31))


def week_of(tokens: Sequence[Token], frame: Frame) -> Days | None:
    """ "the week of the 18th": from its Monday, or today, to its Sunday."""
    best = tokens[-1].days.best if tokens[-1].days else None
    if best is None:
        return None
    start = days.monday(best)
    return days.after(days.stretch(start, start + timedelta(days=6)), frame.today)


def closing(tokens: Sequence[Token], frame: Frame) -> Days:
    """ "eom": the end of the month."""
    return days.third(days.unit(frame.today, tokens[0].name, 0, whole=True), "E", frame.today)
