"""What each node says, asks and keeps. One line of a test's text is one node."""

from __future__ import annotations

from typing import Any

import pytest

from server import events
from server.leads import service as leads
from tests.playbooks.conftest import Opener

NEED = (
    "{id: need, ask: What brings you here?, kind: choice, criterion: need, "
    "options: [{id: look, label: Comparing tools}, {id: buy, label: Ready to buy, says: [purchase]}]}"
)
SIZE = "{id: size, ask: How many people?, kind: number, save: account.employees, criterion: size}"
BYE = "{id: bye, end: Thanks!, outcome: qualified}"


def test_say_fills_in_what_is_known_in_the_visitors_language(opened: Opener) -> None:
    english, german = (
        "Hi {{ lead.first_name | default('there') }}!",
        "Hallo {{ lead.first_name }}, hier {{ agent.name }}",
    )
    nodes = f'{{id: hi, say: {{en: "{english}", de: "{german}"}}}}'
    assert opened(nodes).texts == ["Hi there!"]
    assert opened(nodes, locale="de-AT", known={"lead.name": "Grace Hopper"}, seed="b").texts == [
        "Hallo Grace, hier Ada"
    ]
    assert opened(nodes, locale="fr", known={"lead.first_name": "Ida"}, seed="c").texts == ["Hi Ida!"]


