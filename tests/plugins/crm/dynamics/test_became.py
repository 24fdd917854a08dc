"""Records of Dynamics 365 that went into others: merged by somebody, or leads that were qualified there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugins.crm import Change, Company, Kind, Person, Ref
from plugins.crm.dynamics import Dynamics
from plugins.errors import PermissionDenied
from plugins.testing.crm import ADA, CHAT, DEMO
from plugins.testing.fakes import Fault
from plugins.testing.fakes.dataverse import DataverseFake
from tests.plugins.crm.dataverse import opened

OTHER = "ada@hooli.example"


def person(table: str, id: str) -> Ref:
    return Ref(Kind.PERSON, f"{table}/{id}")


def qualified(fake: DataverseFake) -> tuple[str, str]:
    """A lead that a rep qualified, and the contact that came of it, under another address by now."""
    lead = fake.put("lead", emailaddress1=ADA.email)
    contact = fake.put("contact", emailaddress1=OTHER, _originatingleadid_value=lead)
    fake.put("contact", emailaddress1="later@globex.example", _originatingleadid_value=lead)
    fake.edit("lead", lead, statecode=1, statuscode=3)
    return lead, contact


def merged(fake: DataverseFake, table: str = "contact") -> tuple[str, str]:
    """A row that went into one that went into another, and where all of them stand."""
    away, between = (fake.put(table, emailaddress1=ADA.email) for _ in range(2))
    into = fake.put(table, emailaddress1=OTHER)
    fake.merge(table, between, into)
    fake.merge(table, away, between)
    return away, into


def into(change: Change) -> str | None:
    return change.became.id if change.became else None


def news(crm: Dynamics, cursor: str) -> dict[str, Change]:
    found: dict[str, Change] = {}
    while True:
        page = crm.changes(cursor)
        found |= {one.ref.id: one for one in page.items}
        if not page.more:
            return found
        cursor = page.cursor


def test_the_news_of_a_merged_record_says_which_it_became(fake: DataverseFake):
    crm = opened(fake)
    start = crm.changes().cursor
    lead, leads_end = merged(fake, "lead")
    contact, contacts_end = merged(fake)
    account, company = (fake.put("account", name=name) for name in ("Globex", "Globex Inc."))
    fake.merge("account", account, company)
    told = news(crm, start)
    assert into(told[f"lead/{lead}"]) == f"lead/{leads_end}"
    assert into(told[f"contact/{contact}"]) == f"contact/{contacts_end}"
    assert into(told[f"account/{account}"]) == f"account/{company}"
    assert {told[id].became for id in (f"lead/{leads_end}", f"contact/{contacts_end}", f"account/{company}")} == {None}


def test_the_news_of_a_lead_that_a_rep_qualified_says_which_contact_it_became(fake: DataverseFake):
    crm = opened(fake)
    start = crm.changes().cursor
    lead, contact = qualified(fake)
    there = fake.put("contact", emailaddress1="bob@globex.example")
    bob = fake.put("lead", emailaddress1="Bob@globex.example", statecode=1, statuscode=3, _parentcontactid_value=there)
    eve = fake.put("lead", emailaddress1="eve@globex.example", statecode=1, statuscode=3, _parentcontactid_value=there)
    told = news(crm, start)
    assert into(told[f"lead/{lead}"]) == f"contact/{contact}"
    assert into(told[f"lead/{bob}"]) == f"contact/{there}"
    assert told[f"lead/{eve}"].became is None


def test_a_record_that_leads_nowhere_or_in_a_circle_became_none(fake: DataverseFake):
    crm = opened(fake)
    start = crm.changes().cursor
    away, end = merged(fake)
    fake.remove("contact", end)
    one, two = (fake.put("contact", emailaddress1="circle@globex.example") for _ in range(2))
    fake.merge("contact", one, two)
    fake.merge("contact", two, one)
    awake = fake.put("contact", emailaddress1="awake@globex.example")
    fake.merge("contact", awake, fake.put("contact"))
    fake.edit("contact", awake, statecode=0, statuscode=1)
    told = news(crm, start)
    assert {told[f"contact/{id}"].became for id in (away, one, two, awake)} == {None}
    assert crm.find_by_email(ADA.email) == []
    assert crm.upsert_person(ADA, key="k1").created


def test_a_merged_person_is_written_to_where_they_stand_now(fake: DataverseFake):
    crm = opened(fake)
    away, into = merged(fake)
    assert [ref.id for ref in crm.find_by_email(ADA.email)] == [f"contact/{into}"]
    assert crm.upsert_person(replace(ADA, title="CEO"), key="k1").id == f"contact/{into}"
    assert {one["contactid"] for one in fake.all_of("contact") if one.get("jobtitle") == "CEO"} == {into}
    owner = crm.owner_of(ADA.email)
    assert owner
    assert owner.email == "grace@acme.example"
    assert list(crm.people([person("contact", away), person("contact", into)])) == [f"contact/{into}"]


def test_a_qualified_lead_is_written_to_as_the_contact_it_became(fake: DataverseFake):
    crm = opened(fake)
    _, contact = qualified(fake)
    assert [ref.id for ref in crm.find_by_email(ADA.email)] == [f"contact/{contact}"]
    assert crm.upsert_person(replace(ADA, title="CEO"), key="k1").id == f"contact/{contact}"


@pytest.mark.parametrize("how", [merged, qualified])
def test_what_happens_later_is_filed_under_whom_they_became(fake: DataverseFake, how):
    crm = opened(fake)
    before, contact = how(fake)
    table = "lead" if how is qualified else "contact"
    crm.log_activity(person(table, before), CHAT, key="a1")
    crm.log_meeting(person(table, before), DEMO, key="m1")
    assert [one["_regardingobjectid_value"] for one in fake.all_of("task", "appointment")] == [contact, contact]


def test_a_merged_company_is_the_one_it_became(fake: DataverseFake):
    crm = opened(fake)
    away = fake.put("account", name="Globex", websiteurl="https://globex.example")
    into = fake.put("account", name="Globex", websiteurl="https://hooli.example")
    fake.merge("account", away, into)
    gone, kept = (Ref(Kind.COMPANY, f"account/{id}") for id in (away, into))
    account = crm.account_by_domain("globex.example")
    assert account
    assert account.ref.id == kept.id
    assert crm.upsert_company(Company("globex.example", employees=800), key="k1").id == kept.id
    assert [ref.id for ref in crm.companies_named("Globex")] == [kept.id]
    assert list(crm.companies([gone, kept])) == [kept.id]


@pytest.mark.parametrize("first", [True, False])
def test_erasing_a_person_takes_every_record_that_went_into_theirs(fake: DataverseFake, first: bool):
    crm = opened(fake)
    lead, contact = qualified(fake)
    away, into = merged(fake)
    fake.merge("contact", contact, into)
    others = {one["contactid"] for one in fake.all_of("contact") if one["emailaddress1"] == "later@globex.example"}
    crm.erase(person("contact", away) if first else person("lead", lead), key="e1")
    assert {one["contactid"] for one in fake.all_of("contact")} == others
    assert fake.all_of("lead") == []


def test_who_was_merged_by_mistake_and_activated_again_is_not_erased_with_the_other(fake: DataverseFake):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    stranger = crm.upsert_person(Person("grace@globex.example"), key="k2")
    id = stranger.id.rpartition("/")[2]
    table = stranger.id.rpartition("/")[0]
    fake.merge(table, id, ada.id.rpartition("/")[2])
    fake.edit(table, id, statecode=0, statuscode=1)
    crm.log_activity(stranger, CHAT, key="a1")
    crm.erase(ada, key="e1")
    assert [one["emailaddress1"] for one in fake.all_of(table)] == ["grace@globex.example"]
    assert len(fake.all_of("task")) == 1


def test_an_erasure_that_broke_off_finds_the_rest_when_it_is_tried_again(fake: DataverseFake):
    crm = opened(fake)
    away, _ = merged(fake)
    fake.faults.add(Fault(403, b'{"error": {"code": "0x80040220", "message": "No."}}'), on=f"DELETE .*{away}")
    with pytest.raises(PermissionDenied):
        crm.erase(person("contact", away), key="e1")
    assert [one["contactid"] for one in fake.all_of("contact")] == [away]
    fake.faults.clear()
    crm.erase(person("contact", away), key="e1")
    assert fake.all_of("contact") == []
