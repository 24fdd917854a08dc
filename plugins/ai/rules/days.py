"""Days on the calendar: a `Days` stretch from "next Thursday", "12 March", "end of the month", "in two weeks"."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Days:
    """A stretch of days, both ends included, None open. `best`: the one day that is meant when only one may be said.
    `also`: the other day that may be meant, where a weekday and a date do not agree. `named`: a weekday and no more, so
    that a week said beside it decides which; `of_week`: a weekday whose week was said."""

    first: date | None = None
    last: date | None = None
    weekdays: tuple[int, ...] = ()
    best: date | None = None
    also: date | None = None
    named: bool = False
    of_week: bool = False


def one(day: date) -> Days:
    """A single day."""
    return Days(day, day, best=day)


def stretch(first: date, last: date) -> Days:
    """From a day to a day."""
    return Days(first, last, best=first)


def weekday(today: date, number: int, letter: str) -> date:
    """The day that "Thursday" (""), "this" (T), "next" (X: next calendar week), "coming" (Y) or "last" (L) one is."""
    if letter == "T":
        return monday(today) + timedelta(days=number)
    if letter == "X":
        return monday(today) + timedelta(days=7 + number)
    if letter == "L":
        return today - timedelta(days=(today.weekday() - number) % 7 or 7)
    return today + timedelta(days=(number - today.weekday()) % 7 or 7)


def doubtful(day: date, number: int, today: date) -> Days:
    """A date that was called another weekday than it is: the date, or the nearest such weekday to come."""
    near = [day + timedelta(days=away) for away in (-1, 1, -2, 2, -3, 3)]
    other = next((one for one in near if one.weekday() == number and one >= today), None)
    return Days(day, day, best=day, also=other)


def within(stretch: Days, day: Days) -> Days | None:
    """A weekday of a week (or month) that was said before: "next week except Friday". None when it has no such day."""
    if not (stretch.first and stretch.last and day.best) or not 3 <= (stretch.last - stretch.first).days <= 92:
        return None
    number = day.best.weekday()
    if (stretch.last - stretch.first).days > 6:
        return Days(stretch.first, stretch.last, (number,), best=stretch.best)
    found = stretch.first + timedelta(days=(number - stretch.first.weekday()) % 7)
    return one(found) if found <= stretch.last else None


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def unit(today: date, name: str, ahead: int, *, whole: bool = False) -> Days:
    """A week, month, quarter or year: 0 the running one (from today unless `whole`), 1 the next, -1 the one before."""
    if name == "week":
        start = monday(today) + timedelta(weeks=ahead)
        found = stretch(start, start + timedelta(days=6))
    elif name in ("month", "quarter", "year"):
        months = {"month": 1, "quarter": 3, "year": 12}[name]
        start = add_months(today.replace(day=1), -((today.month - 1) % months) + ahead * months)
        found = stretch(start, add_months(start, months) - timedelta(days=1))
    else:
        found = one(today + timedelta(days=ahead))
    return found if whole else after(found, today)


def after(days: Days, today: date) -> Days:
    """The part of a stretch that is not over yet; a stretch that is over stays as it is."""
    if days.first is None or days.last is None or not days.first < today <= days.last:
        return days
    return Days(today, days.last, days.weekdays, max(days.best or today, today))


def moved(start: date, count: int, name: str) -> date:
    """A day so many units later (or earlier, for a negative count)."""
    if name in ("month", "quarter", "year"):
        return add_months(start, count * {"month": 1, "quarter": 3, "year": 12}[name])
    if name == "workday":
        return _workdays(start, count)
    return start + timedelta(days=count * {"week": 7, "fortnight": 14}.get(name, 1))


def add_months(start: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def month_day(today: date, month: int, day: int, year: int = 0) -> date | None:
    """A date; without a year the next time it comes. None when there is no such day."""
    for candidate in (year,) if year else range(today.year, today.year + 8):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if year or found >= today:
            return found
    return None


def day_of_month(today: date, day: int) -> date | None:
    """ "the 12th": in this month, or the next one that has such a day to come."""
    for ahead in range(4):
        start = add_months(today.replace(day=1), ahead)
        if 1 <= day <= monthrange(start.year, start.month)[1] and start.replace(day=day) >= today:
            return start.replace(day=day)
    return None


def whole_month(number: int, year: int) -> Days:
    """A month from its first to its last day."""
    start = date(year, number, 1)
    return stretch(start, add_months(start, 1) - timedelta(days=1))


def month(today: date, number: int, year: int = 0) -> Days:
    """A whole month; without a year the running or next one."""
    return after(whole_month(number, year or today.year + (number < today.month)), today)


def quarter(today: date, number: int, year: int = 0) -> Days:
    """A quarter of a year, the running or next one."""
    start = date(year or today.year + (number < (today.month + 2) // 3), number * 3 - 2, 1)
    return after(stretch(start, add_months(start, 3) - timedelta(days=1)), today)


def weekend(today: date, ahead: int) -> Days:
    """Saturday and Sunday of this week (0), the next one (1) and so on."""
    saturday = monday(today) + timedelta(days=5 + 7 * ahead)
    return after(stretch(saturday, saturday + timedelta(days=1)), today)


def third(days: Days, letter: str, today: date) -> Days:
    """The beginning (B), middle (J) or end (E) of a stretch, or what is left of it (v, +)."""
    if days.first is None or days.last is None:
        return days
    first, last, length = days.first, days.last, (days.last - days.first).days + 1
    if letter in "v+":
        return stretch(max(first, min(today + timedelta(days=1), last)), last)
    if length <= 7:
        start = monday(first)
        parts = {"B": (start, start + timedelta(days=1)), "J": (start + timedelta(days=1), start + timedelta(days=3))}
        found = stretch(*parts.get(letter, (start + timedelta(days=3), start + timedelta(days=4))))
    else:
        size = timedelta(days=length // 3)
        parts = {"B": (first, first + size - timedelta(days=1)), "J": (first + size, last - size)}
        found = stretch(*parts.get(letter, (last - size + timedelta(days=1), last)))
    found = Days(found.first, found.last, best=found.last if letter == "E" else found.first)
    return after(found, today) if found.last and found.last >= today else Days(last, last, best=last)


def _workdays(start: date, count: int) -> date:
    step = 1 if count >= 0 else -1
    for _ in range(min(abs(count), 400)):
        start += timedelta(days=step)
        while start.weekday() > 4:
            start += timedelta(days=step)
    return start
