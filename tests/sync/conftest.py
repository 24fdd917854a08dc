"""A site whose CRM is somebody else's: it keeps a log of what it is asked, can be edited by hand, and can be away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from plugins import registry
from plugins.crm import Kind, RemoteField
from plugins.crm.builtin import BuiltinCRM
from plugins.errors import PluginError
from server import clock, events
from server.adapters.records import TableRecords
from server.config import service as config
from server.db import Database
from server.leads import service as leads
from server.leads.values import FieldValue
from server.outbox import service as outbox
from server.sync import service as sync
from server.sync import store
from server.worker import Worker
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import folder

ADA = "Ada@Globex.example"
WRITES = ("upsert_person", "upsert_company", "log_activity", "log_meeting", "convert", "erase")
PRICING = """
audience: {path: [/pricing]}
nodes:
  - {id: hi, say: Hello}
  - {id: need, ask: What do you need?, kind: text, save: need, criterion: need}
  - {id: mail, ask: Your e-mail?, kind: email}
  - {id: meet, book: demo, text: Pick a time.}
  - {id: bye, end: See you!}
"""
MAPPING = """\
fields:
  - {ours: answers.need, theirs: need}
  - {ours: utm.source, theirs: utm_source}
  - {ours: lead.score, theirs: score}
  - {ours: lead.tier, theirs: tier}
"""


class Ledger(BuiltinCRM):
    """The built-in CRM in the part of a stranger's: `asked` is its log, `trouble` what it answers next."""

    name = "ledger"
    title = "Ledger"
    makes_fields = False
    asked: ClassVar[list[str]] = []
    trouble: ClassVar[list[PluginError]] = []
    further: ClassVar[list[RemoteField]] = []

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        public = not name.startswith("_") and callable(found) and name in vars(BuiltinCRM)
        if not public or name in ("ref_of", "check", "edit"):
            return found

        def called(*given: Any, **more: Any) -> Any:
            self.asked.append(name)
            if self.trouble:
                raise self.trouble.pop(0)
            return found(*given, **more)

        return called

    def fields_of(self, kind: Kind) -> list[RemoteField]:
        return [*super().fields_of(kind), *(self.further if kind is Kind.PERSON else [])]


@dataclass
class Town:
    """The site, its database and its CRM."""

    db: Database
    version: config.Version

    @property
    def site_id(self) -> str:
        return self.version.site_id

    @property
    def crm(self) -> Ledger:
        return registry.open("crm", "ledger", {}, records=TableRecords(self.db, self.site_id))

    @property
    def asked(self) -> list[str]:
        return Ledger.asked

    @property
    def written(self) -> list[str]:
        return [name for name in Ledger.asked if name in WRITES]

    def fail(self, *problems: PluginError) -> None:
        Ledger.trouble.extend(problems)

    def work(self) -> None:
        """The back room does all there is to do."""
        worker = Worker(self.db, timetable=())
        for _ in range(80):
            if not worker.round():
                return
        raise AssertionError("the worker finds no end")

    def records(self, kind: str) -> list[dict[str, Any]]:
        """As the CRM keeps them, in the order in which they came."""
        return TableRecords(self.db, self.site_id).find(f"crm.{kind}", {})

    def person(self) -> dict[str, Any]:
        (one,) = self.records("person")
        return one

    def deliveries(self, **of: Any) -> list[Any]:
        with self.db.reading() as tx:
            rows = [row for row in outbox.latest(tx, self.site_id, limit=500) if row.kind == "crm"]
        return [row for row in reversed(rows) if all(getattr(row, name) == value for name, value in of.items())]

    def link(self, kind: str, id: str) -> Any:
        with self.db.reading() as tx:
            (one,) = store.links_about(tx, kind, [id])
        return one

    def meet(self, email: str | None = ADA, **told: Any) -> Any:
        """A lead, with what a form told."""
        origin = told.pop("origin", "form")
        with self.db.transaction() as tx:
            lead, _ = leads.meet(tx, self.site_id, email=email, source="chat", actor=events.BOT)
            values = {"email": email, **told} if email else told
            if email and not email.endswith("gmail.com"):
                leads.join_account(tx, lead.id, leads.account_for(tx, self.site_id, email.split("@")[1]))
            return leads.learn(tx, lead, [FieldValue(name, value, origin) for name, value in values.items()])

    def learn(self, lead: Any, origin: str = "form", **told: Any) -> None:
        with self.db.transaction() as tx:
            leads.learn(tx, lead, [FieldValue(name, value, origin) for name, value in told.items()])

    def chat(self, need: str = "Dashboards", **about: Any) -> Chat:
        talk = Chat(self.db, **about).open()
        talk.say(need)
        return talk

    def rest(self, stopped: clock.StoppedClock, minutes: int = 31) -> None:
        stopped.advance(timedelta(minutes=minutes))
        sync.tell_at_rest(self.db)


@pytest.fixture
def ledger() -> Iterator[type[Ledger]]:
    for kept in (Ledger.asked, Ledger.trouble, Ledger.further):
        kept.clear()
    registry.register(Ledger)
    yield Ledger
    registry.unregister(Ledger)


def town_on(db: Database, mapping: str = MAPPING) -> Town:
    files = folder(pricing=PRICING)
    site = files["site.yml"] + "adapters: {crm: ledger}\n"
    return Town(db, applied(db, {**files, "site.yml": site, "crm.yml": mapping}))


@pytest.fixture
def town(sqlite_db: Database, monday: clock.StoppedClock, ledger: type[Ledger]) -> Town:
    """On SQLite, where the kind of database cannot matter."""
    return town_on(sqlite_db)


@pytest.fixture
def either_town(db: Database, monday: clock.StoppedClock, ledger: type[Ledger]) -> Town:
    """On each kind of database."""
    return town_on(db)


@pytest.fixture
def remap(town: Town) -> Callable[[str], None]:
    """Apply another crm.yml."""

    def apply(text: str) -> None:
        files = {**config.export(town.version), "crm.yml": text}
        town.version = applied(town.db, files)

    return apply
