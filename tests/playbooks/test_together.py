"""Messages that come at the same time share one transaction, and each is as if it were alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from server.conversations import service as conversations
from server.db import Database
from server.playbooks import messages
from tests.playbooks.chat import Chat, applied
from tests.processes import wait_until

FLOW = """
nodes:
  - {id: size, ask: "How many people?", kind: number, save: account.employees, criterion: size}
  - {id: why, ask: "Why now?", kind: text, save: answers.why}
  - {id: when, book: demo, text: "Pick a time:"}
"""


@pytest.fixture
def chats(db: Database) -> list[Chat]:
    applied(db, pricing=FLOW)
    return [Chat(db).open() for _ in range(12)]


def test_messages_of_many_visitors_are_one_transaction_and_each_gets_its_own_answer(chats: list[Chat]) -> None:
    with in_company(chats) as talk:
        for n, chat in enumerate(chats[1:]):
            talk(chat, str(100 + n))
    assert talk.commits <= 3  # the first one alone, all the others together
    for n, chat in enumerate(chats[1:]):
        assert [text for _, _, text in chat.thread()] == ["How many people?", str(100 + n), "Why now?"]
        assert [number for number, _, _ in chat.thread()] == [1, 2, 3]
        assert chat.memory.values["account.employees"] == 100 + n
        assert chat.answers()["size"] == (100 + n, "met", 2)


def test_a_message_that_cannot_be_stored_fails_alone(chats: list[Chat]) -> None:
    bad = chats[5]
    with in_company(chats) as talk:
        for chat in chats[1:]:
            talk(chat, "no text \ud800" if chat is bad else "250")
    assert list(talk.problems) == [bad.id]
    assert [text for _, _, text in bad.thread()] == ["How many people?"]
    for chat in chats[1:]:
        if chat is not bad:
            assert [text for _, _, text in chat.thread()] == ["How many people?", "250", "Why now?"]
    assert bad.say("250") == ["Why now?"]


def test_a_message_that_holds_a_time_and_a_repeated_one_are_heard_in_the_same_company(chats: list[Chat]) -> None:
    buyer, repeated = chats[3], chats[4]
    buyer.say("250")
    buyer.say("we grow")
    start = buyer.part("slots")["days"][0]["slots"][0]
    before = repeated.send("30", client_id="again")
    with in_company(chats) as talk:
        for chat in chats[1:]:
            if chat not in (buyer, repeated):
                talk(chat, "250")
        talk(buyer, start, {"slot": start, "meeting": "demo"})
        talk(repeated, "30", client_id="again")
    assert not talk.problems
    assert talk.outcomes[repeated.id].seq == before.seq
    assert len(repeated.thread()) == 3
    assert buyer.memory.hold
    assert all(len(chat.thread()) == 3 for chat in chats[1:] if chat is not buyer)


def test_two_messages_of_one_conversation_at_the_same_time_are_both_heard(chats: list[Chat]) -> None:
    chat = chats[2]
    with in_company(chats) as talk:
        talk(chat, "250", client_id="left")
        talk(chat, "we grow", client_id="right")
    assert not talk.problems
    said = [text for _, author, text in chat.thread() if author == "visitor"]
    assert sorted(said) == ["250", "we grow"]
    assert [number for number, _, _ in chat.thread()] == list(range(1, len(chat.thread()) + 1))


class Talk:
    """Says something in a thread of its own, while the company waits for the first one."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.threads: list[threading.Thread] = []
        self.outcomes: dict[str, Any] = {}
        self.problems: dict[str, Exception] = {}
        self.commits = 0

    def __call__(self, chat: Chat, text: str, value: dict[str, str] | None = None, client_id: str = "") -> None:
        def say() -> None:
            try:
                self.outcomes[chat.id] = chat.send(text, value, client_id)
            except Exception as problem:  # noqa: BLE001 - kept to look at
                self.problems[chat.id] = problem

        waiting = len(messages.company(self.db))
        self.threads.append(threading.Thread(target=say, daemon=True))
        self.threads[-1].start()
        wait_until(lambda: len(messages.company(self.db)) > waiting)


@contextmanager
def in_company(chats: list[Chat]) -> Iterator[Talk]:
    """While this is open everybody waits: the first visitor's message is being served, its conversation locked."""
    db, first, talk = chats[0].db, chats[0], Talk(chats[0].db)
    with db.transaction() as tx:
        conversations.lock(tx, first.id)
        leader = threading.Thread(target=lambda: first.send("40"), daemon=True)
        leader.start()
        wait_until(lambda: messages.company(db).busy and not len(messages.company(db)))
        yield talk
        event.listen(db.engine, "commit", lambda _: setattr(talk, "commits", talk.commits + 1))
    for thread in [leader, *talk.threads]:
        thread.join(30)
        assert not thread.is_alive()
