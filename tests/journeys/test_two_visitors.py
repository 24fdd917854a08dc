"""Two visitors want the same rep at the same time; and several processes on PostgreSQL are one server."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from server.config import folder
from tests.conftest import empty_postgres
from tests.journeys.conftest import Town, town_at
from tests.journeys.visitor import Visitor

GRACE_ALONE = """
pools:
  - {id: enterprise, members: [grace]}
  - {id: smb, members: [grace]}
"""


def only_grace(files: folder.Files) -> None:
    """Every pool has one member, so that every time can be given once."""
    head, tail = files["team.yml"].split("\npools:\n", 1)
    rest = tail[tail.index("\nqueues:") :] if "\nqueues:" in tail else ""
    files["team.yml"] = head + GRACE_ALONE + rest


@pytest.fixture
def small_town(assets, tmp_path) -> Iterator[Town]:
    with town_at(tmp_path, only_grace) as settled:
        yield settled


def qualified(town: Town) -> Visitor:
    visitor = Visitor(town.usher_url, town.site_url)
    visitor.connect()
    for text in ("250 people", "replacing a tool", "this quarter"):
        visitor.say(text)
    return visitor


def choose(visitor: Visitor, start: str) -> None:
    visitor.say("that one", {"slot": start, "meeting": visitor.part("slots")["meeting"]})


def test_one_of_two_visitors_gets_the_time_and_the_other_the_nearest_ones(small_town: Town):
    visitors = [qualified(small_town) for _ in range(2)]
    start = visitors[0].part("slots")["suggested"][0]
    assert start in visitors[1].part("slots")["suggested"]
    both = [threading.Thread(target=choose, args=(one, start)) for one in visitors]
    [one.start() for one in both]
    [one.join() for one in both]

    newest = sorted(one.messages()[-1]["part"]["kind"] for one in visitors)
    assert newest == ["form", "slots"]
    winner, other = sorted(visitors, key=lambda one: one.messages()[-1]["part"]["kind"])
    offered = other.part("slots")
    assert start not in offered["suggested"]
    assert start not in [slot for day in offered["days"] for slot in day["slots"]]
    for visitor, address in ((winner, "ada@globex.example"), (other, "bob@initrode.example")):
        if visitor is other:
            choose(visitor, offered["suggested"][0])
        visitor.say("it is me", {"form": {"name": "A Person", "email": address}})
    assert winner.part("meeting")["meeting"]["start"] == start
    assert other.part("meeting")["meeting"]["start"] != start


@pytest.fixture
def postgres_town(assets, tmp_path, postgres_url, request) -> Iterator[Town]:
    with town_at(tmp_path, database_url=empty_postgres(postgres_url, request), workers=2) as settled:
        yield settled


def test_two_processes_on_postgresql_are_one_server(postgres_town: Town):
    """What is said in one tab reaches the others, whichever process holds their sockets; a booking is known to all."""
    visitors = [qualified(postgres_town) for _ in range(6)]
    chosen = visitors[0].part("slots")["suggested"][0]
    choose(visitors[0], chosen)
    visitors[0].say("me", {"form": {"name": "Ada", "email": "ada@globex.example"}})
    assert visitors[0].part("meeting")["meeting"]["start"] == chosen
    postgres_town.postbox.wait_for("ada@globex.example", 1)

    sockets = [Visitor(postgres_town.usher_url, postgres_town.site_url) for _ in range(6)]
    for tab in sockets:
        tab.token = visitors[1].token
        tab.seed = visitors[1].seed
    assert len({tab.connect()["conversation"] for tab in sockets}) == 1
    visitors[1].say("Do you integrate with Salesforce?")
    for tab in sockets:
        tab.until(lambda frame: frame["t"] == "message" and "Salesforce, HubSpot" in frame["message"]["text"])
