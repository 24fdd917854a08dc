"""What HubSpot's fake holds after a lead was told and edited there, and that trying writes nothing in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from plugins.testing.fakes import Fault
from plugins.testing.fakes.hubspot import KEY, HubSpotFake
from server import clock, settings
from server.booking import service as booking
from server.db import Database
from server.outbox.erasing import may_have_arrived
from server.sync import service as sync
from tests.playbooks.chat import applied
from tests.playbooks.folder import folder
from tests.sync.conftest import PRICING, Town
from tests.sync.test_telling import booked

MAPPING = """\
fields:
  - {ours: answers.need, theirs: need}
  - {ours: lead.tier, theirs: nowhere}
"""
READS = ("/batch/read", "/search")
"""What HubSpot has one ask with POST."""


@pytest.fixture
def hubspot() -> Iterator[HubSpotFake]:
    with HubSpotFake() as fake:
        fake.portal.add_property("contacts", "need")
        yield fake


@pytest.fixture
def town(
    sqlite_db: Database, monday: clock.StoppedClock, hubspot: HubSpotFake, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    monkeypatch.setenv("USHER_CRM_HUBSPOT_TOKEN", KEY)
    monkeypatch.setenv("USHER_CRM_HUBSPOT_BASE_URL", hubspot.url)
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    files = folder(pricing=PRICING)
    site = files["site.yml"] + "adapters: {crm: hubspot}\n"
    yield Town(sqlite_db, applied(sqlite_db, {**files, "site.yml": site, "crm.yml": MAPPING}))
    settings.get.cache_clear()


def test_a_story_with_hubspot_leaves_one_record_each_and_what_was_edited_there(town, hubspot, monday):
    owner = hubspot.portal.add_owner("grace@acme.example", "Grace Hopper")
    talk = town.chat("Dashboards")
    talk.say("ada@globex.example")
    meeting = booked(town)
    town.work()
    town.rest(monday)
    town.work()
    assert {row.state for row in town.deliveries()} == {"done"}
    (contact,), (company,) = hubspot.portal.of("contacts"), hubspot.portal.of("companies")
    assert (contact.properties["need"], contact.properties["firstname"]) == ("Dashboards", "Ada")
    assert (contact.properties["hubspot_owner_id"] == owner) == (meeting.rep == "grace")
    assert hubspot.portal.tied("contacts", contact.id, "companies") == [company.id]
    (kept,) = hubspot.portal.of("meetings")
    assert hubspot.portal.tied("meetings", kept.id, "contacts") == [contact.id]
    hubspot.portal.change("contacts", contact, {"need": "All of it"})
    with town.db.reading() as tx:
        lead = booking.get(tx, meeting.id).lead_id
    report = sync.compare(town.db, town.site_id)
    with town.db.reading() as tx:
        found = [(row.kind, [field["name"] for field in row.fields]) for row in sync.findings(tx, report.id)]
    assert ("conflicting", ["need"]) in found
    assert ("refused", ["nowhere", "status"]) in found
    assert not {kind for kind, _ in found} & {"missing", "drifted", "unlinked"}
    before = copy.deepcopy({type: hubspot.portal.of(type) for type in ("contacts", "companies", "notes", "meetings")})
    hubspot.asked.clear()
    tried = sync.dry_run(town.db, town.site_id, lead_ids=[lead], made_up=sync.MADE_UP)
    assert {fate.mapped.theirs: fate.why for fate in tried.samples[0].person.fates}["need"] == "human"
    assert hubspot.asked
    assert [one for one in hubspot.asked if one.method != "GET" and not one.path.endswith(READS)] == []
    assert {type: hubspot.portal.of(type) for type in before} == before


@pytest.mark.parametrize("fault", [Fault(done=True, drop=True), Fault(504, b"", done=True)], ids=["cut", "504"])
def test_who_came_there_without_an_answer_may_have_arrived_until_they_have(town, hubspot, monday, fault):
    hubspot.faults.add(fault, on="POST .*/contacts/batch/upsert", times=1)
    town.chat("Dashboards").say("ada@globex.example")
    town.work()
    assert [one.properties["email"] for one in hubspot.portal.of("contacts")] == ["ada@globex.example"]
    first = town.deliveries(operation="upsert_person")[0]
    assert (first.problem_class, may_have_arrived(first)) == ("Transient", True)
    town.rest(monday)
    town.work()
    told = town.deliveries(operation="upsert_person")  # one more where news of her came meanwhile
    assert {(one.state, may_have_arrived(one)) for one in told} == {("done", False)}
