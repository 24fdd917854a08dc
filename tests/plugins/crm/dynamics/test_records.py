"""Dynamics 365: who is meant by an address, what is written where, and what its errors say."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

import pytest

from plugins.crm import Activity, ActivityKind, Company, Kind, MeetingStatus, Person
from plugins.errors import (
    AuthError,
    ConfigError,
    Conflict,
    Duplicate,
    InvalidInput,
    NotFound,
    PermissionDenied,
    PluginError,
    RateLimited,
    Transient,
)
from plugins.testing.crm import ADA, CHAT, DEMO
from plugins.testing.fakes import Fault
from plugins.testing.fakes.dataverse import DataverseFake
from tests.plugins.crm.dataverse import only, opened


def test_a_contact_is_meant_before_a_lead_and_an_open_row_before_a_closed_one(fake: DataverseFake):
    crm = opened(fake)
    closed = fake.put("contact", emailaddress1=ADA.email, statecode=1)
    lead = fake.put("lead", emailaddress1=ADA.email)
    assert crm.upsert_person(ADA, key="k1").id == f"lead/{lead}"
    contact = fake.put("contact", emailaddress1=ADA.email.upper())
    assert crm.upsert_person(ADA, key="k2").id == f"contact/{contact}"
    assert [ref.id.partition("/")[2] for ref in crm.find_by_email(ADA.email)] == [closed, lead, contact]


def test_a_lead_that_became_a_contact_is_not_found_beside_it(fake: DataverseFake):
    crm = opened(fake)
    lead = crm.upsert_person(ADA, key="k1")
    converted = crm.convert(lead, key="c1")
    assert crm.find_by_email(ADA.email) == [converted.person]
    assert crm.upsert_person(replace(ADA, title="CEO"), key="k2") == converted.person
    assert only(fake, "lead")["jobtitle"] == ADA.title


def test_letters_with_and_without_accents_are_two_people_although_dataverse_finds_both(fake: DataverseFake):
    crm = opened(fake)
    fake.put("contact", emailaddress1="jurgen@bucher.example")
    jürgen = crm.upsert_person(replace(ADA, email="jürgen@bücher.example"), key="k1")
    assert jürgen.created
    assert crm.find_by_email(unicodedata.normalize("NFD", "Jürgen@BÜCHER.example")) == [jürgen]
    assert only(fake, "lead")["emailaddress1"] == "jürgen@bücher.example"


@pytest.mark.parametrize(
    "email", ["o'brien@globex.example", "a'or'1'eq'1@globex.example", "a&b=c#d+e%20@globex.example"]
)
def test_odd_addresses_are_asked_for_as_they_are(fake: DataverseFake, email: str):
    crm = opened(fake)
    fake.put("lead", emailaddress1="somebody@globex.example")
    ref = crm.upsert_person(replace(ADA, email=email), key="k1")
    assert crm.find_by_email(email) == [ref]
    assert crm.upsert_person(replace(ADA, email=email), key="k2") == ref


def test_none_leaves_empty_clears_and_the_address_stays_as_it_was_written(fake: DataverseFake):
    crm = opened(fake)
    fake.put("contact", emailaddress1="Ada@Globex.example", firstname="Ada", jobtitle="CTO", telephone1="1")
    crm.upsert_person(Person("ada@globex.example", last_name="Lovelace", phone="", country="GB"), key="k1")
    row = only(fake, "contact")
    said = {"emailaddress1": "Ada@Globex.example", "firstname": "Ada", "lastname": "Lovelace", "jobtitle": "CTO"}
    assert {name: row[name] for name in said} == said
    assert (row["telephone1"], row["address1_country"]) == (None, "GB")


def test_a_new_lead_says_where_it_came_from(fake: DataverseFake):
    crm = opened(fake)
    crm.upsert_person(replace(ADA, company="Globex", source="Chat", opted_out=True), key="k1")
    lead = only(fake, "lead")
    assert (lead["subject"], lead["companyname"], lead["leadsourcecode"]) == ("Chat: Ada Lovelace", "Globex", 8)
    assert (lead["firstname"], lead["lastname"]) == ("Ada", "Lovelace")
    assert (lead["donotbulkemail"], lead["donotemail"]) == (True, True)
    [person] = crm.people(crm.find_by_email(ADA.email), fields=["subject"]).values()
    assert (person.source, person.opted_out, person.status, person.company) == ("Web", True, "New", "Globex")
    assert person.fields == {"subject": "Chat: Ada Lovelace"}


def test_the_owner_is_the_user_with_that_address(fake: DataverseFake):
    crm = opened(fake)
    crm.upsert_person(replace(ADA, owner_email="Grace@acme.example"), key="k1")
    owner = crm.owner_of("ADA@globex.example")
    assert owner
    assert (owner.id, owner.email, owner.name, owner.active) == (fake.grace, "grace@acme.example", "Grace Hopper", True)
    [person] = crm.people(crm.find_by_email(ADA.email)).values()
    assert person.owner_email == "grace@acme.example"
    fake.edit("systemuser", fake.grace, isdisabled=True)
    left = crm.owner_of(ADA.email)
    assert left
    assert not left.active


@pytest.mark.parametrize("rep", ["nobody@acme.example", "left@acme.example"])
def test_a_rep_who_is_no_user_there_leaves_the_owner_alone_and_the_rest_is_written(fake: DataverseFake, rep: str):
    fake.add_user("Left", "left@acme.example", isdisabled=True)
    crm = opened(fake)
    crm.upsert_person(replace(ADA, owner_email="grace@acme.example"), key="k1")
    ada = crm.upsert_person(replace(ADA, title="CEO", owner_email=rep), key="k2")
    crm.upsert_company(Company("globex.example", name="Globex", owner_email=rep), key="k3")
    crm.log_meeting(ada, replace(DEMO, owner_email="grace@acme.example"), key="m1")
    crm.log_meeting(ada, replace(DEMO, title="Another demo", owner_email=rep), key="m2")
    lead, meeting = only(fake, "lead"), only(fake, "appointment")
    assert (lead["jobtitle"], meeting["subject"]) == ("CEO", "Another demo")
    assert {lead["_ownerid_value"], meeting["_ownerid_value"]} == {fake.grace}
    assert (only(fake, "account")["name"], only(fake, "account")["_ownerid_value"]) == ("Globex", fake.us)


def test_what_only_our_application_owns_is_nobodys(fake: DataverseFake):
    crm = opened(fake)
    crm.upsert_person(ADA, key="k1")
    assert only(fake, "lead")["_ownerid_value"] == fake.us
    assert crm.owner_of(ADA.email) is None


@pytest.mark.parametrize(
    ("person", "field"),
    [
        (replace(ADA, fields={"no_such_column": "x"}), "no_such_column"),
        (replace(ADA, fields={"f1": "x" * 101}), "f1"),
        (replace(ADA, fields={"jobtitle": "x" * 101}), "title"),
        (replace(ADA, fields={"leadsourcecode": "Skywriting"}), "leadsourcecode"),
        (replace(ADA, fields={"donotemail": "maybe"}), "donotemail"),
    ],
)
def test_a_refused_value_is_named_by_our_field(fake: DataverseFake, person: Person, field: str):
    with pytest.raises(InvalidInput) as caught:
        opened(fake).upsert_person(person, key="k1")
    assert caught.value.field == field


def test_choices_are_written_by_their_words(fake: DataverseFake):
    fields = {"leadsourcecode": "advertisement", "new_interests": ["Prices", "Plans"], "f1": "", "f2": None}
    opened(fake).upsert_person(replace(ADA, fields=fields), key="k1")
    lead = only(fake, "lead")
    assert (lead["leadsourcecode"], lead["new_interests"]) == (1, "2,1")
    assert "f2" not in lead


def test_what_was_mapped_for_leads_is_left_out_where_a_contact_has_no_such_column(fake: DataverseFake):
    fake.put("contact", emailaddress1=ADA.email)
    opened(fake).upsert_person(replace(ADA, fields={"leadsourcecode": "Web", "f1": "kept"}), key="k1")
    contact = only(fake, "contact")
    assert contact["f1"] == "kept"
    assert "leadsourcecode" not in contact


def test_columns_are_told_with_their_words_and_our_names(fake: DataverseFake):
    people = {one.name: one for one in opened(fake).fields_of(Kind.PERSON)}
    assert (people["jobtitle"].ours, people["jobtitle"].custom, people["f1"].custom) == ("title", False, True)
    assert people["lastname"].required
    assert people["leadsourcecode"].choices == ("Advertisement", "Web", "Other")
    assert (people["new_interests"].type, people["createdon"].type) == ("choices", "moment")
    assert not people["createdon"].writable
    companies = {one.name: one.ours for one in opened(fake).fields_of(Kind.COMPANY)}
    assert (companies["websiteurl"], companies["numberofemployees"]) == ("domain", "employees")


@pytest.mark.parametrize(
    ("website", "email", "found"),
    [
        ("https://www.Globex.example/en?x=1", None, True),
        ("globex.example", None, True),
        (None, "office@globex.example", True),
        ("https://notglobex.example", None, False),
        ("https://globex.example.evil.example", None, False),
        ("https://evil.example/globex.example", "x@y.example", False),
    ],
)
def test_an_account_is_known_by_its_website_or_its_address(
    fake: DataverseFake, website: str | None, email: str | None, found: bool
):
    id = fake.put("account", name="Globex", websiteurl=website, emailaddress1=email)
    account = opened(fake).account_by_domain("globex.example")
    assert (account.ref.id if account else None) == (f"account/{id}" if found else None)


def test_of_several_accounts_of_a_domain_the_open_one_with_the_website_is_meant(fake: DataverseFake):
    fake.put("account", name="old", websiteurl="globex.example", statecode=1)
    fake.put("account", name="by address", emailaddress1="x@globex.example")
    fake.put("account", name="Globex", websiteurl="globex.example")
    account = opened(fake).account_by_domain("globex.example")
    assert account
    assert account.name == "Globex"


def test_an_account_tells_customer_target_owner_and_who_looks_after_it(fake: DataverseFake):
    joan = fake.add_user("Joan Clarke", "joan@acme.example")
    said = {"new_domain": "globex.example", "new_target": True, "_new_csm_value": joan, "customertypecode": 3}
    fake.put("account", name="Globex", **said)
    crm = opened(fake, domain_field="new_domain", target_field="new_target", csm_field="new_csm")
    account = crm.account_by_domain("GLOBEX.example")
    assert account
    assert (account.is_customer, account.is_target) == (True, True)
    assert account.owner
    assert account.csm
    assert (account.owner.email, account.csm.email) == ("grace@acme.example", "joan@acme.example")


def test_a_company_that_another_program_makes_at_the_same_moment_stays_one(fake: DataverseFake):
    """The alternate key refuses the second; what is there is changed."""
    fake.keys.add(("account", "new_domain"))
    crm = opened(fake, domain_field="new_domain")
    fake.faults.add(Fault(200, b'{"value": []}'), on="GET .*/accounts$", times=1)
    there = fake.put("account", name="Globex", new_domain="globex.example")
    ref = crm.upsert_company(Company("globex.example", employees=800, is_customer=True), key="k1")
    assert ref.id == f"account/{there}"
    row = only(fake, "account")
    assert (row["name"], row["numberofemployees"], row["customertypecode"]) == ("Globex", 800, 3)


def test_an_industry_that_dynamics_does_not_know_is_said(fake: DataverseFake):
    with pytest.raises(InvalidInput) as caught:
        opened(fake).upsert_company(Company("globex.example", industry="Time travel"), key="k1")
    assert caught.value.field == "industry"


def test_a_person_belongs_to_a_company(fake: DataverseFake):
    crm = opened(fake)
    company = crm.upsert_company(Company("globex.example"), key="k1")
    crm.upsert_person(replace(ADA, company_ref=company), key="k2")
    assert only(fake, "lead")["_parentaccountid_value"] == company.id.partition("/")[2]
    assert only(fake, "account")["websiteurl"] == "https://globex.example"


def test_what_happened_is_a_task_that_is_done_and_a_call_is_a_phone_call(fake: DataverseFake):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    crm.log_activity(ada, replace(CHAT, url="https://chat.acme.example/c/1"), key="k2")
    crm.log_activity(ada, Activity(ActivityKind.CALL, CHAT.at, ""), key="k3")
    task, call = only(fake, "task"), only(fake, "phonecall")
    assert (task["statecode"], call["statecode"], call["subject"]) == (1, 1, "Call")
    assert task["description"] == "How much is it?\n\nhttps://chat.acme.example/c/1"
    assert {task["_regardingobjectid_value"], call["_regardingobjectid_value"]} == {ada.id.partition("/")[2]}


@pytest.mark.parametrize("status", list(MeetingStatus))
def test_a_meeting_is_read_back_as_it_stands(fake: DataverseFake, status: MeetingStatus):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    ref = crm.log_meeting(ada, replace(DEMO, owner_email="grace@acme.example", location="Teams"), key="m1")
    crm.log_meeting(ada, replace(DEMO, status=status), key="m2")
    crm.log_meeting(ada, replace(DEMO, status=status), key="m2")
    found = crm.meetings([ref])[ref.id]
    assert (found.uid, found.zone, found.status, found.start) == (DEMO.uid, DEMO.zone, status, DEMO.start)
    row = only(fake, "appointment")
    assert row["_ownerid_value"] == fake.grace
    assert row["_regardingobjectid_value"] == ada.id.partition("/")[2]


def test_a_meeting_that_a_rep_closed_in_dynamics_is_told_so(fake: DataverseFake):
    crm = opened(fake)
    ref = crm.log_meeting(crm.upsert_person(ADA, key="k1"), DEMO, key="m1")
    fake.edit("appointment", ref.id.partition("/")[2], statecode=1, statuscode=3)
    assert crm.meetings([ref])[ref.id].status is MeetingStatus.HELD


def test_a_lead_becomes_a_contact_of_the_company_with_an_opportunity(fake: DataverseFake):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    company = crm.upsert_company(Company("globex.example", name="Globex"), key="k2")
    became = crm.convert(ada, key="c1", company=company, opportunity="Globex: 800 seats")
    contact, deal = only(fake, "contact"), only(fake, "opportunity")
    assert became.person.id == f"contact/{contact['contactid']}"
    assert contact["_parentcustomerid_value"] == company.id.partition("/")[2]
    assert deal["name"] == "Globex: 800 seats"
    assert crm.convert(ada, key="c1", company=company, opportunity="Globex: 800 seats") == became
    assert crm.convert(became.person, key="c2", company=company, opportunity="Globex: 800 seats") == became


def test_a_contact_gets_an_opportunity_of_its_own_and_a_lead_can_do_without(fake: DataverseFake):
    crm = opened(fake)
    contact = fake.put("contact", emailaddress1=ADA.email)
    [ada] = crm.find_by_email(ADA.email)
    became = crm.convert(ada, key="c1", opportunity="It's 5 o'clock")
    assert became.opportunity
    assert only(fake, "opportunity")["_customerid_value"] == contact
    bob = crm.upsert_person(replace(ADA, email="bob@globex.example"), key="k2")
    assert crm.convert(bob, key="c2").opportunity is None


def test_rules_against_duplicates_are_asked_only_where_the_owner_wants_them(fake: DataverseFake):
    fake.rules = True
    fake.put("lead", emailaddress1=ADA.email)
    fake.faults.add(Fault(200, b'{"value": []}'), on="GET .*/(leads|contacts)$")
    with pytest.raises(Duplicate):
        opened(fake, detect_duplicates="yes").upsert_person(ADA, key="k1")
    assert opened(fake).upsert_person(ADA, key="k1").created


def test_an_erased_contact_takes_the_lead_it_came_from_along_and_leaves_the_deal(fake: DataverseFake):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    crm.log_meeting(ada, DEMO, key="m1")
    note = fake.put("annotation", _objectid_value=ada.id.partition("/")[2], notetext="likes tea")
    became = crm.convert(ada, key="c1", opportunity="Globex")
    crm.erase(became.person, key="e1")
    assert fake.all_of("lead", "contact", "appointment", "annotation") == []
    assert note
    assert len(fake.all_of("opportunity")) == 1
    crm.erase(became.person, key="e1")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "0x80040217", NotFound),
        (400, "0x80040217", NotFound),
        (403, "0x80040220", PermissionDenied),
        (412, "0x80060882", Conflict),
        (412, "0x80060892", Duplicate),
        (429, "0x80072322", RateLimited),
        (429, "0x80072321", RateLimited),
        (429, "0x80072326", RateLimited),
        (400, "0x80044331", InvalidInput),
        (500, "0x80044150", Transient),
        (400, "0x80044151", Transient),
    ],
)
def test_dataverses_own_codes_say_what_to_do(fake: DataverseFake, status: int, code: str, kind: type[PluginError]):
    body = json.dumps({"error": {"code": code, "message": "No."}}).encode()
    fake.faults.add(Fault(status, body, headers={"Retry-After": "17"}), on="/contacts")
    with pytest.raises(PluginError) as caught:
        opened(fake).find_by_email(ADA.email)
    assert type(caught.value) is kind
    assert caught.value.vendor_code == code
    assert (kind is not RateLimited) or caught.value.retry_after


def test_an_application_that_is_no_user_is_told_what_to_do(fake: DataverseFake):
    fake.registered = False
    check = opened(fake).check()
    assert not check.ok
    assert "application user" in check.message


def test_a_check_names_the_user_and_tables_whose_changes_are_not_tracked(fake: DataverseFake):
    assert opened(fake).check().warnings == ()
    fake.untracked.add("lead")
    check = opened(fake).check()
    assert check.ok
    assert check.account.startswith("# Usher (")
    assert check.warnings == ("Changes of leads are not tracked: turn on Track changes.",)


@pytest.mark.parametrize(
    ("wrong", "kind"), [({"client_secret": "x"}, AuthError), ({"tenant": "x.example"}, ConfigError)]
)
def test_wrong_settings_are_said(fake: DataverseFake, wrong: dict[str, str], kind: type[PluginError]):
    with pytest.raises(kind):
        opened(fake, **wrong).find_by_email(ADA.email)
    assert not opened(fake, **wrong).check().ok


def test_a_row_that_was_deleted_since_we_looked_is_tried_again(fake: DataverseFake):
    lead = fake.put("lead", emailaddress1=ADA.email)
    body = json.dumps({"error": {"code": "0x80040217", "message": f"lead With Id = {lead} Does Not Exist"}}).encode()
    fake.faults.add(Fault(404, body), on="PATCH", times=1)
    crm = opened(fake)
    with pytest.raises(Transient):
        crm.upsert_person(ADA, key="k1")
    assert crm.upsert_person(ADA, key="k1").id == f"lead/{lead}"


def test_a_deleted_row_does_not_come_back_with_half_of_its_values(fake: DataverseFake):
    """A PATCH without a condition would make it."""
    crm = opened(fake)
    lead = fake.put("lead", emailaddress1=ADA.email)
    told = {"value": [{"leadid": lead, "emailaddress1": ADA.email, "statecode": 0}]}
    fake.remove("lead", lead)
    fake.faults.add(Fault(200, json.dumps(told).encode()), on="GET .*/leads$", times=1)
    with pytest.raises(Transient):
        crm.upsert_person(replace(ADA, title="CEO"), key="k1")
    assert fake.all_of("lead") == []
    assert crm.upsert_person(replace(ADA, title="CEO"), key="k1").created


def test_companies_are_found_by_their_exact_name(fake: DataverseFake):
    crm = opened(fake)
    for name in ("Müller & Söhne", "Muller & Sohne", "O'Reilly", "Müller & Söhne GmbH"):
        fake.put("account", name=name)
    assert len(crm.companies_named(" MÜLLER & söhne ")) == 1
    assert len(crm.companies_named("o'reilly")) == 1
    assert crm.companies_named(" ") == []
