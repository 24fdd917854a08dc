"""Booking in the chat with connected calendars: read again before it is booked, outside of every transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from plugins import registry
from plugins.records import MemoryRecords
from server import clock, events
from server.booking import service as booking
from server.config import service as config
from server.db import Database
from server.playbooks.rereading import MOST_READINGS, Refused, with_calendars
from tests.booking.wall import Wall, connected
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import folder
from tests.playbooks.test_booking_in_chat import KNOWN, NODES, meetings

FORM = {"name": "Ada Byron", "email": "ada@wonka.example"}
GRACE, LINUS = "grace@acme.example", "linus@acme.example"
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def wall() -> Iterator[Wall]:
    with connected() as found:
        yield found


@pytest.fixture
def chat(sqlite_db: Database, morning: clock.StoppedClock, wall: Wall) -> Chat:
    return with_calendars_read(sqlite_db, wall)


@pytest.fixture
def chat_on_each(db: Database, morning: clock.StoppedClock, wall: Wall) -> Chat:
    """On both kinds of database: what is rolled back and done again has to be so on each."""
    return with_calendars_read(db, wall)


def with_calendars_read(db: Database, wall: Wall) -> Chat:
    files = folder(p=f"nodes:\n{_indented(NODES)}")
    files["site.yml"] += "adapters: {calendar: wall}\n"
    version = applied(db, files)
    booking.read_ahead(db, version, lambda _: registry.open("calendar", "wall", {}, records=MemoryRecords()))
    wall.asked.clear()
    return Chat(db)


def _indented(nodes: str) -> str:
    return "\n".join(f"  - {line}" for line in nodes.strip().splitlines())


def first_offered(chat: Chat) -> datetime:
    return datetime.fromisoformat(chat.part("slots")["days"][0]["slots"][0])


def passed_on(chat: Chat) -> list[dict[str, str]]:
    with chat.db.reading() as tx:
        ids = [one.id for one in booking.of_conversation(tx, chat.id)]
        found = [event for one in ids for event in events.of_subject(tx, "meeting", one)]
    return [event.data["passed"] for event in found if event.name == events.MEETING_PASSED_ON]


def test_the_chosen_rep_is_read_once_more_and_the_thread_is_as_if_nothing_had_happened(chat: Chat, wall: Wall) -> None:
    chat.open().choose(1)
    assert wall.asked == []
    said = chat.fill(**FORM)
    assert said[0].startswith("It is booked: Product demo")
    assert wall.asked == [GRACE]
    assert meetings(chat) == [("booked", "02 10:00")]
    assert [author for _, author, _ in chat.thread()].count("visitor") == 2


def test_a_rep_who_has_become_busy_is_passed_over_and_the_visitor_notices_nothing(chat: Chat, wall: Wall) -> None:
    start = first_offered(chat.open())
    chat.choose(1)
    wall.write(GRACE, start, start + HALF_AN_HOUR)
    said = chat.fill(**FORM)
    assert said[0].endswith("with Linus Torvalds.")
    assert passed_on(chat) == [{"grace": "busy in the calendar, read at the moment of booking"}]


def test_who_is_known_is_booked_at_once_though_the_hold_was_rolled_back_in_between(
    chat_on_each: Chat, wall: Wall
) -> None:
    chat = chat_on_each
    chat.known = dict(KNOWN)
    start = first_offered(chat.open())
    wall.write(GRACE, start, start + HALF_AN_HOUR)
    assert chat.choose(1)[-1] == "See you!"
    assert chat.part("meeting")["meeting"]["rep"] == {"name": "Linus Torvalds"}
    assert meetings(chat) == [("booked", "02 10:00")]


def test_when_nobody_is_left_the_chat_offers_the_nearest_times(chat: Chat, wall: Wall) -> None:
    start = first_offered(chat.open())
    chat.choose(1)
    for rep in (GRACE, LINUS):
        wall.write(rep, start, start + HALF_AN_HOUR)
    chat.fill(**FORM)
    slots = chat.part("slots")
    assert slots["suggested"][0] == (start + HALF_AN_HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert start.strftime("%Y-%m-%dT%H:%M:%SZ") not in slots["days"][0]["slots"]
    assert meetings(chat) == []
    chat.choose(1)
    assert chat.heard[-1]["text"] == "See you!"
    assert meetings(chat) == [("booked", "02 10:30")]


def test_when_nobody_is_left_for_who_is_known_the_chat_offers_other_times(chat: Chat, wall: Wall) -> None:
    chat.known = dict(KNOWN)
    start = first_offered(chat.open())
    for rep in (GRACE, LINUS):
        wall.write(rep, start, start + HALF_AN_HOUR)
    chat.choose(1)
    assert chat.part("slots")["suggested"]
    assert "booked" not in {status for status, _ in meetings(chat)}


def test_a_turn_that_wants_a_calendar_again_and_again_comes_to_an_end(chat: Chat, wall: Wall) -> None:
    chat.open().choose(1)
    with chat.db.reading() as tx:
        (held,) = booking.of_conversation(tx, chat.id)
        version = config.active(tx, "acme")
    tries = []

    def take(refused: Refused) -> str:
        tries.append(refused)
        if refused.of(held.id) is None:
            raise booking.CalendarUnread(held, version)
        return "other times"

    assert with_calendars(chat.db, take) == "other times"
    assert len(tries) == MOST_READINGS + 1


def test_a_service_that_is_down_ends_in_other_words_than_a_broken_chat(chat: Chat, wall: Wall) -> None:
    chat.open().choose(1)
    wall.down = {GRACE, LINUS}
    chat.fill(**FORM)
    assert chat.state == "bot"
    assert meetings(chat) == []
    assert chat.texts


def test_while_one_visitor_waits_for_a_calendar_another_is_answered(chat_on_each: Chat, wall: Wall) -> None:
    chat = chat_on_each
    chat.open().choose(1)
    answered: list[list[str]] = []

    def somebody_else() -> None:
        wall.meanwhile = None
        answered.append(Chat(chat.db).open().say("What does it cost?"))

    wall.meanwhile = somebody_else
    chat.fill(**FORM)
    assert answered
    assert answered[0]
    assert [status for status, _ in meetings(chat)] == ["booked"]
