"""A time is held and its form is open, or one time is proposed, and the visitor types that they would like another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from server import clock, events
from server.booking import service as booking
from server.db import Database
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import Opener
from tests.playbooks.folder import MEETINGS, folder

NODES = "{id: meet, book: demo}\n{id: bye, end: See you!}"
ADA = {"name": "Ada Byron", "email": "ada@wonka.example"}
KNOWN = {"lead.name": "Ada Byron", "lead.email": "ada@wonka.example"}
GOAL = "questions: [{id: goal, label: What would you like to see?, required: true}],"


def days(chat: Chat) -> set[int]:
    """The days of March on which times are offered."""
    part = chat.part("slots")
    starts = {one for day in part["days"] for one in day["slots"]} | set(part["suggested"])
    return {datetime.fromisoformat(one).day for one in starts}


def starts(chat: Chat) -> list[str]:
    part = chat.part("slots")
    return sorted({one for day in part["days"] for one in day["slots"]} | set(part["suggested"]))


def held(opened: Opener, locale: str = "en", **browser: Any) -> Chat:
    """Somebody to whom Tuesday at 11 is held, with the form open."""
    chat = opened(NODES, locale=locale, **browser)
    chat.say("x", {"slot": "2026-03-03T10:00:00Z", "meeting": "demo"})
    assert chat.part("form")["held"]["start"] == "2026-03-03T10:00:00Z"
    return chat


@pytest.mark.parametrize(
    ("locale", "text", "offered"),
    [
        ("en", "March 5 at 3pm", {5}), ("en", "actually Thursday afternoon would be better", {5}),
        ("en", "I can't do Tuesdays", {2, 4, 5, 6, 9, 11, 12}), ("en", "end of next week", {12, 13}),
        ("en", "what about Thursday?", {5}), ("en", "next week", {9, 10, 11, 12, 13}),
        ("de", "nicht am Montag", {3, 4, 5, 6, 10, 11, 12}), ("de", "Donnerstagnachmittag", {5}),
        ("de", "nächste Woche", {9, 10, 11, 12, 13}), ("fr", "jeudi après-midi", {5}),
        ("es", "el jueves por la tarde", {5}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [{}, KNOWN])
def test_a_wish_typed_while_a_time_is_held_offers_the_times_that_fit(
    sqlite_db: Database, morning: clock.StoppedClock, locale: str, text: str, offered: set[int], known: dict[str, str]
) -> None:
    files = folder(p="nodes:\n  - {id: meet, book: demo}\n  - {id: bye, end: See you!}")
    files["meetings.yml"] = MEETINGS.replace("duration_minutes: 30,", f"duration_minutes: 30, {GOAL}")
    applied(sqlite_db, files)
    chat = Chat(sqlite_db, locale=locale, known=known).open()
    chat.say("x", {"slot": "2026-03-03T10:00:00Z", "meeting": "demo"})
    chat.say(text)
    assert days(chat) == offered
    start = starts(chat)[0]
    chat.say(start, {"slot": start, "meeting": "demo"})
    form = chat.part("form")
    assert form["held"]["start"] == start
    assert {one["id"]: one["value"] for one in form["fields"] if one["value"]} == ({**ADA} if known else {})


def test_a_wish_that_nothing_fits_is_said_so_while_a_time_is_held(opened: Opener) -> None:
    assert held(opened).say("tonight") == ["Nothing is free then. These are the nearest times:"]


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", "earlier"), ("de", "früher"), ("de", "lieber früher"), ("fr", "plus tôt"), ("es", "más temprano")],
)
def test_earlier_than_the_held_time_is_before_it(opened: Opener, locale: str, text: str) -> None:
    chat = held(opened, locale)
    chat.say(text)
    assert starts(chat)[0] == "2026-03-02T10:00:00Z"
    assert starts(chat)[-1] == "2026-03-03T09:30:00Z"


@pytest.mark.parametrize(("locale", "text"), [("en", "later"), ("de", "lieber später"), ("fr", "plus tard")])
def test_later_than_the_held_time_is_after_it(opened: Opener, locale: str, text: str) -> None:
    chat = held(opened, locale)
    chat.say(text)
    assert starts(chat)[0] == "2026-03-03T10:30:00Z"


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", "another day"), ("de", "Andere Zeiten"), ("en", "other times"), ("es", "otros horarios")],
)
def test_other_times_than_the_held_one_are_offered(opened: Opener, locale: str, text: str) -> None:
    chat = held(opened, locale)
    chat.say(text)
    assert "2026-03-03T10:00:00Z" not in starts(chat)


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", one) for one in ("yes", "no", "ok", "sure", "perfect", "great", "hm", "wait", "no thanks")]
    + [("de", "ja"), ("de", "passt"), ("fr", "oui"), ("es", "sí")],
)
def test_a_short_word_is_no_name_and_the_form_stays(opened: Opener, locale: str, text: str) -> None:
    chat = held(opened, locale)
    chat.say(text)
    assert {one["value"] for one in chat.part("form")["fields"]} == {""}


def test_the_held_time_said_once_more_is_no_other_time(opened: Opener) -> None:
    chat = held(opened)
    chat.say("yes, Tuesday at 11")
    assert chat.part("form")["held"]["start"] == "2026-03-03T10:00:00Z"


def test_an_answer_that_mentions_a_day_is_taken_from_the_form(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    files = folder(p="nodes:\n  - {id: meet, book: demo}\n  - {id: bye, end: See you!}")
    files["meetings.yml"] = MEETINGS.replace("duration_minutes: 30,", f"duration_minutes: 30, {GOAL}")
    applied(sqlite_db, files)
    chat = Chat(sqlite_db).open()
    chat.choose(1)
    assert chat.fill(**ADA, goal="we launch on Monday")[-1] == "See you!"
    with chat.db.reading() as tx:
        assert booking.of_conversation(tx, chat.id)[0].answers == {"goal": "we launch on Monday"}


def test_who_types_the_whole_form_may_mention_a_day(opened: Opener) -> None:
    assert held(opened).say("Ada Byron, ada@wonka.example, see you on Tuesday")[-1] == "See you!"


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("not Monday", {3, 4, 5, 6, 10, 11, 12}), ("Tuesday or Wednesday", {3, 4, 10, 11}),
        ("this week", {2, 3, 4, 5, 6}),
        ("mornings", {2, 3, 4, 5, 6, 9, 10}), ("Wednesday", {4}), ("not Monday at 3", {2, 3, 4, 5, 6, 9, 10}),
    ],
)  # fmt: skip
def test_a_wider_wish_after_one_proposed_time_gives_its_own_list(opened: Opener, text: str, offered: set[int]) -> None:
    chat = opened(NODES)
    chat.say("next Thursday")  # so that Wednesday is not among the days shown
    assert chat.say("Wednesday at 11")[0].endswith("is free. Shall I take it for you?")
    chat.say(text)
    assert len(starts(chat)) > 3
    assert days(chat) <= offered


@pytest.mark.parametrize("text", ["yes", "Wednesday at 11", "yes, Wednesday", "11 am"])
def test_the_proposed_time_is_taken_by_a_yes_or_when_it_is_named(opened: Opener, text: str) -> None:
    chat = opened(NODES)
    chat.say("next Thursday")
    chat.say("Wednesday at 11")
    chat.say(text)
    assert chat.part("form")["held"]["start"] == "2026-03-04T10:00:00Z"


@pytest.mark.parametrize("text", ["other times", "x"])
def test_other_times_after_a_hold_that_ran_out_begin_at_the_held_day(
    opened: Opener, morning: clock.StoppedClock, text: str
) -> None:
    chat = held(opened)
    morning.advance(timedelta(minutes=6))
    chat.say(text, {"action": "other_times", "form": {"name": "Ada"}} if text == "x" else None)
    assert starts(chat)[0] == "2026-03-03T08:00:00Z"
    assert "2026-03-03T10:00:00Z" in starts(chat)


def test_other_times_after_a_hold_whose_time_is_past_begin_now(opened: Opener, morning: clock.StoppedClock) -> None:
    chat = held(opened)
    morning.advance(timedelta(days=2))
    chat.act("other_times")
    assert starts(chat)[0].startswith("2026-03-04")


SIZED = """{id: size, ask: How many people?, kind: number, save: account.employees}
{id: where, route: default}
{id: meet, book: demo}
{id: bye, end: See you!}"""


def routed(chat: Chat) -> list[str]:
    with chat.db.reading() as tx:
        return [one.data["target"] for one in events.of_conversation(tx, chat.id) if one.name == events.LEAD_ROUTED]


def test_a_corrected_answer_is_routed_again_and_the_times_are_of_the_other_pool(opened: Opener) -> None:
    chat = opened(SIZED)
    chat.say("40")
    assert chat.part("slots")["pool"] == "small"
    said = chat.say("sorry, I meant 800")
    assert chat.part("slots")["pool"] == "big"
    assert len(said) == 2
    assert routed(chat) == ["small", "big"]


def test_a_held_time_of_the_former_pool_is_let_go_and_what_was_filled_in_is_kept(opened: Opener) -> None:
    chat = opened(SIZED)
    chat.say("40")
    chat.choose(1)
    chat.fill(name="Ada Byron", email="")
    chat.say("sorry, I meant 800")
    assert chat.part("slots")["pool"] == "big"
    assert chat.memory.hold == ""
    chat.choose(2)
    assert {one["id"]: one["value"] for one in chat.part("form")["fields"]}["name"] == "Ada Byron"
    chat.fill(**ADA)
    with chat.db.reading() as tx:
        [met] = [one for one in booking.of_conversation(tx, chat.id) if one.status == "booked"]
        assert (met.pool, met.rep) == ("big", "grace")


def test_a_corrected_answer_that_changes_nothing_about_who_it_is_keeps_the_hold(opened: Opener) -> None:
    chat = opened(SIZED)
    chat.say("40")
    chat.choose(1)
    chat.say("sorry, I meant 45")
    assert chat.part("form")["held"]
    assert routed(chat) == ["small"]
