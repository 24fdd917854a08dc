"""Companies, activities, meetings and conversion at Salesforce."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from plugins.crm import Activity, ActivityKind, Capability, Company, Kind, MeetingStatus, Person, Ref
from plugins.crm.salesforce import Salesforce
from plugins.errors import ConfigError, InvalidInput, NotFound, UnsupportedFeature
from plugins.testing.conformance import at_once
from plugins.testing.crm_samples import CHAT, DEMO
from plugins.testing.fakes import Fault
from plugins.testing.fakes.salesforce import SalesforceFake
from tests.plugins.crm.salesforce.conftest import Open

EMAIL = "ada@globex.example"
ADA = Person(EMAIL, name="Ada Lovelace", company="Globex")


@pytest.mark.parametrize(
    "website",
    ["globex.example", "https://www.Globex.example/en?x=1", "http://globex.example:8080", "www.globex.example"],
)
def test_an_account_is_found_by_its_website_as_people_write_it(
    crm: Salesforce, fake: SalesforceFake, website: str
) -> None:
    fake.add("Account", Name="Shop", Website="shop.globex.example")
    account = fake.add("Account", Name="Globex", Website=website, Type="Customer - Direct")
    fake.add("Account", Name="Other", Website="notglobex.example.org")
    found = crm.account_by_domain("Globex.example")
    assert (found.ref.id, found.name, found.is_customer, found.is_target) == (account, "Globex", True, None)
    assert crm.upsert_company(Company("globex.example", employees=800), key="k1").id == account
    assert (fake.row(account)["NumberOfEmployees"], fake.row(account)["Website"]) == (800, website)
    assert fake.row(account)["Usher_Domain__c"] == "globex.example"


def test_a_domain_inside_another_is_no_match(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.add("Account", Name="Evil", Website="evilglobex.example")
    fake.add("Account", Name="Longer", Website="https://globex.example.org")
    assert crm.account_by_domain("globex.example") is None
    shop = fake.add("Account", Name="Shop", Website="shop.globex.example")
    assert crm.account_by_domain("globex.example").ref.id == shop


def test_an_account_tells_its_people_and_flags(open_one: Open, fake: SalesforceFake) -> None:
    fake.add_field("Account", "Csm__c", "reference", most=18, to=("User",))
    fake.add_field("Account", "Target__c", "boolean", default=False)
    joan = fake.add("User", Name="Joan", Email="joan@acme.example", Username="joan@acme.example")
    grace = fake.add("User", Name="Grace", Email="grace@acme.example", Username="grace@acme.example", IsActive=False)
    crm = open_one(csm_field="Csm__c", target_field="Target__c")
    given = Company("globex.example", name="Globex", is_target=True, csm_email="joan@acme.example")
    ref = crm.upsert_company(given, key="k1")
    fake.change(ref.id, OwnerId=grace, Type="Prospect")
    found = crm.account_by_domain("globex.example")
    assert (found.csm.id, found.csm.email, found.owner.active) == (joan, "joan@acme.example", False)
    assert (found.is_customer, found.is_target) == (False, True)
    read = crm.companies([ref])[ref.id]
    assert (read.csm_email, read.owner_email, read.is_target) == ("joan@acme.example", "grace@acme.example", True)


def test_companies_of_one_name_are_told_oldest_first(crm: Salesforce, fake: SalesforceFake) -> None:
    first, second = (fake.add("Account", Name=name) for name in ("GLOBEX", "Globex"))
    fake.add("Account", Name="Globex Ltd")
    assert [ref.id for ref in crm.companies_named(" globex ")] == [first, second]
    assert crm.companies_named(" ") == []


def test_what_is_no_domain_is_refused_before_anything_is_sent(crm: Salesforce, fake: SalesforceFake) -> None:
    for domain in ("", "globex", "a b.example", "x'y.example"):
        with pytest.raises(InvalidInput) as caught:
            crm.upsert_company(Company(domain), key="k1")
        assert caught.value.field == "domain"
    assert fake.used == 0


def test_an_activity_is_a_task_that_is_done(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    long = Activity(ActivityKind.CHAT, CHAT.at, "x" * 300, "y" * 40_000, "https://usher.example/c/1")
    task = fake.row(crm.log_activity(ref, long, key="k2").id)
    assert (task["Status"], task["ActivityDate"], task["WhoId"], task["WhatId"]) == (
        "Completed", "2026-03-02", ref.id, None,
    )  # fmt: skip
    assert (len(task["Subject"]), len(task["Description"])) == (255, 32_000)


def test_with_a_contact_an_activity_is_under_the_account_too(crm: Salesforce, fake: SalesforceFake) -> None:
    account = fake.add("Account", Name="Globex")
    contact = fake.add("Contact", LastName="Lovelace", Email=EMAIL, AccountId=account)
    task = crm.log_activity(Ref(Kind.PERSON, contact), CHAT, key="k1")
    assert fake.row(task.id)["AccountId"] == account


def test_a_lead_converted_meanwhile_hands_its_activities_to_the_contact(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    event = crm.log_meeting(ref, DEMO, key="m1")
    contact = fake.convert(ref.id)["ConvertedContactId"]
    assert fake.row(crm.log_activity(ref, CHAT, key="k2").id)["WhoId"] == contact
    assert crm.log_meeting(ref, replace(DEMO, status=MeetingStatus.HELD), key="m2") == event
    assert fake.row(event.id)["WhoId"] == contact
    fake.remove(contact)
    with pytest.raises(NotFound):
        crm.log_activity(ref, CHAT, key="k3")


@pytest.mark.parametrize("kind", ["Lead", "Contact"])
def test_who_was_merged_has_their_activities_at_the_record_that_was_kept(
    crm: Salesforce, fake: SalesforceFake, kind: str
) -> None:
    first, kept, last = (fake.add(kind, LastName="Lovelace", Company="Globex", Email=EMAIL) for _ in range(3))
    ref = Ref(Kind.PERSON, first)
    event = crm.log_meeting(ref, DEMO, key="m1")
    fake.merge(kept, first)
    fake.merge(last, kept)
    assert fake.row(crm.log_activity(ref, CHAT, key="k1").id)["WhoId"] == last
    assert crm.log_meeting(ref, replace(DEMO, status=MeetingStatus.HELD), key="m2") == event
    assert fake.row(event.id)["WhoId"] == last
    fake.remove(last)
    with pytest.raises(NotFound):
        crm.log_activity(ref, CHAT, key="k2")


def test_a_uid_that_ends_like_a_file_is_one_meeting_all_the_same(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    demo = replace(DEMO, uid="0123@book.acme.inc")
    event = crm.log_meeting(ref, demo, key="m1")
    assert (event.created, fake.row(event.id)["Usher_Id__c"]) == (True, demo.uid)
    assert crm.log_meeting(ref, replace(demo, status=MeetingStatus.HELD, title="Held"), key="m2") == event
    assert fake.row(event.id)["Subject"] == "Held"
    fake.faults.add(Fault(404, b"<html>404</html>", "text/html"), on="PATCH .*/Usher_Id__c/", times=1)
    assert crm.log_meeting(ref, demo, key="m3") == event
    refs = at_once(lambda n: crm.log_meeting(ref, replace(DEMO, uid="9@book.acme.inc"), key=f"n{n}"))
    assert len(set(refs)) == 1
    assert len(fake.there("Event")) == 2


@pytest.mark.parametrize("uid", ["0123@book.acme.inc", DEMO.uid])
def test_a_field_for_activities_that_there_is_not_is_named(open_one: Open, fake: SalesforceFake, uid: str) -> None:
    crm = open_one(activity_id_field="Wrong__c")
    ref = crm.upsert_person(ADA, key="k1")
    with pytest.raises(ConfigError) as caught:
        crm.log_meeting(ref, replace(DEMO, uid=uid), key="m1")
    assert caught.value.problems[0][0] == "Wrong__c"
    assert "Wrong__c" in caught.value.user_message


def test_nothing_is_filed_under_what_is_no_person(crm: Salesforce, fake: SalesforceFake) -> None:
    for id in (fake.add("Account", Name="Globex"), "00Q999999999999EAA"):
        with pytest.raises(NotFound):
            crm.log_activity(Ref(Kind.PERSON, id), CHAT, key="k1")


def test_the_whole_life_of_a_meeting_is_on_one_event(open_one: Open, fake: SalesforceFake) -> None:
    grace = fake.add("User", Name="Grace", Email="grace@acme.example", Username="grace@acme.example")
    fake.add_field("Activity", "Meeting_status__c", "picklist", choices=("Booked", "No-show", "Cancelled"))
    crm = open_one(meeting_status_field="Meeting_status__c")
    ref = crm.upsert_person(ADA, key="k1")
    booked = replace(DEMO, owner_email="grace@acme.example", description="Goal: speed", url="https://usher.example/m/1")
    event = crm.log_meeting(ref, booked, key="m1")
    row = fake.row(event.id)
    assert (row["Subject"], row["OwnerId"], row["ShowAs"]) == ("Product demo", grace, "Busy")
    assert row["Description"] == "Goal: speed\n\nhttps://usher.example/m/1"
    told = []
    later = replace(booked, start=DEMO.start + timedelta(days=1), end=DEMO.end + timedelta(days=1))
    for status in MeetingStatus:
        assert crm.log_meeting(ref, replace(later, status=status), key=status) == event
        told.append((row["Subject"], row["ShowAs"], row["Meeting_status__c"]))
        read = crm.meetings([event])[event.id]
        assert (read.status, read.title, read.start) == (status, "Product demo", later.start)
    assert told == [
        ("Product demo", "Busy", "Booked"), ("Product demo", "Busy", "Rescheduled"),
        ("Cancelled: Product demo", "Free", "Cancelled"), ("Product demo", "Busy", "Held"),
        ("No-show: Product demo", "Busy", "No-show"),
    ]  # fmt: skip
    assert len(fake.there("Event")) == 1


def test_eight_who_log_a_meeting_at_once_make_one_event(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    events = at_once(lambda n: crm.log_meeting(ref, DEMO, key=f"m{n}"))
    assert len(set(events)) == 1
    assert (len(fake.there("Event")), sum(one.created for one in events)) == (1, 1)


def test_where_the_field_is_not_unique_the_first_of_two_is_used_from_then_on(
    crm: Salesforce, fake: SalesforceFake
) -> None:
    fake.add_field("Activity", "Usher_Id__c", external=True)
    ref = crm.upsert_person(ADA, key="k1")
    first, second = (fake.add("Event", Subject="S", WhoId=ref.id, Usher_Id__c=DEMO.uid) for _ in range(2))
    held = replace(DEMO, status=MeetingStatus.HELD)
    assert crm.log_meeting(ref, held, key="m1").id == first
    assert (fake.row(first)["Subject"], fake.row(second)["Subject"]) == ("Product demo", "S")


def test_without_a_status_field_the_subject_tells(crm: Salesforce) -> None:
    event = crm.log_meeting(crm.upsert_person(ADA, key="k1"), replace(DEMO, status=MeetingStatus.NO_SHOW), key="m1")
    assert crm.meetings([event])[event.id].status is MeetingStatus.NO_SHOW


def test_the_words_for_a_status_are_the_orgs_own_and_a_wrong_name_is_said(open_one: Open, fake: SalesforceFake) -> None:
    crm = open_one(meeting_subjects="no_show=[NS] {title}")
    event = crm.log_meeting(crm.upsert_person(ADA, key="k1"), replace(DEMO, status=MeetingStatus.NO_SHOW), key="m1")
    assert fake.row(event.id)["Subject"] == "[NS] Product demo"
    for wrong in ("gone=Gone: {title}", "no_show=No title"):
        result = open_one(meeting_subjects=wrong).check()
        assert not result.ok
        assert "meeting_subjects" in result.message


def test_without_a_field_for_it_nothing_is_filed_and_that_is_said(open_one: Open, fake: SalesforceFake) -> None:
    crm = open_one(activity_id_field="", convert_path="")
    off = {Capability.ACTIVITY, Capability.MEETING, Capability.CONVERT}
    assert crm.capabilities == type(crm).capabilities - off
    ref = crm.upsert_person(ADA, key="k1")
    for deed in (lambda: crm.log_activity(ref, CHAT, key="k"), lambda: crm.log_meeting(ref, DEMO, key="k")):
        with pytest.raises(UnsupportedFeature):
            deed()
    with pytest.raises(UnsupportedFeature) as caught:
        crm.convert(ref, key="c1")
    assert "Apex" in caught.value.user_message
    assert any("activities" in warning for warning in crm.check().warnings)
    assert (fake.there("Task"), fake.there("Event")) == ([], [])


def test_a_lead_becomes_a_contact_of_the_company_with_its_opportunity(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    company = crm.upsert_company(Company("globex.example", name="Globex"), key="k2")
    became = crm.convert(ref, key="c1", company=company, opportunity="Globex: 800 seats")
    lead = fake.row(ref.id)
    assert became.person.id == lead["ConvertedContactId"]
    assert (became.company, became.opportunity.id) == (company, lead["ConvertedOpportunityId"])
    assert crm.convert(became.person, key="c2").company == company
    with pytest.raises(NotFound):
        crm.convert(company, key="c3")


def test_a_lead_that_was_merged_is_converted_as_the_one_that_was_kept(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    kept = fake.add("Lead", LastName="Lovelace", Company="Globex")
    fake.merge(kept, ref.id)
    assert crm.convert(ref, key="c1").person.id == fake.row(kept)["ConvertedContactId"]


def test_a_service_for_converting_that_there_is_not_is_said_of_its_path(open_one: Open, fake: SalesforceFake) -> None:
    crm = open_one(convert_path="usher/gone")
    ref = crm.upsert_person(ADA, key="k1")
    with pytest.raises(ConfigError) as caught:
        crm.convert(ref, key="c1")
    assert caught.value.problems[0][0] == "convert_path"
    assert "/services/apexrest/usher/gone" in caught.value.user_message


def test_who_is_converted_by_somebody_else_at_this_moment_is_converted(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    said = b'[{"errorCode":"CANNOT_UPDATE_CONVERTED_LEAD","message":"by somebody else","fields":[]}]'
    fake.meanwhile("apexrest", lambda: fake.convert(ref.id))
    fake.faults.add(Fault(400, said, done=True), on="apexrest")
    assert crm.convert(ref, key="c1").person.id == fake.row(ref.id)["ConvertedContactId"]


def test_the_fields_of_people_say_where_they_are(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.add_field("Lead", "Region__c", "picklist", choices=("EMEA", "APAC"))
    fake.add_field("Contact", "Level__c", "double")
    fields = {field.name: field for field in crm.fields_of(Kind.PERSON)}
    assert fields["Lead.Region__c"].choices == ("EMEA", "APAC")
    assert (fields["Contact.Level__c"].type, fields["Contact.Level__c"].custom) == ("number", True)
    assert (fields["LastName"].ours, fields["LastName"].required) == ("last_name", True)
    assert fields["Lead.IsConverted"].writable is False
    assert fields["OwnerId"].ours == "owner_email"
    of_companies = {field.ours: field for field in crm.fields_of(Kind.COMPANY) if field.ours}
    assert (of_companies["domain"].name, of_companies["is_customer"].writable) == ("Website", False)
    with pytest.raises(InvalidInput):
        crm.fields_of(Kind.MEETING)


def test_people_are_read_as_they_are_with_the_fields_asked_for(open_one: Open, fake: SalesforceFake) -> None:
    crm = open_one(country_codes=True)
    fake.add_field("Lead", "Region__c")
    fake.add_field("Contact", "MailingCountryCode")
    given = Person(EMAIL, name="Ada Lovelace", status="Qualified", country="DE", fields={"Region__c": "EMEA"})
    ref = crm.upsert_person(given, key="k1")
    read = crm.people([ref], fields=["Lead.Region__c"])[ref.id]
    assert (read.status, read.country, dict(read.fields)) == ("Qualified", "DE", {"Lead.Region__c": "EMEA"})
    assert (read.company, read.owner_email) == (None, "usher@acme.example")
    account = fake.add("Account", Name="Globex")
    contact = fake.add("Contact", LastName="Hopper", Email="grace@globex.example", AccountId=account)
    other = crm.people([Ref(Kind.PERSON, contact)])[contact]
    assert (other.company, other.company_ref, other.name) == ("Globex", Ref(Kind.COMPANY, account), "Hopper")


def test_a_field_that_nobody_may_see_is_named(open_one: Open, fake: SalesforceFake) -> None:
    fake.add_field("Lead", "HasOptedOutOfEmail", "boolean", default=False, hidden=True)
    ref = Ref(Kind.PERSON, fake.add("Lead", LastName="L", Company="C", Email=EMAIL))
    with pytest.raises(ConfigError) as caught:
        open_one().people([ref])
    assert caught.value.problems[0][0] == "opted_out"
    assert open_one(opt_out_field="none").people([ref])[ref.id].opted_out is None


def test_a_meeting_is_read_in_utc(crm: Salesforce, fake: SalesforceFake) -> None:
    who = crm.upsert_person(ADA, key="k1")
    ref = crm.log_meeting(who, DEMO, key="m1")
    fake.change(ref.id, StartDateTime="2026-03-02T13:00:00.000+0100")
    read = crm.meetings([ref, who])[ref.id]
    assert (read.start, read.zone, read.uid) == (datetime(2026, 3, 2, 12, tzinfo=UTC), "UTC", DEMO.uid)
