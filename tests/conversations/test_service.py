"""A message is stored once, in order, and a person may take over."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import IntegrityError

from server import events
from server.conversations import service as conversations
from server.conversations.service import Change, Draft, Kept, Start
from server.errors import Conflict, Invalid

GRACE = events.Actor("rep", "grace", "Grace Hopper")


@pytest.fixture
def talk(db):
    about = Start("sit_1", "vis_1", "ver_1", "pricing", "en", "Europe/Berlin", "/pricing")
    with db.transaction() as tx:
        return conversations.start(tx, about)[0]


def say(db, talk, *texts, author="bot", client_id=None):
    with db.transaction() as tx:
        mine = conversations.lock(tx, talk.id)
        return conversations.say(tx, mine, [Draft(author, text, client_id=client_id) for text in texts])


def texts(db, talk, after=0):
    with db.reading() as tx:
        return [(row.seq, row.text) for row in conversations.messages(tx, talk.id, after)]


def test_messages_are_numbered_and_can_be_asked_for_from_a_number_on(db, talk):
    say(db, talk, "one", "two")
    say(db, talk, "three")
    assert texts(db, talk, after=1) == [(2, "two"), (3, "three")]


def test_a_visitor_has_one_open_conversation(db, talk):
    with db.transaction() as tx:
        again, new = conversations.start(tx, Start("sit_1", "vis_1", "ver_2", "blog", "en", "UTC", "/blog"))
    assert (again.id, new) == (talk.id, False)


def test_after_the_end_the_next_one_is_new(db, talk):
    with db.transaction() as tx:
        conversations.close(tx, conversations.lock(tx, talk.id), "booked", events.BOT)
        _, new = conversations.start(tx, Start("sit_1", "vis_1", "ver_2", "blog", "en", "UTC", "/blog"))
    assert new


def test_the_same_client_id_cannot_be_stored_twice(db, talk):
    say(db, talk, "hello", author="visitor", client_id="c1")
    with pytest.raises(IntegrityError):
        say(db, talk, "hello", author="visitor", client_id="c1")
    with db.reading() as tx:
        assert conversations.said(tx, talk.id, "c1").seq == 1


def test_ten_tabs_that_talk_at_once_get_ten_numbers(db, talk):
    start = threading.Barrier(10)

    def tab(n):
        start.wait()
        say(db, talk, f"from {n}")

    threads = [threading.Thread(target=tab, args=(n,)) for n in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [seq for seq, _ in texts(db, talk)] == list(range(1, 11))


def test_too_long_a_message_is_refused_and_changes_nothing(db, talk):
    with pytest.raises(Invalid, match="4,000"):
        say(db, talk, "x" * 4001, author="visitor")
    assert texts(db, talk) == []


def test_a_person_takes_over_answers_and_gives_back(db, talk):
    with pytest.raises(Conflict):
        conversations.reply(db, talk.id, "hi", "grace", GRACE)
    assert conversations.take_over(db, talk.id, "grace", GRACE).state == "rep"
    assert conversations.reply(db, talk.id, "hi", "grace", GRACE).name == "Grace Hopper"
    with pytest.raises(Conflict):
        conversations.take_over(db, talk.id, "linus", events.Actor("rep", "linus"))
    assert conversations.give_back(db, talk.id, GRACE).state == "bot"


def test_the_last_answer_to_a_criterion_counts_and_the_diary_keeps_both(db, talk):
    for value, status in ((None, "unknown"), (800, "met")):
        with db.transaction() as tx:
            mine = conversations.lock(tx, talk.id)
            kept = Kept("size", "size", "number", value, status, message_seq=1)
            conversations.write(tx, [Change(mine, kept=[kept])])
    with db.reading() as tx:
        assert [(row.value, row.status) for row in conversations.answers_of(tx, talk.id)] == [(800, "met")]
        kept = [event for event in events.of_conversation(tx, talk.id) if event.name == events.ANSWER_KEPT]
        assert [event.data["status"] for event in kept] == ["unknown", "met"]
