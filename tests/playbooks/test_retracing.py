"""Back, from the start, and another answer to what was asked before, all in words."""

from __future__ import annotations

import pytest

from tests.playbooks.chat import Chat
from tests.playbooks.conftest import Opener

FLOW = """{id: size, ask: How many people?, kind: number, save: account.employees}
{id: need, ask: What brings you here?, kind: choice, options: [{id: a, label: Apples}, {id: b, label: Buying}]}
{id: mail, ask: Your e-mail?, kind: email}
{id: meet, book: demo, text: Pick a time.}
{id: bye, end: See you!}"""


def at_mail(opened: Opener, **browser: str) -> Chat:
    chat = opened(FLOW, **browser)
    chat.say("50")
    chat.press("a")
    assert chat.memory.node == "mail"
    return chat


@pytest.mark.parametrize(
    "text", ["go back", "back please", "I want to change my last answer", "zurück", "volver atrás"]
)
def test_back_asks_the_question_before_once_more_and_goes_on_from_there(opened: Opener, text: str) -> None:
    chat = at_mail(opened)
    assert chat.say(text) == ["What brings you here?"]
    assert chat.press("b") == ["Your e-mail?"]
    assert chat.memory.values["answers.need"] == "b"


def test_back_twice_is_two_questions_back_and_what_was_told_after_them_is_not_asked_again(opened: Opener) -> None:
    chat = at_mail(opened)
    chat.say("back")
    assert chat.say("back") == ["How many people?"]
    assert chat.say("60") == ["Your e-mail?"]  # what brings them here is known
    assert (chat.memory.values["account.employees"], chat.memory.values["answers.need"]) == (60, "a")


def test_at_the_beginning_there_is_no_way_back(opened: Opener) -> None:
    chat = opened(FLOW)
    assert chat.say("go back") == ["This is the beginning.", "Back to my question: How many people?"]


def test_back_from_the_form_is_to_the_times_and_from_there_to_the_questions(opened: Opener) -> None:
    chat = opened("{id: meet, book: demo, text: Pick a time.}")
    chat.choose(1)
    assert chat.say("go back") == ["Which time suits you?"]
    assert chat.parts[-1]["kind"] == "slots"


def test_back_out_of_something_beside_the_flow_returns_to_it(opened: Opener) -> None:
    chat = at_mail(opened)
    chat.act("leave_email")
    assert chat.say("back") == ["Back to my question: Your e-mail?"]
    assert chat.memory.node == "mail"


@pytest.mark.parametrize("text", ["start over", "let's start from scratch", "nochmal von vorne", "empezar de nuevo"])
def test_from_the_start_asks_again_what_was_answered_here(opened: Opener, text: str) -> None:
    chat = at_mail(opened)
    said = chat.say(text)
    assert said == ["How many people?"] or said == ["What brings you here?"]
    assert "answers.need" not in chat.memory.values
    assert chat.memory.asked == []


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("sorry, I meant 60", "account.employees", 60), ("actually we are 60 people", "account.employees", 60),
        ("ich meinte 60", "account.employees", 60), ("sorry, I meant buying", "answers.need", "b"),
    ],
)  # fmt: skip
def test_an_answer_is_corrected_in_words_and_the_open_question_stays(
    opened: Opener, text: str, place: str, value: object
) -> None:
    chat = at_mail(opened)
    assert chat.say(text) == ["Thank you, I have changed that.", "Back to my question: Your e-mail?"]
    assert chat.memory.values[place] == value
    assert chat.memory.node == "mail"


def test_an_address_is_corrected_while_times_are_on_offer(opened: Opener) -> None:
    chat = at_mail(opened)
    chat.say("ada@wonka.example")
    said = chat.say("sorry, my e-mail is ada.byron@wonka.example")
    assert said[0] == "Thank you, I have changed that."
    assert chat.memory.values["lead.email"] == "ada.byron@wonka.example"
    assert chat.parts[-1]["kind"] == "slots"
