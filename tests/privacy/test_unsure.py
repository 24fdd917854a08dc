"""A CRM that got word of an erased person and closed before it answered: it is asked, or named for the owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import update

from plugins import registry
from plugins.crm import CRM, Capability, Kind, Person, Ref
from plugins.errors import AmbiguousOutcome, Transient
from server import clock
from server.db import Database, metadata
from server.privacy import service as privacy
from server.privacy.service import Who
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import folder
from tests.privacy.conftest import ADA, BOB, OWNER, PRICING, Town, talk


class Silent(CRM):
    """Keeps whom it is told of, and closes before it answers."""

    name = "silent"
    title = "Silent"
    capabilities = frozenset({Capability.FIND, Capability.ERASE})
    people_there: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[str]] = []
    down: ClassVar[bool] = False

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        if self.down:
            raise Transient("nobody there")
        if person.email.casefold() == BOB:
            return Ref(Kind.PERSON, "bob")
        self.people_there["700"] = person.email
        raise AmbiguousOutcome("closed")

    def find_by_email(self, email: str) -> list[Ref]:
        self.asked.append(email)
        if self.down:
            raise Transient("nobody there")
        return [Ref(Kind.PERSON, id) for id, one in self.people_there.items() if one.casefold() == email.casefold()]

    def erase(self, person: Ref, *, key: str) -> None:
        self.people_there.pop(person.id, None)


class Mute(Silent):
    """… and cannot be asked who is there."""

    name = "mute"
    capabilities = frozenset({Capability.ERASE})


class Keeps(Silent):
    """… and erases nobody."""

    name = "keeps"
    capabilities = frozenset({Capability.FIND})


@pytest.fixture(autouse=True)
def _services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Silent.people_there.clear()
    Silent.asked.clear()
    monkeypatch.setattr(Silent, "down", False)
    for adapter in (Silent, Mute, Keeps):
        registry.register(adapter)
    yield
    for adapter in (Silent, Mute, Keeps):
        registry.unregister(adapter)


def town_with(crm: str, db: Database) -> Town:
    files = folder(pricing=PRICING)
    version = applied(db, {**files, "site.yml": files["site.yml"] + f"adapters: {{crm: {crm}}}\n"})
    town = Town(db, version, Chat(db).open(), Chat(db, seed="other").open())
    talk(town.ada, "An elephant", ADA, "+49 30 1234567")
    talk(town.bob, "Dashboards", BOB, "+49 30 7654321")
    town.work()
    Silent.asked.clear()
    return town


def becomes(town: Town, **values: Any) -> None:
    """What was told of Ada, and not answered, is in this state."""
    t = metadata.tables["deliveries"]
    with town.db.transaction() as tx:
        told = t.c.operation == "upsert_person", t.c.state == "waiting"
        assert tx.execute(update(t).where(*told).values(**values)).rowcount


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"state": "dead", "attempts": 9},
        {"state": "paused", "attempts": 2, "problem_class": "AuthError"},
        {"state": "paused", "attempts": 0},
        {"state": "withdrawn"},
        {"attempts": 1, "problem_class": "Transient"},
        {"state": "leased", "lease_owner": "gone", "unsure": False},
    ],
    ids=["waiting", "given up", "paused", "resumed", "withdrawn", "in vain since", "at a crash"],
)
def test_a_crm_that_did_not_confirm_is_asked_who_is_there_and_told_to_erase(
    sqlite_db: Database, mails: Path, morning: object, state: dict[str, Any]
) -> None:
    town = town_with("silent", sqlite_db)
    assert list(Silent.people_there) == ["700"]
    becomes(town, **state, lease_until=clock.now() - timedelta(minutes=1))
    done = privacy.erase(sqlite_db, Who(ADA), by=OWNER)
    assert done.by_hand == []
    town.work()
    assert Silent.people_there == {}
    assert town.found(ADA) == []


def test_a_crm_that_found_nobody_needs_no_care(sqlite_db: Database, mails: Path, morning: object) -> None:
    town_with("silent", sqlite_db)
    Silent.people_there.clear()
    assert privacy.erase(sqlite_db, Who(ADA), by=OWNER).by_hand == []


@pytest.mark.parametrize("crm", ["mute", "keeps"])
def test_a_crm_that_cannot_be_asked_or_cannot_erase_is_named(
    sqlite_db: Database, mails: Path, morning: object, crm: str
) -> None:
    town = town_with(crm, sqlite_db)
    assert privacy.erase(sqlite_db, Who(ADA), by=OWNER).by_hand == [f"crm.{crm}"]
    town.work()
    assert town.found(ADA) == []


def test_a_crm_that_does_not_answer_the_question_is_named(
    sqlite_db: Database, mails: Path, morning: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    town_with("silent", sqlite_db)
    monkeypatch.setattr(Silent, "down", True)
    assert privacy.erase(sqlite_db, Who(ADA), by=OWNER).by_hand == ["crm.silent"]


def test_a_crm_that_certainly_did_nothing_is_neither_asked_nor_named(
    sqlite_db: Database, mails: Path, morning: object
) -> None:
    town = town_with("silent", sqlite_db)
    Silent.people_there.clear()
    becomes(town, unsure=False, attempts=1, problem_class="Transient")
    assert privacy.erase(sqlite_db, Who(ADA), by=OWNER).by_hand == []
    assert Silent.asked == []


def test_a_crm_whose_adapter_broke_in_the_middle_is_asked_as_well(
    sqlite_db: Database, mails: Path, morning: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: Silent, person: Person, *, key: str) -> Ref:
        self.people_there["700"] = person.email
        raise KeyError("id")

    monkeypatch.setattr(Silent, "upsert_person", breaks)
    town_with("silent", sqlite_db)
    Silent.people_there = {"700": ADA}  # type: ignore[misc]
    assert privacy.erase(sqlite_db, Who(ADA), by=OWNER).by_hand == []
    assert Silent.asked
