"""Visitors who say no, want another time, or talk beside what is asked."""

from __future__ import annotations

import pytest

from plugins.ai import Correction, Expect, Expectation, Intent, Option
from tests.plugins.ai.conftest import Hear

SLOT = Expectation(Expect.SLOT, tuple(Option(one, one) for one in ("2026-03-04T09:00:00Z", "2026-03-04T13:00:00Z")))
NEED = Expectation(Expect.CHOICE, (Option("compare", "Comparing tools"), Option("tool", "A tool that does this")))
PARTS = Expectation(Expect.MULTI, (Option("a", "Dashboards"), Option("b", "Reports"), Option("c", "Alerts")))
OPEN = [Expectation(kind) for kind in (Expect.EMAIL, Expect.PHONE, Expect.NUMBER, Expect.DATE, Expect.COMPANY)]


@pytest.mark.parametrize("asked", [*OPEN, SLOT, NEED], ids=lambda one: str(one.kind))
@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "no"),
        ("en", "No, thank you."),
        ("en", "no thanks"),
        ("en", "nope"),
        ("en", "not now"),
        ("de", "nein danke"),
        ("de", "Nein."),
        ("fr", "non merci"),
        ("es", "no gracias"),
    ],
)
def test_a_plain_no_skips_what_is_asked(hear: Hear, locale: str, text: str, asked: Expectation) -> None:
    heard = hear(text, asked, locale)
    assert (heard.matched, heard.intent, heard.correction) == (False, Intent.SKIP, Correction.NONE)


def test_a_no_is_an_answer_where_any_words_are_and_where_it_can_be_chosen(hear: Hear) -> None:
    wanted = Expectation(Expect.CHOICE, (Option("yes", "Yes, please"), Option("no", "Not now")))
    assert hear("no", Expectation(Expect.TEXT)).value == "no"
    assert hear("no thanks", wanted).value == "no"


@pytest.mark.parametrize("asked", [Expectation(), SLOT, Expectation(Expect.EMAIL)], ids=lambda one: str(one.kind))
@pytest.mark.parametrize(
    "text",
    [
        "can we reschedule my meeting?",
        "Could you postpone our call please?",
        "is it possible to reschedule the demo",
        "I'd like to reschedule",
    ],
)
def test_a_visitor_who_asks_to_move_a_meeting_is_understood(hear: Hear, text: str, asked: Expectation) -> None:
    assert hear(text, asked).intent is Intent.RESCHEDULE


@pytest.mark.parametrize("text", ["tomorrow at 2pm works", "I work at 2pm", "I'm at 10:30", "we're at 14h30"])
def test_a_time_is_no_company(hear: Hear, text: str) -> None:
    assert hear(text, SLOT).entities.company == ""


@pytest.mark.parametrize("name", ["3M", "7-Eleven", "1&1", "37signals"])
def test_a_company_may_begin_with_a_digit(hear: Hear, name: str) -> None:
    assert hear(f"I work at {name}").entities.company == name


@pytest.mark.parametrize("text", ["why not just take one of the others", "one of them is fine", "one of these days"])
def test_one_of_several_is_not_the_first(hear: Hear, text: str) -> None:
    assert hear(text, PARTS).value in (None, ())
    assert hear(text, NEED).value is None


def test_a_choice_and_a_question_beside_it_are_both_heard(hear: Hear) -> None:
    heard = hear("A tool that does this. And how much does it cost?", NEED)
    assert (heard.matched, heard.value, heard.intent) == (True, "tool", Intent.QUESTION)


@pytest.mark.parametrize("text", ["next week", "later", "later please", "earlier please", "too late for me", "back"])
def test_a_wish_for_other_times_does_not_end_the_talk(hear: Hear, text: str) -> None:
    heard = hear(text, SLOT)
    assert (heard.matched, heard.intent in (Intent.SKIP, Intent.BYE)) == (False, False)


def test_a_choice_and_an_objection_asked_beside_it_are_both_heard(hear: Hear) -> None:
    safe = Option("trust", "trust", ("is it secure",))
    heard = hear("comparing tools, but is it secure?", Expectation(Expect.CHOICE, NEED.options, objections=(safe,)))
    assert (heard.matched, heard.value, heard.intent, heard.objection) == (True, "compare", Intent.OBJECTION, "trust")


@pytest.mark.parametrize("text", ["person please", "a human please", "somebody real please"])
def test_a_few_words_are_enough_to_get_a_person(hear: Hear, text: str) -> None:
    assert hear(text, NEED).intent is Intent.PERSON
