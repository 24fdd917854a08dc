"""The engine itself: first times of a day, kept masks, several hosts with rules of their own, and absurd questions."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.booking.availability.form import read_question, solve_slots
from server.booking.availability.hours import Schedule
from server.booking.availability.openings import BLOCK_DAYS, openings
from server.booking.availability.problem import Place
from server.booking.availability.question import Crew, FirstOfDay, Question, RepCalendar, Shape
from server.booking.availability.stamps import stamp
from server.booking.availability.wallclock import DAY, day_number, instants
from server.errors import Invalid
from tests.booking import oracle
from tests.booking.problems import problems
from tests.booking.test_slots import problem, rep, times
from tests.booking.test_slots_by_oracle import slowly

MONDAY = "2026-03-02"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
START = int(NOW.timestamp())


def test_only_the_first_open_times_of_a_date_by_the_clock_of_the_rule():
    busy = rep(hours="09:00-12:00", busy=[[f"{MONDAY}T09:00:00Z", f"{MONDAY}T09:30:00Z"]])
    asked = problem(MONDAY, busy, until="2026-03-03", first_of_day={"count": 1, "time_zone": "UTC"})
    assert solve_slots(asked)["slots"] == [f"{MONDAY}T10:00:00Z", "2026-03-03T09:00:00Z"]
    asked["first_of_day"]["time_zone"] = "Pacific/Auckland"  # a date there begins at 11:00 UTC
    there = [f"{MONDAY}T11:00:00Z", "2026-03-03T11:00:00Z"]
    assert solve_slots(asked)["slots"] == there  # the first one of its second of March lies before the range
    asked["now"] = "2026-03-02T08:00:00Z"
    assert solve_slots(asked)["slots"] == [f"{MONDAY}T10:00:00Z", *there]  # and is over now
    asked["range"]["start"] = f"{MONDAY}T10:30:00Z"
    assert solve_slots(asked)["slots"] == there


def test_a_later_time_of_the_day_is_told_as_such_and_how_many_there_are():
    late = rep(id="late", hours="10:00-13:00")
    asked = problem(MONDAY, rep(hours="09:00-12:00"), late, first_of_day={"count": 2, "time_zone": "UTC"})
    assert times(solve_slots(asked)) == ["09:00", "10:00"]
    told = solve_slots(asked, explain=f"{MONDAY}T11:00:00Z")["explain"]
    sentence = "only the first 2 open times of a day can be booked, and this one is later"
    assert told == {name: {"answer": "later_that_day", "because": sentence} for name in ("grace", "late")}
    together = asked | {"assignment": "collective"}
    assert times(solve_slots(together)) == ["10:00", "11:00"]
    assert solve_slots(together, explain=f"{MONDAY}T09:00:00Z")["explain"]["grace"]["answer"] == "free"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("first_of_day", 2, "first_of_day must be an object."),
        ("first_of_day", {"count": 0, "time_zone": "UTC"}, "first_of_day.count must be 1 to 1000000000."),
        ("first_of_day", {"count": 1}, "first_of_day needs the key 'time_zone'."),
        ("first_of_day", {"counts": 1}, "first_of_day has the unknown key 'counts'; did you mean 'count'?"),
        ("meeting", {"duration_min": 10**9, "step_min": 5}, "meeting.duration_min must be 1 to 527040."),
        ("meeting", {"duration_min": 5, "step_min": 10**30}, "meeting.step_min must be 1 to 527040."),
        ("meeting", {"duration_min": float("nan"), "step_min": 5}, "meeting.duration_min must be a number."),
        ("meeting", {"duration_min": 5, "step_min": 5, "buffer_after_min": -1}, "meeting.buffer_after_min must be 0 to 527040."),  # noqa: E501
        ("range", {"start": "0001-01-01T00:00:00Z", "end": "9999-01-01T00:00:00Z"}, "range.start must lie in the years 1970 to 2499."),  # noqa: E501
        ("range", {"start": "2026-01-01T00:00:00Z", "end": "2036-02-01T00:00:00Z"}, "range is longer than 3660 days."),
    ],
)  # fmt: skip
def test_absurd_questions_get_one_clear_sentence(key, value, sentence):
    with pytest.raises(Invalid) as refusal:
        solve_slots(problem(MONDAY, rep()) | {key: value})
    assert str(refusal.value) == sentence


def test_the_largest_questions_that_are_allowed_are_answered():
    year_long = problem(MONDAY, rep(hours="00:00-24:00"), minutes=527_040, step=527_040)
    assert solve_slots(year_long)["count"] <= 1
    decade = problem("2026-01-01", rep("Europe/Berlin"), until="2036-01-01")
    assert solve_slots(decade)["count"] == 2 * 3653
    window = {"kind": "dates", "from": "1970-01-01", "to": "2499-12-31", "time_zone": "Europe/Berlin"}
    always = rep(travel=[{"from": "1970-01-01", "to": "2499-12-31", "time_zone": "Asia/Tokyo"}])
    assert times(solve_slots(problem(MONDAY, always, window=window))) == ["00:00", "01:00"]


def test_a_hundred_thousand_busy_times_say_what_they_say_joined():
    chance = random.Random(1)
    starts = [datetime(2026, 1, 1) + timedelta(seconds=chance.randrange(86_400 * 300)) for _ in range(100_000)]
    spans = [[f"{start.isoformat()}Z", f"{(start + timedelta(seconds=40)).isoformat()}Z"] for start in starts]
    march = [span for span in spans if MONDAY <= span[0] < "2026-03-09"]
    asked = {"until": "2026-03-08", "minutes": 5}
    few, many = (problem(MONDAY, rep(hours="09:00-17:00", busy=busy), **asked) for busy in (march, spans))
    assert solve_slots(many) == solve_slots(few)
    assert 0 < solve_slots(few)["count"] < 7 * 96


@pytest.mark.parametrize(("minutes", "step"), [(30, 30), (45, 7), (50, 50), (1560, 11)])
def test_where_one_block_of_time_ends_nothing_is_lost_and_nothing_is_there_twice(minutes, step):
    border = "2026-02-28"
    assert day_number(date.fromisoformat(border)) % BLOCK_DAYS == 0
    busy = [["2026-02-27T23:10:00Z", "2026-02-27T23:15:00Z"], ["2026-02-28T07:30:00Z", "2026-02-28T08:00:00Z"]]
    always = rep("Asia/Kathmandu", "06:05-06:00", busy=busy, overrides=[{"date": "2026-02-25", "hours": []}])
    asked = problem("2026-02-27", always, until=border, minutes=minutes, step=step)
    found = solve_slots(asked, who=True)
    assert found["reps"] == oracle.slots(asked)
    free = [slot for slot in found["slots"] if solve_slots(asked, explain=slot)["explain"]["grace"]["answer"] == "free"]
    assert free == found["slots"]


@pytest.mark.parametrize("minutes", [70, 7200])
def test_who_is_always_there_can_start_every_step_since_new_year_across_blocks_and_days(minutes):
    asked = problem("2026-02-27", rep(hours="00:00-24:00"), until="2026-02-28", minutes=minutes, step=70)
    first, last = (int(datetime.fromisoformat(asked["range"][key]).timestamp()) for key in ("start", "end"))
    new_year = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    expected = [stamp(start) for start in range(new_year, last, 4200) if start >= first]
    assert solve_slots(asked, who=True)["reps"] == {slot: ["grace"] for slot in expected}
    told = [solve_slots(asked, explain=slot)["explain"]["grace"]["answer"] for slot in expected]
    assert told == ["free"] * len(expected)


def test_a_span_of_local_time_is_found_whole_wherever_it_begins_and_however_long_it_is():
    for first in range(START + 200 * DAY, START + 320 * DAY, 5 * DAY + 3600):  # into the next year
        for days in (1, 40, 64, 65, 400):
            assert instants("UTC", first, first + days * DAY) == [(first, first + days * DAY)]
            there = instants("Europe/Berlin", first, first + days * DAY)
            assert len(there) == 1
            assert abs(there[0][1] - there[0][0] - days * DAY) in (0, 3600)


@slowly
@given(problems(), st.lists(st.tuples(st.integers(-90, 90), st.integers(0, 120), st.integers(1, 9)), max_size=4))
def test_a_crew_that_was_asked_before_answers_like_a_new_one(problem, others):
    question = read_question(Place(problem, ""))
    asked = [
        replace(question, start=question.start + days * DAY, end=question.start + (days + length) * DAY)
        for days, length, _ in others
    ]
    for one, (_, _, limit) in zip(asked, others, strict=True):
        fresh = replace(one, reps=Crew([replace(rep, memo={}) for rep in one.reps]))
        everything = openings(fresh).starts()
        assert openings(one).starts(limit) == everything[:limit]
        assert openings(one).starts() == everything
        assert list(openings(one).who()) == everything


def test_hosts_with_notice_and_buffers_of_their_own_count_where_these_are_kept():
    schedule = Schedule("UTC", (((9 * 3600, 12 * 3600),),) * 7)
    busy = [(START + 9 * 3600, START + 10 * 3600)]
    crew = Crew(
        [
            RepCalendar("quick", schedule),
            RepCalendar("slow", schedule, notice=10 * 3600 + 1),
            RepCalendar("roomy", schedule, busy=busy, before=1800),
        ]
    )
    asked = Question(NOW, START, START + DAY, Shape(1800, 1800), crew)

    def clocks(**changes: object) -> list[str]:
        return [stamp(start)[11:16] for start in openings(replace(asked, **changes)).starts()]

    assert clocks() == ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]
    assert clocks(needed=2) == ["10:30", "11:00", "11:30"]
    assert clocks(needed=3) == ["10:30", "11:00", "11:30"]
    assert clocks(needed=4) == []
    assert openings(asked).able(START + 10 * 3600) == ["quick"]
    assert clocks(needed=2, first_of_day=FirstOfDay(1, "UTC")) == ["10:30"]
