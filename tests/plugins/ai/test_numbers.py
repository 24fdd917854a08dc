"""Numbers, sizes and budgets as visitors give them."""

from __future__ import annotations

import pytest

from plugins.ai import Budget, Correction, Expect, Expectation, Intent, Option, Range
from tests.plugins.ai.conftest import Hear
from tests.plugins.ai.table import rows

NUMBER = Expectation(Expect.NUMBER)
BUTTONS = Expectation(Expect.NUMBER, (Option("25", "1–50"), Option("125", "51–200"), Option("500", "More than 200")))


@pytest.mark.parametrize(("locale", "text", "meaning"), rows("numbers"))
def test_a_visitor_gives_a_number(hear: Hear, locale: str, text: str, meaning: str) -> None:
    given = hear(text, NUMBER, locale)
    assert (str(given.value) if given.matched else "-") == meaning


@pytest.mark.parametrize(
    ("text", "value"), [("1-50", 25), ("51-200", 125), ("the second one", 125), ("more than 200", 500), ("2", 2)]
)
def test_a_visitor_types_what_stands_on_a_button(hear: Hear, text: str, value: int) -> None:
    assert hear(text, BUTTONS).value == value


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("we're a team of 12", 12, 12), ("12 of us", 12, 12), ("just me", 1, 1), ("mid-size, 300 people", 300, 300),
        ("between 50 and 100 employees", 50, 100), ("over 500 staff", 501, None), ("12-person company", 12, 12),
        ("wir sind 40 leute", 40, 40), ("über 500 Mitarbeiter", 501, None), ("une trentaine de salariés", 30, 30),
        ("somos unos 40", 40, 40), ("entre 10 y 20 empleados", 10, 20), ("nous sommes une PME de 80 personnes", 80, 80),
    ],
)  # fmt: skip
def test_a_visitor_tells_how_big_the_company_is(hear: Hear, text: str, low: float, high: float | None) -> None:
    assert hear(text).entities.company_size == Range(low, high)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("20k€ a year", Budget(20000, 20000, "EUR", "year")), ("around $5,000", Budget(5000, 5000, "USD")),
        ("budget is 3000", Budget(3000, 3000)), ("$50 per user per month", Budget(50, 50, "USD", "seat")),
        ("up to 10.000 euros al año", Budget(None, 10000, "EUR", "year")), ("5-10k EUR", Budget(5000, 10000, "EUR")),
        ("500 € par mois", Budget(500, 500, "EUR", "month")), ("£2k a month", Budget(2000, 2000, "GBP", "month")),
        ("Budget ca. 10.000 Euro im Jahr", Budget(10000, 10000, "EUR", "year")),
        ("zwischen 5.000 und 10.000 Euro", Budget(5000, 10000, "EUR")), ("15 mille euros", Budget(15000, 15000, "EUR")),
    ],
)  # fmt: skip
def test_a_visitor_tells_the_budget(hear: Hear, text: str, budget: Budget) -> None:
    assert hear(text).entities.budget == budget


def test_no_budget_yet_is_no_number_and_no_mistake(hear: Hear) -> None:
    heard = hear("no budget yet", NUMBER)
    assert (heard.matched, heard.intent, heard.correction) == (False, Intent.SKIP, Correction.NONE)


def test_a_number_in_a_question_is_not_the_answer_but_is_remembered(hear: Hear) -> None:
    heard = hear("what does 50 users cost?", NUMBER)
    assert (heard.matched, heard.intent, heard.entities.numbers) == (False, Intent.QUESTION, (50,))


def test_an_answer_with_a_question_beside_it_is_both(hear: Hear) -> None:
    heard = hear("about 50, do you integrate with Salesforce?", NUMBER)
    assert (heard.value, heard.matched, heard.intent) == (50, True, Intent.QUESTION)
