"""People at Salesforce: contacts before leads, converted leads, owners, duplicates, life without fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.crm import Company, Kind, Owner, Person, Ref
from plugins.crm.salesforce import Salesforce
from plugins.crm.salesforce.errors import RuleObjects
from plugins.errors import AmbiguousOutcome, ConfigError, Duplicate, InvalidInput, NotFound, PluginError, Transient
from plugins.records import MemoryRecords
from plugins.testing.conformance import at_once
from plugins.testing.fakes import Fault
from plugins.testing.fakes.salesforce import SalesforceFake
from plugins.testing.fakes.salesforce.rules import DuplicateRule, Rule
from tests.plugins.crm.salesforce.conftest import Open

EMAIL = "ada@globex.example"
ADA = Person(EMAIL, name="Ada Lovelace", title="CTO", company="Globex")
TAKEN = json.dumps([{
    "errorCode": "DUPLICATE_VALUE", "fields": [],
    "message": "duplicate value found: Usher_Id__c duplicates value on record with id: 00Q000000000099",
}]).encode()  # fmt: skip
LOOSE = {"person_id_field": "", "company_id_field": ""}


def test_a_new_person_is_a_lead_with_what_salesforce_demands(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(Person("Ada@Globex.example"), key="k1")
    lead = fake.row(ref.id)
    assert (lead["Email"], lead["LastName"], lead["Company"]) == (EMAIL, "Ada", "[not provided]")
    assert (lead["CreatedById"], ref.url, ref.created) == (fake.us, f"{fake.url}/{ref.id}", True)


def test_a_contact_is_preferred_to_a_lead_and_an_old_one_to_a_new(crm: Salesforce, fake: SalesforceFake) -> None:
    account = fake.add("Account", Name="Globex")
    fake.add("Lead", LastName="L", Company="Globex", Email=EMAIL)
    old = fake.add("Contact", LastName="Lovelace", Email=EMAIL.upper(), AccountId=account)
    fake.add("Contact", LastName="Twin", Email=EMAIL)
    ref = crm.upsert_person(ADA, key="k1")
    assert (ref.id, ref.created) == (old, False)
    assert (fake.row(old)["Title"], fake.row(old)["Email"]) == ("CTO", EMAIL.upper())
    assert len(crm.find_by_email(EMAIL)) == 3


def test_what_a_lead_became_is_written_to_and_not_the_lead(crm: Salesforce, fake: SalesforceFake) -> None:
    lead = fake.convert(crm.upsert_person(ADA, key="k1").id)
    contact = lead["ConvertedContactId"]
    fake.change(contact, Email="lovelace@globex.example")
    ref = crm.upsert_person(Person(EMAIL, title="CEO"), key="k2")
    assert (ref.id, fake.row(contact)["Title"], lead["Title"]) == (contact, "CEO", "CTO")
    assert crm.find_by_email(EMAIL) == [Ref(Kind.PERSON, contact, ref.url)]


def test_who_came_back_after_their_contact_was_deleted_is_a_new_lead_once(
    crm: Salesforce, fake: SalesforceFake
) -> None:
    lead = fake.convert(crm.upsert_person(ADA, key="k1").id)
    fake.remove(lead["ConvertedContactId"])
    refs = at_once(lambda n: crm.upsert_person(ADA, key=f"k{n}"))
    assert len(set(refs)) == 1
    assert refs[0].id not in (lead["Id"], lead["ConvertedContactId"])
    assert crm.upsert_person(ADA, key="again") == refs[0]


def test_a_lead_that_is_converted_at_this_moment_is_tried_again(crm: Salesforce, fake: SalesforceFake) -> None:
    crm.upsert_person(ADA, key="k1")
    said = b'[{"errorCode":"CANNOT_UPDATE_CONVERTED_LEAD","message":"cannot update converted lead","fields":[]}]'
    fake.faults.add(Fault(400, said), on="PATCH .*/Lead/00Q")
    with pytest.raises(Transient):
        crm.upsert_person(ADA, key="k2")


def test_the_second_of_two_who_make_a_person_at_once_changes_it_and_makes_nothing_up(
    crm: Salesforce, fake: SalesforceFake
) -> None:
    mark = fake.row(crm.upsert_person(Person(EMAIL), key="k0").id)["Usher_Id__c"]
    fake.rows["Lead"].clear()
    values = {"LastName": "Lovelace", "Company": "Globex", "Email": EMAIL, "Usher_Id__c": mark}
    fake.meanwhile("POST .*/sobjects/Lead", lambda: fake.add("Lead", **values))
    ref = crm.upsert_person(Person(EMAIL, title="CTO"), key="k1")
    [lead] = fake.there("Lead")
    assert (ref.id, ref.created) == (lead["Id"], False)
    assert (lead["LastName"], lead["Company"], lead["Title"]) == ("Lovelace", "Globex", "CTO")


def test_a_company_that_somebody_else_makes_at_once_keeps_its_name(crm: Salesforce, fake: SalesforceFake) -> None:
    values = {"Name": "Globex", "Usher_Domain__c": "globex.example"}
    fake.meanwhile("POST .*/sobjects/Account", lambda: fake.add("Account", **values))
    crm.upsert_company(Company("globex.example", employees=800), key="k1")
    [account] = fake.there("Account")
    assert (account["Name"], account["NumberOfEmployees"]) == ("Globex", 800)


def test_a_record_that_is_there_but_hidden_from_us_is_named(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.faults.add(Fault(400, TAKEN), on="POST .*/sobjects/Lead", times=1)
    with pytest.raises(Duplicate) as caught:
        crm.upsert_person(ADA, key="k1")
    assert caught.value.existing == "00Q000000000099"


def test_a_person_found_by_address_gets_our_mark_and_keeps_it_when_the_address_changes(
    crm: Salesforce, fake: SalesforceFake
) -> None:
    lead = fake.add("Lead", LastName="Lovelace", Company="Globex", Email=EMAIL)
    assert crm.upsert_person(ADA, key="k1").id == lead
    fake.change(lead, Email="countess@globex.example")
    assert crm.upsert_person(Person(EMAIL, title="CEO"), key="k2").id == lead
    assert fake.row(lead)["Email"] == "countess@globex.example"


def test_a_mark_that_is_not_free_does_not_keep_anybody_from_being_written(
    crm: Salesforce, fake: SalesforceFake
) -> None:
    lead = fake.add("Lead", LastName="Lovelace", Company="Globex", Email=EMAIL)
    fake.faults.add(Fault(400, TAKEN), on=f"PATCH .*/Lead/{lead}", times=1)
    crm.upsert_person(ADA, key="k1")
    assert (fake.row(lead)["Title"], fake.row(lead)["Usher_Id__c"]) == ("CTO", None)


def test_an_external_id_field_that_is_not_unique_leads_to_the_first(open_one: Open, fake: SalesforceFake) -> None:
    fake.add_field("Lead", "Usher_Id__c", external=True)
    crm = open_one()
    mark = fake.row(crm.upsert_person(ADA, key="k1").id)["Usher_Id__c"]
    fake.add("Lead", LastName="Twin", Company="Globex", Usher_Id__c=mark)
    told = crm._rows.upsert("upsert_person", "Lead", "Usher_Id__c", mark, {"Title": "CEO"}, {})
    assert fake.row(told.id)["LastName"] == "Lovelace"
    assert fake.row(told.id)["Title"] == "CEO"


def test_none_leaves_empty_clears_and_one_word_is_no_last_name(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(Person(EMAIL, name="Ada Lovelace", title="CTO", phone="+49301"), key="k1")
    crm.upsert_person(Person(EMAIL, name="Ada", title="", opted_out=True), key="k2")
    lead = fake.row(ref.id)
    assert (lead["FirstName"], lead["LastName"], lead["Title"], lead["Phone"]) == ("Ada", "Lovelace", None, "+49301")
    assert lead["HasOptedOutOfEmail"] is True


def test_a_field_of_one_kind_goes_to_that_kind_only(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.add_field("Contact", "Level__c")
    fake.add_field("Lead", "Region__c")
    further = {"Contact.Level__c": "gold", "Lead.Region__c": "EMEA"}
    ref = crm.upsert_person(Person(EMAIL, name="Ada L", fields=further), key="k1")
    assert fake.row(ref.id)["Region__c"] == "EMEA"
    contact = fake.convert(ref.id)["ConvertedContactId"]
    crm.upsert_person(Person(EMAIL, fields=further), key="k2")
    assert fake.row(contact)["Level__c"] == "gold"


def test_an_active_user_gets_the_person_and_an_inactive_one_does_not(crm: Salesforce, fake: SalesforceFake) -> None:
    grace = fake.add("User", Name="Grace", Email="grace@acme.example", Username="grace@acme.example")
    fake.add("User", Name="Left", Email="left@acme.example", Username="left@acme.example", IsActive=False)
    ref = crm.upsert_person(Person(EMAIL, owner_email="Grace@acme.example"), key="k1")
    assert crm.owner_of(EMAIL) == Owner(grace, "grace@acme.example", "Grace")
    crm.upsert_person(Person(EMAIL, owner_email="left@acme.example"), key="k2")
    assert fake.row(ref.id)["OwnerId"] == grace
    fake.change(grace, IsActive=False)
    assert crm.owner_of(EMAIL).active is False


def test_what_a_queue_owns_is_nobodys_yet(open_one: Open, fake: SalesforceFake) -> None:
    queue = fake.add("Group", Name="Web leads", DeveloperName="Web_leads", Type="Queue")
    for named in ("Web leads", "Web_leads"):
        crm = open_one(new_lead_owner=named)
        email = f"{named.replace(' ', '-')}@globex.example"
        ref = crm.upsert_person(Person(email), key=named)
        assert fake.row(ref.id)["OwnerId"] == queue
        assert crm.owner_of(email) is None


def test_assignment_rules_see_new_leads_and_never_take_an_owner_away(open_one: Open, fake: SalesforceFake) -> None:
    grace = fake.add("User", Name="Grace", Email="grace@acme.example", Username="grace@acme.example")
    fake.set_up.assigns_to = fake.admin
    crm = open_one()
    by_rule = crm.upsert_person(ADA, key="k1")
    by_us = crm.upsert_person(Person("bob@globex.example", owner_email="grace@acme.example"), key="k2")
    assert (fake.row(by_rule.id)["OwnerId"], fake.row(by_us.id)["OwnerId"]) == (fake.admin, grace)
    fake.change(by_rule.id, OwnerId=grace)
    crm.upsert_person(Person(EMAIL, title="CEO"), key="k3")
    assert fake.row(by_rule.id)["OwnerId"] == grace
    alone = open_one(assign_new_leads=False).upsert_person(Person("eve@globex.example"), key="k4")
    assert fake.row(alone.id)["OwnerId"] == fake.us


def test_a_rule_that_warns_is_passed_and_one_that_blocks_names_the_other(open_one: Open, fake: SalesforceFake) -> None:
    other = fake.add("Lead", LastName="Lovelace", Company="Globex", Email="countess@globex.example", Title="CTO")
    fake.set_up.duplicate_rules.append(DuplicateRule("Lead", field="Title"))
    assert open_one().upsert_person(ADA, key="k1").created
    for settings, blocks in (({"save_warned_duplicates": False}, False), ({}, True)):
        fake.set_up.duplicate_rules[:] = [DuplicateRule("Lead", field="Title", blocks=blocks)]
        with pytest.raises(RuleObjects) as caught:
            open_one(**settings).upsert_person(Person("bob@globex.example", title="CTO"), key="k2")
        assert caught.value.existing == other
        assert "Standard_Lead_Duplicate_Rule" in caught.value.user_message


def test_a_rule_that_objects_to_a_change_is_passed_too(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.add("Lead", LastName="L", Company="Globex", Email="countess@globex.example", Title="CEO")
    fake.set_up.duplicate_rules.append(DuplicateRule("Lead", field="Title", on_edit=True))
    ref = crm.upsert_person(ADA, key="k1")
    crm.upsert_person(Person(EMAIL, title="CEO"), key="k2")
    assert fake.row(ref.id)["Title"] == "CEO"


@pytest.mark.parametrize(
    ("said", "kind", "field"),
    [
        ({"fields": {"Region__c": "x" * 60}}, InvalidInput, "Region__c"),
        ({"fields": {"Title": "x" * 200}}, InvalidInput, "title"),
        ({"fields": {"Tier__c": "platinum"}}, InvalidInput, "Tier__c"),
        ({"fields": {"Seats__c": "many"}}, InvalidInput, "Seats__c"),
        ({"phone": "forbidden"}, InvalidInput, "phone"),
        ({"fields": {"Nothing__c": "x"}}, ConfigError, "Nothing__c"),
        ({"fields": {"Frozen__c": "x"}}, ConfigError, "Frozen__c"),
        ({"fields": {"no field": "x"}}, ConfigError, "no field"),
    ],
)
def test_a_refused_value_is_named_as_we_call_it(
    crm: Salesforce, fake: SalesforceFake, said: dict[str, Any], kind: type[PluginError], field: str
) -> None:
    fake.add_field("Lead", "Tier__c", "picklist", choices=("gold",), restricted=True)
    fake.add_field("Lead", "Seats__c", "double")
    fake.add_field("Lead", "Region__c", most=50)
    fake.add_field("Lead", "Frozen__c", owned=True)
    fake.set_up.rules.append(Rule("Lead", lambda row: row["Phone"] == "forbidden", "No such phones.", "Phone"))
    with pytest.raises(kind) as caught:
        crm.upsert_person(Person(EMAIL, **said), key="k1")
    named = caught.value.field if isinstance(caught.value, InvalidInput) else caught.value.problems[0][0]
    assert named == field
    assert field in caught.value.user_message or "No such phones." in caught.value.user_message
    assert fake.there("Lead") == []


def test_what_a_visitor_typed_too_long_is_cut_and_an_address_never(crm: Salesforce, fake: SalesforceFake) -> None:
    long = "x" * 300
    typed = Person(EMAIL, first_name=long, last_name=long, title=long, phone=long, company=long, country=long)
    lead = fake.row(crm.upsert_person(typed, key="k1").id)
    cut = {name: (len(lead[name]), lead[name][-1]) for name in ("FirstName", "LastName", "Title", "Phone", "Company")}
    assert cut == {
        "FirstName": (40, "…"), "LastName": (80, "…"), "Title": (128, "…"), "Phone": (40, "…"), "Company": (255, "…"),
    }  # fmt: skip
    fits = Person("bob@globex.example", first_name="x" * 40, title="")
    assert fake.row(crm.upsert_person(fits, key="k2").id)["FirstName"] == "x" * 40
    account = crm.upsert_company(Company("globex.example", name=long, phone=long), key="k3")
    assert (len(fake.row(account.id)["Name"]), len(fake.row(account.id)["Phone"])) == (255, 40)
    with pytest.raises(InvalidInput) as caught:
        crm.upsert_person(Person(f"{'y' * 60}@{'z' * 60}.example"), key="k4")
    assert caught.value.field == "email"


def test_a_field_that_the_org_demands_stops_the_connection_by_name(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.add_field("Lead", "Region__c", required=True)
    with pytest.raises(ConfigError) as caught:
        crm.upsert_person(ADA, key="k1")
    assert caught.value.problems == (("Region__c", "Salesforce demands a value"),)
    assert "Region__c" in " ".join(crm.check().warnings)


def test_a_row_that_is_locked_is_tried_later(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    fake.set_up.locked.add(ref.id)
    with pytest.raises(Transient):
        crm.upsert_person(ADA, key="k2")


@pytest.mark.parametrize("email", ["o'hara@globex.example", "back\\slash@globex.example", "a%b_c@globex.example"])
def test_no_address_can_end_a_query_early(crm: Salesforce, fake: SalesforceFake, email: str) -> None:
    fake.add("Lead", LastName="Other", Company="X", Email="other@globex.example")
    ref = crm.upsert_person(Person(email), key="k1")
    assert [one.id for one in crm.find_by_email(email)] == [ref.id]
    assert crm.find_by_email("x'+OR+Email+!=+'@globex.example") == []
    assert crm.companies_named("x' OR Name != '") == []


def test_two_calls_write_a_person_who_is_known_and_two_one_who_is_not(open_one: Open, fake: SalesforceFake) -> None:
    crm = open_one(new_lead_owner="olga@acme.example")
    crm.find_by_email(EMAIL)
    for known in (False, True):
        used = fake.used
        assert crm.upsert_person(ADA, key="k1").created is not known
        assert fake.used - used == 2


def test_without_a_field_a_lost_answer_is_found_by_a_look(open_one: Open, fake: SalesforceFake) -> None:
    crm = open_one(**LOOSE, records=MemoryRecords())
    fake.faults.add(Fault(drop=True), on="POST .*/sobjects/Lead", times=1)
    with pytest.raises(AmbiguousOutcome):
        crm.upsert_person(ADA, key="k1")
    assert crm.upsert_person(ADA, key="k1").created is False
    assert len(fake.there("Lead")) == 1


def test_without_a_field_what_may_still_come_is_not_made_again(open_one: Open, fake: SalesforceFake) -> None:
    clock = {"now": datetime.now(UTC)}
    crm = open_one(**LOOSE, records=MemoryRecords(), now=lambda: clock["now"])
    fake.faults.add(Fault(504), on="POST .*/sobjects/Lead", times=1)
    with pytest.raises(AmbiguousOutcome):
        crm.upsert_person(ADA, key="k1")
    with pytest.raises(Transient):
        crm.upsert_person(ADA, key="k1")
    clock["now"] += timedelta(minutes=12)
    assert crm.upsert_person(ADA, key="k1").created
    assert len(fake.there("Lead")) == 1


def test_without_a_field_eight_at_once_make_one_and_the_others_come_back(open_one: Open, fake: SalesforceFake) -> None:
    records = MemoryRecords()
    crms = [open_one(**LOOSE, records=records) for _ in range(8)]

    def write(n: int) -> Any:
        try:
            return crms[n].upsert_person(ADA, key=f"k{n}"), crms[n].upsert_company(Company("globex.example"), key="c")
        except Transient:
            return None

    told = [one for one in at_once(write) if one]
    assert told
    assert (len(fake.there("Lead")), len(fake.there("Account"))) == (1, 1)
    assert not crms[0].upsert_person(ADA, key="again").created


def test_an_erased_person_is_gone_as_contact_and_as_the_lead_it_was(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    contact = fake.convert(ref.id)["ConvertedContactId"]
    fake.add("Task", Subject="Call", WhoId=contact)
    crm.erase(ref, key="e1")
    crm.erase(Ref(Kind.PERSON, contact), key="e2")
    crm.erase(Ref(Kind.PERSON, "per_1"), key="e3")
    assert (fake.there("Lead"), fake.there("Contact"), fake.there("Task")) == ([], [], [])
    assert len(fake.there("Account")) == 1


def test_an_erased_person_is_gone_as_the_record_that_was_kept(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    kept = fake.add("Lead", LastName="Lovelace", Company="Globex", Email="countess@globex.example")
    fake.merge(kept, ref.id)
    fake.add("Task", Subject="Call", WhoId=kept)
    crm.erase(ref, key="e1")
    assert (fake.there("Lead"), fake.there("Task")) == ([], [])


def test_a_person_who_may_not_be_deleted_is_not_called_erased(crm: Salesforce, fake: SalesforceFake) -> None:
    ref = crm.upsert_person(ADA, key="k1")
    said = b'[{"success":false,"errors":[{"statusCode":"INSUFFICIENT_ACCESS_OR_READONLY","message":"no","fields":[]}]}]'
    fake.faults.add(Fault(200, said), on="DELETE")
    with pytest.raises(PluginError) as caught:
        crm.erase(ref, key="e1")
    assert not isinstance(caught.value, NotFound)
