"""A CRM connection that leads to another account all at once: ids of its records are somebody else's there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.testing.fakes.hubspot import HubSpotFake
from server import settings
from server.adapters import connections
from server.db import Database
from server.events import Actor
from server.privacy import service as privacy
from server.privacy.service import Who
from tests.playbooks.chat import applied
from tests.playbooks.folder import folder
from tests.sync.conftest import PRICING, Town

OLGA = Actor("user", "usr_olga", "Olga")
OTHER_KEY = "pat-na1-of-another-portal"


@pytest.fixture
def first() -> Iterator[HubSpotFake]:
    with HubSpotFake() as fake:
        yield fake


@pytest.fixture
def other() -> Iterator[HubSpotFake]:
    """Another portal, whose first contact has the number that Ada gets in the first one."""
    with HubSpotFake() as fake:
        fake.portal.id, fake.key = 777777, OTHER_KEY
        yield fake


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`operator(fake)`: the environment names this portal from now on."""
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")

    def names(fake: HubSpotFake) -> None:
        monkeypatch.setenv("USHER_CRM_HUBSPOT_TOKEN", fake.key)
        monkeypatch.setenv("USHER_CRM_HUBSPOT_BASE_URL", fake.url)
        settings.get.cache_clear()

    settings.get.cache_clear()
    yield names
    monkeypatch.undo()
    settings.get.cache_clear()


def town_on(db: Database, named: str = "") -> Town:
    files = folder(pricing=PRICING)
    site = files["site.yml"] + named
    return Town(db, applied(db, {**files, "site.yml": site, "crm.yml": "fields: []\n"}))


def connected(town: Town, fake: HubSpotFake) -> Any:
    """Olga enters the key of this portal, in the form that is there or a new one."""
    given = connections.Given({"base_url": fake.url}, {"token": fake.key})
    fresh = connections.draft(town.db, town.version, "crm", "hubspot", given=given, actor=OLGA)
    return connections.connect(town.db, fresh, actor=OLGA)


def strangers_number(first: HubSpotFake, other: HubSpotFake) -> str:
    """A stranger stands in the other portal under the number of Ada's record in the first one."""
    (ada,) = first.portal.of("contacts")
    while True:
        made = other.portal.make("contacts", {"email": f"other{len(other.portal.of('contacts'))}@third.example"})
        if made.id == ada.id:
            return str(ada.id)


def untouched(other: HubSpotFake, id: str, before: dict[str, str]) -> bool:
    return dict(other.portal.records["contacts"][id].properties) == before


def test_another_account_in_the_console_is_another_connection(sqlite_db, monday, operator, first, other):
    operator(first)
    town = town_on(sqlite_db)
    was = connected(town, first)
    lead = town.meet(name="Ada Lovelace")
    town.work()
    id = strangers_number(first, other)
    before = dict(other.portal.records["contacts"][id].properties)
    now = connected(town, other)
    town.learn(lead, title="CTO")
    town.rest(monday)
    town.work()
    assert untouched(other, id, before)
    assert [one.properties["email"] for one in other.portal.of("contacts")].count("ada@globex.example") == 1
    with town.db.reading() as tx:
        assert connections.get(tx, was.id).state == connections.OFF
        assert connections.get(tx, now.id).account == "777777"
    assert connected(town, other).id == now.id


def test_another_account_in_the_environment_is_noticed_before_anything_is_told(
    sqlite_db, monday, operator, first, other
):
    operator(first)
    town = town_on(sqlite_db, "adapters: {crm: hubspot}\n")
    lead = town.meet(name="Ada Lovelace")
    town.work()
    id = strangers_number(first, other)
    before = dict(other.portal.records["contacts"][id].properties)
    operator(other)
    town.learn(lead, title="CTO")
    town.rest(monday)
    town.work()
    assert untouched(other, id, before)
    assert [one.properties["email"] for one in other.portal.of("contacts")].count("ada@globex.example") == 1
    assert len([one for one in first.portal.of("contacts") if one.properties.get("jobtitle")]) == 0


def test_a_key_that_leads_to_the_same_account_leaves_everything_linked(sqlite_db, monday, operator, first):
    operator(first)
    town = town_on(sqlite_db, "adapters: {crm: hubspot}\n")
    lead = town.meet(name="Ada Lovelace")
    town.work()
    kept = town.link("lead", lead.id)
    first.key = "pat-na1-the-next-one"
    operator(first)
    town.learn(lead, title="CTO")
    town.rest(monday)
    town.work()
    assert (town.link("lead", lead.id).connection_id, len(first.portal.of("contacts"))) == (kept.connection_id, 1)
    assert first.portal.of("contacts")[0].properties["jobtitle"] == "CTO"


def test_who_is_erased_is_erased_where_they_stand_and_not_under_their_number_elsewhere(
    sqlite_db, monday, operator, first, other
):
    operator(first)
    town = town_on(sqlite_db)
    connected(town, first)
    town.meet(name="Ada Lovelace")
    town.work()
    id = strangers_number(first, other)
    by_hand = erased(town)
    connected(town, other)
    town.work()
    assert id in other.portal.records["contacts"]
    assert [row.state for row in town.deliveries(operation="erase")] == ["dead"]
    assert by_hand == []


def test_who_stands_in_an_account_that_was_left_is_seen_to_by_hand(sqlite_db, monday, operator, first, other):
    operator(first)
    town = town_on(sqlite_db, "adapters: {crm: hubspot}\n")
    town.meet(name="Ada Lovelace")
    town.work()
    id = strangers_number(first, other)
    operator(other)
    town.meet("bob@globex.example", name="Bob")
    town.work()
    assert "crm.hubspot" in erased(town)
    town.work()
    assert id in other.portal.records["contacts"]
    assert town.deliveries(operation="erase") == []


def erased(town: Town) -> list[str]:
    """Ada is erased; what Olga has to see to by hand."""
    return list(privacy.erase(town.db, Who("ada@globex.example"), by=OLGA).by_hand)
