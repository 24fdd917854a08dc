"""When the site is closed: times to book, or the queue of the morning, as routing says; holidays are closed too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server import clock
from server.db import Database
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import ROUTING, SITE, TEAM, folder

OPEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # Monday, 10:00 in Berlin
LAST = datetime(2026, 3, 2, 16, 59, tzinfo=UTC)
EVENING = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # 18:00: the hours have ended
SATURDAY = datetime(2026, 3, 7, 11, 0, tzinfo=UTC)
HOLIDAY = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)  # a Friday, Labour Day
OWN_HOLIDAY = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
CLOCKS = datetime(2026, 3, 30, 7, 0, tzinfo=UTC)  # 9:00 in Berlin, an hour earlier in UTC since Sunday

NODES = """nodes:
  - {id: q, ask: Anything?, kind: choice, options: [{id: a, label: Apples}]}
"""
QUEUED = ROUTING.replace("- {id: rest, to: {pool: small}}", "- {id: rest, to: {queue: sdr}}")


def site(after_hours: str) -> dict[str, str]:
    holidays = 'holidays: {country: DE, subdivision: BE, dates: ["2026-05-04"]}\n'
    team = TEAM.replace("after_hours: queue", f"after_hours: {after_hours}")
    return folder(p=NODES) | {"site.yml": SITE + holidays, "team.yml": team, "routing.yml": QUEUED}


@pytest.mark.parametrize("at", [OPEN, LAST, CLOCKS])
@pytest.mark.parametrize("after_hours", ["booking", "queue"])
def test_while_the_site_is_open_a_person_comes(sqlite_db: Database, at: datetime, after_hours: str) -> None:
    with clock.stopped_at(at):
        applied(sqlite_db, site(after_hours))
        chat = Chat(sqlite_db).open()
        chat.act("person")
        assert chat.part("handoff")["eta_seconds"] is not None
        assert chat.state == "waiting_rep"


@pytest.mark.parametrize("at", [EVENING, SATURDAY, HOLIDAY, OWN_HOLIDAY])
def test_when_it_is_closed_times_are_offered_where_routing_says_booking(sqlite_db: Database, at: datetime) -> None:
    with clock.stopped_at(at):
        applied(sqlite_db, site("booking"))
        chat = Chat(sqlite_db).open()
        chat.act("person")
        assert chat.state == "bot"
        part = chat.part("slots")
        assert datetime.fromisoformat(part["suggested"][0]) > at
        for day in part["days"]:  # nobody is booked on a holiday either
            assert day["date"] not in ("2026-05-01", "2026-05-04")


@pytest.mark.parametrize("at", [EVENING, SATURDAY, HOLIDAY, OWN_HOLIDAY])
def test_when_it_is_closed_the_chat_waits_for_the_morning_where_routing_says_queue(
    sqlite_db: Database, at: datetime
) -> None:
    with clock.stopped_at(at):
        applied(sqlite_db, site("queue"))
        chat = Chat(sqlite_db).open()
        chat.act("person")
        assert (chat.state, chat.part("handoff")["eta_seconds"]) == ("waiting_rep", None)
        assert chat.parts[-1] == {"kind": "input", "input": "email", "placeholder": ""}


@pytest.mark.parametrize(("at", "kind"), [(OPEN, "queue"), (EVENING, "booking_only"), (HOLIDAY, "booking_only")])
def test_a_booking_in_the_flow_offers_times_at_any_hour(sqlite_db: Database, at: datetime, kind: str) -> None:
    files = site("booking") | {"playbooks/p.yml": "nodes:\n  - {id: r, route: default}\n  - {id: meet, book: demo}\n"}
    with clock.stopped_at(at):
        applied(sqlite_db, files)
        chat = Chat(sqlite_db).open()
        assert (chat.memory.routed or {})["kind"] == kind
        assert chat.part("slots")["days"]
