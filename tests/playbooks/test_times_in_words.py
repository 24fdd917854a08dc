"""Booking by typing: wishes in four languages on the visitor's clock, across changes of the clocks, before and after
times are on offer."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from server import clock
from server.booking import service as booking
from server.db import Database
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import Opener

NODES = "{id: meet, book: demo, text: Pick a time., choices: [demo, intro], otherwise: no}\n{id: no, end: Fine.}"
KNOWN = {"lead.name": "Ada Byron", "lead.email": "ada@wonka.example"}
SUN = "Sunday evening"

# Said on Monday, 2 March 2026, 10:00 in Berlin, by somebody there; reps work from 9 to 17 in Berlin, 14 days ahead.
# The days on which there are times, and the first and the last hour of day.
WISHES = [
    ("en", "Thursday afternoon", "5", "12:00-16:30"),
    ("en", "next week mornings", "9 10 11 12 13", "09:00-11:30"),
    ("en", "not Monday", "3 4 5 6 10 11 12", "09:00-16:30"),
    ("en", "after 3", "2 3 4 5 6 9 10", "15:00-16:30"),
    ("en", "between 2 and 4 on Friday", "6", "14:00-15:30"),
    ("en", "in two weeks", "16", "09:00-16:30"),
    ("en", "tomorrow 10:30 or 14:00", "3", "10:30-14:00"),
    ("en", "next week after 3, except on Friday", "9 10 11 12", "15:00-16:30"),
    ("en", "Thursday 6 March, in the morning", "5 6", "09:00-11:30"),
    ("en", "before noon on Wednesday", "4", "09:00-11:30"),
    ("de", "Donnerstag Nachmittag", "5", "12:00-16:30"),
    ("de", "übermorgen zwischen 10 und 12 Uhr", "4", "10:00-11:30"),
    ("de", "nächste Woche vormittags", "9 10 11 12 13", "09:00-11:30"),
    ("de", "weder Dienstag noch Mittwoch", "2 5 6 9 12 13 16", "09:00-16:30"),
    ("de", "Freitag ab 15 Uhr", "6", "15:00-16:30"),
    ("fr", "jeudi prochain après-midi", "5", "12:00-16:30"),
    ("fr", "la semaine prochaine le matin", "9 10 11 12 13", "09:00-11:30"),
    ("fr", "entre 14h et 16h vendredi", "6", "14:00-15:30"),
    ("es", "el jueves por la tarde", "5", "12:00-16:30"),
    ("es", "la próxima semana por la mañana", "9 10 11 12 13", "09:00-11:30"),
    ("es", "entre las 2 y las 4 el viernes", "6", "14:00-15:30"),
]


@pytest.fixture
def shop(sqlite_db: Database, morning: clock.StoppedClock) -> Database:
    applied(sqlite_db, p="nodes:\n" + "".join(f"  - {line}\n" for line in NODES.splitlines()))
    return sqlite_db


def offered(chat: Chat, zone: str = "Europe/Berlin") -> list[datetime]:
    part = chat.part("slots")
    starts = {one for day in part["days"] for one in day["slots"]} | set(part["suggested"])
    return sorted(datetime.fromisoformat(one).astimezone(ZoneInfo(zone)) for one in starts)


@pytest.mark.parametrize(("locale", "text", "days", "hours"), WISHES)
def test_a_wish_shows_the_open_times_that_fit(shop: Database, locale: str, text: str, days: str, hours: str) -> None:
    chat = Chat(shop, locale=locale).open()
    chat.say(text)
    found = offered(chat)
    assert " ".join(str(day) for day in sorted({one.day for one in found})) == days
    at = sorted(one.strftime("%H:%M") for one in found)
    if not text.startswith("weder"):  # today begins later
        assert f"{at[0]}-{at[-1]}" == hours


@pytest.mark.parametrize(
    ("zone", "text", "first"),
    [
        ("America/New_York", "tomorrow at 9", "2026-03-03T14:00:00Z"),  # 15:00 for the rep
        ("America/New_York", "tomorrow morning", "2026-03-03T11:00:00Z"),
        ("Asia/Kolkata", "tomorrow at 2:30pm", "2026-03-03T09:00:00Z"),
        ("Pacific/Auckland", "tomorrow evening", "2026-03-03T08:00:00Z"),  # 21:00 there; evenings end
    ],
)
def test_a_wish_is_meant_on_the_visitors_clock(shop: Database, zone: str, text: str, first: str) -> None:
    chat = Chat(shop, zone=zone).open()
    chat.say(text)
    if zone == "Pacific/Auckland":
        assert chat.texts == ["Nothing is free then. These are the nearest times:"]
    elif chat.parts[-1]["kind"] == "form":
        assert chat.part("form")["held"]["start"] == first
    else:
        assert chat.part("slots")["suggested"][0] == first


@pytest.mark.parametrize(
    ("now", "zone", "text", "start"),
    [
        # Europe changes on 29 March: 10:00 in Berlin is 9:00 UTC before and 8:00 UTC after it.
        (datetime(2026, 3, 27, 9, tzinfo=UTC), "Europe/Berlin", "Friday at 10", "2026-04-03T08:00:00Z"),
        # New York has changed on 8 March, Berlin has not: the difference is five hours for three weeks.
        (datetime(2026, 3, 6, 9, tzinfo=UTC), "America/New_York", "Tuesday at 10", "2026-03-10T14:00:00Z"),
        (datetime(2026, 10, 23, 9, tzinfo=UTC), "Europe/Berlin", "Monday at 9", "2026-10-26T08:00:00Z"),
    ],
)
def test_a_wish_beyond_a_change_of_the_clocks_is_the_hour_on_the_wall(
    sqlite_db: Database, now: datetime, zone: str, text: str, start: str
) -> None:
    with clock.stopped_at(now):
        applied(sqlite_db, p="nodes:\n  - {id: meet, book: demo}")
        chat = Chat(sqlite_db, zone=zone).open()
        said = chat.say(text)
        if chat.parts[-1]["kind"] == "slots":  # not among the days shown: proposed alone
            assert said[0].endswith("is free. Shall I take it for you?")
            assert chat.part("slots")["suggested"] == [start]
            said = chat.say("yes please")
        assert chat.part("form")["held"]["start"] == start


def test_a_wish_that_one_open_time_fits_is_one_button_and_no_list(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.say("Monday 16 March at 11") == [
        "Monday, March 16, 2026, 11:00\u202fAM is free. Shall I take it for you?"
    ]
    part = chat.part("slots")
    assert (part["suggested"], part["days"], part["next_from"]) == (["2026-03-16T10:00:00Z"], [], "2026-03-16")
    assert chat.say("yes")[0].endswith("Who is the invitation for?")
    assert chat.part("form")["held"]["start"] == "2026-03-16T10:00:00Z"


def test_no_to_the_one_time_shows_others_and_does_not_end_the_booking(opened: Opener) -> None:
    chat = opened(NODES)
    chat.say("Monday 16 March at 11")
    assert chat.say("no") == ["Here are more times."]
    assert len(offered(chat)) > 3


def test_a_part_of_a_day_that_one_time_fits_is_asked_about_before_it_is_booked(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    chat.say("tomorrow 10:30 or 14:00")
    said = chat.say("rather in the morning")
    assert said == ["Tuesday, March 3, 2026, 10:30\u202fAM is free. Shall I take it for you?"]
    with chat.db.reading() as tx:
        assert booking.of_conversation(tx, chat.id) == []
    assert chat.say("yes, please")[0].startswith("It is booked")


@pytest.mark.parametrize("said", ["another day", "un autre jour", "ein anderer Tag", "otro día"])
def test_another_day_keeps_the_hours_that_were_wished(opened: Opener, said: str) -> None:
    chat = opened(NODES)
    chat.say("Thursday afternoon")
    chat.say(said)
    found = offered(chat)
    assert {one.day for one in found}.isdisjoint({5})
    assert {one.hour >= 12 for one in found} == {True}


def test_earlier_and_later_are_before_and_after_what_was_shown(opened: Opener) -> None:
    chat = opened(NODES)
    chat.say("Thursday afternoon")
    chat.say("earlier")
    assert max(offered(chat)) < datetime(2026, 3, 5, 11, tzinfo=UTC)
    assert {one.day for one in offered(chat)} >= {4, 5}  # the nearest earlier ones are among them
    chat.say("Thursday afternoon")
    last = datetime.fromisoformat(chat.part("slots")["suggested"][-1])
    chat.say("later please")
    assert min(offered(chat)) > last


def test_nothing_earlier_is_said_honestly(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.say("anything sooner?") == ["Nothing earlier is free. These are the first:"]
    assert chat.part("slots")["suggested"][0] == "2026-03-02T10:00:00Z"


def test_the_other_meeting_is_kept_through_wishes_and_other_times(opened: Opener) -> None:
    chat = opened(NODES)
    chat.say("Short call", {"meeting": "intro"})
    for text in ("Thursday afternoon", "earlier", "more times", SUN):
        chat.say(text)
        part = chat.part("slots")
        assert (part["meeting"], part["minutes"], len(part["meetings"])) == ("intro", 15, 2), text


ASK = "{id: need, ask: What brings you here?, kind: choice, options: [{id: a, label: Apples}, {id: b, label: Buying}]}"


@pytest.mark.parametrize(
    "text", ["Thursday afternoon", "I could do Thursday afternoon", "Buying, and Thursday afternoon is good"]
)
def test_a_wish_said_before_times_are_open_is_remembered(opened: Opener, text: str) -> None:
    chat = opened(f"{ASK}\n{NODES}")
    said = chat.say(text)
    if "Buying" not in text:
        assert said == ["I will keep that time in mind.", "Back to my question: What brings you here?"]
        said = chat.press("b")
    assert said == ["At the time you asked for, these are free:"]
    assert {(one.day, one.hour >= 12) for one in offered(chat)} == {(5, True)}
    assert chat.act("other_times") == ["Here are more times."]  # it was a wish, not a fence


def test_what_answers_another_question_is_no_wish_for_a_meeting(opened: Opener) -> None:
    when = "{id: start, ask: When do you start?, kind: date}"
    chat = opened(f"{when}\n{NODES}")
    assert chat.say("next Thursday") == ["Pick a time."]
    timeline = "{id: t, ask: When?, kind: choice, options: [{id: now, label: This month}, {id: y, label: Later}]}"
    chat = opened(f"{timeline}\n{NODES}", seed="b")
    assert chat.say("this month") == ["Pick a time."]


def test_a_time_and_nothing_else_where_nothing_is_asked_leads_to_the_booking(opened: Opener) -> None:
    chat = opened("{id: hi, say: Hello}")
    chat.say("Thursday afternoon?")
    assert {one.day for one in offered(chat)} == {5}


def test_a_meeting_is_moved_to_the_time_that_was_said_with_it(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    chat.choose(1)
    chat.say("Can we move my meeting to Thursday afternoon?")
    assert {(one.day, one.hour >= 12) for one in offered(chat)} == {(5, True)}
    assert chat.choose(1)[0].startswith("It is moved: Product demo, Thursday, March 5")


def test_times_on_the_clock_that_the_visitor_has_chosen(opened: Opener) -> None:
    chat = opened(NODES)
    start = chat.part("slots")["suggested"][0]
    chosen = {"slot": start, "meeting": "demo", "zone": "America/New_York"}
    assert chat.say("x", chosen)[0].startswith("Monday, March 2, 2026, 5:00\u202fAM is held for you.")
    assert chat.row.zone == "America/New_York"
    chat.say("x", {**chosen, "zone": "Mars/Olympus"})
    assert chat.row.zone == "America/New_York"


def test_times_are_offered_again_as_they_were_until_a_calendar_changes(opened: Opener) -> None:
    chat = opened(NODES)
    chat.say("Thursday afternoon")
    first = chat.part("slots")
    chat.say("What does the starter plan cost?")
    assert chat.part("slots") == first
    start = first["suggested"][0]
    for rep in ("a", "b"):  # both reps are taken then
        other = Chat(chat.db, seed=rep, known={**KNOWN, "lead.email": f"{rep}@wonka.example"}).open()
        other.say(start, {"slot": start, "meeting": "demo"})
    chat.say("What does the starter plan cost?")
    assert start not in chat.part("slots")["suggested"]


def test_times_are_offered_anew_when_the_first_is_too_soon_by_now(opened: Opener, morning: clock.StoppedClock) -> None:
    chat = opened(NODES)
    first = chat.part("slots")["suggested"][0]
    morning.advance(booking.HOLD_FOR)
    chat.say("What does the starter plan cost?")
    assert first not in chat.part("slots")["suggested"]
