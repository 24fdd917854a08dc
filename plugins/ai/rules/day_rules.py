"""The grammar of days: rows of time symbols become stretches of days (letter 0)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from plugins.ai.rules import days
from plugins.ai.rules.days import Days
from plugins.ai.rules.time_grammar import Frame, Grammar, Make
from plugins.ai.rules.time_words import Token

_AHEAD = {"T": 0, "X": 1, "Y": 1, "L": -1, "x": 2, "J": 0}


def _made(find: Callable[[Sequence[Token], Frame], Days | date | None]) -> Make:
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
    return unit.name if unit else "week"


def _year(tokens: Sequence[Token]) -> int:
    year = _get(tokens, "y")
    return year.number if year else 0


def _relative(tokens: Sequence[Token], frame: Frame) -> date | None:
    token = _get(tokens, "RDw")
    if token is None:
        return None
    if token.letter == "R":
        return frame.today + timedelta(days=token.number)
    mark = _get(tokens, "TXYL")
    return days.weekday(frame.today, token.number % 10, mark.letter if mark else "")


def _written(tokens: Sequence[Token], frame: Frame) -> date | None:
    token = tokens[-1]
    if token.name.isdigit():
        return date(token.year, int(token.name), token.number)
    day, month = (token.number, token.minute) if frame.day_first or "." in token.name else (token.minute, token.number)
    if month > 12:
        day, month = month, day
    return days.month_day(frame.today, month, day, token.year)


def _day_and_month(tokens: Sequence[Token], frame: Frame) -> date | None:
    month, day = _get(tokens, "M"), _get(tokens, "NO")
    if month is None or day is None:
        return None
    return days.month_day(frame.today, month.number, day.number, _year(tokens))


def _days_of_month(tokens: Sequence[Token], frame: Frame) -> Days | None:
    """ "12-14 March", "from 3 to 7 April", "March 3 to 7"."""
    month = _get(tokens, "M")
    first, last = (token.number for token in tokens if token.letter in "NO")
    if month is None or first >= last:
        return None
    start = days.month_day(frame.today, month.number, first, _year(tokens))
    end = days.month_day(frame.today, month.number, last, _year(tokens))
    return days.stretch(start, end) if start and end and start <= end else None


def _weekday_in_week(tokens: Sequence[Token], frame: Frame) -> date:
    """ "Thursday next week", "nächste Woche Donnerstag"."""
    mark, day = _get(tokens, "TXYLx"), _get(tokens, "Dw")
    ahead = _AHEAD[mark.letter] if mark else 1
    return days.monday(frame.today) + timedelta(days=7 * ahead + (day.number % 10 if day else 0))


def _from_day(tokens: Sequence[Token], frame: Frame) -> date | None:
    """ "a week from Monday", "Montag in zwei Wochen", "lundi en huit"."""
    start = _relative(tokens, frame)
    if start is None:
        return None
    later = _get(tokens, "+")
    if later and later.number:
        return start + timedelta(days=later.number)
    return days.moved(start, _count(tokens), _name(tokens))


def _whole(tokens: Sequence[Token], frame: Frame) -> Days:
    mark = _get(tokens, "TXYLx")
    name = mark.name if mark and mark.letter == "x" else _name(tokens)
    return days.unit(frame.today, name, _AHEAD[mark.letter] if mark else 0)


def _third(tokens: Sequence[Token], frame: Frame) -> Days:
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


def _next_few(tokens: Sequence[Token], frame: Frame) -> Days:
    """ "within two weeks", "the next 3 days": from today on."""
    if _get(tokens, "L"):
        return days.stretch(days.moved(frame.today, -_count(tokens), _name(tokens)), frame.today)
    return days.stretch(frame.today, days.moved(frame.today, _count(tokens), _name(tokens)))


def _ahead(tokens: Sequence[Token], frame: Frame) -> Days | None:
    """ "in two weeks": the day itself, and for weeks and longer the six days after it as well."""
    name = _name(tokens)
    start = days.moved(frame.today, _count(tokens), name)
    return days.one(start) if name in ("day", "workday") else days.stretch(start, start + timedelta(days=6))


def _later_today(tokens: Sequence[Token], frame: Frame) -> Token | None:
    """ "in two hours", "in 30 minutes": a clock time with its day."""
    name = "hour" if tokens[-1].letter == "o" else _name(tokens)
    if name not in ("hour", "minute"):
        return None
    then = frame.now + timedelta(minutes=_count(tokens) * (60 if name == "hour" else 1))
    day = days.one(then.date())
    return Token("C", tokens[0].start, tokens[-1].end, then.hour, "sure", then.minute, days=day)


def _ago(tokens: Sequence[Token], frame: Frame) -> date:
    return days.moved(frame.today, -_count(tokens), _name(tokens))


def _weekend(tokens: Sequence[Token], frame: Frame) -> Days:
    mark = _get(tokens, "TXYL")
    return days.weekend(frame.today, 1 if mark and mark.letter == "X" else -1 if mark and mark.letter == "L" else 0)


def _month(tokens: Sequence[Token], frame: Frame) -> Days | None:
    month, mark = _get(tokens, "M"), _get(tokens, "XL")
    if month is None:
        return None
    if mark and mark.letter == "L":
        return days.whole_month(month.number, frame.today.year - (month.number >= frame.today.month))
    return days.month(frame.today, month.number, _year(tokens))


def _quarter(tokens: Sequence[Token], frame: Frame) -> Days:
    token = _get(tokens, "c")
    return days.quarter(frame.today, token.number if token else 1, _year(tokens))


def _of_month(tokens: Sequence[Token], frame: Frame) -> date | None:
    token = _get(tokens, "NO")
    return days.day_of_month(frame.today, token.number) if token else None


def _every(tokens: Sequence[Token], _: Frame) -> Days:
    number = tokens[0].number
    return Days(weekdays=(number - 10,) if number >= 10 else (0, 1, 2, 3, 4))


def _soon(_: Sequence[Token], frame: Frame) -> Days:
    return Days(frame.today, None, best=frame.today)


def _in_year(tokens: Sequence[Token], _: Frame) -> Days:
    return days.stretch(date(_year(tokens), 1, 1), date(_year(tokens), 12, 31))


DAYS = Grammar(
    ("D?F?H", _made(_written)),
    ("F?[NO][KA&]l?[NO]F?My?", _made(_days_of_month)),
    ("M[NO][KA][NO]y?", _made(_days_of_month)),
    ("D?l?[NO]F?MF?y?", _made(_day_and_month)),
    ("D?M[NO]y?", _made(_day_and_month)),
    ("[NI]?N?UI?[QF+]l?[DR]", _made(_from_day)),
    ("DINU", _made(_from_day)),
    ("RINU", _made(_from_day)),
    ("[DR]\\+", _made(_from_day)),
    ("DF?l?[TXYL]U", _made(_weekday_in_week)),
    ("DF?l?U[XYL]", _made(_weekday_in_week)),
    ("[TXYL]UF?[Dw]", _made(_weekday_in_week)),
    ("U[XYL]F?l?D", _made(_weekday_in_week)),
    ("[DF]?x[D]", _made(_weekday_in_week)),
    ("Dx", _made(_weekday_in_week)),
    ("[TX][XY]?D", _made(_relative)),
    ("[YL]D", _made(_relative)),
    ("D[XYL]", _made(_relative)),
    ("[EBJv+]K?F?l?[TXYL]?MF?y?", _made(_third)),
    ("[EBJv+]F?l?[TXYLx]U", _made(_third)),
    ("[EBJv+]F?l?U[XYL]", _made(_third)),
    ("[EBJv+]F?l?[Ucxy]", _made(_third)),
    ("x", _made(_whole)),
    ("[XYiTL]N[XY]?U", _made(_next_few)),
    ("iU", _made(_next_few)),
    ("N[XYL]U", _made(_next_few)),
    ("[TXYL]U", _made(_whole)),
    ("U[XYL]", _made(_whole)),
    ("gNU", _made(_ago)),
    ("INUg", _made(_ago)),
    ("INU", _later_today),
    ("NU\\+", _later_today),
    ("INo", _later_today),
    ("INU", _made(_ahead)),
    ("NU\\+", _made(_ahead)),
    ("NUg", _made(_ago)),
    ("[TXYL]?W[XYL]?", _made(_weekend)),
    ("M[XYL]", _made(_month)),
    ("[ITXLA]?MF?y?", _made(_month)),
    ("[ITX]?cF?y?", _made(_quarter)),
    ("l?OU?", _made(_of_month)),
    ("lN(?=$|[;CtPSA0|])", _made(_of_month)),
    ("Iy", _made(_in_year)),
    ("w", _made(_every)),
    ("[RD]", _made(_relative)),
    ("n", _made(_soon)),
)
