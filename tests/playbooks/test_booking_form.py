"""The form below a held time: guests, where to meet, two tabs, a time that was over, another meeting at that time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server import clock
from server.booking import service as booking
from server.conversations import service as conversations
from server.db import Database
from server.events import SYSTEM
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import Opener
from tests.playbooks.folder import MEETINGS, folder

NODES = "{id: meet, book: demo, choices: [demo, intro]}\n{id: bye, end: See you!}"
ADA = {"name": "Ada Byron", "email": "ada@wonka.example"}
KNOWN = {"lead.name": "Ada Byron", "lead.email": "ada@wonka.example"}
PLACES = "locations: [{kind: video}, {kind: phone}],"


def meetings(chat: Chat) -> list[Any]:
    with chat.db.reading() as tx:
        return list(booking.of_conversation(tx, chat.id))


def values(chat: Chat) -> dict[str, str]:
    return {one["id"]: one["value"] for one in chat.part("form")["fields"]}


@pytest.fixture
def two_places(sqlite_db: Database, morning: clock.StoppedClock) -> Database:
    files = folder(p="nodes:\n  - {id: meet, book: demo}\n  - {id: bye, end: See you!}")
    files["meetings.yml"] = MEETINGS.replace("duration_minutes: 30,", f"duration_minutes: 30, {PLACES}")
    applied(sqlite_db, files)
    return sqlite_db


@pytest.mark.parametrize(
    "typed",
    [
        "bob@wonka.example, carol@wonka.example", "bob@wonka.example; carol@wonka.example",
        "bob@wonka.example carol@wonka.example", "Bob Fox <bob@wonka.example>, carol@wonka.example",
        "bob@wonka.example,\ncarol@wonka.example, bob@wonka.example, ada@wonka.example",
    ],
)  # fmt: skip
def test_guests_are_invited_each_once_and_the_visitor_is_none(opened: Opener, typed: str) -> None:
    chat = opened(NODES)
    chat.choose(1)
    assert chat.fill(**ADA, guests=typed)[-1] == "See you!"
    assert meetings(chat)[0].guests == ["bob@wonka.example", "carol@wonka.example"]


def test_the_guest_whose_address_is_wrong_is_named_and_nothing_is_lost(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    assert chat.fill(**ADA, guests="bob@wonka.example, carol@wonka") == [
        "carol@wonka does not look like an e-mail address. Could you check it?"
    ]
    assert values(chat) == {**ADA, "guests": "bob@wonka.example, carol@wonka"}
    assert meetings(chat)[0].status == "held"
    assert chat.fill(**ADA, guests="bob@wonka.example")[-1] == "See you!"


def test_guests_who_were_taken_out_again_are_not_invited(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    chat.fill(**ADA, guests="carol@wonka")
    assert chat.fill(**ADA, guests="")[-1] == "See you!"
    assert meetings(chat)[0].guests == []


def test_ten_guests_come_along_and_eleven_do_not(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    eleven = [f"g{number}@wonka.example" for number in range(11)]
    assert chat.fill(**ADA, guests=", ".join(eleven)) == ["Up to ten guests can be invited. Please take some out."]
    assert chat.fill(**ADA, guests=", ".join(eleven[:10]))[-1] == "See you!"
    assert len(meetings(chat)[0].guests) == 10


def test_guests_can_be_named_in_words(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    assert chat.say("Ada Byron, ada@wonka.example, and bob@wonka.example comes along")[-1] == "See you!"
    assert meetings(chat)[0].guests == ["bob@wonka.example"]


def test_the_visitor_chooses_the_phone_and_gives_a_number(two_places: Database) -> None:
    chat = Chat(two_places).open()
    chat.choose(1)
    fields = {one["id"]: one for one in chat.part("form")["fields"]}
    assert fields["place"]["value"] == "video"
    assert [one["id"] for one in fields["place"]["options"]] == ["video", "phone"]
    assert fields["phone"]["for"] == "phone"
    assert chat.fill(**ADA, place="phone") == ["The time is still held. Which number shall we call?"]
    assert values(chat)["place"] == "phone"
    assert chat.fill(**ADA, place="phone", phone="+49 171 2345678")[-1] == "See you!"
    assert (meetings(chat)[0].place, meetings(chat)[0].phone) == ("phone", "+49 171 2345678")
    assert "+49 171 2345678" in chat.part("meeting")["meeting"]["location"]


@pytest.mark.parametrize("place", [{}, {"place": "video"}, {"place": "moon"}])
def test_the_first_place_is_taken_where_none_is_chosen(two_places: Database, place: dict[str, str]) -> None:
    chat = Chat(two_places).open()
    chat.choose(1)
    assert chat.fill(**ADA, **place)[-1] == "See you!"
    assert meetings(chat)[0].place == "video"


def test_who_is_known_still_chooses_the_place(two_places: Database) -> None:
    chat = Chat(two_places, known=KNOWN).open()
    chat.choose(1)
    assert values(chat)["email"] == "ada@wonka.example"
    assert chat.say("please call me, +49 171 2345678")[-1] == "See you!"
    assert meetings(chat)[0].place == "phone"


def test_a_hold_that_is_over_is_taken_up_again_while_the_time_is_free(
    opened: Opener, morning: clock.StoppedClock
) -> None:
    chat = opened(NODES)
    chat.choose(6)
    morning.advance(timedelta(minutes=30))
    start = meetings(chat)[0].start_at
    assert chat.fill(**ADA)[-1] == "See you!"
    assert [(one.status, one.start_at) for one in meetings(chat)] == [("booked", start)]


def test_what_was_filled_in_is_kept_when_the_time_has_gone_to_somebody_else(
    opened: Opener, morning: clock.StoppedClock
) -> None:
    chat = opened(NODES)
    chat.choose(6)
    start = meetings(chat)[0].start_at
    morning.advance(timedelta(minutes=6))
    for number in range(2):  # both reps
        other = Chat(chat.db, seed=f"o{number}", known={**KNOWN, "lead.email": f"o{number}@wonka.example"}).open()
        at = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        other.say(at, {"slot": at, "meeting": "demo"})
    said = chat.fill(**ADA, guests="bob@wonka.example")
    assert said[0].startswith("I could keep that time for five minutes only")
    near = chat.part("slots")["suggested"]
    assert len(near) == 3
    assert at not in near
    assert chat.say(near[0], {"slot": near[0], "meeting": "demo"})[-1] == "See you!"  # nothing is asked twice
    assert meetings(chat)[-1].guests == ["bob@wonka.example"]


def test_what_was_filled_in_goes_along_to_other_times(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    chat.say("other", {"action": "other_times", "form": {"name": "Ada Byron", "email": ""}})
    chat.choose(1)
    assert values(chat)["name"] == "Ada Byron"


def test_the_form_sent_from_two_tabs_is_one_meeting_and_both_see_it(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    assert chat.fill(**ADA)[-1] == "See you!"
    again = chat.fill(**ADA)
    assert again[0].startswith("You already have a meeting: Product demo")
    assert chat.part("meeting")["meeting"]["status"] == "booked"
    assert [one.status for one in meetings(chat)] == ["booked"]


def test_a_time_pressed_in_a_tab_that_is_behind_shows_the_meeting(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    start = chat.part("slots")["suggested"][1]
    chat.choose(1)
    said = chat.say("x", {"slot": start, "meeting": "demo"})
    assert said[0].startswith("You already have a meeting")
    assert len(meetings(chat)) == 1


def test_the_form_of_a_tab_that_is_behind_books_the_time_that_is_held_now(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    chat.say("more times")
    chat.say("x", {"form": ADA})  # sent from the other tab, whose time was given up
    assert meetings(chat)[0].status == "held"
    start = chat.part("slots")["suggested"][0]
    assert chat.say(start, {"slot": start, "meeting": "demo"})[-1] == "See you!"
    assert [one.status for one in meetings(chat)] == ["booked"]


def test_same_person_same_time_other_type_is_shown_the_first_meeting(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    chat.choose(1)
    first = meetings(chat)[0]
    with chat.db.transaction() as tx:
        conversations.close(tx, conversations.get(tx, chat.id), "booked", SYSTEM)
    before = chat.id
    chat.say("hello")  # the same browser, another conversation
    assert chat.id != before
    start = first.start_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    chat.say(start, {"slot": start, "meeting": "intro"})
    said = chat.texts if chat.parts[-1]["kind"] == "meeting" else chat.fill(**ADA)
    assert said[0].startswith("You already have a meeting: Product demo, Monday, March 2")
    assert chat.part("meeting")["meeting"]["id"] == first.id
    assert meetings(chat) == []


def test_who_only_types_an_address_is_not_shown_the_meeting_of_its_owner(opened: Opener) -> None:
    owner = opened(NODES, known=KNOWN)
    owner.choose(1)
    start = meetings(owner)[0].start_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    stranger = Chat(owner.db, seed="stranger").open()
    stranger.say(start, {"slot": start, "meeting": "intro"})
    stranger.say("x", {"slot": start, "meeting": "intro"})
    said = stranger.fill(**ADA)
    assert said[0].startswith("There is a meeting for ada@wonka.example at this time already")
    assert [part["kind"] for part in stranger.parts] == []
    assert [one.status for one in meetings(owner)] == ["booked"]
    assert meetings(stranger) == []
