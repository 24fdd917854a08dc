"""Two people who have to do with each other: Ada is erased, Bob stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from plugins.enrichment import Capability
from server import clock, events, settings
from server.adapters import connections
from server.booking import service as booking
from server.config import service as config
from server.db import Database, metadata, migrate
from server.db.scrubbing import compact
from server.enrichment.asking import Question
from server.privacy.service import Who
from server.sync import service as sync
from server.worker import Worker
from tests.conftest import import_all_tables
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import MORNING

ADA, BOB = "Ada@Wonka.example", "bob@wonka.example"
TRACES = ("ada@wonka.example", "ada%40wonka.example", "Lovelace", "+49301234567", "purple elephant")
"""What nobody may find any more."""
PRICING = """
audience: {path: [/pricing]}
nodes:
  - {id: hi, say: Hello}
  - {id: need, ask: What do you need?, kind: text, save: need, criterion: need}
  - {id: mail, ask: Your e-mail?, kind: email}
  - {id: phone, ask: Your phone?, kind: phone}
  - {id: later, enrol: long-term}
  - {id: meet, book: demo, text: Pick a time.}
  - {id: bye, end: See you!}
"""
OWNER = events.Actor("user", "usr_1", "Olga Owner")


@dataclass
class Town:
    """The site and its two visitors."""

    db: Database
    version: config.Version
    ada: Chat
    bob: Chat

    @property
    def who(self) -> Who:
        return Who(ADA)

    def work(self) -> None:
        """The back room does all there is to do."""
        worker = Worker(self.db)
        for _ in range(50):
            if not worker.round():
                return
        raise AssertionError("the worker finds no end")

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.db.reading() as tx:
            return [dict(row._mapping) for row in tx.execute(select(metadata.tables[table]))]

    def everything(self) -> dict[str, str]:
        """All rows of all tables as text."""
        whole = {name: json.dumps(self.rows(name), default=str, ensure_ascii=False) for name in metadata.tables}
        return {name: text.replace(r"\r\n ", "") for name, text in whole.items()}  # invitations fold their lines

    def found(self, *traces: str) -> list[tuple[str, str]]:
        """In which table which of the traces (Ada's, if none is given) stands."""
        whole = {name: text.casefold() for name, text in self.everything().items()}
        return [(name, one) for name, text in whole.items() for one in traces or TRACES if one.casefold() in text]

    def meetings(self, chat: Chat) -> list[Any]:
        with self.db.reading() as tx:
            return list(booking.of_conversation(tx, chat.id))


def book(db: Database, version: config.Version, email: str, start: datetime, **more: Any) -> Any:
    """A meeting booked by a form on the site."""
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=start)
        return booking.confirm(tx, version, held.id, name=email.split("@")[0].title(), email=email, **more)


def talk(chat: Chat, need: str, email: str, phone: str) -> Chat:
    chat.say(need)
    chat.say(email)
    chat.say(phone)
    return chat


@contextmanager
def mail_to(folder: Path) -> Iterator[Path]:
    """Mail goes into this folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USHER_MAIL_TO", "mailbox")
        patch.setenv("USHER_MAILBOX_DIR", str(folder))
        settings.get.cache_clear()
        yield folder
    settings.get.cache_clear()


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "mails").mkdir()
    with mail_to(tmp_path / "mails") as folder:
        yield folder


def settle(db: Database) -> Town:
    """Ada and Bob have talked and booked; Ada is also a guest of Bob's meeting; everybody has been told."""
    version = applied(db, pricing=PRICING)
    page = {"url": "https://acme.example/pricing?for=ada%40wonka.example", "query": {"for": ADA}}
    seen = {"count": 2, "pages": [{"path": "/", "title": "Home of Ada Lovelace", "seconds": 3}]}
    ada = Chat(db, data={"mail": ADA}, page=page, visit=seen).open()
    bob = Chat(db, seed="other", data={"plan": "pro"}).open()
    talk(ada, "A purple elephant for twelve people", ADA, "+49 30 1234567")
    ada.choose(2)
    ada.fill(name="Ada Lovelace", email=ADA)
    talk(bob, "Dashboards", BOB, "+49 30 7654321")
    bob.say("Please invite ada@wonka.example too")
    book(db, version, BOB, datetime.fromisoformat("2026-03-03T10:00:00Z"), guests=["ada@wonka.example"])
    town = Town(db, version, ada, bob)
    town.work()
    look_up(town)
    hear_from_a_service(town)
    compare_after_an_edit(town)
    return town


def look_up(town: Town) -> None:
    """A service was asked about both of them."""
    facts = {"facts": {"name": {"value": "Ada Lovelace", "confidence": 0.9, "source": "Register"}}}
    about = {"source": "con_register", "site_id": town.version.site_id, "operation": "person_by_email", "claim": ""}
    times = {"asked_at": clock.now(), "expires_at": clock.now() + timedelta(days=14)}
    questions = [Question(Capability.PERSON_BY_EMAIL, email).digest(town.version.site_id) for email in (ADA, BOB)]
    rows = [
        {**about, **times, "question": one, "facts": told} for one, told in zip(questions, (facts, {}), strict=True)
    ]
    with town.db.transaction() as tx:
        tx.execute(metadata.tables["enrichment_answers"].insert(), rows)


def hear_from_a_service(town: Town) -> None:
    """A service has called to say something of Ada."""
    row = {
        "connection_id": "con_register", "id": "1", "site_id": town.version.site_id, "kind": "crm",
        "payload": {"email": ADA, "name": "Ada Lovelace"}, "state": "done", "received_at": clock.now(),
        "settled_at": clock.now(), "not_before": clock.now(), "attempts": 1, "problem": "",
    }  # fmt: skip
    with town.db.transaction() as tx:
        tx.execute(metadata.tables["hook_messages"].insert(), [row])


def compare_after_an_edit(town: Town) -> None:
    """Somebody gives Ada another name in the CRM; the comparison finds it."""
    crm = connections.open_built_in(town.db, town.version.site_id, "crm")
    crm.edit(crm.ref_of(ADA), {"name": "Ada King Lovelace"})
    sync.compare(town.db, town.version.site_id)


@pytest.fixture(scope="package")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The town as it is before anybody is erased, in a SQLite file to be copied."""
    import_all_tables()
    folder = tmp_path_factory.mktemp("privacy")
    db = Database(f"sqlite:///{folder}/settled.db")
    migrate.upgrade(db)
    with clock.stopped_at(MORNING), mail_to(folder):
        town = settle(db)
    compact(db)
    db.close()
    return town


@pytest.fixture
def town(settled: Town, tmp_path: Path, mails: Path, morning: clock.StoppedClock) -> Iterator[Town]:
    """A copy of the town."""
    path = tmp_path / "town.db"
    shutil.copy(str(settled.db.url.database), path)
    copied = Database(f"sqlite:///{path}")
    yield replace(settled, db=copied, ada=replace(settled.ada, db=copied), bob=replace(settled.bob, db=copied))
    copied.close()


@pytest.fixture
def fresh(db: Database, mails: Path, morning: clock.StoppedClock) -> Town:
    """A town of its own, on each kind of database."""
    return settle(db)


@pytest.fixture
def morning() -> Iterator[clock.StoppedClock]:
    with clock.stopped_at(MORNING) as stopped:
        yield stopped
