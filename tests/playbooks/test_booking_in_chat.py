"""Times as buttons, a hold, a form, a meeting; moved and cancelled in the chat; what is gone meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server import clock
from server.booking import service as booking
from server.config import service as config
from server.db import Database
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import MORNING, Opener
from tests.playbooks.folder import folder

BOOK = "{id: meet, book: demo, text: Pick a time., choices: [demo, intro], otherwise: no}"
BYE = "{id: bye, end: See you!, outcome: booked}"
NO = "{id: no, end: Another time then.}"
NODES = f"{BOOK}\n{BYE}\n{NO}"
KNOWN = {"lead.name": "Ada Byron", "lead.email": "ada@wonka.example"}


def meetings(chat: Chat) -> list[tuple[str, str]]:
    with chat.db.reading() as tx:
        return [(one.status, one.start_at.strftime("%d %H:%M")) for one in booking.of_conversation(tx, chat.id)]


def test_times_are_offered_in_the_visitors_zone_with_three_to_press_first(opened: Opener) -> None:
    chat = opened(NODES, zone="America/New_York")
    assert chat.texts == ["Pick a time."]
    part = chat.part("slots")
    assert (part["meeting"], part["name"], part["minutes"], part["zone"]) == (
        "demo",
        "Product demo",
        30,
        "America/New_York",
    )
    assert part["meetings"] == [
        {"id": "demo", "name": "Product demo", "minutes": 30},
        {"id": "intro", "name": "Short call", "minutes": 15},
    ]
    assert part["days"][0] == {"date": "2026-03-02", "slots": part["days"][0]["slots"]}
    assert part["days"][0]["slots"][0] == "2026-03-02T10:00:00Z"  # an hour's notice from 10:00 in Berlin
    assert part["suggested"][0] == "2026-03-02T12:00:00Z"  # seven in the morning there
    assert len(part["suggested"]) == 3
    assert [day["date"] for day in part["days"]] == ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
    assert part["next_from"] == "2026-03-06"


def test_choosing_holds_the_time_and_the_form_makes_it_a_meeting(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.choose(2) == ["Monday, March 2, 2026, 11:30\u202fAM is held for you. Who is the invitation for?"]
    form = chat.part("form")
    assert [(one["id"], one["type"], one["required"]) for one in form["fields"]] == [
        ("name", "text", True),
        ("email", "email", True),
        ("guests", "emails", False),
    ]
    assert form["held"] == {
        "start": "2026-03-02T10:30:00Z",
        "end": "2026-03-02T11:00:00Z",
        "expires_at": "2026-03-02T09:05:00Z",
    }
    assert meetings(chat) == [("held", "02 10:30")]
    said = chat.fill(name="Ada Byron", email="ada@wonka.example")
    assert said == ["It is booked: Product demo, Monday, March 2, 2026, 11:30\u202fAM, with Grace Hopper.", "See you!"]
    assert chat.part("meeting")["meeting"]["status"] == "booked"
    assert chat.part("meeting")["meeting"]["rep"] == {"name": "Grace Hopper"}
    assert meetings(chat) == [("booked", "02 10:30")]
    assert chat.memory.reached == ["book"]
    assert chat.row.outcome == "booked"
    assert chat.memory.values["lead.name"] == "Ada Byron"


def test_who_is_known_gets_the_meeting_at_once(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    assert chat.choose(1)[-1] == "See you!"
    assert meetings(chat) == [("booked", "02 10:00")]


def test_a_form_with_a_fault_is_shown_again_with_what_was_right(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    assert chat.fill(name="Ada Byron", email="ada at home") == [
        "The time is still held. I need a name and an e-mail address for the invitation."
    ]
    values = {one["id"]: one["value"] for one in chat.part("form")["fields"]}
    assert values == {"name": "Ada Byron", "email": "", "guests": ""}
    assert chat.fill(email="ada@wonka.example")[-1] == "See you!"


def test_a_slip_in_the_forms_address_is_asked_about_once(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    slip = {"name": "Ada Byron", "email": "ada@gmial.com"}
    assert chat.fill(**slip) == ["Did you mean ada@gmail.com? If not, please type it once more."]
    values = {one["id"]: one["value"] for one in chat.part("form")["fields"]}
    assert values["email"] == "ada@gmail.com"
    assert chat.fill(**slip)[0].startswith("It is booked")


def test_what_was_meant_instead_of_a_slip_is_booked(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    chat.fill(name="Ada Byron", email="ada@gmial.com")
    assert chat.fill(name="Ada Byron", email="ada@gmail.com")[0].startswith("It is booked")
    with chat.db.reading() as tx:
        (meeting,) = booking.of_conversation(tx, chat.id)
    assert meeting.email == "ada@gmail.com"


def test_the_form_can_be_answered_in_words(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    assert chat.say("Ada Byron, ada@wonka.example")[-1] == "See you!"


def test_a_question_while_a_time_is_held_is_answered_and_the_time_stays_held(opened: Opener) -> None:
    chat = opened(NODES)
    chat.choose(1)
    said = chat.say("What does the starter plan cost?")
    assert said[0].startswith("The starter plan costs")
    assert chat.parts[-1]["kind"] == "form"
    assert chat.fill(name="Ada", email="ada@wonka.example")[-1] == "See you!"


def test_more_times_come_on_demand(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.act("other_times") == ["Here are more times."]
    assert chat.part("slots")["days"][0]["date"] == "2026-03-06"


def test_the_visitor_may_change_to_another_meeting(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    assert chat.say("Short call", {"meeting": "intro"}) == ["Which time suits you?"]
    assert chat.part("slots")["minutes"] == 15
    start = chat.part("slots")["days"][0]["slots"][0]
    chat.say("x", {"slot": start, "meeting": "intro"})
    with chat.db.reading() as tx:
        assert [one.type for one in booking.of_conversation(tx, chat.id)] == ["intro"]


def test_a_time_that_was_taken_meanwhile_gets_an_apology_and_the_nearest_ones(
    sqlite_db: Database, morning: clock.StoppedClock
) -> None:
    applied(sqlite_db, p="nodes:\n  - {id: r, route: default}\n  - {id: meet, book: demo}")
    big = {"account.employees": 900}  # one rep only
    slow, fast = Chat(sqlite_db, known=big).open(), Chat(sqlite_db, seed="b", known=big).open()
    start = fast.part("slots")["days"][0]["slots"][2]
    fast.say(start, {"slot": start, "meeting": "demo"})
    assert slow.say(start, {"slot": start, "meeting": "demo"}) == [
        "I am sorry, that time was taken a moment ago. These are free:"
    ]
    part = slow.part("slots")
    assert start not in part["suggested"] + [one for day in part["days"] for one in day["slots"]]
    near = [datetime.fromisoformat(one) - datetime.fromisoformat(start) for one in part["suggested"]]
    assert timedelta(minutes=30) in [abs(one) for one in near]
    assert slow.say("x", {"slot": part["suggested"][0], "meeting": "demo"})[0].endswith("Who is the invitation for?")


def test_a_hold_that_expired_is_taken_up_again_or_replaced(opened: Opener, morning: clock.StoppedClock) -> None:
    chat = opened(NODES)
    chat.choose(1)
    morning.advance(timedelta(minutes=6))
    assert chat.fill(name="Ada", email="ada@wonka.example")[0].startswith("I could keep that time for five")
    assert chat.choose(1)[-1] == "See you!"


def test_times_that_make_no_sense_are_refused_kindly(opened: Opener) -> None:
    chat = opened(NODES)
    for odd in ("2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-02T10:00:01Z"):
        assert chat.say(odd, {"slot": odd, "meeting": "demo"}) == [
            "I am sorry, that time was taken a moment ago. These are free:"
        ]
    assert chat.say("soon", {"slot": "soon"})[0].startswith("I did not find that time")


def test_who_declines_is_let_go_the_way_the_playbook_says(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.say("skip") == ["All right, no meeting then.", "Another time then."]
    over = opened(f"{{id: meet, book: demo}}\n{BYE}", seed="b")
    assert over.say("skip") == ["All right, no meeting then."]
    assert over.memory.node == ""


def test_words_that_are_no_time_get_a_second_try_and_then_ways_out(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.say("blue") == ["I did not find that time. Please choose one of these, or tell me a day."]
    assert chat.say("green") == ["Shall I get a person instead, or would you rather leave an e-mail?"]
    assert chat.part("fallback")["actions"][0]["id"] == "person"
    assert chat.say("tomorrow at 2pm")[0].endswith("Who is the invitation for?")


def test_routing_decides_whose_times_are_offered(opened: Opener) -> None:
    chat = opened(NODES, known={"account.domain": "initech.example", "account.is_customer": True, **KNOWN})
    chat.choose(1)
    with chat.db.reading() as tx:
        [meeting] = booking.of_conversation(tx, chat.id)
    assert meeting.rep == "linus"  # their CSM


def test_a_page_instead_of_a_meeting_where_routing_says_so(opened: Opener) -> None:
    chat = opened(NODES, known={"answers.need": "study"})
    assert chat.texts == ["This will help you more than a call.", "Another time then."]
    assert chat.part("offer")["url"] == "/blog/start"


TEAM_WITHOUT_HOURS = """
reps: [{id: grace, name: Grace, email: grace@acme.example, zone: UTC}]
pools: [{id: small, members: [grace]}]
"""


def test_when_nothing_is_free_an_address_is_asked_for(sqlite_db: Database) -> None:
    files = folder(p=f"nodes:\n  - {BOOK}\n  - {BYE}\n  - {NO}")
    files |= {"routing.yml": "rules: []", "segments.yml": "", "team.yml": TEAM_WITHOUT_HOURS}
    with clock.stopped_at(MORNING):
        applied(sqlite_db, files)
        chat = Chat(sqlite_db).open()
        assert chat.texts == [
            "There is no free time at the moment. Leave an e-mail address and we will find one together.",
            "Which e-mail address should we write to?",
        ]
        assert chat.say("ada@wonka.example") == ["Thank you, we will write to ada@wonka.example.", "Another time then."]


def test_a_visitor_who_wants_to_book_is_taken_to_the_booking(opened: Opener) -> None:
    chat = opened(f"{{id: q, ask: What brings you here?, kind: choice, options: [{{id: a, label: Apples}}]}}\n{NODES}")
    assert chat.say("I want to book a demo")[0] == "Pick a time."
    bare = opened(
        "{id: q, ask: What brings you here?, kind: choice, options: [{id: a, label: Apples}]}", seed="b", known=KNOWN
    )
    assert bare.say("I want to book a meeting") == ["Which time suits you?"]
    assert bare.choose(1)[-1] == "Back to my question: What brings you here?"


def test_who_has_booked_is_not_asked_to_book_again(opened: Opener) -> None:
    chat = opened(f"{BOOK}\n{{id: again, book: intro}}\n{BYE}\n{NO}", known=KNOWN)
    said = chat.choose(1)
    assert said[1].startswith("You already have a meeting: Product demo")
    assert len(meetings(chat)) == 1


def test_two_visitors_never_get_the_same_rep_and_time(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    applied(sqlite_db, p=f"nodes:\n  - {BOOK}\n  - {BYE}\n  - {NO}")
    reps = []
    start = "2026-03-02T10:00:00Z"
    for number in range(3):
        chat = Chat(sqlite_db, seed=str(number), known={**KNOWN, "lead.email": f"v{number}@wonka.example"}).open()
        chat.say(start, {"slot": start, "meeting": "demo"})
        with sqlite_db.reading() as tx:
            reps += [
                one.rep
                for one in booking.of_conversation(tx, chat.id)
                if one.start_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
            ]
    assert sorted(reps) == ["grace", "linus"]


def test_config_is_the_one_the_chat_started_with_even_for_its_meetings(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    assert config.active(chat.db, "acme").number == 1
    applied(chat.db, p="nodes: [{id: hi, say: New}]")
    assert chat.choose(1)[-1] == "See you!"
    with chat.db.reading() as tx:
        assert booking.of_conversation(tx, chat.id)[0].version_id == chat.row.version_id
