"""Open slots hold against a minute-by-minute second opinion, and against laws that need no second opinion."""

from __future__ import annotations

import copy
import os
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from server.booking.availability.explain import REASONS
from server.booking.availability.form import solve_slots
from tests.booking import oracle
from tests.booking.problems import ZONES, iso, problems

EXAMPLES = int(os.environ.get("USHER_EXAMPLES", "25"))
slowly = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
quickly = settings(max_examples=EXAMPLES * 3, deadline=None, suppress_health_check=list(HealthCheck))


@slowly
@given(problems())
def test_every_minute_walked_gives_the_same_slots_and_the_same_reps(problem):
    try:
        expected = oracle.slots(problem)
    except oracle.Unclear:
        assume(False)
    found = solve_slots(problem, who=True)
    assert found["reps"] == expected
    assert found["slots"] == list(expected)


@slowly
@given(problems(), st.lists(st.integers(0, 48 * 60), min_size=3, max_size=6))
def test_the_reason_told_is_the_first_rule_that_is_really_broken(problem, shifts):
    start = datetime.fromisoformat(problem["range"]["start"]).replace(second=0)
    tried = [start + timedelta(minutes=shift) for shift in shifts]
    tried += [datetime.fromisoformat(slot) for slot in solve_slots(problem)["slots"][:2]]
    for moment in tried:
        told = solve_slots(problem, explain=iso(moment))["explain"]
        for rep in problem["reps"]:
            try:
                expected = oracle.reason(problem, rep, moment)
            except oracle.Unclear:
                continue
            if expected == "free" and later_that_day(problem, moment):
                expected = "later_that_day"
            assert told[rep["id"]]["answer"] == expected


def later_that_day(problem: dict[str, Any], moment: datetime) -> bool:
    if (rule := problem.get("first_of_day")) is None:
        return False
    before = {"start": iso(moment - timedelta(hours=27)), "end": iso(moment)}
    opened = solve_slots({key: value for key, value in problem.items() if key != "first_of_day"} | {"range": before})
    return oracle.earlier_that_day(rule, moment, map(datetime.fromisoformat, opened["slots"])) >= rule["count"]


@quickly
@given(problems())
def test_what_is_listed_is_free_and_what_is_not_is_refused_with_a_reason(problem):
    found = solve_slots(problem, who=True)
    start, end = (datetime.fromisoformat(problem["range"][key]) for key in ("start", "end"))
    tried = [datetime.fromisoformat(slot) for slot in found["slots"][:3]]
    tried += [start + (end - start) * part / 7 for part in range(7)]
    for moment in (one.replace(microsecond=0) for one in tried if one < end):
        verdicts = solve_slots(problem, explain=iso(moment))["explain"]
        free = [rep for rep, verdict in verdicts.items() if verdict["answer"] == "free"]
        assert all(verdict["answer"] in ("free", *REASONS) and verdict["because"] for verdict in verdicts.values())
        enough = len(free) == len(verdicts) if problem["assignment"] == "collective" else free
        assert bool(enough) == (iso(moment) in found["slots"])
        assert not enough or found["reps"][iso(moment)] == free


@quickly
@given(problems(), st.sampled_from(ZONES))
def test_a_free_rep_more_never_takes_a_slot_away_and_the_visitor_zone_changes_nothing(problem, zone):
    assert solve_slots(problem | {"visitor_time_zone": zone}) == solve_slots(problem)
    problem["assignment"] = "round_robin"
    free = {"id": "new", "time_zone": zone, "working_hours": [{"days": oracle.DAYS, "start": "00:00", "end": "24:00"}]}
    problem.pop("first_of_day", None)  # with it, an earlier time takes the place of a later one
    larger = problem | {"reps": [*problem["reps"], free]}
    assert set(solve_slots(problem)["slots"]) <= set(solve_slots(larger)["slots"])


@quickly
@given(problems(), st.integers(0, 40 * 86_400), st.integers(0, 40 * 86_400))
def test_a_wider_range_never_takes_a_slot_away_and_adds_none_inside(problem, earlier, later):
    narrow = solve_slots(problem, who=True)
    start, end = (datetime.fromisoformat(problem["range"][key]) for key in ("start", "end"))
    wide = copy.deepcopy(problem)
    wide["range"] = {"start": iso(start - timedelta(seconds=earlier)), "end": iso(end + timedelta(seconds=later))}
    inside = {
        slot: reps
        for slot, reps in solve_slots(wide, who=True)["reps"].items()
        if start <= datetime.fromisoformat(slot) < end
    }
    assert inside == narrow["reps"]
