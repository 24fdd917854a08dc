"""Slot problems as JSON in, open slots as JSON out: what `usher slots` shows; `usher pick` is in rota.py.

Semantics: availability-form.md.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Any

from server.booking.availability.explain import explain as explain_start
from server.booking.availability.hours import Schedule, Spans, shared
from server.booking.availability.openings import openings
from server.booking.availability.problem import (
    Place,
    day_of,
    instant,
    minutes,
    moment,
    optional_count,
    span_of,
    spans_of,
    time_of_day,
    zone_name,
)
from server.booking.availability.question import Crew, FirstOfDay, Question, RepCalendar, Shape, Window
from server.booking.availability.stamps import stamps
from server.booking.availability.wallclock import DAY, Span, instants
from server.booking.rota import solve_pick
from server.errors import Invalid

__all__ = ["median_ms", "read_question", "solve_pick", "solve_slots"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_RANGE_DAYS = 3_660


def solve_slots(problem: Any, who: bool = False, explain: str | None = None) -> Any:
    """`{"slots", "count"}` of one problem, or a list of them for a list.

    `who` adds `"reps": {slot: [ids]}`; `explain` (an ISO instant) adds `"explain": {id: {"answer", "because"}}`.
    Raises Invalid, naming the key, for what cannot be read.
    """
    if isinstance(problem, list):
        return [_solve(Place(one, f"[{index}]"), who, explain) for index, one in enumerate(problem)]
    return _solve(Place(problem, ""), who, explain)


def median_ms(problem: Any, repeat: int) -> float:
    """Median milliseconds of `repeat` computations of the slots from the raw busy times, each with no masks kept; the
    reading of the problem is not counted."""
    if repeat < 1:
        raise Invalid("--repeat must be 1 or more.", field="repeat")
    problems = problem if isinstance(problem, list) else [problem]
    questions = [read_question(Place(one, f"[{index}]")) for index, one in enumerate(problems)]
    lengths = []
    for _ in range(repeat):
        new = [replace(one, reps=Crew([replace(rep, memo={}) for rep in one.reps])) for one in questions]
        since = time.perf_counter()
        for question in new:
            stamps(openings(question).starts())
        lengths.append(time.perf_counter() - since)
    return statistics.median(lengths) * 1000


def read_question(place: Place) -> Question:
    """The question that a slot problem asks."""
    place.refuse_near_misses(
        "now", "range", "visitor_time_zone", "meeting", "window", "assignment", "first_of_day", "reps"
    )
    now, meeting = moment(place.key("now")), place.key("meeting")
    start, end = _range(place.key("range"))
    if (zone := place.get("visitor_time_zone")) is not None:
        zone_name(zone)
    reps = [_rep(rep, meeting, now) for rep in place.key("reps").items()]
    _distinct(place.key("reps"), [rep.id for rep in reps])
    kind = place.get("assignment", "round_robin").one_of("round_robin", "collective")
    window, first_of_day = place.get("window"), place.get("first_of_day")
    return Question(
        now=now,
        start=start,
        end=end,
        shape=_shape(meeting),
        reps=Crew(reps),
        needed=1 if kind == "round_robin" else len(reps),
        window=None if window is None else _window(window, now),
        first_of_day=None if first_of_day is None else _first_of_day(first_of_day),
    )


def _solve(place: Place, who: bool, explain: str | None) -> dict[str, Any]:
    question = read_question(place)
    answer = openings(question)
    starts = answer.starts()
    names = stamps(starts)
    result: dict[str, Any] = {"slots": names, "count": len(names)}
    if who:
        result["reps"] = dict(zip(names, answer.who().values(), strict=True))
    if explain is not None:
        verdicts = explain_start(question, instant(Place(explain, "--explain"), up=True))
        result["explain"] = {rep: {"answer": told.answer, "because": told.because} for rep, told in verdicts.items()}
    return result


def _range(place: Place) -> Span:
    start, end = instant(place.key("start"), up=True), instant(place.key("end"), up=True)
    if end < start:
        raise place.wrong("ends before it starts")
    if end - start > LONGEST_RANGE_DAYS * DAY:
        raise place.wrong(f"is longer than {LONGEST_RANGE_DAYS} days")
    return start, end


def _shape(place: Place) -> Shape:
    place.refuse_near_misses("duration_min", "step_min", "buffer_before_min", "buffer_after_min", "min_notice_min")
    return Shape(
        duration=minutes(place.key("duration_min"), least=1),
        step=minutes(place.key("step_min"), least=1),
        before=minutes(place.get("buffer_before_min", 0)),
        after=minutes(place.get("buffer_after_min", 0)),
        notice=minutes(place.get("min_notice_min", 0)),
    )


def _window(place: Place, now: Any) -> Window:
    zone = zone_name(place.key("time_zone"))
    if place.key("kind").one_of("rolling_days", "dates") == "rolling_days":
        days = place.key("days").whole(least=0, most=LONGEST_RANGE_DAYS)
        return Window.rolling(zone, now, days)
    first, last = day_of(place.key("from")), day_of(place.key("to"))
    if last < first:
        raise place.wrong("ends before it starts")
    return Window(zone, first, last)


def _first_of_day(place: Place) -> FirstOfDay:
    place.refuse_near_misses("count", "time_zone")
    return FirstOfDay(place.key("count").whole(least=1), zone_name(place.key("time_zone")))


def _rep(place: Place, meeting: Place, now: Any) -> RepCalendar:
    place.refuse_near_misses(
        "time_zone", "working_hours", "overrides", "travel", "busy", "busy_all_day", "bookings", "holds",
        "max_per_day", "max_per_week",
    )  # fmt: skip
    zone = zone_name(place.key("time_zone"))
    bookings = spans_of(place.get("bookings", []))
    holds = place.get("holds", []).items()
    return RepCalendar(
        id=place.key("id").identifier(),
        schedule=_schedule(place, zone),
        busy=[*spans_of(place.get("busy", [])), *_all_day(place.get("busy_all_day", []), zone), *bookings],
        holds=[span_of(hold) for hold in holds if moment(hold.key("expires")) > now],
        counted=[start for start, _ in bookings],
        max_per_day=_limit(place, meeting, "max_per_day"),
        max_per_week=_limit(place, meeting, "max_per_week"),
        labels=dict.fromkeys(bookings, "a booking"),
    )


def _limit(rep: Place, meeting: Place, key: str) -> int | None:
    given = [count for place in (rep, meeting) if (count := optional_count(place, key)) is not None]
    return min(given, default=None)


def _schedule(place: Place, zone: str) -> Schedule:
    weekly: list[list[Span]] = [[] for _ in DAYS]
    for rule in place.get("working_hours", []).items():
        for day in rule.key("days").items():
            weekly[DAYS.index(day.one_of(*DAYS))].append(_daily(rule))
    overrides: dict[int, Spans] = {}
    for override in place.get("overrides", []).items():
        day = day_of(override.key("date"))
        overrides[day] = (*overrides.get(day, ()), *(_daily(hours) for hours in override.key("hours").items()))
    travel = [
        (day_of(trip.key("from")), day_of(trip.key("to")), zone_name(trip.key("time_zone")))
        for trip in place.get("travel", []).items()
    ]
    return shared(Schedule(zone, tuple(map(tuple, weekly)), tuple(sorted(overrides.items())), tuple(travel)))


def _daily(place: Place) -> Span:
    start, end = time_of_day(place.key("start")), time_of_day(place.key("end"), last=DAY)
    return (start, end) if start < end else (start, end + DAY)


def _all_day(place: Place, zone: str) -> list[Span]:
    spans: list[Span] = []
    for event in place.items():
        first = day_of(event.key("date"))
        end_place = event.get("end_date")
        last = first + 1 if end_place is None else day_of(end_place)
        if last < first:
            raise event.wrong("ends before it starts")
        own = event.get("time_zone")
        show_as = event.get("show_as")
        if show_as is None or show_as.text().lower() != "free":
            spans += instants(zone if own is None else zone_name(own), first * DAY, last * DAY)
    return spans


def _distinct(place: Place, ids: list[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise place.wrong(f"has two entries with the id {one!r}")
        seen.add(one)
