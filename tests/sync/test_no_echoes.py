"""Two sides change the same fields in any order, and answers are lost: they come to agree, and then fall silent."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from plugins.crm import Kind, Ref
from plugins.errors import AmbiguousOutcome
from plugins.testing.fakes import Fault
from plugins.testing.fakes.dataverse import DataverseFake
from plugins.testing.fakes.hubspot import KEY, HubSpotFake
from server import clock, settings
from server.db import Database
from server.leads import service as leads
from server.sync import fates
from server.sync import service as sync
from tests.playbooks.chat import applied
from tests.playbooks.folder import folder
from tests.sync.conftest import PRICING, Ledger, Town, town_on

SOAK = bool(os.environ.get("USHER_SOAK"))
STEPS = 14
FIELDS = ("title", "phone")


class Side:
    """A CRM as its own people use it."""

    seeds = range(150 if SOAK else 3)

    def __init__(self, town: Town) -> None:
        self.town = town

    def edit(self, name: str, value: str) -> None:
        self.town.crm.edit(self.ref, {name: value})

    def get(self, name: str) -> Any:
        return self.town.person().get(name)

    @property
    def ref(self) -> Ref:
        return Ref(Kind.PERSON, self.town.person()["id"])

    def lose_an_answer(self) -> None:
        """The next write arrives, and nobody hears of it."""
        if "upsert_person" in vars(Ledger):
            return
        upsert = Ledger.upsert_person

        def lost(crm: Ledger, person: Any, *, key: str) -> Any:
            del Ledger.upsert_person
            upsert(crm, person, key=key)
            raise AmbiguousOutcome("cut")

        Ledger.upsert_person = lost  # type: ignore[method-assign]

    def heal(self) -> None:
        Ledger.__dict__.get("upsert_person") and delattr(Ledger, "upsert_person")

    @property
    def writes(self) -> int:
        return len(self.town.written)


class HubSpotSide(Side):
    NAMES = {"title": "jobtitle", "phone": "phone"}
    seeds = range(40) if SOAK else range(3, 4)

    def __init__(self, town: Town, fake: HubSpotFake) -> None:
        super().__init__(town)
        self.fake = fake

    @property
    def record(self) -> Any:
        (one,) = self.fake.portal.of("contacts")
        return one

    def edit(self, name: str, value: str) -> None:
        self.fake.edit("contacts", self.record.id, {self.NAMES[name]: value})

    def get(self, name: str) -> Any:
        return self.record.properties.get(self.NAMES[name])

    def lose_an_answer(self) -> None:
        self.fake.faults.add(Fault(504, done=True), on=f"PATCH {self.path}", times=1)

    path = "/crm/objects"

    def heal(self) -> None:
        self.fake.faults.clear()

    @property
    def writes(self) -> int:
        reads = ("/batch/read", "/search", "/token")
        return sum(one.method != "GET" and not one.path.endswith(reads) for one in self.fake.asked)


class DynamicsSide(HubSpotSide):
    NAMES = {"title": "jobtitle", "phone": "telephone1"}
    path = "/api/data"

    @property
    def record(self) -> Any:
        (one,) = self.fake.all_of("lead", "contact")
        return one

    def edit(self, name: str, value: str) -> None:
        table = "lead" if self.fake.all_of("lead") else "contact"
        self.fake.edit(table, self.record[f"{table}id"], **{self.NAMES[name]: value})

    def get(self, name: str) -> Any:
        return self.record.get(self.NAMES[name])


def _environment(monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, str]) -> None:
    for field, value in given.items():
        monkeypatch.setenv(f"USHER_CRM_{name.upper()}_{field.upper()}", value)
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()


def _town(db: Database, name: str) -> Town:
    files = folder(pricing=PRICING)
    site = files["site.yml"] + f"adapters: {{crm: {name}}}\n"
    return Town(db, applied(db, {**files, "site.yml": site, "crm.yml": "interactions: []\n"}))


@pytest.fixture(params=["builtin", "hubspot", "dynamics"])
def side(
    request: pytest.FixtureRequest, sqlite_db: Database, monday: clock.StoppedClock, monkeypatch: pytest.MonkeyPatch,
    ledger: type[Ledger],
) -> Iterator[Side]:  # fmt: skip
    if request.param == "builtin":
        made = Side(town_on(sqlite_db))
        yield made
        made.heal()
        return
    fake: Any = HubSpotFake() if request.param == "hubspot" else DataverseFake()
    with fake:
        if request.param == "hubspot":
            _environment(monkeypatch, "hubspot", {"token": KEY, "base_url": fake.url})
            yield HubSpotSide(_town(sqlite_db, "hubspot"), fake)
        else:
            signed = {"tenant": fake.tenant, "client_id": fake.client_id, "client_secret": fake.client_secret}
            _environment(monkeypatch, "dynamics", {"base_url": fake.url, "login_url": fake.url, **signed})
            yield DynamicsSide(_town(sqlite_db, "dynamics"), fake)
    settings.get.cache_clear()


def read(side: Side, monday: clock.StoppedClock) -> None:
    monday.advance(timedelta(seconds=3))  # a CRM may be asked so often only
    sync.read_at_once(side.town.db, side.town.site_id)
    sync.follow(side.town.db, side.town.site_id)


def settle(side: Side, monday: clock.StoppedClock) -> None:
    """Nobody says anything any more."""
    for _ in range(4):
        monday.advance(timedelta(minutes=20))
        side.town.work()
        read(side, monday)
    side.town.work()


def ours(side: Side, lead: Any) -> dict[str, tuple[Any, str]]:
    with side.town.db.reading() as tx:
        rows = sorted(leads.values_of(tx, lead.id), key=lambda row: row.rank)
        return {row.field: (row.value, row.origin) for row in rows}


def test_both_sides_come_to_agree_and_then_fall_silent(side, monday):
    for seed in side.seeds:
        lead = story(side, monday, random.Random(seed), f"p{seed}@globex.example")
        settle(side, monday)
        known = ours(side, lead)
        for name in FIELDS:
            assert fates.same(known[name][0], side.get(name)), (seed, name, known[name], side.get(name))
        before = side.writes
        settle(side, monday)
        assert side.writes == before, seed
        forget(side, lead, monday)


def story(side: Side, monday: clock.StoppedClock, chance: random.Random, email: str) -> Any:
    """A lead, and what a handful of people do with it at the same time."""
    town, people = side.town, {"human": dict[str, str]()}
    lead = town.meet(email, name="Ada Byron", title="T0", phone="+49 30 100")
    town.work()
    read(side, monday)

    def visitor(name: str, value: str) -> None:
        town.learn(lead, **{name: value})

    def person(name: str, value: str) -> None:
        people["human"][name] = value
        town.learn(lead, origin="human", **{name: value})

    deeds: list[Callable[[str, str], Any]] = [
        visitor, visitor, person, side.edit, side.edit, lambda *_: town.work(), lambda *_: town.work(),
        lambda *_: read(side, monday), lambda *_: read(side, monday), lambda *_: side.lose_an_answer(),
        lambda *_: monday.advance(timedelta(minutes=chance.choice((1, 7)))),
    ]  # fmt: skip
    for number in range(STEPS):
        name = chance.choice(FIELDS)
        deed = chance.choice(deeds if chance.random() < 0.9 else deeds[5:])
        deed(name, f"+49 30 {number + 101}" if name == "phone" else f"T{number + 1}")
    side.heal()
    for name, value in people["human"].items():
        settle(side, monday)
        assert side.get(name) == value, (email, name, "what a person here said stands on both sides")
    return lead


def forget(side: Side, lead: Any, monday: clock.StoppedClock) -> None:
    """The record goes, so that the next story has one of its own."""
    if isinstance(side, DynamicsSide):
        side.fake.remove("lead", side.record["leadid"])
    elif isinstance(side, HubSpotSide):
        side.fake.portal.archive("contacts", side.record.id)
    else:
        side.town.crm.erase(side.ref, key=f"gone {lead.id}")
    read(side, monday)
