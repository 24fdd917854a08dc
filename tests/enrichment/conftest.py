"""A site that asks People Data Labs (the fake), and visitors who come from addresses it knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from plugins.testing.fakes.pdl import KEY, PdlFake
from server import clock, settings
from server.config import service as config
from server.conversations import service as conversations
from server.db import Database
from server.enrichment import sources
from server.leads import service as leads
from server.playbooks import service as playbooks
from server.playbooks.memory import Memory
from server.playbooks.service import Hello, Opened
from server.worker import Worker
from tests.conftest import MONDAY_MORNING
from tests.playbooks.chat import applied
from tests.playbooks.folder import folder
from tests.processes import wait_until

GLOBEX, UNKNOWN, OFFICE = "8.8.4.4", "9.9.9.9", "192.168.1.7"
COMPANY = {"display_name": "Globex", "website": "globex.com", "industry": "energy", "employee_count": 900}
GREETING = """
nodes:
  - {id: hi, say: "Hello {{ account.name | default('stranger') }}!"}
  - {id: need, ask: "What do {{ account.employees | default('you few') }} of you need?", kind: text, save: need}
  - {id: mail, ask: "Thanks, {{ account.name | default('stranger') }}. Your e-mail?", kind: email}
  - {id: bye, end: Bye}
"""
PLAIN = """
nodes:
  - {id: hi, say: Hello!}
  - {id: need, ask: What do you need?, kind: text, save: need}
  - {id: mail, ask: "Thanks, {{ account.name | default('stranger') }}. Your e-mail?", kind: email}
  - {id: bye, end: Bye}
"""
PERSON = {
    "full_name": "ada lovelace", "first_name": "ada", "last_name": "lovelace", "job_title": "head of engines",
    "job_title_levels": ["director"], "job_title_role": "engineering", "job_company_name": "globex",
    "job_company_website": "globex.com",
}  # fmt: skip


@dataclass
class Place:
    """The site, its service and its database."""

    db: Database
    fake: PdlFake
    version: config.Version

    def hello(self, address: str = GLOBEX, **frame: Any) -> Opened:
        page = {
            "url": "https://acme.example/pricing",
            "path": "/pricing",
            "title": "",
            "referrer": "",
            "query": {},
            "utm": {},
        }
        said = {"site": "acme", "seed": "0.5", "page": page, "device": "desktop", "locale": "en", "zone": "", **frame}
        return playbooks.open(self.db, Hello.from_frame(said, address=address))

    def say(self, opened: Opened, text: str) -> list[str]:
        outcome = playbooks.hear(self.db, opened.conversation_id, text, text)
        said = [frame["message"] for frame in outcome.frames if frame["t"] == "message"]
        return [one["text"] for one in said if one["author"] == "bot"]

    def company(self, opened: Opened) -> dict[str, Any]:
        with self.db.reading() as tx:
            return Memory.of(conversations.get(tx, opened.conversation_id).engine).company

    def landed(self, opened: Opened) -> dict[str, Any]:
        wait_until(lambda: self.company(opened), what="the late answer")
        return self.company(opened)

    def work(self) -> None:
        worker = Worker(self.db)
        for _ in range(60):
            if not worker.round():
                return
        raise AssertionError("the worker finds no end")

    def known(self, lead_id: str) -> leads.Known:
        with self.db.reading() as tx:
            return leads.known(tx, lead_id)

    @property
    def asked(self) -> list[str]:
        return [f"{one.path} {one.url.partition('?')[2]}" for one in self.fake.asked]

    def paths(self) -> list[str]:
        return [one.path for one in self.fake.asked]


def texts(opened: Opened) -> list[str]:
    return [one["text"] for one in opened.messages if one["author"] == "bot"]


@pytest.fixture(scope="session")
def _pdl() -> Iterator[PdlFake]:
    with PdlFake() as fake:
        yield fake


@pytest.fixture
def fake(_pdl: PdlFake, monkeypatch: pytest.MonkeyPatch) -> Iterator[PdlFake]:
    """A service that knows Globex by its network and its domain, and Ada by her address."""
    for kept in (_pdl.asked, _pdl.addresses, _pdl.companies, _pdl.people):
        kept.clear()
    _pdl.faults.clear()
    _pdl.credits = 1000
    _pdl.addresses[GLOBEX] = {**COMPANY, "employee_count": None, "confidence": "high"}
    _pdl.companies["globex.com"] = {**COMPANY, "likelihood": 9}
    _pdl.people["ada@globex.com"] = {"likelihood": 9, "data": PERSON}
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("USHER_ENRICHMENT_PDL_KEY", KEY)
    monkeypatch.setenv("USHER_ENRICHMENT_PDL_BASE_URL", _pdl.url)
    settings.get.cache_clear()
    sources.look_again()
    yield _pdl
    monkeypatch.undo()
    settings.get.cache_clear()


def site(*lines: str, playbook: str = GREETING, names: str = "pdl, builtin") -> dict[str, str]:
    """Acme's folder with these further lines in site.yml."""
    files = folder(p=playbook)
    files["site.yml"] += "\n".join([f"adapters: {{enrichment: [{names}]}}", *lines]) + "\n"
    return files


def placed(db: Database, fake: PdlFake, *lines: str, playbook: str = GREETING, names: str = "pdl, builtin") -> Place:
    version = applied(db, site(*lines, playbook=playbook, names=names))
    sources.look_again()
    return Place(db, fake, version)


@pytest.fixture
def stopped() -> Iterator[clock.StoppedClock]:
    with clock.stopped_at(MONDAY_MORNING) as stopped:
        yield stopped


@pytest.fixture
def place(sqlite_db: Database, fake: PdlFake, stopped: clock.StoppedClock) -> Place:
    return placed(sqlite_db, fake)
