"""HubSpot calls: what it says is done once, in whatever order and however often it comes, and given up in the open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from plugins.testing.fakes import Fault
from plugins.testing.fakes.hubspot import KEY, HubSpotFake
from server import clock, events, settings
from server.adapters import connections
from server.db import Database
from server.leads import service as leads
from server.sync import service as sync
from server.sync.opened import serving_id
from tests.playbooks.chat import applied
from tests.playbooks.folder import folder
from tests.sync.conftest import ADA, PRICING, Town


@pytest.fixture(scope="module")
def account() -> Iterator[HubSpotFake]:
    with HubSpotFake() as fake:
        yield fake


@pytest.fixture
def town(
    sqlite_db: Database, monday: clock.StoppedClock, account: HubSpotFake, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    account.reset()
    for name, value in {"TOKEN": KEY, "BASE_URL": account.url}.items():
        monkeypatch.setenv(f"USHER_CRM_HUBSPOT_{name}", value)
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    files = folder(pricing=PRICING)
    site = files["site.yml"] + "adapters: {crm: hubspot}\n"
    yield Town(sqlite_db, applied(sqlite_db, {**files, "site.yml": site, "crm.yml": "interactions: []\n"}))
    settings.get.cache_clear()


@pytest.fixture
def ada(town: Town):
    lead = town.meet(name="Ada", title="CTO")
    town.work()
    return lead


def call(town: Town, *told: tuple[str, dict]) -> None:
    """HubSpot calls with these; the door has verified and kept them."""
    with town.db.transaction() as tx:
        connection = connections.get(tx, serving_id(tx, town.version))
        for id, event in told:
            connections.keep_message(tx, connection, id, event)


def title(town: Town, lead) -> str:
    with town.db.reading() as tx:
        return leads.known(tx, lead.id).lead["title"]


def changed(town: Town, lead) -> int:
    with town.db.reading() as tx:
        return sum(one.name == events.CRM_CHANGED for one in events.of_subject(tx, "lead", lead.id))


def edited(account: HubSpotFake, *titles: str) -> list[dict]:
    (contact,) = account.portal.of("contacts")
    account.events.clear()
    for one in titles:
        account.edit("contacts", contact.id, {"jobtitle": one})
    return [one for one in account.events if one.get("propertyName") == "jobtitle"]


def unsettled(town: Town) -> list[tuple[str, int]]:
    with town.db.reading() as tx:
        found = connections.unsettled_messages(tx, town.site_id, "crm")
    return [(one.state, one.attempts) for one in found]


def test_messages_that_come_twice_and_in_the_wrong_order_are_done_once_by_what_stands_there(town, ada, account):
    first, second = edited(account, "Boss", "Chief")
    call(town, ("b", second), ("a", first), ("b", second), ("c", first))
    sync.do_messages(town.db)
    assert (title(town, ada), changed(town, ada), unsettled(town)) == ("Chief", 1, [])
    before = len(account.asked)
    call(town, ("a", first))
    sync.do_messages(town.db)
    assert len(account.asked) == before


def test_our_own_writes_that_hubspot_tells_us_of_change_nothing_and_are_not_said_again(town, ada, account, monday):
    town.learn(ada, title="CEO")
    town.work()
    (contact,) = account.portal.of("contacts")
    account.note_changes("contacts", contact.id, {"jobtitle": "CEO"}, "INTEGRATION", "1")
    call(town, *((f"own{n}", event) for n, event in enumerate(account.events)))
    writes = len([one for one in account.asked if one.method == "PATCH" or one.path.endswith("/upsert")])
    sync.do_messages(town.db)
    town.work()
    assert changed(town, ada) == 0
    assert len([one for one in account.asked if one.method == "PATCH" or one.path.endswith("/upsert")]) == writes


def test_while_hubspot_is_away_messages_wait_without_using_up_their_tries(town, ada, account, monday):
    (event,) = edited(account, "Boss")
    call(town, ("a", event))
    account.faults.add(Fault(503), times=1)
    sync.do_messages(town.db)
    assert (title(town, ada), unsettled(town)) == ("CTO", [("waiting", 0)])
    monday.advance(timedelta(minutes=3))
    sync.do_messages(town.db)
    assert (title(town, ada), unsettled(town)) == ("Boss", [])


def test_a_message_nobody_can_read_is_given_up_after_its_tries_and_the_others_are_done(town, ada, account, monday):
    (event,) = edited(account, "Boss")
    call(
        town, ("bad", {"subscriptionType": "contact.propertyChange", "objectId": 1, "occurredAt": "soon"}), ("a", event)
    )
    for _ in range(20):
        sync.do_messages(town.db)
        monday.advance(timedelta(hours=2))
    assert (title(town, ada), unsettled(town)) == ("Boss", [("dead", 10)])
    with town.db.transaction() as tx:
        assert connections.retry_messages(tx, town.site_id, "crm") == 1
    assert unsettled(town) == [("waiting", 0)]


def test_two_workers_do_not_do_one_message_at_the_same_time(town, ada, account):
    (event,) = edited(account, "Boss")
    call(town, ("a", event))
    with town.db.transaction() as tx:
        (message,) = connections.messages_waiting(tx, "crm")
        assert connections.claim_message(tx, message, clock.now() + timedelta(minutes=2))
        assert not connections.claim_message(tx, message, clock.now() + timedelta(minutes=2))
    before = len(account.asked)
    sync.do_messages(town.db)
    assert len(account.asked) == before


def test_a_message_for_another_crm_than_the_one_that_serves_now_is_given_up(town, ada, account, ledger):
    (event,) = edited(account, "Boss")
    call(town, ("a", event))
    files = town.version.files
    applied(town.db, {**files, "site.yml": files["site.yml"].replace("crm: hubspot", "crm: ledger")})
    sync.do_messages(town.db)
    assert (title(town, ada), unsettled(town)) == ("CTO", [("dead", 1)])
    assert ADA.casefold() == lead_key(town, ada)


def lead_key(town: Town, lead) -> str:
    with town.db.reading() as tx:
        return leads.get(tx, lead.id).email_key
