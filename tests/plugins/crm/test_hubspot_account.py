"""Signing in to HubSpot, what a check tells, and what its refusals mean for who has to act."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from plugins.crm import Company, Person
from plugins.crm.hubspot import HubSpot
from plugins.crm.hubspot.api import FURTHER, SCOPES, VERSION
from plugins.errors import (
    AuthError,
    ConfigError,
    InvalidInput,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from plugins.limits import Limits
from plugins.oauth import agreement_address, exchange
from plugins.records import MemoryRecords
from plugins.testing.crm import ADA, CHAT
from plugins.testing.fakes import Fault
from plugins.testing.fakes.hubspot import ALL, KEY, HubSpotFake, Rule
from plugins.tokens import MemoryTokens
from tests.plugins.crm.hubspots import NOW, account, app, hubspot, opened_on, running

__all__ = ["account", "hubspot", "running"]
BACK = "https://usher.example.com/connections/back"
VERIFIER = "v" * 50


def signed_in(account: HubSpotFake, grant: set[str] | None = None) -> tuple[HubSpot, MemoryTokens]:
    """An adapter whose person has agreed in the browser."""
    bare = opened_on(account, **app(account))
    oauth = HubSpot.oauth(bare.config)
    assert oauth
    address = agreement_address(oauth, redirect=BACK, state="s", verifier=VERIFIER)
    back = parse_qs(urlsplit(account.agree(address, grant=grant)).query)
    tokens = MemoryTokens(exchange(bare.http, oauth, code=back["code"][0], redirect=BACK, verifier=VERIFIER))
    return opened_on(account, tokens=tokens, **app(account)), tokens


def test_every_address_is_of_one_dated_version(hubspot: HubSpot, account: HubSpotFake) -> None:
    hubspot.check()
    hubspot.upsert_company(Company("globex.example", name="Globex"), key="k1")
    hubspot.log_activity(hubspot.upsert_person(ADA, key="k2"), CHAT, key="k3")
    assert account.asked
    assert {VERSION in asked.path for asked in account.asked} == {True}


def test_the_web_sign_in_asks_for_the_least_and_proves_itself(account: HubSpotFake) -> None:
    subject, _ = signed_in(account)
    found = subject.check()
    assert found.ok
    assert set(found.granted) == {*SCOPES, *FURTHER}
    assert found.account == "app.hubspot.com 145678"
    assert not [scope for scope in SCOPES if "delete" in scope or scope == "content"]


def test_a_stolen_code_without_its_verifier_is_worth_nothing(account: HubSpotFake) -> None:
    bare = opened_on(account, **app(account))
    oauth = HubSpot.oauth(bare.config)
    assert oauth
    back = account.agree(agreement_address(oauth, redirect=BACK, state="s", verifier=VERIFIER))
    code = parse_qs(urlsplit(back).query)["code"][0]
    with pytest.raises(AuthError):
        exchange(bare.http, oauth, code=code, redirect=BACK, verifier="w" * 50)


def test_a_token_is_renewed_by_its_age_before_hubspot_refuses_it(account: HubSpotFake) -> None:
    subject, tokens = signed_in(account)
    first = tokens.load()
    assert first
    tokens.renewed(first, lambda old: {**old, "expires_at": old["expires_at"] - 1790})
    subject.upsert_person(ADA, key="k1")
    refused = [asked for asked in account.asked if asked.path.endswith("/token")]
    assert len(refused) == 2
    assert tokens.load() != first
    assert len(account.portal.of("contacts")) == 1


def test_a_refresh_token_refused_in_hubspots_own_words_means_connect_again(account: HubSpotFake) -> None:
    subject, tokens = signed_in(account)
    tokens.renewed(tokens.load(), lambda old: {**old, "expires_at": 0})
    said = {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"}
    account.faults.add(Fault(400, json.dumps(said).encode()), on="/token$")
    with pytest.raises(AuthError):
        subject.find_by_email(ADA.email)


def test_a_batch_that_is_not_done_yet_is_sent_again_later(hubspot: HubSpot, account: HubSpotFake) -> None:
    account.faults.add(Fault(200, b'{"status": "PENDING", "results": []}'), on="upsert", times=1)
    with pytest.raises(Transient):
        hubspot.upsert_person(ADA, key="k1")
    assert hubspot.upsert_person(ADA, key="k1").created


def test_who_disconnects_takes_the_refresh_token_back(account: HubSpotFake) -> None:
    subject, tokens = signed_in(account)
    subject.revoke()
    tokens.renewed(tokens.load(), lambda old: {**old, "expires_at": 0})
    with pytest.raises(AuthError):
        subject.find_by_email(ADA.email)
    subject.revoke()


@pytest.mark.parametrize("status", [400, 404])
def test_a_token_that_hubspot_has_forgotten_already_is_no_trouble_to_who_disconnects(
    account: HubSpotFake, status: int
) -> None:
    subject, _ = signed_in(account)
    said = {"status": "error", "category": "VALIDATION_ERROR", "message": "missing or unknown refresh token"}
    account.faults.add(Fault(status, json.dumps(said).encode()), on="/revoke$")
    subject.revoke()
    account.faults.clear()
    account.faults.add(Fault(503), on="/revoke$")
    with pytest.raises(Transient):
        subject.revoke()


@pytest.mark.parametrize("code", ["BAD_AUTH_CODE", "BAD_CLIENT_SECRET"])
def test_a_first_sign_in_refused_in_hubspots_own_words_is_about_the_credentials(
    account: HubSpotFake, code: str
) -> None:
    said = {"status": code, "message": "missing or invalid", "correlationId": "9a0"}
    account.faults.add(Fault(400, json.dumps(said).encode()), on="/token$")
    with pytest.raises(AuthError) as caught:
        signed_in(account)
    assert caught.value.vendor_code == code


def test_a_service_key_needs_no_sign_in_and_is_not_given_back(hubspot: HubSpot, account: HubSpotFake) -> None:
    assert HubSpot.oauth(hubspot.config) is None
    hubspot.revoke()
    assert account.asked == []


def test_without_key_and_app_one_is_asked_for(account: HubSpotFake) -> None:
    found = opened_on(account).check()
    assert not found.ok
    assert "service key" in found.message


def test_a_check_names_the_scopes_that_are_missing(account: HubSpotFake) -> None:
    subject, _ = signed_in(account, grant=set(SCOPES) - {"crm.objects.companies.write"})
    found = subject.check()
    assert (found.ok, found.missing) == (False, ("crm.objects.companies.write",))
    assert "crm.objects.companies.write" in found.message


def test_a_check_tries_what_a_service_key_may_read(hubspot: HubSpot, account: HubSpotFake) -> None:
    account.scopes = set(ALL) - {"crm.objects.owners.read"}
    found = hubspot.check()
    assert (found.ok, found.missing) == (False, ("crm.objects.owners.read",))


def test_a_check_writes_nothing_and_says_what_will_be_made(hubspot: HubSpot, account: HubSpotFake) -> None:
    found = hubspot.check()
    assert {asked.method for asked in account.asked} == {"GET"}
    assert [one for one in found.warnings if "usher_key" in one and "notes" in one]


def test_who_may_not_make_the_property_is_told_which_to_make(account: HubSpotFake) -> None:
    subject, _ = signed_in(account, grant=set(SCOPES))
    found = subject.check()
    assert not found.ok
    assert "usher_key (single-line text, unique values) on notes, meetings, companies" in found.message
    with pytest.raises(ConfigError, match="may not make it"):
        subject.upsert_company(Company("globex.example"), key="k1")
    for kind in ("notes", "meetings", "companies", "deals"):
        account.portal.add_property(kind, "usher_key", unique=True)
    assert subject.check().ok


def test_a_property_that_takes_a_value_twice_is_not_relied_on(hubspot: HubSpot, account: HubSpotFake) -> None:
    account.portal.add_property("notes", "usher_key")
    ada = hubspot.upsert_person(ADA, key="k1")
    with pytest.raises(ConfigError, match="not unique"):
        hubspot.log_activity(ada, CHAT, key="k2")
    assert not hubspot.check().ok


@pytest.mark.parametrize(
    ("person", "field"),
    [
        (Person("ada@globex"), "email"),
        (Person("ada@globex.example", fields={"hs_language": "klingon"}), "locale"),
        (Person("ada@globex.example", fields={"tier": "gold"}), "tier"),
        (Person("ada@globex.example", fields={"seats": "many"}), "seats"),
    ],
)
def test_a_value_that_hubspot_refuses_in_a_batch_is_named_by_our_field(
    hubspot: HubSpot, account: HubSpotFake, person: Person, field: str
) -> None:
    account.portal.add_property("contacts", "tier", "enumeration", options=("silver",))
    account.portal.add_property("contacts", "seats", "number")
    with pytest.raises(InvalidInput) as caught:
        hubspot.upsert_person(person, key="k1")
    assert (caught.value.field, caught.value.operation) == (field, "upsert_person")
    assert account.portal.of("contacts") == []


@pytest.mark.parametrize("name", ["no_such_property", "hs_email_optout"])
def test_a_mapping_to_what_cannot_be_written_is_for_the_owner(hubspot: HubSpot, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        hubspot.upsert_person(Person(ADA.email, fields={name: "true"}), key="k1")
    assert caught.value.problems[0][0] == name
    assert name in caught.value.user_message


@pytest.mark.parametrize("rule", [Rule("contacts", "country"), Rule("contacts", "country", "jobtitle", ("CTO",))])
def test_a_rule_of_the_admin_is_for_the_owner_and_names_the_property(
    hubspot: HubSpot, account: HubSpotFake, rule: Rule
) -> None:
    account.portal.rules.append(rule)
    with pytest.raises(ConfigError) as caught:
        hubspot.upsert_person(ADA, key="k1")
    assert caught.value.problems[0][0] == "country"
    assert "A rule of this HubSpot account demands a value for country" in caught.value.user_message
    assert hubspot.upsert_person(Person(ADA.email, title="CTO", country="DE"), key="k1").created


def test_a_list_without_our_words_gets_the_person_without_them(hubspot: HubSpot, account: HubSpotFake) -> None:
    for name in ("hs_lead_status", "hs_language"):
        del account.portal.properties["contacts"][name]["options"][:]
        account.portal.properties["contacts"][name]["options"].append({"value": "other", "hidden": False})
    hubspot.upsert_person(Person(ADA.email, name="Ada", status="new", locale="de"), key="k1")
    (found,) = account.portal.of("contacts")
    assert found.properties["firstname"] == "Ada"
    assert not {"hs_lead_status", "hs_language"} & set(found.properties)


def test_a_missing_right_is_named(hubspot: HubSpot, account: HubSpotFake) -> None:
    account.scopes -= {"crm.objects.contacts.write"}
    with pytest.raises(PermissionDenied) as caught:
        hubspot.upsert_person(ADA, key="k1")
    assert "crm.objects.contacts.write" in caught.value.user_message


def test_the_daily_limit_is_over_at_the_midnight_of_the_account(account: HubSpotFake) -> None:
    records = MemoryRecords()
    opened_on(account, token=KEY, records=records).check()
    account.daily = 0
    with pytest.raises(QuotaExhausted) as caught:
        opened_on(account, token=KEY, records=records, now=NOW).find_by_email(ADA.email)
    assert caught.value.retry_after == datetime(2026, 3, 3, 5, 0, tzinfo=UTC)
    assert caught.value.stops


def test_the_daily_limit_of_an_unknown_account_is_asked_about_within_the_hour(account: HubSpotFake) -> None:
    account.daily = 0
    with pytest.raises(QuotaExhausted) as caught:
        opened_on(account, token=KEY, now=NOW).find_by_email(ADA.email)
    assert caught.value.retry_after == NOW + timedelta(hours=1)


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "43200"}, 43_200), ({}, 3600)])
@pytest.mark.parametrize("said", [b"", b"moving", b'{"status": "error", "message": "Migration in progress"}'])
def test_an_account_on_its_way_to_another_data_center_is_waited_for(
    account: HubSpotFake, headers: dict[str, str], wait: int, said: bytes
) -> None:
    account.faults.add(Fault(477, said, headers=headers))
    with pytest.raises(RateLimited) as caught:
        opened_on(account, token=KEY, now=NOW).upsert_person(ADA, key="k1")
    assert caught.value.retry_after == NOW + timedelta(seconds=wait)


def test_a_window_that_is_full_is_left_alone_for_its_length(account: HubSpotFake) -> None:
    account.allow(1, 10)
    subject = opened_on(account, token=KEY, now=NOW)
    subject.find_by_email(ADA.email)
    with pytest.raises(RateLimited) as caught:
        subject.find_by_email(ADA.email)
    assert (caught.value.retry_after, caught.value.vendor_code) == (NOW + timedelta(seconds=10), "TEN_SECONDLY_ROLLING")
    assert not isinstance(caught.value, QuotaExhausted)


def test_the_sixth_search_in_a_second_is_not_made_and_other_calls_are(account: HubSpotFake) -> None:
    limits = Limits(HubSpot.rate, HubSpot.rates)
    account.search_rate = 5
    subject = opened_on(account, token=KEY, limits=limits, now=NOW)
    made = 0
    with pytest.raises(RateLimited) as caught:
        for _ in range(8):
            subject.companies_named("Globex")
            made += 1
    assert caught.value.held
    assert made <= 5
    assert subject.find_by_email(ADA.email) == []


def test_a_404_of_something_in_between_does_not_say_that_somebody_is_gone(
    hubspot: HubSpot, account: HubSpotFake
) -> None:
    account.faults.add(Fault(404, b"<html>gone fishing</html>", "text/html"))
    with pytest.raises(Transient):
        hubspot.find_by_email(ADA.email)


def test_hubspots_own_name_of_a_failed_call_is_kept_for_its_support(hubspot: HubSpot, account: HubSpotFake) -> None:
    said = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "correlationId": "c033-1"}
    account.faults.add(Fault(400, json.dumps(said).encode()))
    with pytest.raises(InvalidInput) as caught:
        hubspot.find_by_email(ADA.email)
    assert caught.value.request_id == "c033-1"


def test_the_settings_of_an_account_are_refused_when_they_are_no_names(account: HubSpotFake) -> None:
    wrong: dict[str, Any] = {"key_property": "Usher Key"}
    with pytest.raises(ConfigError):
        opened_on(account, token=KEY, **wrong)
