"""A visitor with a browser, as far as the server can tell: says hello, talks, presses buttons, fills in forms."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.config import service as config
from server.conversations import service as conversations
from server.db import Database
from server.playbooks import service as playbooks
from server.playbooks.memory import Memory
from server.playbooks.service import Hello, Outcome
from server.sections import SECTIONS
from server.visitors.service import Arrival
from tests.playbooks.folder import folder


def applied(db: Database, files: dict[str, str] | None = None, **names: str) -> config.Version:
    """The folder (with these playbooks) as the active version of its site."""
    return config.apply(db, files or folder(**names), author="test", sections=SECTIONS)


@dataclass
class Chat:
    """One browser. `heard`: the messages after the latest thing it did."""

    db: Database
    path: str = "/pricing"
    locale: str = "en"
    zone: str = "Europe/Berlin"
    device: str = "desktop"
    seed: str = "seed"
    page: dict[str, Any] = field(default_factory=dict)
    visit: dict[str, Any] = field(default_factory=lambda: {"count": 1, "pages": []})
    data: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    token: str | None = None
    identity: str | None = None
    opened: playbooks.Opened | None = None
    id: str = ""
    state: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    counter: int = 0
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def open(self, playbook: str = "", after: int = 0) -> Chat:
        page = {
            "url": f"https://acme.example{self.path}",
            "path": self.path,
            "title": "",
            "referrer": "",
            "query": {},
            "utm": {},
        }
        arrival = Arrival(self.device, self.locale, self.zone, self.seed, {**page, **self.page}, self.visit, self.data)
        about = {"known": self.known, "identity": self.identity}
        self.opened = opened = playbooks.open(self.db, Hello("acme", arrival, self.token, after, playbook, **about))
        self.token = opened.token or self.token
        self.id, self.state, self.heard = opened.conversation_id, opened.state, opened.messages
        return self

    def say(self, text: str, value: Mapping[str, Any] | None = None, client_id: str = "") -> list[str]:
        """Say it; what the bot answers."""
        outcome = self.send(text, value, client_id)
        self.id, self.state = outcome.conversation_id, outcome.state
        return self.texts

    def send(self, text: str, value: Mapping[str, Any] | None = None, client_id: str = "") -> Outcome:
        self.counter += 1
        outcome = playbooks.hear(self.db, self.id, client_id or f"{self.name}-{self.counter}", text, value)
        self.heard = [frame["message"] for frame in outcome.frames if frame["t"] == "message"]
        return outcome

    def press(self, option: str) -> list[str]:
        return self.say(option, {"option": option})

    def act(self, action: str) -> list[str]:
        return self.say(action, {"action": action})

    def choose(self, number: int = 1) -> list[str]:
        """The n-th of the times on offer."""
        part = self.part("slots")
        start = [one for day in part["days"] for one in day["slots"]][number - 1]
        return self.say(start, {"slot": start, "meeting": part["meeting"]})

    def fill(self, **form: str) -> list[str]:
        return self.say(", ".join(form.values()), {"form": form})

    @property
    def texts(self) -> list[str]:
        """What the bot said after the latest thing."""
        return [message["text"] for message in self.heard if message["author"] == "bot"]

    @property
    def parts(self) -> list[dict[str, Any]]:
        return [message["part"] for message in self.heard if message["part"]]

    def part(self, kind: str) -> dict[str, Any]:
        """The newest part of a kind among what the bot said."""
        found = [part for part in self.parts if part["kind"] == kind]
        assert found, f"no {kind} in {self.heard}"
        return found[-1]

    @property
    def row(self) -> Any:
        with self.db.reading() as tx:
            return conversations.get(tx, self.id)

    @property
    def memory(self) -> Memory:
        return Memory.of(self.row.engine)

    def thread(self) -> list[tuple[int, str, str]]:
        """Everything said, as it is stored."""
        with self.db.reading() as tx:
            return [(one.seq, one.author, one.text) for one in conversations.messages(tx, self.id)]

    def answers(self) -> dict[str, tuple[Any, str, int | None]]:
        with self.db.reading() as tx:
            found = conversations.answers_of(tx, self.id)
            return {one.criterion: (one.value, one.status, one.message_seq) for one in found}
