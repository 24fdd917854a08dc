"""Open slots hold against a minute-by-minute second opinion, and against laws that need no second opinion."""

from __future__ import annotations

import copy
import os
import time
from datetime import datetime, timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from server.booking.availability.explain import REASONS
from server.booking.availability.form import solve_slots
from tests.booking import oracle
from tests.booking.problems import ZONES, iso, problems

EXAMPLES = int(os.environ.get("USHER_EXAMPLES", "20"))
slowly = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
quickly = settings(max_examples=EXAMPLES * 4, deadline=None, suppress_health_check=list(HealthCheck))


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
    problem["assignment"] = "round_robin"
    before = set(solve_slots(problem)["slots"])
    free = {"id": "new", "time_zone": zone, "working_hours": [{"days": oracle.DAYS, "start": "00:00", "end": "24:00"}]}
    larger = problem | {"reps": [*problem["reps"], free]}
    assert before <= set(solve_slots(larger)["slots"])
    assert set(solve_slots(problem | {"visitor_time_zone": zone})["slots"]) == before


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


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), st.sampled_from(["Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"]))
def test_the_zone_of_the_server_changes_nothing(problem, zone):
    here = solve_slots(problem, who=True)
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        assert solve_slots(problem, who=True) == here
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()
