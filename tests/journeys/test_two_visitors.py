"""Two visitors want the same rep at the same time; and several processes on PostgreSQL are one server."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from server.config import folder
from tests.conftest import empty_postgres
from tests.journeys.conftest import OWNER, Town, town_at
from tests.journeys.visitor import Visitor
from tests.processes import free_port, running, wait_until

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
    with ThreadPoolExecutor() as threads:
        waiting = [threads.submit(wait_by_request, postgres_town, tab) for tab in sockets]
        visitors[1].say("Do you integrate with Salesforce?")
        answers = [one.result() for one in waiting]
    assert all("Do you integrate with Salesforce?" in answer for answer in answers)
    for tab in sockets:
        tab.until(lambda frame: frame["t"] == "message" and "Salesforce, HubSpot" in frame["message"]["text"])


class Desk:
    """A rep in the console, without a browser."""

    def __init__(self, url: str, address: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.post("/sign-in", "/sign-in", email=address, password=OWNER[1])

    def page(self, path: str) -> str:
        answer = self.session.get(self.url + path, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, form_on: str, path: str, **form: str) -> None:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page(form_on))
        assert token
        headers = {"Referer": self.url + form_on}
        self.session.post(
            self.url + path, data={"csrf_token": token[1], **form}, headers=headers, timeout=10
        ).raise_for_status()


@pytest.fixture
def other_server(postgres_town: Town) -> Iterator[str]:
    """A second server on the same database, started by itself."""
    port = free_port()
    arguments = ("-m", "server.serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    address = f"http://127.0.0.1:{port}"
    with running(*arguments, port=port, environment={**postgres_town.environment, "USHER_PUBLIC_URL": address}):
        yield address


def test_a_visitor_on_one_server_talks_with_a_rep_on_another(postgres_town: Town, other_server: str):
    visitor = Visitor(postgres_town.usher_url, postgres_town.site_url)
    conversation = visitor.connect()["conversation"]
    visitor.say("I would like to talk to a person")
    desk, place = Desk(other_server, OWNER[0]), f"/conversations/{conversation}"
    assert "I would like to talk to a person" in desk.page(place)

    desk.post(place, f"{place}/take-over")
    visitor.until(lambda frame: frame["t"] == "state" and frame["state"] == "rep")
    desk.post(place, f"{place}/reply", text="Hello from the other server")
    visitor.until(lambda frame: frame["t"] == "message" and frame["message"]["text"] == "Hello from the other server")
    visitor.send("You are quick")
    wait_until(lambda: "You are quick" in desk.page(place), what="the visitor's words in the console")
    desk.post(place, f"{place}/give-back")
    visitor.until(lambda frame: frame["t"] == "state" and frame["state"] == "bot")
    visitor.say("Do you integrate with Salesforce?")
    assert any("Salesforce, HubSpot" in one["text"] for one in visitor.messages())


def wait_by_request(town: Town, tab: Visitor) -> str:
    """The answer of a request that waits for what is new, from whichever process takes it."""
    known = {"conversation": tab.conversation, "after": max(tab.heard), "state": "bot"}
    body = json.dumps({"frames": [{"t": "resume", "site": "acme", **known}], "wait": True}).encode()
    headers = {"Content-Type": "application/json", "Origin": town.site_url, "Authorization": f"Bearer {tab.token}"}
    with urllib.request.urlopen(urllib.request.Request(f"{town.usher_url}/v1/chat", body, headers), timeout=20) as got:
        return str(got.read().decode())
