"""A conversation over time: reloads, other processes, other pages, new config versions, odd browsers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server import clock, events
from server.config import service as config
from server.conversations import service as conversations
from server.conversations.service import Draft
from server.db import Database
from server.errors import Invalid, NotFound, UsherError
from server.playbooks import service as playbooks
from server.playbooks.memory import Memory
from server.visitors import service as visitors
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import BLOG, FLOW


def test_the_opening_is_written_down_with_its_reasons(chat: Chat) -> None:
    with chat.db.reading() as tx:
        found = events.of_conversation(tx, chat.id)
    assert [one.name for one in found] == [events.CONVERSATION_STARTED, events.PLAYBOOK_CHOSEN]
    assert found[0].data == {"playbook": "pricing", "path": "/pricing"}
    assert found[1].trace["chosen"] == "pricing"
    assert found[1].trace["looked_at"][0]["saw"] == {"page.path": "/pricing"}


def test_a_reload_brings_back_what_was_missed_and_says_nothing_twice(chat: Chat) -> None:
    chat.say("40")
    again = Chat(chat.db, token=chat.token).open(after=2)
    assert again.id == chat.id
    assert [(one["seq"], one["text"]) for one in again.heard] == [(3, "40"), (4, "What brings you here?")]
    assert Chat(chat.db, token=chat.token).open(after=4).heard == []
    assert len(chat.thread()) == 4


def test_a_very_long_conversation_comes_back_whole(chat: Chat) -> None:
    with chat.db.transaction() as tx:
        conversations.say(tx, conversations.lock(tx, chat.id), [Draft("bot", f"line {n}") for n in range(1200)])
    chat.open()
    assert [message["seq"] for message in chat.heard] == list(range(1, len(chat.thread()) + 1))
    assert len(chat.heard) > 1200


def test_another_process_goes_on_where_this_one_was(chat: Chat, database_url: str) -> None:
    chat.say("40")
    elsewhere = Database(database_url)
    try:
        outcome = playbooks.hear(elsewhere, chat.id, "other-process", "Buying", {"option": "buy"})
        said = [frame["message"]["text"] for frame in outcome.frames if frame["t"] == "message"]
        assert said == ["Buying", "Your e-mail?"]
    finally:
        elsewhere.close()
    assert chat.say("ada@globex.example") == ["Thanks, all 40 of you!"]


def test_a_running_chat_keeps_the_version_it_started_with(chat: Chat) -> None:
    chat.say("40")
    applied(chat.db, pricing=FLOW.replace("What brings you here?", "NEW").replace("Your e-mail?", "NEWER"))
    resumed = Chat(chat.db, token=chat.token).open(after=0)
    assert resumed.row.version_id == chat.row.version_id != config.active(chat.db, "acme").id
    assert resumed.press("buy") == ["Your e-mail?"]
    fresh = Chat(chat.db, seed="other").open()
    fresh.say("40")
    assert fresh.texts == ["NEW"]


def test_a_resumed_chat_meets_other_pages_by_its_own_version_too(chat: Chat) -> None:
    applied(chat.db, pricing=FLOW, blog=BLOG.replace("Welcome to the blog", "NEW"))
    there = Chat(chat.db, token=chat.token, path="/blog").open(after=2)
    assert there.texts[0] == "Welcome to the blog"
    assert Chat(chat.db, path="/blog", seed="other").open().texts[0] == "NEW"


def test_a_silent_visitor_who_goes_to_another_page_is_met_by_its_playbook(chat: Chat) -> None:
    there = Chat(chat.db, token=chat.token, path="/blog").open(after=2)
    assert there.id == chat.id
    assert there.texts == ["Welcome to the blog", "Anything?"]
    assert there.row.playbook == "blog"
    back = Chat(chat.db, token=chat.token, path="/pricing").open(after=4)
    assert back.texts == []


def test_a_visitor_in_the_middle_of_a_talk_keeps_it_on_every_page(chat: Chat) -> None:
    chat.say("40")
    there = Chat(chat.db, token=chat.token, path="/blog").open(after=0)
    assert there.row.playbook == "pricing"
    assert there.memory.page["path"] == "/blog"
    assert there.press("buy") == ["Your e-mail?"]


def test_after_a_conversation_was_closed_the_next_message_starts_a_new_one(chat: Chat) -> None:
    chat.say("40")
    with chat.db.transaction() as tx:
        conversations.close(tx, conversations.lock(tx, chat.id), "none", events.SYSTEM)
    old = chat.id
    outcome = chat.send("30 people", client_id="after")
    assert outcome.conversation_id != old
    chat.id = outcome.conversation_id
    assert [frame["message"]["text"] for frame in outcome.frames][:3] == ["Hello", "How many people?", "30 people"]
    again = playbooks.hear(chat.db, old, "after", "30 people")
    assert (again.conversation_id, again.seq, again.frames) == (outcome.conversation_id, outcome.seq, [])
    assert len([1 for _, author, _ in chat.thread() if author == "visitor"]) == 1


def test_a_move_within_the_page_is_seen_by_conditions(chat: Chat) -> None:
    playbooks.see_page(chat.db, chat.id, {"path": "/docs", "title": "Docs"}, {"plan": "pro"})
    assert chat.memory.page["path"] == "/docs"
    assert chat.row.path == "/docs"
    with chat.db.reading() as tx:
        assert visitors.get(tx, chat.row.visitor_id).attributes == {"plan": "pro"}
        assert [one.path for one in visitors.pages_of(tx, chat.row.visitor_id)] == ["/docs", "/pricing"]


def test_what_the_page_says_of_its_user_is_kept_and_opens_nothing(chat: Chat) -> None:
    playbooks.identify(chat.db, chat.id, {"email": "ada@globex.example"})
    playbooks.track(chat.db, chat.id, "video_watched", {"percent": 80})
    with pytest.raises(Invalid):
        playbooks.track(chat.db, chat.id, " ", {})
    assert chat.row.lead_id is None
    with chat.db.reading() as tx:
        tracked = [one for one in events.of_conversation(tx, chat.id) if one.name == events.VISITOR_TRACKED]
    assert (tracked[0].trigger, tracked[0].data) == ("video_watched", {"percent": 80})


def test_reading_is_remembered_and_never_goes_back(chat: Chat) -> None:
    for seq, seen in ((1, 1), (99, 1), (2, 2), (1, 2), (-5, 2)):
        playbooks.seen(chat.db, chat.id, seq)
        assert chat.row.seen_seq == seen


def test_what_cannot_be_stored_is_refused_with_a_reason_and_changes_nothing(chat: Chat) -> None:
    before = chat.thread()
    for text in ("", "  ", "x" * 4001):
        with pytest.raises(Invalid):
            chat.send(text)
    with pytest.raises(NotFound):
        playbooks.hear(chat.db, "cnv_nowhere", "x", "Hello")
    assert chat.thread() == before


def test_an_unknown_site_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound):
        Chat(db).open()


def test_a_browser_that_tells_odd_things_is_met_all_the_same(chat: Chat) -> None:
    frame = {
        "site": "acme",
        "device": "fridge",
        "locale": "klingon-" * 20,
        "zone": "Mars/Olympus",
        "seed": "x" * 500,
        "after": -3,
        "page": {"path": ["a"], "query": "no", "utm": {"source": 5, "medium": "m" * 9000}, "url": None},
        "visit": {"count": 1e300, "pages": [{"seconds": "long"}, 5]},
        "data": {"plan": {"deep": 1}},
    }
    opened = playbooks.open(chat.db, playbooks.Hello.from_frame(frame))
    welcome = opened.welcome()
    assert welcome["messages"][0]["text"] == "Welcome to the blog"
    assert set(welcome) == {"t", "token", "conversation", "state", "seq", "messages", "agent", "texts", "now"}
    with chat.db.reading() as tx:
        row = conversations.get(tx, opened.conversation_id)
        visitor = visitors.get(tx, row.visitor_id)
    assert (row.locale, row.zone, visitor.device) == ("en", "Europe/Berlin", "desktop")
    assert Memory.of(row.engine).page["utm"] == {"medium": "m" * 500}


def test_a_dry_look_at_routing_writes_nothing(chat: Chat) -> None:
    chat.say("900")
    before = chat.memory
    assert playbooks.where_to(chat.db, chat.id).target == "big"
    assert chat.memory == before
    with chat.db.reading() as tx:
        assert events.LEAD_ROUTED not in [one.name for one in events.of_conversation(tx, chat.id)]


def test_time_passes_and_the_conversation_is_still_there(chat: Chat, morning: clock.StoppedClock) -> None:
    morning.advance(timedelta(days=3))
    assert chat.say("40") == ["What brings you here?"]


def test_errors_are_ours(chat: Chat) -> None:
    with pytest.raises(UsherError):
        playbooks.seen(chat.db, "cnv_nowhere", 1)
