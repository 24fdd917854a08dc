"""A meeting that is booked: moved and cancelled in the chat, by nobody but the visitor whose it is."""

from __future__ import annotations

import pytest

from server import events
from server.booking import service as booking
from tests.playbooks.chat import Chat
from tests.playbooks.conftest import Opener

NODES = "{id: meet, book: demo}\n{id: bye, end: See you!}"
KNOWN = {"lead.name": "Ada Byron", "lead.email": "ada@wonka.example"}


def meetings(chat: Chat) -> list[tuple[str, str]]:
    with chat.db.reading() as tx:
        return [(one.status, one.start_at.strftime("%d %H:%M")) for one in booking.of_conversation(tx, chat.id)]


@pytest.mark.parametrize("how", ["words", "button"])
def test_a_meeting_is_cancelled_in_the_chat_after_one_question(opened: Opener, how: str) -> None:
    chat = opened(NODES, known=KNOWN)
    chat.choose(1)
    said = chat.say("I need to cancel my meeting") if how == "words" else chat.act("cancel_meeting")
    assert said == ["Shall I cancel Product demo, Monday, March 2, 2026, 11:00\u202fAM?"]
    assert [one["id"] for one in chat.part("choices")["options"]] == ["yes", "no"]
    assert (chat.press("yes") if how == "button" else chat.say("yes please")) == ["It is cancelled."]
    assert chat.part("meeting")["meeting"]["status"] == "cancelled"
    assert meetings(chat) == [("cancelled", "02 10:00")]


def test_a_visitor_who_thinks_again_keeps_the_meeting(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    chat.choose(1)
    chat.act("cancel_meeting")
    assert chat.say("no") == ["Good, it stays as it is."]
    assert meetings(chat) == [("booked", "02 10:00")]


def test_a_meeting_is_moved_in_the_chat(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    chat.choose(1)
    assert chat.say("I need to reschedule my meeting") == [
        "Which new time suits you instead of Monday, March 2, 2026, 11:00\u202fAM?"
    ]
    assert chat.choose(3)[0].startswith("It is moved: Product demo, Monday, March 2, 2026, 12")
    assert meetings(chat)[0][0] == "rescheduled"
    with chat.db.reading() as tx:
        names = [one.name for one in events.of_conversation(tx, chat.id)]
    assert names.count(events.MEETING_RESCHEDULED) == 1


def test_who_has_no_meeting_is_told_so_and_nobody_elses_is_touched(opened: Opener) -> None:
    owner = opened(NODES, known=KNOWN)
    owner.choose(1)
    stranger = Chat(owner.db, seed="b").open()
    stranger.say("ada@wonka.example is my address")
    assert stranger.act("cancel_meeting")[0].startswith("I know of no meeting of yours")
    assert stranger.act("reschedule_meeting")[0].startswith("I know of no meeting of yours")
    assert meetings(owner) == [("booked", "02 10:00")]
