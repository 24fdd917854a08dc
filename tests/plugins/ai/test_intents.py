"""What visitors are doing, with and without something asked."""

from __future__ import annotations

import pytest

from plugins.ai import Correction, Expect, Expectation, Intent, Option
from tests.plugins.ai.conftest import Hear
from tests.plugins.ai.table import rows

TEXT = Expectation(Expect.TEXT)
NUMBER = Expectation(Expect.NUMBER)
NEED = Expectation(Expect.CHOICE, (Option("compare", "Comparing tools"), Option("buy", "Ready to buy")))
PRICE = (Option("price", "Too expensive", ("expensive", "too much", "zu teuer")), Option("time", "No time", ("busy",)))
REFUSALS = {
    "en": [
        "i'd rather not say",
        "skip",
        "skip this",
        "no idea",
        "not sure yet",
        "none of your business",
        "idk",
        "next",
    ],
    "de": ["möchte ich nicht sagen", "weiß nicht", "keine ahnung", "überspringen", "das geht dich nichts an"],
    "fr": ["je ne sais pas", "aucune idée", "je préfère ne pas le dire", "passer", "ça ne vous regarde pas"],
    "es": ["no sé", "ni idea", "prefiero no decirlo", "siguiente", "no lo sé todavía"],
}


@pytest.mark.parametrize(("locale", "text", "meaning"), rows("intents"))
def test_a_visitor_does_something(hear: Hear, locale: str, text: str, meaning: str) -> None:
    assert hear(text, locale=locale).intent == meaning


@pytest.mark.parametrize(("locale", "text"), [(locale, text) for locale, said in REFUSALS.items() for text in said])
@pytest.mark.parametrize("asked", [TEXT, NUMBER, Expectation(Expect.EMAIL), NEED], ids=lambda one: str(one.kind))
def test_a_visitor_may_refuse_to_answer(hear: Hear, locale: str, text: str, asked: Expectation) -> None:
    heard = hear(text, asked, locale)
    assert (heard.matched, heard.intent, heard.correction) == (False, Intent.SKIP, Correction.NONE)


@pytest.mark.parametrize(
    "text",
    [
        "do you integrate with Salesforce?",
        "what is the price",
        "how does it work",
        "habt ihr eine api?",
        "c'est combien ?",
    ],
)
@pytest.mark.parametrize(
    "asked", [TEXT, NUMBER, NEED, Expectation(Expect.EMAIL), Expectation(Expect.COMPANY), Expectation(Expect.DATE)],
    ids=lambda one: str(one.kind),
)  # fmt: skip
def test_a_question_is_never_taken_for_the_answer(hear: Hear, text: str, asked: Expectation) -> None:
    heard = hear(text, asked)
    assert (heard.matched, heard.intent) == (False, Intent.QUESTION)


@pytest.mark.parametrize(
    "text",
    [
        "we need better routing", "we want to convert more visitors. our reps are slow", "what we need is speed",
        "reporting", "faster answers for our customers and a calendar", "wir wollen mehr demos", "gagner du temps",
        "when we have budget we will decide", "more leads!",
    ],
)  # fmt: skip
def test_a_visitor_answers_in_their_own_words(hear: Hear, text: str) -> None:
    heard = hear(text, TEXT)
    assert (heard.matched, heard.value, heard.intent) == (True, text, Intent.ANSWER)


@pytest.mark.parametrize(
    ("text", "intent"),
    [("hi", Intent.GREETING), ("can I talk to a person", Intent.PERSON), ("cancel my meeting", Intent.CANCEL)],
)
def test_a_free_answer_swallows_no_wish(hear: Hear, text: str, intent: Intent) -> None:
    heard = hear(text, TEXT)
    assert (heard.matched, heard.intent) == (False, intent)


@pytest.mark.parametrize(
    ("text", "objection"),
    [("that's way too expensive", "price"), ("sorry I'm busy right now", "time"), ("das ist mir zu teuer", "price")],
)
def test_a_visitor_objects_with_words_the_playbook_knows(hear: Hear, text: str, objection: str) -> None:
    heard = hear(text, Expectation(Expect.NUMBER, objections=PRICE))
    assert (heard.intent, heard.objection) == (Intent.OBJECTION, objection)


def test_a_denied_wish_is_no_wish(hear: Hear) -> None:
    assert hear("please don't cancel my meeting").intent is not Intent.CANCEL


def test_an_empty_line_is_asked_for_again(hear: Hear) -> None:
    assert hear("  ", TEXT).correction is Correction.EMPTY
    assert hear("...", NUMBER).correction is Correction.EMPTY
    assert hear("").correction is Correction.NONE
