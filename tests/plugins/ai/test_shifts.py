"""Other times than those on offer; back, from the start, and what was wrong."""

from __future__ import annotations

import pytest

from plugins.ai import Expect, Expectation, FormField, Intent, Option, Shift
from tests.plugins.ai.conftest import Hear

OFFERED = tuple(Option(one, one) for one in ("2026-03-03T11:00:00Z", "2026-03-03T13:00:00Z", "2026-03-04T09:00:00Z"))
SLOTS = Expectation(Expect.SLOT, OFFERED)
FORM = Expectation(Expect.FORM, fields=(FormField("name", "Name"), FormField("email", "E-mail", "email")))
CHOICE = Expectation(Expect.CHOICE, (Option("a", "Apples"), Option("b", "Buying")))

SAID = {
    Shift.EARLIER: "earlier | sooner | anything sooner? | do you have anything earlier? | that's too late | früher | "
    "geht es auch früher? | gibt es etwas früheres? | lieber früher | plus tôt | avez-vous quelque chose de plus tôt ?"
    " | más temprano | ¿hay algo antes? | demasiado tarde",
    Shift.LATER: "later | later please | a bit later | that's too early | später | geht es auch später? | zu früh | "
    "plus tard | trop tôt | más tarde | ¿tiene algo más tarde?",
    Shift.OTHER_DAY: "another day | a different day please | an einem anderen Tag | un autre jour | otro día",
    Shift.MORE: "more times | show me more | none of these | do you have other times? | what else do you have | "
    "another time | weitere Zeiten | keine davon | ein anderer Termin | d'autres créneaux | más horas | otra hora",
}
ROWS = [(text.strip(), shift) for shift, texts in SAID.items() for text in texts.split(" | ")]


@pytest.mark.parametrize(("text", "shift"), ROWS)
def test_a_visitor_wants_other_times_and_no_time_is_taken(hear: Hear, text: str, shift: Shift) -> None:
    meant = hear(text, SLOTS)
    assert (meant.shift, meant.matched, meant.intent) == (shift, False, Intent.RESCHEDULE)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("is there anything else I should know?", Intent.QUESTION), ("see you later", Intent.BYE),
        ("earlier on thursday", Intent.OTHER), ("the earliest", Intent.ANSWER), ("the second one", Intent.ANSWER),
        ("no thanks", Intent.SKIP),
    ],
)  # fmt: skip
def test_a_visitor_who_means_something_else_is_not_shown_other_times(hear: Hear, text: str, intent: Intent) -> None:
    meant = hear(text, SLOTS)
    assert (meant.shift, meant.intent) == (Shift.NONE, intent)


def test_below_a_form_one_word_of_many_is_not_about_times(hear: Hear) -> None:
    assert hear("Ada Later", FORM).shift is Shift.NONE
    assert hear("later", FORM).shift is Shift.LATER
    assert hear("do you have something later?", FORM).shift is Shift.LATER


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("go back", Intent.BACK), ("back", Intent.BACK), ("can I go back to the previous question?", Intent.BACK),
        ("I want to change my last answer", Intent.BACK), ("zurück", Intent.BACK), ("vorherige Frage", Intent.BACK),
        ("question précédente", Intent.BACK), ("volver atrás", Intent.BACK),
        ("start over", Intent.RESTART), ("let's start from scratch", Intent.RESTART),
        ("nochmal von vorne", Intent.RESTART), ("recommencer depuis le début", Intent.RESTART),
        ("empezar de nuevo", Intent.RESTART),
        ("Can I get my money back?", Intent.QUESTION), ("call me back", Intent.PERSON),
    ],
)  # fmt: skip
@pytest.mark.parametrize("expectation", [CHOICE, SLOTS, Expectation()])
def test_a_visitor_goes_back_or_begins_anew(hear: Hear, text: str, intent: Intent, expectation: Expectation) -> None:
    assert hear(text, expectation).intent is intent


@pytest.mark.parametrize(
    "text",
    [
        "sorry, I meant 50",
        "actually we are 50",
        "ich meinte 50",
        "pardon, je voulais dire 50",
        "perdón, quería decir 50",
    ],
)
def test_a_visitor_takes_back_what_was_said(hear: Hear, text: str) -> None:
    assert hear(text, CHOICE).corrects
    assert not hear("we are 50 people", CHOICE).corrects


def test_a_form_in_words_holds_guests_and_the_way_to_meet(hear: Hear) -> None:
    ways = (Option("video", "Video call", ("video",)), Option("phone", "Phone", ("phone", "call")))
    fields = (
        *FORM.fields,
        FormField("place", "How?", "choice", False, ways),
        FormField("guests", "Guests", "emails", False),
    )
    told = hear(
        "Ada Byron, ada@globex.example, by phone, with bob@globex.example", Expectation(Expect.FORM, fields=fields)
    )
    assert told.matched
    assert isinstance(told.value, dict)
    assert (told.value["email"], told.value["guests"], told.value["place"]) == (
        "ada@globex.example",
        "bob@globex.example",
        "phone",
    )
