"""docs/protocol.md against the code: every frame, field and part that one has and the other lacks is a fault."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from simple_websocket import ConnectionClosed

from server import live
from server.config import folder
from server.config import service as config
from server.conversations import service as conversations
from server.conversations.frames import FORGOTTEN, state_frame
from server.db import Database
from server.playbooks.people import agent
from server.sections import SECTIONS
from server.web.chat import Talk
from server.web.frames import FRAMES
from tests.processes import ROOT

DOC = (ROOT / "docs" / "protocol.md").read_text()
ORIGIN = "http://localhost:8010"
PAGE = {"url": ORIGIN + "/pricing", "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    below = DOC.split(f"{heading}\n", 1)[1]
    table = re.search(r"(\|.*\|\n)+", below)
    assert table
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table[0].splitlines()[2:]]


def fields(cell: str) -> tuple[set[str], set[str]]:
    """Needed and optional field names of a table's cell; braces hold shapes, which are not fields of the frame."""
    cell = re.sub(r"`?\{[^}]*\}`?", "", cell)
    found = re.findall(r"`(\w+)(\??)[`:]", cell)
    return {name for name, mark in found if not mark}, {name for name, mark in found if mark}


def test_the_visitors_frames_are_those_of_the_page():
    written = {kind.strip("`"): fields(cell) for kind, cell, _ in rows("### From the visitor")}
    assert written == {kind: (set(shape.needed), set(shape.optional)) for kind, shape in FRAMES.items()}


