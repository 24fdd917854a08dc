"""The fair pick: named cases, a second opinion written differently, and the laws of fairness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.booking.availability.form import solve_pick
from server.errors import Invalid
from server.routing.pick import Candidate, Policy, Tally, choose, next_picks

MARCH = {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}
NOW = datetime(2026, 3, 10, tzinfo=UTC)


def rota(reps: list[dict], meetings: list[tuple[str, str, str]] = (), **policy: Any) -> dict[str, Any]:
    given_meetings = [{"rep": rep, "assigned_at": f"{at}T00:00:00Z", "status": status} for rep, at, status in meetings]
    return {
        "policy": {"kind": "balanced"} | policy,
        "period": MARCH,
        "reps": [{"free": True} | rep for rep in reps],
        "meetings": given_meetings,
    }


def picked(*args: Any, **policy: Any) -> str | None:
    return solve_pick(rota(*args, **policy))["pick"]


A, B, C = {"id": "a"}, {"id": "b"}, {"id": "c"}


@pytest.mark.parametrize(
    ("who", "asked", "expected"),
    [
        ("nobody has had any: smallest id", rota([B, A]), "a"),
        ("fewer meetings", rota([A, B], [("a", "2026-03-02", "booked")]), "b"),
        ("cancelled gives the credit back", rota([A, B], [("a", "2026-03-02", "cancelled"), ("b", "2026-03-03", "booked")]), "a"),  # noqa: E501
        ("cancelled without credit counts", rota([A, B], [("a", "2026-03-02", "cancelled"), ("b", "2026-03-01", "cancelled")], credit_cancelled=False), "b"),  # noqa: E501
        ("no-show gives the credit back", rota([A, B], [("a", "2026-03-02", "no_show"), ("b", "2026-03-03", "booked")]), "a"),  # noqa: E501
        ("no-show without credit counts", rota([A, B], [("a", "2026-03-02", "no_show")], credit_no_show=False), "b"),
        ("reassigned never counts", rota([A, B], [("a", "2026-03-02", "reassigned"), ("b", "2026-03-03", "booked")], credit_cancelled=False), "a"),  # noqa: E501
        ("last month does not count but breaks the tie", rota([A, B], [("a", "2026-02-27", "booked"), ("a", "2026-02-26", "booked")]), "b"),  # noqa: E501
        ("the first instant of the period counts", rota([A, B], [("a", "2026-03-01", "booked"), ("b", "2026-04-01", "booked")]), "b"),  # noqa: E501
        ("weight before priority", rota([A | {"weight": 100, "priority": 9}, B | {"weight": 200}]), "b"),
        ("priority before the longest wait", rota([A | {"priority": 3}, B], [("a", "2026-02-02", "booked")]), "a"),
        ("share by weight", rota([A | {"weight": 200}, B], [("a", "2026-03-02", "booked"), ("b", "2026-03-03", "booked")]), "a"),  # noqa: E501
        ("an exact tie of thirds goes to the larger weight", rota([A | {"weight": 1}, B | {"weight": 2}, C | {"weight": 3, "free": False}], [("c", "2026-03-02", "booked")] * 0), "b"),  # noqa: E501
        ("calibration counts", rota([A | {"calibration": 1}, B]), "b"),
        ("who is not free is not picked", rota([A | {"free": False}, B], [("b", "2026-03-02", "booked")]), "b"),
        ("those not free keep their share", rota([A | {"free": False, "weight": 1000}, B, C], [("b", "2026-03-02", "booked")]), "c"),  # noqa: E501
        ("nobody is free", rota([A | {"free": False}]), None),
        ("nobody at all", rota([]), None),
        ("three ahead is passed over", rota([A, B | {"free": False}], [("a", "2026-03-02", "booked")] * 3, max_lead=3), None),  # noqa: E501
        ("two ahead is not", rota([A, B | {"free": False}], [("a", "2026-03-02", "booked")] * 2, max_lead=3), "a"),
        ("availability: priority", rota([A, B | {"priority": 3}], [("b", "2026-03-02", "booked")], kind="availability"), "b"),  # noqa: E501
        ("availability: longest wait, any status, any time", rota([A, B], [("a", "2026-03-02", "cancelled"), ("b", "2025-03-02", "booked")], kind="availability"), "b"),  # noqa: E501
        ("availability: never given comes first", rota([A, B], [("a", "2020-03-02", "booked")], kind="availability"), "b"),  # noqa: E501
        ("strict: the next in turn is not free", rota([A | {"free": False}, B], kind="strict"), None),
        ("strict: the next in turn is free", rota([A, B], kind="strict"), "a"),
        ("decimals are exact", rota([A | {"weight": 0.1}, B | {"weight": 0.2}, C | {"weight": 0.3, "free": False}], [("a", "2026-03-02", "booked"), ("b", "2026-03-01", "booked"), ("c", "2026-03-01", "booked")]), "b"),  # noqa: E501
    ],
)  # fmt: skip
def test_turn_goes_to(who, asked, expected):
    assert solve_pick(asked)["pick"] == expected


def test_everybody_hears_why_or_why_not():
    answer = solve_pick(rota([A | {"free": False}, B, C], [("b", "2026-03-02", "booked")], max_lead=1))
    assert {one["rep"]: one["because"] for one in answer["why"]} == {
        "a": "not free",
        "b": "1 ahead of the smallest count, 1 is too many",
        "c": "furthest below the fair share",
    }
    assert [one["shortfall"] for one in answer["why"]] == ["1/3", "-2/3", "1/3"]


def test_the_next_picks_can_be_foretold():
    assert solve_pick(rota([A | {"weight": 200}, B]), following=6)["next"] == ["a", "b", "a", "a", "b", "a"]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"policy": {"kind": "random"}}, "policy.kind is 'random', allowed are balanced, availability, strict."),
        ({"policy": {"kind": "balanced", "max_leed": 2}}, "policy has the unknown key 'max_leed'; did you mean 'max_lead'?"),  # noqa: E501
        ({"period": {"start": "2026-03-01T00:00:00Z"}}, "period needs the key 'end'."),
        ({"reps": [A]}, "reps[0] needs the key 'free'."),
        ({"reps": [{"id": "a", "free": True, "weight": -1}]}, "reps[0].weight must be 0 or more."),
        ({"reps": [{"id": "a", "free": True, "weight": "1"}]}, "reps[0].weight must be a number."),
        ({"reps": [{"id": "a", "free": 1}]}, "reps[0].free must be true or false."),
        ({"meetings": [{"rep": "a", "assigned_at": "soon"}]}, "meetings[0].assigned_at is 'soon', not an instant such as 2026-03-02T09:00:00Z."),  # noqa: E501
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_sentence_that_names_the_key(broken, sentence):
    with pytest.raises(Invalid) as refusal:
        solve_pick(rota([A]) | broken)
    assert str(refusal.value) == sentence


weights = st.sampled_from([0, 1, 50, 100, 200, 0.5])
dates = st.integers(-5, 40).map(lambda day: (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat())
meetings_given = st.tuples(
    st.sampled_from("abcd"), dates, st.sampled_from(["booked", "cancelled", "no_show", "reassigned"])
)  # noqa: E501


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"free": st.booleans(), "weight": weights, "priority": st.integers(1, 3), "calibration": st.integers(-1, 2)}), max_size=4),  # noqa: E501
    st.lists(meetings_given, max_size=8),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["balanced", "availability"]), "credit_cancelled": st.booleans(), "credit_no_show": st.booleans()},  # noqa: E501
        optional={"max_lead": st.integers(0, 4)},
    ),
)  # fmt: skip
def test_a_second_opinion_picks_the_same_rep(reps, meetings, policy):
    reps = [rep | {"id": "abcd"[index]} for index, rep in enumerate(reps)]
    assert solve_pick(rota(reps, meetings, **policy))["pick"] == second_opinion(reps, meetings, policy)


def second_opinion(reps: list[dict], meetings: list[tuple[str, str, str]], policy: dict) -> str | None:
    """The same rules by elimination: keep the best of each rule in turn, in whole numbers only."""
    gone = {"reassigned"} | {status for status in ("cancelled", "no_show") if policy[f"credit_{status}"]}
    count = {
        rep["id"]: rep["calibration"]
        + sum(1 for who, at, status in meetings if who == rep["id"] and "2026-03-01" <= at < "2026-04-01" and status not in gone)  # noqa: E501
        for rep in reps
    }  # fmt: skip
    last = {rep["id"]: max([at for who, at, _ in meetings if who == rep["id"]], default="") for rep in reps}
    left = [rep for rep in reps if rep["free"] and count[rep["id"]] - min(count.values()) < policy.get("max_lead", 99)]
    doubled = {rep["id"]: int(rep["weight"] * 2) for rep in reps}
    total = sum(doubled.values()) or 1
    rules = [lambda rep: rep["priority"], lambda rep: [-ord(char) for char in last[rep["id"]]] or [1]]
    if policy["kind"] == "balanced":
        short = {one: doubled[one] * sum(count.values()) - count[one] * total for one in count}
        rules = [lambda rep: short[rep["id"]], lambda rep: rep["weight"], *rules]
    for rule in rules:
        best = max((rule(rep) for rep in left), default=None)
        left = [rep for rep in left if rule(rep) == best]
    return min((rep["id"] for rep in left), default=None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6), st.integers(1, 60))
def test_when_all_are_free_nobody_is_more_than_a_meeting_above_the_ideal_share(shares, meetings):
    reps = [Candidate(str(index), True, Fraction(weight)) for index, weight in enumerate(shares)]
    picks = next_picks(Policy(), reps, Tally({}), NOW, meetings)
    had = [sum(1 for pick in picks if pick.rep == rep.id) for rep in reps]
    assert sum(had) == meetings
    for rep, count in zip(reps, had, strict=True):
        assert count - rep.weight * meetings / sum(shares) <= 1
    if len(set(shares)) == 1:
        assert max(had) - min(had) <= 1


def test_meetings_of_people_who_left_do_not_disturb_those_who_stay():
    pick = choose(
        Policy(), [Candidate("a", True), Candidate("b", True)], Tally({"gone": Fraction(50), "a": Fraction(1)})
    )  # noqa: E501
    assert pick.rep == "b"
