"""Which options visitors mean."""

from __future__ import annotations

import pytest

from plugins.ai import Correction, Expect, Expectation, Intent, Option
from tests.plugins.ai.conftest import Hear
from tests.plugins.ai.table import rows

BUY = Option("buy", "Ready to buy", ("purchase", "order", "kaufen", "acheter", "comprar"))
NEED = Expectation(Expect.CHOICE, (Option("compare", "Comparing tools"), BUY, Option("look", "Just looking")))
YES_NO = Expectation(Expect.CHOICE, (Option("y", "Yes, please"), Option("n", "No, thanks")))
TOOLS = Expectation(Expect.MULTI, (Option("sf", "Salesforce"), Option("hs", "HubSpot"), Option("pd", "Pipedrive")))
TWO = Expectation(Expect.MULTI, (Option("chat", "Chat"), Option("mail", "E-mail campaigns")))


@pytest.mark.parametrize(("locale", "text", "meaning"), rows("need"))
def test_a_visitor_chooses_by_number_word_or_synonym(hear: Hear, locale: str, text: str, meaning: str) -> None:
    chosen = hear(text, NEED, locale)
    assert (chosen.matched, chosen.value, chosen.intent) == (True, meaning, Intent.ANSWER)


@pytest.mark.parametrize(("locale", "text", "meaning"), rows("yesno"))
def test_a_visitor_says_yes_or_no_in_many_ways(hear: Hear, locale: str, text: str, meaning: str) -> None:
    chosen = hear(text, YES_NO, locale)
    assert (chosen.matched, chosen.value) == (True, meaning)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1 and 3", ("sf", "pd")),
        ("1,3", ("sf", "pd")),
        ("all", ("sf", "hs", "pd")),
        ("all of them", ("sf", "hs", "pd")),
        ("all three", ("sf", "hs", "pd")), ("all except hubspot", ("sf", "pd")), ("salesfroce", ("sf",)),
        ("hubspot and salesforce", ("sf", "hs")), ("we use Hub Spot... hubspot", ("hs",)), ("none of these", ()),
        ("die erste und die dritte", ("sf", "pd")), ("alle", ("sf", "hs", "pd")), ("tous", ("sf", "hs", "pd")),
        ("ninguno", ()), ("todas menos pipedrive", ("sf", "hs")), ("keine davon", ()), ("aucun", ()),
        ("the first and the last", ("sf", "pd")), ("not salesforce, hubspot", ("hs",)),
    ],
)  # fmt: skip
def test_a_visitor_chooses_several(hear: Hear, text: str, meaning: tuple[str, ...]) -> None:
    chosen = hear(text, TOOLS)
    assert (chosen.matched, chosen.value) == (True, meaning)


@pytest.mark.parametrize("text", ["both", "both please", "beides", "les deux", "ambas", "chat and e-mail campaigns"])
def test_a_visitor_takes_both(hear: Hear, text: str) -> None:
    assert hear(text, TWO).value == ("chat", "mail")


def test_a_visitor_who_names_two_where_one_is_asked_is_asked_which(hear: Hear) -> None:
    assert hear("1 and 2", NEED).correction is Correction.SEVERAL_OPTIONS


@pytest.mark.parametrize("text", ["hm", "banana", "asdf", "7", "42"])
def test_a_visitor_who_names_no_option_is_asked_again(hear: Hear, text: str) -> None:
    answer = hear(text, NEED)
    assert (answer.matched, answer.correction) == (False, Correction.NO_OPTION)


def test_a_label_that_is_a_question_is_still_a_choice(hear: Hear) -> None:
    costs = Expectation(Expect.CHOICE, (Option("cost", "What does it cost?"), Option("demo", "Can I see a demo?")))
    assert (hear("What does it cost?", costs).value, hear("can i see a demo?", costs).value) == ("cost", "demo")