ANSWERS: dict[str, tuple[str, str, Any]] = {
    "text": ("", "We want fewer tools", "We want fewer tools"),
    "number": ("", "about two hundred", 200),
    "email": ("", "it's Ada@Globex.example", "Ada@globex.example"),
    "phone": ("", "+49 30 901820", "+4930901820"),
    "company": ("", "Globex", "Globex"),
    "date": ("", "24 March", "2026-03-24"),
    "choice": ("options: [{id: a, label: Apples}, {id: b, label: Pears}]", "peers", "b"),
    "multi": ("options: [{id: a, label: Apples}, {id: b, label: Pears}, {id: c, label: Figs}]", "1 and 3", ["a", "c"]),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_in_words_is_kept_as_a_typed_value(opened: Opener, kind: str) -> None:
    more, said, kept = ANSWERS[kind]
    chat = opened(f"{{id: q, ask: 'Well?', kind: {kind}, save: q{', ' if more else ''}{more}}}\n{BYE}")
    assert chat.texts == ["Well?"]
    assert chat.say(said) == ["Thanks!"]
    assert chat.memory.values["answers.q"] == kept


def test_each_kind_of_question_comes_with_what_answers_it(opened: Opener) -> None:
    assert opened("{id: q, ask: 'Mail?', kind: email, placeholder: you@company.com}").parts == [
        {"kind": "input", "input": "email", "placeholder": "you@company.com"}
    ]
    multi = opened(
        "{id: q, ask: 'Which?', kind: multi, options: [{id: a, label: {en: Apples, de: Äpfel}}]}", seed="b", locale="de"
    )
    assert multi.parts == [{"kind": "choices", "options": [{"id": "a", "label": "Äpfel"}], "multi": True}]
    buttons = opened("{id: q, ask: 'Size?', kind: number, buttons: [{label: A few, value: 5}]}", seed="c")
    assert buttons.parts == [{"kind": "choices", "options": [{"id": "5", "label": "A few"}], "multi": False}]


def test_buttons_ticks_and_date_fields_answer_without_words(opened: Opener) -> None:
    chat = opened(
        "{id: size, ask: 'Size?', kind: number, buttons: [{label: A few, value: 5}]}\n"
        "{id: jobs, ask: 'Which?', kind: multi, options: [{id: a, label: A}, {id: b, label: B}]}\n"
        "{id: day, ask: 'When?', kind: date}\n" + BYE
    )
    assert chat.press("5") == ["Which?"]
    assert chat.say("A, B", {"options": ["b", "a", "b"]}) == ["When?"]
    assert chat.say("March 24", {"option": "2026-03-24"}) == ["Thanks!"]
    assert chat.memory.values == {"answers.size": 5, "answers.jobs": ["b", "a"], "answers.day": "2026-03-24"}


def test_what_is_not_understood_gets_a_friendly_second_try_and_then_the_talk_goes_on(opened: Opener) -> None:
    chat = opened(f"{{id: size, ask: How many people?, kind: number, criterion: size, retry: 'Roughly?'}}\n{BYE}")
    assert chat.say("hmm well") == ["Roughly?"]
    assert chat.parts[-1] == {"kind": "input", "input": "number", "placeholder": ""}
    assert chat.say("purple") == ["Never mind, let's go on.", "Thanks!"]
    assert chat.answers() == {"size": (None, "unknown", 4)}


def test_the_second_try_says_what_was_wrong_where_the_playbook_does_not(opened: Opener) -> None:
    assert opened(f"{{id: q, ask: 'Mail?', kind: email}}\n{BYE}").say("ada at home") == [
        "That does not look like an e-mail address. Could you check it?"
    ]
    german = opened(f"{{id: q, ask: 'Mail?', kind: phone}}\n{BYE}", seed="b", locale="de")
    assert german.say("keine nummer da") == ["Das sieht nicht nach einer Telefonnummer aus. Bitte mit Ländervorwahl."]


def test_an_optional_question_can_be_skipped_and_is_unknown_then(opened: Opener) -> None:
    chat = opened(f"{{id: mail, ask: 'Mail?', kind: email, required: false, criterion: need}}\n{BYE}")
    assert chat.say("I'd rather not say") == ["Sure, we can skip that.", "Thanks!"]
    assert chat.answers() == {"need": (None, "unknown", 2)}


def test_what_is_known_is_not_asked_again_unless_the_playbook_wants_it(opened: Opener) -> None:
    known = {"account.employees": 40}
    chat = opened(f"{SIZE}\n{BYE}", known=known)
    assert chat.texts == ["Thanks!"]
    assert chat.answers() == {"size": (40, "met", None)}
    asked = opened(
        f"{{id: size, ask: Still 40?, kind: number, save: account.employees, skip_known: false}}\n{BYE}",
        known=known,
        seed="b",
    )
    assert asked.texts == ["Still 40?"]


def test_an_option_may_lead_elsewhere(opened: Opener) -> None:
    chat = opened(
        "{id: q, ask: 'Which?', kind: choice, options: [{id: a, label: Apples, next: end}, {id: b, label: Pears}]}\n"
        "{id: more, say: More}\n{id: end, end: Done}"
    )
    assert chat.press("a") == ["Done"]


def test_qualification_keeps_value_status_and_the_message_that_shows_it(opened: Opener) -> None:
    chat = opened(f"{SIZE}\n{NEED}\n{BYE}")
    chat.say("8")
    chat.say("I'd like to purchase")
    assert chat.answers() == {"size": (8, "not_met", 2), "need": ("buy", "met", 4)}
    assert chat.row.outcome == "qualified"


BRANCH = (
    "{id: split, unknown: ask-them, branch: [{when: account.employees >= 500, next: big}, {next: small}]}\n"
    "{id: small, end: Small}\n{id: big, end: Big}\n{id: ask-them, end: Unknown}"
)


@pytest.mark.parametrize(("employees", "said"), [(800, "Big"), (5, "Small"), (None, "Unknown")])
def test_a_branch_takes_yes_and_does_not_take_unknown_for_no(opened: Opener, employees: int | None, said: str) -> None:
    assert opened(BRANCH, known={"account.employees": employees} if employees else {}).texts == [said]


def test_a_branch_without_a_way_for_the_unknown_takes_the_arm_for_everybody(opened: Opener) -> None:
    assert opened(BRANCH.replace("unknown: ask-them, ", "")).texts == ["Small"]
    assert opened(
        "{id: s, branch: [{when: not account.is_customer, next: x}]}\n{id: on, end: On}\n{id: x, end: X}", seed="b"
    ).texts == ["On"]


def test_an_answer_node_says_what_the_articles_say_with_their_source(opened: Opener) -> None:
    chat = opened(f"{{id: a, answer: What does the starter plan cost?}}\n{BYE}")
    assert chat.texts == ["The starter plan costs 49 euros a month for up to ten people.", "Thanks!"]
    assert chat.heard[0]["citations"] == [{"title": "Plans and prices", "url": "/pricing"}]


def test_an_answer_node_makes_nothing_up(opened: Opener) -> None:
    chat = opened(f"{{id: a, answer: Who painted the Mona Lisa?}}\n{BYE}")
    assert chat.texts == ["Thanks!"]
    with chat.db.reading() as tx:
        names = [one.name for one in events.of_conversation(tx, chat.id)]
    assert events.QUESTION_NOT_KNOWN in names


def test_an_objection_is_met_wherever_it_comes_up_after_its_node(opened: Opener) -> None:
    chat = opened(
        f"{{id: o, objection: {{price: {{says: [expensive, too much], reply: 'It pays for itself.'}}}}}}\n{NEED}\n{BYE}"
    )
    assert chat.say("honestly that is too expensive") == [
        "It pays for itself.",
        "Back to my question: What brings you here?",
    ]
    assert chat.part("choices")["options"][1]["id"] == "buy"
    assert chat.press("buy") == ["Thanks!"]
    assert chat.say("still too much") == ["It pays for itself."]


def test_an_offer_is_a_card(opened: Opener) -> None:
    chat = opened(f"{{id: o, offer: {{title: Guide, url: /guide, text: Free to read., image: /g.png}}}}\n{BYE}")
    assert chat.parts == [
        {"kind": "offer", "title": "Guide", "url": "/guide", "text": "Free to read.", "image": "/g.png"}
    ]
    assert chat.memory.reached == ["offer"]


def test_enrol_waits_until_we_know_whom(opened: Opener) -> None:
    chat = opened("{id: n, enrol: monthly}\n{id: mail, ask: 'Mail?', kind: email}\n{id: n2, enrol: other}\n" + BYE)
    assert chat.memory.streams == ["monthly"]
    chat.say("ada@globex.example")
    with chat.db.reading() as tx:
        assert [one.stream for one in leads.enrolments_of(tx, chat.row.lead_id)] == ["monthly", "other"]
    assert chat.memory.streams == []


def test_set_keeps_values_that_later_nodes_read(opened: Opener) -> None:
    chat = opened(
        "{id: s, set: {lead.role: executive, vip: true, note: 'from {{ page.path }}', empty: '{{ lead.phone }}'}}\n"
        "{id: b, branch: [{when: answers.vip, next: hi}]}\n{id: no, end: No}\n"
        "{id: hi, say: '{{ lead.role }} {{ answers.note }}'}"
    )
    assert chat.texts == ["executive from /pricing"]
    assert "answers.empty" not in chat.memory.values


def test_route_keeps_the_decision_and_writes_down_what_it_looked_at(opened: Opener) -> None:
    chat = opened(f"{{id: r, route: default}}\n{BYE}", known={"account.employees": 900})
    assert chat.memory.routed == {"kind": "pool", "target": "big", "reason": "rule large"}
    assert chat.row.queue == "big"
    with chat.db.reading() as tx:
        [routed] = [one for one in events.of_conversation(tx, chat.id) if one.name == events.LEAD_ROUTED]
    assert [seen["answer"] for seen in routed.trace["looked_at"]] == ["unknown", "unknown", "yes"]


def test_after_the_end_the_visitor_may_go_on_asking(opened: Opener) -> None:
    chat = opened("{id: bye, end: Bye!, outcome: nurture}")
    assert chat.say("Can I get my money back?")[0].startswith("Within thirty days")
    assert chat.say("And what is the capital of Peru?") == ["I do not know that."]
    assert chat.part("fallback")["actions"] == [
        {"id": "person", "label": "Talk to a person"},
        {"id": "leave_email", "label": "Leave an e-mail"},
    ]
    assert chat.say("thanks a lot") == ["You're welcome."]


def test_a_playbook_that_goes_round_is_stopped_and_the_visitor_can_still_ask(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    chat = opened("{id: a, set: {x: 1}}\n{id: b, set: {y: 1}, next: a}")
    assert "goes round" in caplog.text
    assert chat.say("What does the starter plan cost?")[0].startswith("The starter plan")
