"""The account's owner first: whose times are offered, when others meet the visitor instead, and what is kept of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from server import clock, events, ids
from server.booking import service as booking
from server.booking.tables import busy_times
from server.db import Database
from server.playbooks import whose
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import MORNING
from tests.playbooks.folder import ROUTING, TEAM, folder

FLOW = "nodes:\n  - {id: meet, book: demo, choices: [demo, intro]}\n  - {id: bye, end: See you!}"
OWNED = {"account.domain": "globex.example", "lead.name": "Ada Byron", "lead.email": "ada@globex.example"}
RULE = "to: {owner: account}}"
OFF = "overrides: [{date: 2026-03-02, hours: []}, {date: 2026-03-03, hours: []}, {date: 2026-03-04, hours: []}],"
GRACE = "email: grace@acme.example, zone: Europe/Berlin,"


def site(rule: str = RULE, *, grace: str = "", linus: str = "") -> dict[str, str]:
    team = TEAM.replace(GRACE, f"{GRACE} {grace}").replace(
        "email: linus@acme.example, zone: Europe/Berlin,", f"email: linus@acme.example, zone: Europe/Berlin, {linus}"
    )
    return folder(p=FLOW) | {"routing.yml": ROUTING.replace(RULE, rule, 1), "team.yml": team}


def chat_with(db: Database, files: dict[str, str], **browser: Any) -> Chat:
    applied(db, files)
    return Chat(db, known=OWNED, **browser).open()


def falls_through(hours: int) -> str:
    return f"to: {{owner: account}}, else_to: {{pool: small}}, within_hours: {hours}}}"


def routed(chat: Chat) -> list[Any]:
    with chat.db.reading() as tx:
        return [one for one in events.of_conversation(tx, chat.id) if one.name == events.LEAD_ROUTED]


def meeting(chat: Chat) -> Any:
    with chat.db.reading() as tx:
        [found] = booking.of_conversation(tx, chat.id)
        return found


def first(chat: Chat) -> datetime:
    return datetime.fromisoformat(chat.part("slots")["suggested"][0])


def test_owner_with_time_soon_enough_is_the_one_to_meet(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    chat = chat_with(sqlite_db, site(falls_through(24)))
    assert first(chat) == datetime(2026, 3, 2, 10, tzinfo=UTC)
    chat.choose(1)
    assert (meeting(chat).rep, meeting(chat).pool, meeting(chat).passed_over) == ("grace", "", "")
    assert len(routed(chat)) == 1  # nothing more to say


def test_owner_without_time_soon_enough_is_passed_over_and_the_diary_says_why(
    sqlite_db: Database, morning: clock.StoppedClock
) -> None:
    chat = chat_with(sqlite_db, site(falls_through(48), grace=OFF))
    assert first(chat) == datetime(2026, 3, 2, 10, tzinfo=UTC)
    chat.choose(1)
    assert (meeting(chat).rep, meeting(chat).pool, meeting(chat).passed_over) == ("linus", "small", "grace")
    line = routed(chat)[-1]
    assert line.reason == "grace has no free time in the next 48 hours"
    assert line.data == {"kind": "pool", "target": "small", "passed_over": "grace"}
    looked_at = line.trace["looked_at"]
    assert [(one["name"], one["answer"], one["saw"]["first_free"]) for one in looked_at] == [
        ("grace", "no", "2026-03-05T08:00:00+00:00"),
        ("small", "yes", "2026-03-02T10:00:00+00:00"),
    ]


def test_owner_is_waited_for_where_the_rule_has_no_hours(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    chat = chat_with(sqlite_db, site("to: {owner: account}, else_to: {pool: small}}", grace=OFF))
    assert first(chat) == datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert chat.say("anything sooner?") == ["Nothing earlier is free. These are the first:"]
    chat.choose(1)
    assert (meeting(chat).rep, meeting(chat).passed_over) == ("grace", "")


def test_hours_are_counted_to_the_minute(sqlite_db: Database) -> None:
    with clock.stopped_at(datetime(2026, 3, 4, 8, 0, tzinfo=UTC)):  # his first free time is in exactly 24 hours
        chat = chat_with(sqlite_db, site(falls_through(24), grace=OFF))
        assert first(chat) == datetime(2026, 3, 5, 8, tzinfo=UTC)
    with clock.stopped_at(datetime(2026, 3, 4, 7, 59, tzinfo=UTC)):
        chat = chat_with(sqlite_db, site(falls_through(24), grace=OFF), seed="b")
        assert first(chat) == datetime(2026, 3, 4, 9, tzinfo=UTC)


def test_owner_stays_when_nobody_else_has_anything_sooner(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    chat = chat_with(sqlite_db, site(falls_through(24), grace=OFF, linus=OFF))
    assert first(chat) == datetime(2026, 3, 5, 8, tzinfo=UTC)
    chat.choose(1)
    assert (meeting(chat).rep, meeting(chat).passed_over) == ("grace", "")
    assert routed(chat)[-1].reason.endswith("nobody else has one sooner")


@pytest.mark.parametrize("grace", ["active: false,", "hours: [],"])
@pytest.mark.parametrize("rule", [falls_through(24), "to: {owner: account}, else_to: {pool: small}}"])
def test_owner_who_has_left_or_has_no_time_at_all_is_not_waited_for(
    sqlite_db: Database, morning: clock.StoppedClock, grace: str, rule: str
) -> None:
    files = site(rule)
    hours = 'hours: [{days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00"}],'
    if grace.startswith("hours"):
        files["team.yml"] = files["team.yml"].replace(hours, grace, 1)
    else:
        files["team.yml"] = files["team.yml"].replace(GRACE, f"{GRACE} {grace}")
    chat = chat_with(sqlite_db, files)
    chat.choose(1)
    assert (meeting(chat).rep, meeting(chat).pool) == ("linus", "small")


def test_owner_whose_calendar_is_silent_is_not_waited_for(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    files = site("to: {owner: account}, else_to: {pool: small}}")
    files["site.yml"] += "adapters: {calendar: caldav}\n"
    version = applied(sqlite_db, files)
    read = {"spans": [], "problem": "", "read_at": MORNING, "covers_from": MORNING - timedelta(days=30)}
    with sqlite_db.transaction() as tx:  # only Linus' calendar has been read
        through = ids.named_id("connection", version.site_id, "calendar", "caldav")
        row = {"site_id": version.site_id, "rep": "linus", "connection_id": through, "calendar": "linus@acme.example"}
        tx.execute(insert(busy_times).values(**row, **read, covers_until=MORNING + timedelta(days=90)))
    chat = Chat(sqlite_db, known={**OWNED, "lead.name": ""}).open()
    chat.choose(1)
    assert (meeting(chat).rep, meeting(chat).passed_over) == ("linus", "grace")
    assert routed(chat)[-1].reason == "grace has no free time at all"


@pytest.mark.parametrize(("locale", "said"), [("en", "anything sooner?"), ("de", "geht es auch früher?")])
def test_who_wants_it_sooner_gets_the_others_times_beside_the_owners(
    sqlite_db: Database, morning: clock.StoppedClock, locale: str, said: str
) -> None:
    chat = chat_with(sqlite_db, site(falls_through(96), grace=OFF), locale=locale)
    assert first(chat) == datetime(2026, 3, 5, 8, tzinfo=UTC)
    chat.say(said)
    assert first(chat) == datetime(2026, 3, 2, 10, tzinfo=UTC)
    chat.choose(1)
    assert (meeting(chat).rep, meeting(chat).pool, meeting(chat).passed_over) == ("linus", "small", "grace")


def test_a_time_that_the_owner_has_is_his_also_after_asking_for_sooner_ones(
    sqlite_db: Database, morning: clock.StoppedClock
) -> None:
    chat = chat_with(sqlite_db, site(falls_through(96), grace=OFF))
    chat.say("sooner please")
    start = "2026-03-05T08:00:00Z"
    chat.say(start, {"slot": start, "meeting": "demo"})
    assert (meeting(chat).rep, meeting(chat).pool, meeting(chat).passed_over) == ("grace", "", "")


def test_another_length_has_its_own_answer_to_whose_times_they_are(
    sqlite_db: Database, morning: clock.StoppedClock
) -> None:
    chat = chat_with(sqlite_db, site(falls_through(48), grace=OFF))
    chat.say("Short call", {"meeting": "intro"})
    assert first(chat) == datetime(2026, 3, 2, 10, tzinfo=UTC)
    chat.choose(1)
    assert (meeting(chat).type, meeting(chat).passed_over) == ("intro", "grace")


def test_browser_asks_for_more_of_the_owners_times_and_not_of_everybodys(
    sqlite_db: Database, morning: clock.StoppedClock
) -> None:
    files = site(falls_through(96), grace=OFF)
    chat = chat_with(sqlite_db, files)
    token = chat.part("slots")["with"]
    version = applied(sqlite_db, files)
    asked = whose.of_token(version, token)
    assert asked.parties == (("rep", "grace"),)
    chat = Chat(sqlite_db, seed="b").open()
    assert (chat.part("slots")["with"], chat.part("slots")["pool"]) == ("", "small")


def test_night_and_weekend_count_as_hours_too(sqlite_db: Database) -> None:
    with clock.stopped_at(datetime(2026, 3, 6, 17, 0, tzinfo=UTC)):  # Friday evening: Monday morning is 63 hours away
        chat = chat_with(sqlite_db, site(falls_through(48)))
        chat.choose(1)
        assert meeting(chat).passed_over == ""  # the others have nothing sooner either
    assert MORNING.weekday() == 0
