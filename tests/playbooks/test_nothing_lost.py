"""Nothing is lost and nothing is doubled: repeats, two tabs, kill -9, a conversation that moved meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from typing import Any

import pytest
from sqlalchemy import event

from server.db import Database
from server.playbooks import service as playbooks
from tests.playbooks.chat import Chat


def test_the_same_frame_again_changes_nothing_and_gets_the_same_number(chat: Chat) -> None:
    first = chat.send("40", client_id="one")
    thread, memory = chat.thread(), chat.memory
    for text in ("40", "something else"):
        again = chat.send(text, client_id="one")
        assert (again.seq, again.frames, again.conversation_id) == (first.seq, [], chat.id)
    assert (chat.thread(), chat.memory) == (thread, memory)


def test_two_tabs_that_talk_at_once_lose_nothing_and_number_everything(chat: Chat) -> None:
    wrong: list[BaseException] = []

    def talk(tab: str) -> None:
        mine = Chat(chat.db, id=chat.id, name=tab)
        try:
            for number in range(6):
                mine.send(f"{tab} says {number}", client_id=f"{tab}-{number}")
                mine.send(f"{tab} says {number}", client_id=f"{tab}-{number}")
        except BaseException as error:  # noqa: BLE001 - shown by the test
            wrong.append(error)

    tabs = [threading.Thread(target=talk, args=(name,)) for name in ("left", "right", "phone")]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert wrong == []
    thread = chat.thread()
    assert [seq for seq, _, _ in thread] == list(range(1, len(thread) + 1))
    said = [text for _, author, text in thread if author == "visitor"]
    assert sorted(said) == sorted(f"{tab} says {number}" for tab in ("left", "right", "phone") for number in range(6))
    for tab in ("left", "right", "phone"):
        assert [text for text in said if text.startswith(tab)] == [f"{tab} says {number}" for number in range(6)]


def test_one_tab_answers_while_the_other_answers_too_and_each_answer_meets_one_question(chat: Chat) -> None:
    """Both press the same button: the second press counts as words for what is open by then."""
    chat.say("40")
    barrier = threading.Barrier(2)

    def press(tab: str) -> None:
        barrier.wait()
        Chat(chat.db, id=chat.id, name=tab).send("Buying", {"option": "buy"})

    tabs = [threading.Thread(target=press, args=(name,)) for name in ("left", "right")]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert chat.memory.node == "mail"
    assert chat.answers()["need"][:2] == ("buy", "met")
    assert [author for _, author, _ in chat.thread()].count("visitor") == 3


@pytest.mark.parametrize("statement", [3, 4, 5, 6])
def test_kill_9_in_the_middle_of_a_turn_loses_nothing_when_the_frame_comes_again(
    chat: Chat, database_url: str, statement: int
) -> None:
    chat.say("40")
    before = chat.thread()
    child = multiprocessing.get_context("fork").Process(
        target=_hear_and_die, args=(database_url, chat.id, statement), daemon=True
    )
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    assert chat.thread() == before
    chat.say("Buying", {"option": "buy"}, client_id="fatal")
    assert [text for _, _, text in chat.thread()[len(before) :]] == ["Buying", "Your e-mail?"]
    assert chat.answers()["need"] == ("buy", "met", 5)


def _hear_and_die(url: str, conversation_id: str, at: int) -> None:
    """Dies by SIGKILL before its `at`-th statement."""
    db = Database(url)
    seen = 0

    @event.listens_for(db.engine, "before_cursor_execute")
    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    playbooks.hear(db, conversation_id, "fatal", "Buying", {"option": "buy"})


def test_what_a_message_means_is_found_out_anew_when_another_process_moved_the_conversation(
    chat: Chat, database_url: str
) -> None:
    """This process still believes that the size is asked for; the other tab's process has heard it meanwhile."""
    chat.say("hm")
    other = multiprocessing.get_context("fork").Process(
        target=_hear, args=(database_url, chat.id, "other tab", "40"), daemon=True
    )
    other.start()
    other.join(30)
    assert other.exitcode == 0
    chat.say("12")
    assert chat.memory.values["account.employees"] == 40
    assert chat.memory.node == "need"


def _hear(url: str, conversation_id: str, client_id: str, text: str) -> None:
    playbooks.hear(Database(url), conversation_id, client_id, text)
