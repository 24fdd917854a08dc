"""Laws that hold for every condition: Kleene's logic, never an error, never more than a browser may say."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.expressions import Condition, ExpressionError, Template, matches_glob
from tests.expressions import trees

Texts = st.SearchStrategy[str]
CASES = json.loads((Path(__file__).parent / "browser_cases.json").read_text())

NUMBERS = st.one_of(st.integers(-50, 50), st.sampled_from([0.5, 2.0]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text("abAB/* é", max_size=4))
SMALL = st.dictionaries(st.sampled_from(["a", "b"]), SCALARS, max_size=2)
DATA = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), SMALL)
ODD = st.one_of(SCALARS, st.binary(), st.floats(), st.integers())
ANYTHING = st.recursive(ODD, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["path", "a"]), inner))
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "page": st.dictionaries(st.sampled_from(["path", "title", "query"]), DATA, max_size=3),
        "visit": st.dictionaries(st.just("count"), DATA, max_size=1),
        "data": st.dictionaries(st.sampled_from(["a", "b", "c"]), DATA, max_size=3),
        "account": st.dictionaries(st.sampled_from(["employees", "name"]), DATA, max_size=2),
        "device": SCALARS,
    },
)
NAMES = st.sampled_from(["page.path", "page.title", "page.query.a", "visit.count", "data.a", "data['b']", "device"])
OURS = st.sampled_from(["account.employees", "account.name"])
CONSTANTS = st.sampled_from(["1", "2.5", "0", '"a"', '"/b"', '""', "true", "false", "[]", '["a", 1]'])


def shared(inner: Texts) -> Texts:
    """What a browser can judge as well as the server."""
    two = st.tuples(inner, inner)
    operators = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "+"])
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda one: f"(not {one})"),
        two.map(lambda parts: f"({parts[0]}).startswith({parts[1]})"),
        two.map(lambda parts: f"({parts[0]}).endswith({parts[1]})"),
        inner.map(lambda one: f"({one} | lower)"),
        inner.map(lambda one: f"({one} is glob('a*', '/*b'))"),
        inner.map(lambda one: f"(1 < {one} <= 5)"),
        two.map(lambda parts: f"[{parts[0]}, {parts[1]}]"),
    )


def compound(inner: Texts) -> Texts:
    """All that may be written."""
    two = st.tuples(inner, inner)
    return st.one_of(
        shared(inner),
        st.tuples(inner, st.sampled_from("~-*/%"), inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        two.map(lambda parts: f"({parts[0]}).replace({parts[1]}, 'aa')"),
        inner.map(lambda one: f"({one} | length)"),
        inner.map(lambda one: f"({one} | int)"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        inner.map(lambda one: f"(-{one})"),
    )


TEXTS = st.recursive(st.one_of(NAMES, OURS, CONSTANTS), compound, max_leaves=8)
BROWSER_TEXTS = st.recursive(st.one_of(NAMES, CONSTANTS), shared, max_leaves=8)
NOT = {"yes": "no", "no": "yes", "unknown": "unknown"}
RANK = {"no": 0, "unknown": 1, "yes": 2}


def judge(text: str, values: dict[str, Any]) -> str:
    return Condition.parse(text).judge(values).answer


@settings(deadline=None)
@given(TEXTS, TEXTS, VALUES)
def test_and_or_not_are_kleenes(one: str, two: str, values: dict[str, Any]) -> None:
    first, second = judge(one, values), judge(two, values)
    assert judge(f"not ({one})", values) == NOT[first]
    assert RANK[judge(f"({one}) and ({two})", values)] == min(RANK[first], RANK[second])
    assert RANK[judge(f"({one}) or ({two})", values)] == max(RANK[first], RANK[second])


@settings(deadline=None)
@given(TEXTS, VALUES)
def test_learning_more_never_turns_a_known_answer_round(text: str, values: dict[str, Any]) -> None:
    assume(" or " not in text and " and " not in text)  # as values these choose, like `default`
    fewer = {name: value for name, value in values.items() if name != "account"}
    before, after = judge(text, fewer), judge(text, values)
    assert before in ("unknown", after)


@settings(deadline=None)
@given(TEXTS, VALUES)
def test_browser_never_contradicts_the_server(text: str, values: dict[str, Any]) -> None:
    condition = Condition.parse(text)
    tree = json.loads(json.dumps(condition.for_browser()))
    seen_there = {name: value for name, value in values.items() if name != "account"}
    assert trees.judge(tree, seen_there) in ("unknown", condition.judge(values).answer)


@settings(deadline=None)
@given(BROWSER_TEXTS, VALUES)
def test_browser_knows_as_much_as_the_server_where_it_can(text: str, values: dict[str, Any]) -> None:
    condition = Condition.parse(text)
    tree = condition.for_browser()
    assume('"?"' not in json.dumps(tree))  # and, or as values choose: only the server does
    assert trees.judge(tree, values) == condition.judge(values).answer


@settings(deadline=None)
@given(st.text("abc.()[]{}'\"=<>!|%~ 0123456789notdefipagethx,+-*/", max_size=60), VALUES)
def test_any_text_is_refused_kindly_or_judged(text: str, values: dict[str, Any]) -> None:
    for kind, run in ((Condition, "judge"), (Template, "render")):
        try:
            parsed = kind.parse(text)
        except ExpressionError:
            continue
        getattr(parsed, run)(values)


@settings(deadline=None)
@given(TEXTS, ANYTHING)
def test_no_data_makes_a_condition_raise(text: str, anything: Any) -> None:
    values = dict.fromkeys(["page", "account", "visit", "device"], anything) | {"data": {"a": anything, "b": anything}}
    assert judge(text, values) in RANK


@pytest.mark.parametrize("case", CASES, ids=[f"{number}: {case['when']}" for number, case in enumerate(CASES)])
def test_server_and_browser_agree_on_the_shared_cases(case: dict[str, Any]) -> None:
    condition = Condition.parse(case["when"])
    assert condition.for_browser() == case["tree"]
    assert trees.judge(case["tree"], case["values"]) == case["answer"]
    assert case["answer"] in ("unknown", condition.judge(case["values"]).answer)


@settings(deadline=None)
@given(st.text("ab*", max_size=8), st.lists(st.text("ab*", max_size=6), max_size=2))
def test_globs_match_as_their_stars_say(text: str, patterns: list[str]) -> None:
    tree = ["glob", ["get", "device"], *patterns]
    assert matches_glob(text, *patterns) == (trees.judge(tree, {"device": text}) == "yes")
