"""What the page and its analytics hear of a qualification: each answer, and once that the visitor is qualified."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from server import events
from server.db import Database
from server.playbooks.service import Outcome
from tests.playbooks.chat import Chat, applied

ASKS = """
nodes:
  - {id: size, ask: How many are you?, kind: number, save: account.employees, criterion: size}
  - {id: need, ask: What for?, kind: choice, criterion: need,
     options: [{id: buy, label: Buying}, {id: look, label: Looking}]}
  - {id: mail, ask: Your e-mail?, kind: email, required: false}
  - {id: who, ask: And why?, kind: text, required: false, criterion: need}
  - {id: bye, end: Thanks., outcome: qualified}
"""


def told(outcome: Outcome, name: str) -> list[dict[str, Any]]:
    """The event frames of one name: their data, and whose message brought them about."""
    return [{**one["data"], "id": one["id"]} for one in outcome.frames if one["t"] == "event" and one["name"] == name]


def in_diary(db: Database) -> list[Any]:
    with db.reading() as tx:
        found = tx.execute(select(events.table).where(events.table.c.name == events.CONVERSATION_QUALIFIED))
        return [(row.trigger, row.data["segment"]) for row in found]


def test_each_answer_is_told_but_not_what_was_said_in_words_of_ones_own(db: Database, monday: Any) -> None:
    applied(db, asks=ASKS)
    chat = Chat(db).open()
    assert told(chat.send("800", client_id="a"), "answered") == [
        {"node": "size", "save": "account.employees", "criterion": "size", "status": "met", "value": 800, "id": "a"}
    ]
    assert told(chat.send("Buying", {"option": "buy"}, client_id="b"), "answered")[0]["value"] == "buy"
    assert told(chat.send("hm?", client_id="c"), "answered") == []
    mail = told(chat.send("ada@wonka.example", client_id="d"), "answered")
    assert [(one["node"], "value" in one) for one in mail] == [("mail", False)]


def test_who_meets_every_criterion_of_the_segment_is_qualified_once(db: Database, monday: Any) -> None:
    applied(db, asks=ASKS)
    chat = Chat(db).open()
    assert told(chat.send("800"), "qualified") == []
    found = told(chat.send("Buying", {"option": "buy"}, client_id="b"), "qualified")
    assert found == [{"by": "criteria", "segment": "enterprise", "playbook": "asks", "id": "b"}]
    for text in ("ada@wonka.example", "because we grow"):
        assert told(chat.send(text), "qualified") == []
    assert chat.memory.outcome == "qualified"
    assert in_diary(db) == [("criteria", "enterprise")]


def test_who_reaches_the_outcome_of_the_playbook_is_qualified_though_no_criterion_counts(
    db: Database, monday: Any
) -> None:
    applied(db, asks=ASKS)
    chat = Chat(db).open()
    answers = [chat.send(text) for text in ("20", "Looking", "skip", "skip")]
    assert [told(one, "qualified") for one in answers[:3]] == [[], [], []]
    assert [one["by"] for one in told(answers[3], "qualified")] == ["outcome"]
    assert in_diary(db) == [("outcome", "smb")]
    assert told(chat.send("What does the starter plan cost?"), "qualified") == []


def test_a_message_sent_twice_tells_nothing_twice(db: Database, monday: Any) -> None:
    applied(db, asks=ASKS)
    chat = Chat(db).open()
    chat.send("800")
    assert told(chat.send("Buying", {"option": "buy"}, client_id="b"), "qualified")
    assert [one for one in chat.send("Buying", {"option": "buy"}, client_id="b").frames if one["t"] == "event"] == []
