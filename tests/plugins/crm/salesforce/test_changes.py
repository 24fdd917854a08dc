"""What changed at Salesforce, its allowance, and what a check finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.crm import Change, Kind, Person
from plugins.crm.salesforce import Salesforce
from plugins.crm.salesforce.changes import REMEMBERED
from plugins.errors import ConfigError, CursorExpired, QuotaExhausted, RateLimited
from plugins.testing.crm_samples import DEMO
from plugins.testing.fakes import Fault
from plugins.testing.fakes.salesforce import SalesforceFake
from tests.plugins.crm.salesforce.conftest import Open

EMAIL = "ada@globex.example"
ADA = Person(EMAIL, name="Ada Lovelace")


def told(crm: Salesforce, cursor: str, **options: Any) -> tuple[list[Change], str]:
    """All changes since, page after page, and the cursor after them."""
    items, more = [], True
    while more:
        page = crm.changes(cursor, **options)
        items += page.items
        cursor, more = page.cursor, page.more
    return items, cursor


def test_what_others_do_is_told_in_our_words_and_what_we_do_is_ours(open_one: Open, fake: SalesforceFake) -> None:
    fake.add_field("Lead", "Region__c")
    crm = open_one(changed_fields="Lead.Region__c")
    cursor = crm.changes().cursor
    ref = crm.upsert_person(ADA, key="k1")
    event = crm.log_meeting(ref, DEMO, key="m1")
    account = fake.add("Account", Name="Globex", Website="globex.example", Type="Customer - Direct")
    items, cursor = told(crm, cursor)
    assert {(one.ref.id, one.ours) for one in items} == {(ref.id, True), (event.id, True), (account, False)}
    customer = next(one.values for one in items if one.ref.id == account)
    assert (customer["is_customer"], customer["domain"], customer["name"]) == (True, "globex.example", "Globex")
    fake.change(ref.id, Status="Qualified", OwnerId=fake.admin, Region__c="EMEA")
    [change], cursor = told(crm, cursor)
    values = change.values
    assert (values["status"], values["owner_email"], values["Lead.Region__c"]) == (
        "Qualified", "olga@acme.example", "EMEA",
    )  # fmt: skip
    assert not change.ours
    contact = fake.convert(ref.id)["ConvertedContactId"]
    became = {one.ref.id: one.values for one in told(crm, cursor)[0] if one.ref.kind is Kind.PERSON}
    assert became[ref.id]["ConvertedContactId"] == contact


@pytest.mark.parametrize("kind", ["Lead", "Contact", "Account"])
def test_what_was_merged_is_told_with_the_record_that_was_kept(
    crm: Salesforce, fake: SalesforceFake, kind: str
) -> None:
    named = {"Name": "Globex"} if kind == "Account" else {"LastName": "Lovelace", "Company": "Globex"}
    kept, other, gone = (fake.add(kind, **named) for _ in range(3))
    cursor = crm.changes().cursor
    fake.merge(kept, other)
    fake.remove(gone)
    told_now = {one.ref.id: one for one in told(crm, cursor)[0]}
    assert (told_now[other].deleted, told_now[other].became.id) == (True, kept)
    assert told_now[other].became.kind == told_now[other].ref.kind
    assert (told_now[gone].deleted, told_now[gone].became) == (True, None)


def test_an_event_that_is_not_ours_is_not_told(crm: Salesforce, fake: SalesforceFake) -> None:
    cursor = crm.changes().cursor
    fake.add("Event", Subject="Dentist", StartDateTime="2026-03-02T12:00:00.000+0000")
    assert told(crm, cursor)[0] == []


def test_the_beginning_tells_nothing_of_before(crm: Salesforce, fake: SalesforceFake) -> None:
    for n in range(5):
        fake.add("Lead", LastName=f"L{n}", Company="C")
    assert crm.changes().items == ()
    assert told(crm, crm.changes().cursor)[0] == []


def test_a_record_that_is_saved_late_with_an_earlier_stamp_is_told(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.add("Lead", LastName="First", Company="C")
    cursor = crm.changes().cursor
    fake.lag = timedelta(seconds=90)
    late = fake.add("Lead", LastName="Late", Company="C")
    fake.lag = timedelta()
    items, cursor = told(crm, cursor)
    assert [one.ref.id for one in items] == [late]
    assert told(crm, cursor)[0] == []


def test_two_changes_in_one_second_are_both_told(crm: Salesforce, fake: SalesforceFake) -> None:
    lead = fake.add("Lead", LastName="L", Company="C")
    cursor = crm.changes().cursor
    seen = []
    for title in ("CTO", "CEO"):
        fake.change(lead, Title=title)
        fake.row(lead)["SystemModstamp"] = "2026-03-02T12:00:00.000+0000"
        _at(fake, lead, datetime.now(UTC))
        items, cursor = told(crm, cursor)
        seen += [one.values["title"] for one in items]
    assert seen == ["CTO", "CEO"]


def _at(fake: SalesforceFake, id: str, at: datetime) -> None:
    fake.row(id)["SystemModstamp"] = at.replace(second=0).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def test_an_import_larger_than_we_remember_is_told_once_page_by_page(crm: Salesforce, fake: SalesforceFake) -> None:
    cursor = crm.changes().cursor
    ids = {fake.add("Lead", LastName=f"L{n}", Company="C") for n in range(REMEMBERED + 50)}
    stamp = datetime.now(UTC)
    for id in ids:
        _at(fake, id, stamp)
    items, cursor = told(crm, cursor, limit=200)
    assert sorted(one.ref.id for one in items) == sorted(ids)
    assert told(crm, cursor)[0] == []
    fake.lag = -timedelta(minutes=3)
    after = fake.add("Lead", LastName="After", Company="C")
    assert [one.ref.id for one in told(crm, cursor)[0]] == [after]


def test_a_poll_is_one_call(crm: Salesforce, fake: SalesforceFake) -> None:
    cursor = crm.changes().cursor
    used = fake.used
    crm.changes(cursor)
    assert fake.used == used + 1


def test_who_did_not_ask_for_two_weeks_starts_again(open_one: Open) -> None:
    cursor = open_one().changes().cursor
    later = open_one(now=lambda: datetime.now(UTC) + timedelta(days=15))
    with pytest.raises(CursorExpired):
        later.changes(cursor)
    for nonsense in ("{}", '{"asked": 1}', "[]", '{"asked": "x", "at": {}}'):
        with pytest.raises(CursorExpired):
            later.changes(nonsense)


def test_long_queries_are_read_to_their_last_page(crm: Salesforce, fake: SalesforceFake) -> None:
    fake.page = 2
    contacts = [fake.add("Contact", LastName=f"L{n}", Email=EMAIL) for n in range(5)]
    assert [ref.id for ref in crm.find_by_email(EMAIL)] == contacts


def test_the_days_allowance_comes_back_by_hours(crm: Salesforce, fake: SalesforceFake) -> None:
    crm.find_by_email(EMAIL)
    fake.allowed = fake.used
    with pytest.raises(QuotaExhausted) as caught:
        crm.find_by_email(EMAIL)
    wait = caught.value.retry_after - datetime.now(UTC)
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    assert caught.value.vendor_code == "REQUEST_LIMIT_EXCEEDED"


def test_too_many_long_calls_at_once_are_not_the_days_allowance(crm: Salesforce, fake: SalesforceFake) -> None:
    said = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}]
    fake.faults.add(Fault(403, json.dumps(said).encode()), on="composite")
    with pytest.raises(RateLimited) as caught:
        crm.find_by_email(EMAIL)
    assert not isinstance(caught.value, QuotaExhausted)


def test_a_check_warns_before_the_allowance_is_used_up(crm: Salesforce, fake: SalesforceFake) -> None:
    assert not any("24 hours" in warning for warning in crm.check().warnings)
    fake.allowed = 50
    fake.used = 42
    assert any("of 50 requests" in warning for warning in crm.check().warnings)


SPOILT: dict[str, tuple[Callable[[SalesforceFake], Any], str]] = {
    "missing": (lambda fake: fake.fields["Contact"].pop("Usher_Id__c"), "Contact has no field Usher_Id__c"),
    "hidden": (lambda fake: fake.add_field("Lead", "Usher_Id__c", external=True, hidden=True), "Lead has no field"),
    "no external id": (lambda fake: fake.add_field("Activity", "Usher_Id__c"), "not marked as External ID"),
    "not unique": (lambda fake: fake.add_field("Lead", "Usher_Id__c", external=True), "not marked as Unique"),
    "read only": (
        lambda fake: fake.add_field("Account", "Usher_Domain__c", external=True, owned=True),
        "may not write",
    ),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_check_names_the_field_that_is_not_as_it_must_be(crm: Salesforce, fake: SalesforceFake, spoilt: str) -> None:
    assert crm.check().ok
    spoil, said = SPOILT[spoilt]
    spoil(fake)
    result = crm.check()
    assert not result.ok
    assert said in result.message


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("Lead", "HasOptedOutOfEmail"), ("Contact", "Title"), ("Account", "NumberOfEmployees"), ("Event", "Location"),
        ("Account", "Csm__c"), ("Lead", "Region__c"), ("Event", "Status__c"),
    ],
)  # fmt: skip
def test_a_check_names_the_field_without_which_nothing_can_be_read(
    open_one: Open, fake: SalesforceFake, kind: str, field: str
) -> None:
    fake.add_field("Account", "Csm__c", "reference", most=18, to=("User",))
    fake.add_field("Lead", "Region__c")
    fake.add_field("Activity", "Status__c")
    crm = open_one(csm_field="Csm__c", changed_fields="Lead.Region__c", meeting_status_field="Status__c")
    cursor = crm.changes().cursor
    assert crm.check().ok
    fake.fields[kind][field] = replace(fake.fields[kind][field], hidden=True)
    result = crm.check()
    assert not result.ok
    assert f"our user may not see {kind}.{field}: tick Read Access" in result.message
    assert f"Object Settings, {kind}, Field Permissions" in result.message
    with pytest.raises(ConfigError):
        crm.changes(cursor)


def test_a_check_writes_nothing(crm: Salesforce, fake: SalesforceFake) -> None:
    result = crm.check()
    assert (result.ok, result.account, result.missing) == (True, "Acme Analytics", ())
    assert {one.method for one in fake.asked if "/oauth2/" not in one.path} == {"GET"}


def test_a_check_says_what_is_not_promised_without_fields(open_one: Open, fake: SalesforceFake) -> None:
    fake.add_field("Activity", "Usher_Id__c", external=True)
    result = open_one(person_id_field="", company_id_field="").check()
    assert result.ok
    warnings = " ".join(result.warnings)
    for words in ("field of people", "field of companies"):
        assert words in warnings
