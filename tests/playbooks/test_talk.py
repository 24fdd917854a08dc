"""A visitor who does not keep to the script: asks, wanders off, wants a person, starts again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server import clock, events
from server.conversations import service as conversations
from server.db import Database
from server.events import Actor
from server.leads import service as leads
from server.outbox.tables import deliveries
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import Opener

NEED = (
    "{id: need, ask: What brings you here?, kind: choice, "
    "options: [{id: look, label: Looking}, {id: buy, label: Buying}]}"
)
MAIL = "{id: mail, ask: Your e-mail?, kind: email}"
BYE = "{id: bye, end: Thanks!}"
AGAIN = "Back to my question: What brings you here?"


def sent(chat: Chat) -> list[tuple[str, str, str]]:
    """What is queued for the outside: kind, to whom, about what."""
    with chat.db.reading() as tx:
        rows = tx.execute(select(deliveries).order_by(deliveries.c.id)).all()
    return [
        (row.kind, row.payload["mail"]["to"], row.payload["mail"]["subject"]) for row in rows if "mail" in row.payload
    ]


def names(chat: Chat) -> list[str]:
    with chat.db.reading() as tx:
        return [one.name for one in events.of_conversation(tx, chat.id)]


def test_a_question_in_the_middle_is_answered_with_its_source_and_the_talk_goes_on_where_it_was(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{BYE}")
    assert chat.say("What does the starter plan cost?") == [
        "The starter plan costs 49 euros a month for up to ten people.",
        AGAIN,
    ]
    assert chat.heard[1]["citations"] == [{"title": "Plans and prices", "url": "/pricing"}]
    assert [one["id"] for one in chat.part("choices")["options"]] == ["look", "buy"]
    with chat.db.reading() as tx:
        [answered] = [one for one in events.of_conversation(tx, chat.id) if one.name == events.QUESTION_ANSWERED]
    assert answered.trace["looked_at"][0]["answer"] == "yes"
    assert chat.say("buying") == ["Thanks!"]


def test_what_nobody_wrote_down_is_not_made_up_and_ways_out_are_offered(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{BYE}")
    assert chat.say("What is the airspeed of a swallow?") == ["I do not know that.", AGAIN]
    assert chat.parts[0]["kind"] == "fallback"
    assert [one["id"] for one in chat.parts[1]["options"]] == ["look", "buy", "~person", "~leave_email"]
    assert events.QUESTION_NOT_KNOWN in names(chat)
    assert chat.press("look") == ["Thanks!"]


def test_ways_out_stay_on_offer_below_a_question_that_is_typed(opened: Opener) -> None:
    chat = opened(f"{MAIL}\n{BYE}", locale="de")
    assert chat.say("Wie heißt der Papst?") == ["Das weiß ich nicht.", "Zurück zu meiner Frage: Your e-mail?"]
    assert [part["kind"] for part in chat.parts] == ["fallback", "fallback"]
    assert chat.parts[1]["actions"][1] == {"id": "leave_email", "label": "E-Mail hinterlassen"}


def test_an_answer_that_comes_with_a_question_counts_as_both(opened: Opener) -> None:
    chat = opened("{id: size, ask: How many people?, kind: number, save: account.employees}\n" + BYE)
    said = chat.say("40 people. What does the starter plan cost?")
    assert chat.memory.values["account.employees"] == 40
    assert said == ["The starter plan costs 49 euros a month for up to ten people.", "Thanks!"]


@pytest.mark.parametrize("how", ["words", "button"])
def test_a_visitor_who_wants_a_person_gets_one_who_is_told_at_once(opened: Opener, how: str) -> None:
    chat = opened(f"{NEED}\n{BYE}", known={"lead.name": "Ida", "account.employees": 10})
    said = chat.say("I want to talk to a human") if how == "words" else chat.act("person")
    assert said == ["One moment, I am getting a person.", AGAIN]
    assert chat.parts[0] == {"kind": "handoff", "queue": "small", "eta_seconds": None}
    assert (chat.state, chat.row.queue) == ("waiting_rep", "small")
    assert chat.row.waiting_since is not None
    assert sent(chat) == [
        ("notify", "grace@acme.example", "Ida would like to talk"),
        ("notify", "linus@acme.example", "Ida would like to talk"),
    ]
    assert events.CONVERSATION_HANDED_OVER in names(chat)
    assert chat.act("person")[0] == "Somebody has been told and will be with you here."
    assert len(sent(chat)) == 2


def test_a_handoff_names_the_queue_and_when_somebody_comes(opened: Opener) -> None:
    chat = opened("{id: h, handoff: sdr, text: Here comes Linus.}\n{id: never, say: Never}")
    assert chat.texts == ["Here comes Linus."]
    assert chat.parts == [{"kind": "handoff", "queue": "sdr", "eta_seconds": 120}]  # high intent on /pricing
    assert chat.memory.node == ""
    assert chat.memory.reached == ["handoff"]


def test_a_handoff_with_a_successor_goes_on_while_the_visitor_waits(opened: Opener) -> None:
    chat = opened(f"{{id: h, handoff: routed, next: mail}}\n{{id: never, say: Never}}\n{MAIL}\n{BYE}", path="/blog")
    assert chat.texts == ["One moment, I am getting a person.", "Your e-mail?"]
    assert chat.state == "waiting_rep"


def test_at_night_a_queue_keeps_the_chat_for_the_morning_and_asks_for_an_address(
    sqlite_db: Database, night: clock.StoppedClock
) -> None:
    applied(sqlite_db, p="nodes: [{id: h, handoff: sdr, text: Here comes Linus.}]")
    chat = Chat(sqlite_db).open()
    assert chat.texts[0].startswith("Nobody is here right now. Your question is kept")
    assert chat.texts[1] == "Which e-mail address should we write to?"
    assert chat.parts[0]["eta_seconds"] is None
    assert chat.say("ada@globex.example") == ["Thank you, we will write to ada@globex.example."]


def test_at_night_a_pool_offers_times_instead(sqlite_db: Database, night: clock.StoppedClock) -> None:
    applied(sqlite_db, p="nodes: [{id: h, handoff: routed}]")
    chat = Chat(sqlite_db).open()
    assert chat.texts == [
        "Nobody is here right now, but you can choose a time with one of us.",
        "Which time suits you?",
    ]
    assert (chat.state, chat.part("slots")["meeting"]) == ("bot", "demo")


def test_a_visitor_leaves_an_address_to_be_answered_at_and_the_talk_goes_on(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{BYE}")
    chat.say("What is the airspeed of a swallow?")
    assert chat.press("~leave_email") == ["Which e-mail address should we write to?"]
    assert chat.say("nope@nowhere")[0].startswith("That does not look like an e-mail address")
    assert chat.say("ida@globex.example") == ["Thank you, we will write to ida@globex.example.", AGAIN]
    assert {to for _, to, _ in sent(chat)} == {"grace@acme.example"}  # Globex is a target account: hers
    assert chat.press("buy") == ["Thanks!"]


def test_a_visitor_who_will_not_leave_an_address_is_left_in_peace(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{BYE}")
    chat.act("leave_email")
    assert chat.say("I would rather not") == ["Never mind, let's go on.", AGAIN]


def test_while_a_person_has_the_conversation_the_bot_is_silent_but_remembers(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{MAIL}\n{BYE}")
    conversations.take_over(chat.db, chat.id, "linus", Actor("user", "u1", "Linus"))
    assert chat.say("What does the starter plan cost? I am at ida@globex.example") == []
    assert chat.thread()[-1][1] == "visitor"
    assert chat.memory.values["lead.email"] == "ida@globex.example"
    conversations.give_back(chat.db, chat.id, Actor("user", "u1", "Linus"))
    assert chat.press("buy") == ["Thanks!"]  # the address is known by now


def test_greetings_and_thanks_are_returned_and_the_question_stays_open(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{BYE}")
    assert chat.say("hello there") == ["Hello!", AGAIN]
    assert chat.say("thank you") == ["You're welcome.", AGAIN]
    assert chat.say("goodbye") == ["Goodbye, and come back any time."]
    assert chat.press("look") == ["Thanks!"]


def test_a_slip_in_an_address_is_noticed_and_one_press_mends_it(opened: Opener) -> None:
    chat = opened(f"{MAIL}\n{BYE}")
    assert chat.say("ada@gmial.com") == ["Did you mean ada@gmail.com? If not, please type it once more."]
    assert chat.press("ada@gmail.com") == ["Thanks!"]
    assert chat.memory.values["lead.email"] == "ada@gmail.com"


@pytest.mark.parametrize("text", ["yes", "Yes please", "ja", "oui", "that is right"])
def test_yes_mends_a_slip_in_an_address_which_is_not_kept_before(opened: Opener, text: str) -> None:
    chat = opened(f"{MAIL}\n{BYE}")
    chat.say("ada@gmial.com")
    assert "lead.email" not in chat.memory.values
    assert chat.say(text) == ["Thanks!"]
    assert chat.memory.values["lead.email"] == "ada@gmail.com"


@pytest.mark.parametrize("kind", ["~leave_email", "flow"])
def test_an_address_that_is_no_slip_after_all_is_taken_when_typed_again(opened: Opener, kind: str) -> None:
    chat = opened(f"{NEED if kind != 'flow' else MAIL}\n{BYE}")
    if kind != "flow":
        chat.act("leave_email")
    assert chat.say("ada@gmial.com")[0].startswith("Did you mean ada@gmail.com?")
    chat.say("ada@gmial.com")
    assert chat.memory.values["lead.email"] == "ada@gmial.com"


def test_where_an_address_is_left_a_slip_is_noticed_too(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{BYE}")
    chat.act("leave_email")
    assert chat.say("ada@gmial.com")[0].startswith("Did you mean ada@gmail.com?")
    assert chat.press("ada@gmail.com")[0] == "Thank you, we will write to ada@gmail.com."


def test_a_question_with_several_answers_keeps_them_when_the_bot_does_not_know(opened: Opener) -> None:
    chat = opened("{id: m, ask: Which?, kind: multi, options: [{id: a, label: Apples}, {id: b, label: Pears}]}\n" + BYE)
    chat.say("What is the airspeed of a swallow?")
    assert [one["id"] for one in chat.part("choices")["options"]] == ["a", "b"]


def test_restart_begins_again_and_does_not_ask_what_it_knows(opened: Opener) -> None:
    chat = opened(f"{{id: hi, say: Hi}}\n{NEED}\n{MAIL}\n{BYE}")
    chat.press("buy")
    assert chat.act("restart") == ["Hi", "Your e-mail?"]


def test_a_button_of_an_older_message_counts_as_its_words(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{MAIL}\n{BYE}")
    chat.press("buy")
    said = chat.say("Looking", {"option": "look"})
    assert said == ["That does not look like an e-mail address. Could you check it?"]


def test_without_any_playbook_the_bot_still_answers(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    applied(sqlite_db, p="audience: {path: [/other]}\nnodes: [{id: hi, say: Hi}]")
    chat = Chat(sqlite_db).open()
    assert (chat.texts, chat.row.playbook) == ([], "")
    assert chat.say("What does the starter plan cost?") == [
        "The starter plan costs 49 euros a month for up to ten people."
    ]
    assert chat.say("hello") == ["Hello!", "What would you like to know?"]


def test_an_unknown_lead_is_met_by_the_first_phone_number(opened: Opener) -> None:
    chat = opened(f"{NEED}\n{BYE}")
    chat.say("call me on +49 30 901820")
    with chat.db.reading() as tx:
        assert leads.known(tx, chat.row.lead_id).lead["phone"] == "+4930901820"
