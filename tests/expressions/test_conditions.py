"""Conditions as owners write them: their answers, what they looked at, and what is refused before any visitor comes."""
from __future__ import annotations

import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from server.expressions import Condition, ExpressionError

BIG_PRICING = 'account.employees >= 500 and page.path.startswith("/pricing")'
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def answer(text: str, **values: Any) -> str:
    return Condition.parse(text).judge(values).answer


def test_owner_gets_yes_no_or_unknown_for_a_rule_over_company_and_page() -> None:
    page = {"path": "/pricing/teams"}
    assert answer(BIG_PRICING, account={"employees": 800}, page=page) == "yes"
    assert answer(BIG_PRICING, account={"employees": 12}, page=page) == "no"
    assert answer(BIG_PRICING, account={}, page=page) == "unknown"
    assert answer(BIG_PRICING, account={}, page={"path": "/blog"}) == "no"


def test_verdict_tells_what_was_looked_at_and_what_was_not_known() -> None:
    verdict = Condition.parse(BIG_PRICING).judge({"page": {"path": "/pricing"}})
    assert verdict.saw == {"account.employees": None, "page.path": "/pricing"}


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("account.is_customer", {}, "unknown"),
        ("not account.is_customer", {}, "unknown"),
        ("account.is_customer or true", {}, "yes"),
        ("account.is_customer and false", {}, "no"),
        ("account.is_customer is defined", {}, "no"),
        ("account.is_customer is not defined", {"account": {"is_customer": None}}, "yes"),
        ("account.is_customer is none", {}, "yes"),
        ("account.is_customer", {"account": {"is_customer": None}}, "unknown"),
        ("account.employees > 5", {"account": {"employees": "many"}}, "unknown"),
        ("account.employees > 5", {"account": {"employees": float("nan")}}, "unknown"),
        ("account.employees > 5", {"account": {"employees": Decimal("5.5")}}, "yes"),
        ("account.employees > 5", {"account": {"employees": True}}, "unknown"),
        ("account.employees > 5", {"account": {"employees": [6]}}, "unknown"),
        ("account.employees > 5", {"account": 7}, "unknown"),
        ("account.employees > 5", {"account": None}, "unknown"),
        ("account.employees == '5'", {"account": {"employees": 5}}, "no"),
        ("account.is_target == 1", {"account": {"is_target": True}}, "no"),
        ("account.tech == ['a']", {"account": {"tech": ["a"]}}, "unknown"),
        ("'crm' in account.tech", {"account": {"tech": ["erp", "crm"]}}, "yes"),
        ("'crm' in account.tech", {"account": {"tech": {"crm"}}}, "yes"),
        ("'crm' in account.tech", {"account": {"tech": ["erp", None]}}, "unknown"),
        ("'crm' not in account.tech", {"account": {"tech": []}}, "yes"),
        ("'plan' in page.query", {"page": {"query": {"plan": "x"}}}, "yes"),
        ("5 in page.query", {"page": {"query": {"plan": "x"}}}, "unknown"),
        ("'google' in page.referrer", {"page": {"referrer": "https://www.google.com/"}}, "yes"),
        ("1 < visit.count <= 3", {"visit": {"count": 3}}, "yes"),
        ("1 < visit.count <= 3", {"visit": {"count": 1}}, "no"),
        ("1 < visit.count <= account.employees", {"visit": {"count": 1}}, "no"),
        ("visit.count * 2 + 1 == 7", {"visit": {"count": 3}}, "yes"),
        ("visit.count / 0 == 1", {"visit": {"count": 3}}, "unknown"),
        ("'a' * 9 == 'aaaaaaaaa'", {}, "unknown"),
        ("-visit.count < 0", {"visit": {"count": 3}}, "yes"),
        ("-lead.name < 0", {"lead": {"name": "x"}}, "unknown"),
        ("page.query.seats | int > 10", {"page": {"query": {"seats": " 25 "}}}, "yes"),
        ("page.query.seats | int > 10", {"page": {"query": {"seats": "25x"}}}, "unknown"),
        ("page.query.seats | int(0) > 10", {"page": {"query": {"seats": "25x"}}}, "no"),
        ("lead.email.split('@') | last == 'globex.example'", {"lead": {"email": "a@globex.example"}}, "yes"),
        ("lead.email.split('@')[1] == 'globex.example'", {"lead": {"email": "a@globex.example"}}, "yes"),
        ("lead.email.split('@')[1] == 'globex.example'", {"lead": {"email": "a"}}, "unknown"),
        ("lead.title | lower | trim == 'cto'", {"lead": {"title": " CTO "}}, "yes"),
        ("(lead.role or 'none') == 'none'", {}, "yes"),
        ("'x' if account.is_customer else 'y'", {}, "unknown"),
        ("lead.interests | length >= 2", {"lead": {"interests": ["a", "b"]}}, "yes"),
        ("lead.name", {"lead": {"name": ""}}, "no"),
        ("page.path is glob('/pricing*', '*/plans')", {"page": {"path": "/de/PLANS"}}, "yes"),
        ("page.path is glob('/pricing*')", {}, "unknown"),
        ("data.since < now.date", {"data": {"since": date(2026, 1, 1)}, "now": {"date": date(2026, 3, 2)}}, "yes"),
        ("data.since < now.date", {"data": {"since": MOMENT}, "now": {"date": date(2026, 3, 2)}}, "unknown"),
        ("data.since", {"data": {"since": object()}}, "unknown"),
        ("answers['size-1'] == 5", {"answers": {"size-1": 5}}, "yes"),
    ],
)
def test_owner_reads_the_answer_as_the_words_say(text: str, values: dict[str, Any], expected: str) -> None:
    assert answer(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found nothing, allowed a condition like account.employees >= 500"),
        ("a = b", 'found "a = b": do not understand "=" (write "==" to compare)'),
        ("acount.employees > 5", 'did you mean "account"?'),
        ("account.employes > 5", 'did you mean "account.employees"?'),
        ("page.query.anything == 1 and pages.path", 'found the unknown name "pages"'),
        ("page.path.starswith('/')", 'found the unknown method "starswith"'),
        ("lead.name | uper", 'did you mean "upper"?'),
        ("lead.name | lower(1)", 'found wrong arguments of "lower", allowed 0, without names'),
        ("lead.name is definedd", 'did you mean "defined"?'),
        ("9 ** 9 ** 9", "found ** (a power), which is not allowed here"),
        ("lead.name[1:2]", "found a slice, which is not allowed here"),
        ("lead.owner == none", '"x is defined"'),
        ("lead.name.format(1)", 'found the unknown method "format"'),
        ("range(9)", "found a call, allowed the text methods"),
        ("1e300 > 2", "too large"),
        ("account.employees >= ", "unexpected 'end of template'"),
        ("lead.__class__", 'found the unknown name "lead.__class__"'),
        ("(" * 1500, "nested too deeply"),
        ("not " * 900 + "device", "600 parts nested 40 deep"),
        ("1 + " * 900 + "1", "600 parts nested 40 deep"),
        ("1" * 5000, "found 5000 characters, allowed 4000"),
    ],
)
def test_owner_is_told_what_is_wrong_with_a_condition(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Condition.parse(text)
    assert message in str(caught.value)


def test_a_criterion_may_read_its_own_value_and_others_may_not() -> None:
    assert Condition.parse("value >= 50", names=["value"]).judge({"value": 80}).answer == "yes"
    with pytest.raises(ExpressionError, match='unknown name "value"'):
        Condition.parse("value >= 50")


def test_repeated_replacing_cannot_grow_a_text_without_end() -> None:
    bomb = "data.x" + ".replace('a', 'aaaaaaaaaa')" * 15 + " | length"
    assert answer(f"{bomb} <= 20000", data={"x": "a" * 4000}) == "yes"


def test_replacing_by_a_long_text_takes_little_memory() -> None:
    condition = Condition.parse("data.x.replace('a', data.y) == ''")
    tracemalloc.start()
    condition.judge({"data": {"x": "a" * 20_000, "y": "b" * 20_000}})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


def test_names_are_listed_once_in_their_longest_form() -> None:
    condition = Condition.parse(BIG_PRICING + " or data['a b'].c")
    assert condition.names() == {"account.employees", "page.path", "data.a b.c"}
