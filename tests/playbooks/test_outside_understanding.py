"""An AI service from outside: asked before the transaction, believed within bounds, replaced when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

import pytest

from plugins import registry
from plugins.ai import AI, Answer, Expect, Expectation, Intent, Passage, Understanding
from plugins.errors import Transient
from server import clock
from server.db import Database
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import folder

NODES = """
nodes:
  - {id: size, ask: How many people?, kind: number, save: account.employees}
  - {id: need, ask: What brings you here?, kind: choice, options: [{id: a, label: Apples}, {id: b, label: Buying}]}
  - {id: bye, end: Thanks!}
"""


class Outside(AI):
    """Does what `how` says; writes to the database each time, which would wait for ever inside a transaction."""

    name: ClassVar[str] = "outside"
    title: ClassVar[str] = "Outside"
    db: ClassVar[Database]
    how: ClassVar[str] = "works"
    asked: ClassVar[list[str]] = []

    def understand(
        self, text: str, expectation: Expectation, *, locale: str, now: datetime, zone: str
    ) -> Understanding:
        self._call(text)
        if self.how == "lies":
            return Understanding({"no": "number"}, True, 1.0, Intent.ANSWER)
        if self.how == "unsure":
            return Understanding(7, True, 0.2, Intent.ANSWER)
        return Understanding(41 if expectation.kind is Expect.NUMBER else "b", True, 1.0, Intent.ANSWER)

    def answer(self, question: str, passages: Sequence[Passage], *, locale: str) -> Answer | None:
        self._call(question)
        return None

    def _call(self, text: str) -> None:
        with self.db.transaction():
            self.asked.append(text)
        if self.how == "fails":
            raise Transient("no answer", adapter="ai.outside")


@pytest.fixture
def chat(sqlite_db: Database, morning: clock.StoppedClock) -> Iterator[Chat]:
    Outside.db, Outside.how, Outside.asked = sqlite_db, "works", []
    registry.register(Outside)
    files = folder(p=NODES)
    files["site.yml"] += "adapters: {ai: outside}\n"
    applied(sqlite_db, files)
    yield Chat(sqlite_db).open()
    registry.unregister(Outside)


def test_the_service_is_asked_outside_the_transaction_and_believed(chat: Chat) -> None:
    assert chat.say("roughly as many as the answer, less one") == ["What brings you here?"]
    assert chat.memory.values["account.employees"] == 41
    assert Outside.asked == ["roughly as many as the answer, less one"]


def test_a_button_needs_no_understanding(chat: Chat) -> None:
    chat.say("some")
    chat.press("a")
    assert Outside.asked == ["some"]


def test_when_the_service_fails_the_rules_go_on_and_the_visitor_notices_nothing(chat: Chat) -> None:
    Outside.how = "fails"
    assert chat.say("40") == ["What brings you here?"]
    assert chat.memory.values["account.employees"] == 40
    assert chat.say("What does the starter plan cost?")[0].startswith("The starter plan costs 49 euros")


def test_when_the_service_cannot_even_be_opened_the_rules_go_on(chat: Chat) -> None:
    registry.unregister(Outside)
    assert chat.say("40") == ["What brings you here?"]


def test_an_unsure_answer_is_asked_again(chat: Chat) -> None:
    Outside.how = "unsure"
    assert chat.say("hm") == ["Could you give me a number? A rough one is fine."]


def test_an_answer_of_the_wrong_kind_is_not_kept(chat: Chat) -> None:
    Outside.how = "lies"
    assert chat.say("40") == ["Could you give me a number? A rough one is fine."]
    assert "account.employees" not in chat.memory.values
