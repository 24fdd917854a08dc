"""What the forms of the page "Availability" send, as a rep's own time; and an own time in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from server.booking.own_times import AWAY, BLOCKED, OPEN, OwnTime
from server.booking.recurrence import MONTH, NTHS, WEEK, Repeat
from server.errors import Invalid

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NTH_WORDS = dict(zip(NTHS, ("first", "second", "third", "fourth", "last"), strict=True))
DAY = timedelta(days=1)


def wanted(form: Mapping[str, str], days: Sequence[str]) -> OwnTime:
    """The own time that a form asks for; `days` of the week are those it repeats on, Monday is "0". Invalid names the
    field, in one sentence."""
    kind, zone, title = (" ".join(form.get(name, "").split()) for name in ("kind", "zone", "title"))
    if kind == AWAY:
        first = _date(form, "from", "Choose the first day you are away.")
        last = _date(form, "to", "Choose the last day you are away.") if form.get("to", "") else first
        if last < first:
            raise Invalid("The last day lies before the first.", field="to")
        return OwnTime(AWAY, zone, _at(first), _at(last) + DAY, title=title)
    if kind not in (BLOCKED, OPEN):
        raise Invalid("Choose what to add.", field="kind")
    day = _date(form, "date", "Choose a date.")
    start, end = _span(form, day)
    return OwnTime(kind, zone, start, end, _rule(form, days, day), title)


def in_words(row: Any, day_words: Callable[[date], str]) -> str:
    """When an own time takes place: "Every Monday, 09:00–10:00 until Fri 4 Dec 2026". `day_words` writes a date."""
    start, end = datetime.fromisoformat(row.start_local), datetime.fromisoformat(row.end_local)
    whole = start.time() == end.time() == time()
    last = (end - DAY).date() if whole else end.date()
    if row.rule:
        return _repeated(Repeat.read(row.rule), start, end, whole, day_words)
    if whole:
        first, until = day_words(start.date()), day_words(last)
        return first if first == until else f"{first} to {until}"
    if start.date() == end.date() or end - start < DAY:
        return f"{day_words(start.date())}, {start:%H:%M}–{end:%H:%M}"
    return f"{day_words(start.date())}, {start:%H:%M} to {day_words(last)}, {end:%H:%M}"


def _repeated(repeat: Repeat, start: datetime, end: datetime, whole: bool, day_words: Callable[[date], str]) -> str:
    times = "all day" if whole and end - start == DAY else f"{start:%H:%M}–{end:%H:%M}"
    if repeat.every == MONTH:
        when = f"Every month on the {NTH_WORDS[repeat.nth]} {DAYS[repeat.days[0]]}"
    elif repeat.interval > 1:
        when = f"Every {repeat.interval} weeks on {_and([DAYS[day] for day in repeat.days])}"
    else:
        when = "Every day" if len(repeat.days) == len(DAYS) else f"Every {_and([DAYS[day] for day in repeat.days])}"
    since = f" from {day_words(start.date())}"
    until = f" until {day_words(repeat.until)}" if repeat.until else ""
    return f"{when}, {times}{since}{until}"


def _rule(form: Mapping[str, str], days: Sequence[str], day: date) -> str:
    every = form.get("repeat", "")
    if not every:
        return ""
    until = _date(form, "until", "") if form.get("until", "") else None
    if until and until < day:
        raise Invalid("It would end before it begins: choose a later last date.", field="until")
    if every == MONTH:
        repeat = Repeat(MONTH, (_number(form.get("weekday", "")),), nth=_number(form.get("nth", "")), until=until)
    elif every == WEEK:
        chosen = _numbers(days) or (day.weekday(),)
        repeat = Repeat(WEEK, tuple(sorted(set(chosen))), _number(form.get("interval", "") or "1"), until=until)
    else:
        raise Invalid("It can repeat by weeks or by months.", field="repeat")
    repeat.check()
    return repeat.rule()


def _span(form: Mapping[str, str], day: date) -> tuple[datetime, datetime]:
    if form.get("whole_day", ""):
        return _at(day), _at(day) + DAY
    start = _at(day, _time(form, "start", "Choose when it begins."))
    end = _at(day, _time(form, "end", "Choose when it ends."))
    if end == start:
        raise Invalid("The end must lie after the start.", field="end")
    return start, end if end > start else end + DAY  # it ends on the next day


def _date(form: Mapping[str, str], field: str, sentence: str) -> date:
    try:
        found = date.fromisoformat(form.get(field, ""))
    except ValueError:
        raise Invalid(sentence or "Choose a date.", field=field) from None
    if not 2000 < found.year < 2500:
        raise Invalid("The date is too far away.", field=field)
    return found


def _time(form: Mapping[str, str], field: str, sentence: str) -> time:
    try:
        return time.fromisoformat(form.get(field, "")).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise Invalid(sentence, field=field) from None


def _numbers(texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(_number(text) for text in texts)


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,3}", text):
        raise Invalid("Choose on which days it repeats.", field="days")
    return int(text)


def _at(day: date, when: time = time()) -> datetime:
    return datetime.combine(day, when)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
