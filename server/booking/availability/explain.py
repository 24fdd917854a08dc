"""Why a rep can or cannot take a meeting at one start: the same masks as the list, asked about a single bit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from server.booking.availability.hours import working_blocks
from server.booking.availability.openings import full_spans, openings
from server.booking.availability.question import Question, RepCalendar
from server.booking.availability.stamps import stamp
from server.booking.availability.wallclock import DAY, Span

FREE = "free"
REASONS = ("window", "notice", "outside_hours", "off_grid", "busy", "hold", "buffer", "limit", "later_that_day")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`answer` is free or one of REASONS; `because` is a sentence for a person."""

    answer: str
    because: str


def explain(question: Question, start: int) -> dict[str, Verdict]:
    """Per rep whether the meeting can start at `start` (UTC seconds); the range of the question plays no part.

    The answer is "free" exactly for the reps whom `openings` lists at that start.
    """
    asked = replace(question, start=start, end=start + 1)
    able = set(openings(asked).able(start))
    return {
        rep.id: Verdict(FREE, "nothing stands against it") if rep.id in able else _refusal(asked, rep, start)
        for rep in question.reps
    }


def _refusal(question: Question, rep: RepCalendar, start: int) -> Verdict:
    """The first rule that forbids it, in the order of REASONS."""
    shape = question.shape
    end = start + shape.duration
    before, after = rep.buffers(shape)
    if question.window is not None and not _met(question.window.spans(start, start + 1), start, start + 1):
        return Verdict("window", "the date is outside the dates that can be booked")
    if start < (earliest := question.earliest(rep.notice)):
        return Verdict("notice", f"the earliest start that keeps the notice is {stamp(earliest)}")
    if (off := _off_hours(question, rep, start)) is not None:
        return off
    if found := _met(rep.busy, start, end):
        return Verdict("busy", f"{rep.labels.get(found, 'busy')}, {_span(found)}")
    if found := _met(rep.holds, start - before, end + after):
        return Verdict("hold", f"held for another visitor, {_span(found)}")
    if found := _met(rep.busy, start - before, end + after):
        return Verdict("buffer", f"the buffer meets {rep.labels.get(found, 'a busy time')}, {_span(found)}")
    if most := _limit(question, rep, start):
        return Verdict("limit", f"already has the most meetings allowed: {most}")
    count = question.first_of_day.count if question.first_of_day else 0
    which = f"the first {count} open times" if count > 1 else "the first open time"
    return Verdict("later_that_day", f"only {which} of a day can be booked, and this one is later")


def _limit(question: Question, rep: RepCalendar, start: int) -> str:
    """The limit that this start would break, "" for none."""
    day, week = replace(rep, max_per_week=None), replace(rep, max_per_day=None)
    rules = [(full_spans(day), f"{rep.max_per_day} a day"), (full_spans(week), f"{rep.max_per_week} a week")]
    if own := question.limits:
        free = replace(rep, max_per_day=None, max_per_week=None)
        rules += [
            (full_spans(free, replace(own, per_week=None)), f"{own.per_day} of this kind a day"),
            (full_spans(free, replace(own, per_day=None)), f"{own.per_week} of this kind a week"),
        ]
    return next((sentence for full, sentence in rules if _met(full, start, start + 1)), "")


def _off_hours(question: Question, rep: RepCalendar, start: int) -> Verdict | None:
    end, step = start + question.shape.duration, question.shape.step
    for first, until, last in working_blocks(rep.schedule, start // DAY, -(-end // DAY)):
        if first <= start < until and end <= last:
            if (start - first) % step == 0:
                return None
            return Verdict("off_grid", f"starts are every {step // 60} minutes from {stamp(first)}")
    return Verdict("outside_hours", "not inside one block of working hours")


def _met(spans: Iterable[Span], start: int, end: int) -> Span | None:
    return next((span for span in spans if span[0] < end and start < span[1] and span[0] < span[1]), None)


def _span(span: Span) -> str:
    return f"{stamp(span[0])} to {stamp(span[1])}"
