"""Systems outside that heard of an erased person: a CRM that can erase is asked to, others are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from plugins import registry
from plugins.crm import CRM, Capability, Kind, Person, Ref
from server.db import Database
from server.privacy import service as privacy
from server.privacy.service import Who
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import folder
from tests.privacy.conftest import ADA, BOB, OWNER, PRICING, Town, talk


class Outside(CRM):
    """A service of somebody else's, where people have numbers."""

    name = "outside"
    title = "Outside"
    capabilities = frozenset({Capability.ERASE})
    known_people: ClassVar[dict[str, str]] = {}
    erased: ClassVar[list[str]] = []

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        known = next(
            (id for id, email in self.known_people.items() if email == person.email), str(700 + len(self.known_people))
        )
        self.known_people[known] = person.email
        return Ref(Kind.PERSON, known)

    def erase(self, person: Ref, *, key: str) -> None:
        self.known_people.pop(person.id, None)
        self.erased.append(person.id)


class Deaf(Outside):
    """The same without a way to erase."""

    name = "deaf"
    capabilities = frozenset()

    def erase(self, person: Ref, *, key: str) -> None:
        raise AssertionError("nobody may ask")


@pytest.fixture(autouse=True)
def _outside() -> Iterator[None]:
    Outside.known_people.clear()
    Outside.erased.clear()
    for adapter in (Outside, Deaf):
        registry.register(adapter)
    yield
    for adapter in (Outside, Deaf):
        registry.unregister(adapter)


def town_with(crm: str, db: Database) -> Town:
    """Ada and Bob have left their addresses; the CRM has heard of both."""
    files = folder(pricing=PRICING)
    version = applied(db, {**files, "site.yml": files["site.yml"] + f"adapters: {{crm: {crm}}}\n"})
    town = Town(db, version, Chat(db).open(), Chat(db, seed="other").open())
    talk(town.ada, "An elephant", ADA, "+49 30 1234567")
    talk(town.bob, "Dashboards", BOB, "+49 30 7654321")
    town.work()
    assert sorted(email.lower() for email in Outside.known_people.values()) == [ADA.lower(), BOB]
    return town


def test_a_crm_that_can_is_asked_to_erase_by_its_own_number(sqlite_db: Database, mails: Path, morning: object):
    town = town_with("outside", sqlite_db)
    (number,) = [id for id, email in Outside.known_people.items() if email != BOB]
    done = privacy.erase(sqlite_db, Who(ADA), by=OWNER)
    assert done.by_hand == []
    (asked,) = [row for row in town.rows("deliveries") if row["operation"] == "erase"]
    assert asked["payload"]["person"] == {"kind": "person", "id": number}
    town.work()
    assert Outside.erased == [number]
    assert list(Outside.known_people.values()) == [BOB]
    assert town.found(ADA) == []


def test_a_crm_that_cannot_is_named_for_the_owner(sqlite_db: Database, mails: Path, morning: object):
    town = town_with("deaf", sqlite_db)
    done = privacy.erase(sqlite_db, Who(ADA), by=OWNER)
    assert done.by_hand == ["crm.deaf"]
    (fact,) = [row for row in town.rows("events") if row["name"] == "person.erased"]
    assert fact["data"]["by_hand"] == ["crm.deaf"]
    town.work()
    assert town.found(ADA) == []