class Link:
    """Stands where the socket would: gives the visitor's frames, keeps the server's."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.ended: tuple[int, str] | None = None
        self.waiting: list[str] = []

    def receive(self) -> str:
        if not self.waiting:
            raise ConnectionClosed(1000, "")
        return self.waiting.pop(0)

    def send_frame(self, frame: Any) -> None:
        self.sent.append(json.loads(json.dumps(frame)))

    def end(self, code: int, reason: str = "") -> None:
        self.ended = (code, reason)


@pytest.fixture
def version(sqlite_db: Database, monday: Any) -> config.Version:
    return config.apply(sqlite_db, folder.load(ROOT / "server" / "sample"), author="tests", sections=SECTIONS)


@pytest.fixture
def talk(sqlite_db: Database, version: config.Version) -> Iterator[Any]:
    """`talk(frames…)`: a socket that says hello and then these; what the server sent."""
    links = []

    def run(*frames: dict[str, Any], origin: str | None = ORIGIN, first: dict[str, Any] | None = None) -> Link:
        link = Link()
        links.append(link)
        link.waiting = [json.dumps(frame) for frame in (first or hello(), *frames)]
        with contextlib.suppress(ConnectionClosed):
            Talk(link, sqlite_db, origin, "127.0.0.1").run()
        return link

    return run


def hello(**more: Any) -> dict[str, Any]:
    seed = {
        "device": "desktop",
        "locale": "en",
        "zone": "Europe/Berlin",
        "seed": "s",
        "visit": {"count": 1, "pages": []},
    }
    return {"t": "hello", "site": "acme", "page": PAGE, **seed, **more}


def say(n: int, text: str, **value: Any) -> dict[str, Any]:
    return {"t": "say", "id": f"c{n}", "text": text, **({"value": value} if value else {})}


def documented_server_frames() -> dict[str, tuple[set[str], set[str]]]:
    return {kind.strip("`"): fields(cell) for kind, cell, _ in rows("### From the server")}


def check(frames: list[dict[str, Any]]) -> set[str]:
    """Each frame has the fields of the page, no more and no less; the kinds seen."""
    written = documented_server_frames()
    for frame in frames:
        needed, optional = written[frame["t"]]
        assert needed <= set(frame) - {"t"} <= needed | optional, frame
    return {frame["t"] for frame in frames}


def test_the_servers_frames_are_those_of_the_page(talk, sqlite_db, version):
    link = talk(say(1, "250 people"), say(2, "x" * 4001), {"t": "ping"}, {"t": "dance"}, {"t": "typing"})
    seen = check(link.sent)
    with sqlite_db.reading() as tx:
        row = conversations.get(tx, link.sent[0]["conversation"])
        seen |= check([state_frame("rep", dict(agent(version, row)))])
    seen |= check([FORGOTTEN])
    assert seen | {"typing"} == set(documented_server_frames())


def test_every_part_is_as_the_page_says(talk):
    written = {kind.strip("`"): fields(cell) for kind, cell in rows("what to show below it:")}
    frames = [
        *booked(talk),
        *talk(say(1, "15"), say(2, "I am a student"), first=hello(seed="student")).sent,
        *talk(say(1, "Who wins the cup?"), say(2, "talk to a person"), first=hello(seed="curious")).sent,
        *talk(say(1, "12"), say(2, "new"), say(3, "no plan"), first=hello(seed="small")).sent,
    ]
    seen = set()
    for message in messages(frames):
        if part := message["part"]:
            needed, optional = written[part["kind"]]
            assert needed <= set(part) - {"kind"} <= needed | optional, part
            seen.add(part["kind"])
    assert seen == set(written)


def booked(talk: Any) -> list[dict[str, Any]]:
    opening = [say(1, "250"), say(2, "replace"), say(3, "quarter")]
    link = talk(*opening)
    offer = next(one["part"] for one in messages(link.sent) if one["part"] and one["part"]["kind"] == "slots")
    token = link.sent[0]["token"]
    chosen = say(4, "that", slot=offer["suggested"][0], meeting=offer["meeting"])
    told = say(5, "Ada", form={"name": "Ada", "email": "ada@globex.example"})
    return [*link.sent, *talk(chosen, told, first=hello(token=token)).sent]


def messages(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [frame["message"] for frame in frames if frame["t"] == "message"]
    return found + [one for frame in frames if frame["t"] == "welcome" for one in frame["messages"]]


def test_a_message_has_the_fields_of_the_page(talk):
    example = re.search(r"### Message\n\n```json\n(.*?)\n```", DOC, re.S)
    assert example
    names = set(re.findall(r'(?:^\{| )"(\w+)":', re.sub(r'\{"title".*?\}', "", example[1])))
    assert all(set(message) == names for message in messages(talk(say(1, "250")).sent))


@pytest.mark.parametrize(
    ("first", "origin", "code"),
    [
        (hello(site="nobody"), ORIGIN, 4404),
        (hello(), "https://evil.example", 4403),
        (hello(), None, 4403),
        (hello(), "null", 4403),
        ({"t": "say", "id": "1", "text": "x"}, ORIGIN, 4400),
    ],
)
def test_the_socket_ends_with_the_codes_of_the_page(talk, first, origin, code):
    link = talk(first=first, origin=origin)
    assert link.ended
    assert link.ended[0] == code
    assert str(code) in DOC
    assert link.sent == []


def test_what_one_tab_says_the_other_hears(talk, sqlite_db):
    link = talk(say(1, "250"))
    heard: list[Any] = []
    end = live.subscribe(f"conversation:{link.sent[0]['conversation']}", heard.append)
    talk(say(2, "replace"), first=hello(token=link.sent[0]["token"]))
    end()
    assert [message["text"] for message in messages(heard)][:1] == ["replace"]


def test_the_same_message_sent_twice_is_one(talk):
    link = talk(say(1, "250"), say(1, "250"))
    acks = [frame for frame in link.sent if frame["t"] == "ack"]
    assert acks == [{"t": "ack", "id": "c1", "seq": acks[0]["seq"]}] * 2
    assert [m["text"] for m in messages(link.sent) if m["author"] == "visitor"] == ["250"]


def test_a_foreign_token_opens_nobodys_conversation(talk):
    mine = talk(say(1, "250")).sent[0]
    other = talk(first=hello(token="x" * 43, seed="other")).sent[0]
    assert other["conversation"] != mine["conversation"]
    assert other["token"] != mine["token"]
