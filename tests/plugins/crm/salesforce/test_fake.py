"""The fake of Salesforce refuses what Salesforce would, and the adapter asks only what is described."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from plugins.crm import Company, Kind, MeetingStatus, Person
from plugins.crm.salesforce import Salesforce
from plugins.crm.salesforce.soql import containing, text
from plugins.testing.crm_samples import CHAT, DEMO
from plugins.testing.fakes import Asked, Refusal
from plugins.testing.fakes.salesforce import SalesforceFake
from plugins.testing.fakes.salesforce.soql import Reader

SPEC = Path(__file__).parents[4] / "../shared/specs/salesforce_rest_postman_subset.json"
BEYOND = {
    "code_verifier": "RFC 7636; the collection is older than PKCE at Salesforce",
    "DELETE /services/data/v/composite/sobjects": "REST API guide, sObject Collections, Delete",
    "GET /services/data/v/queryAll/": "REST API guide, QueryAll",
    "POST /services/apexrest/usher/convert": "a service of the org",
}
"""What we ask and the published collection leaves out, and where it is described."""
NASTY = ["o'hara", "back\\slash", "tab\tbreak\nend\r", '"quoted"', "a%b_c", "\\'; DROP", "ünïcode ✓", "\\_", "'"]


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Id FROM Lead WHERE Email = 'a' AND Title = 'b' OR Title = 'c'",
        "SELECT Id FROM Lead WHERE Email = 'o'hara'",
        'SELECT Id FROM Lead WHERE Email = "a"',
        "SELECT Id FROM Lead WHERE Email = 'a\\q'",
        "SELECT Id FROM Lead WHERE",
        "SELECT Id, Id FROM Lead",
        "SELECT * FROM Lead",
        "SELECT Id FROM Lead LIMIT 1 extra",
        "SELECT Id FROM Lead WHERE Email IN ()",
        "SELECT Id FROM Lead; DELETE",
    ],
)
def test_a_query_that_salesforce_would_not_read_is_refused(soql: str) -> None:
    with pytest.raises(Refusal):
        Reader(soql).query()


@pytest.mark.parametrize("value", NASTY)
def test_a_text_means_itself_in_a_query(value: str) -> None:
    query = Reader(f"SELECT Id FROM Lead WHERE Title = {text(value)}").query()
    assert query.holds(lambda name: value)
    assert not query.holds(lambda name: value + "x")
    inside = Reader(f"SELECT Id FROM Lead WHERE Title LIKE {containing(value)}").query()
    assert inside.holds(lambda name: f"before {value} after")
    assert not inside.holds(lambda name: "something else")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("sobjects/Lead", {"Nope": 1}, "INVALID_FIELD"),
        ("sobjects/Lead", {"LastName": 7, "Company": "C"}, "JSON_PARSER_ERROR"),
        ("sobjects/Lead", {"Company": "C"}, "REQUIRED_FIELD_MISSING"),
        ("sobjects/Lead", {"LastName": "L", "Company": "C", "Email": "no"}, "INVALID_EMAIL_ADDRESS"),
        ("sobjects/Lead", {"LastName": "L", "Company": "C", "IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("sobjects/Task", {"WhoId": "999"}, "MALFORMED_ID"),
        ("sobjects/Event", {"Subject": "S", "ShowAs": "Gone", "DurationInMinutes": 5}, "INVALID_OR_NULL_FOR"),
        ("sobjects/Nothing", {}, "NOT_FOUND"),
        ("composite", {"compositeRequest": [{"method": "GET"}]}, "JSON_PARSER_ERROR"),
        ("composite", {"compositeRequest": [], "unknown": 1}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_record_that_salesforce_would_not_take_is_refused(
    crm: Salesforce, fake: SalesforceFake, path: str, body: dict[str, Any], code: str
) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011, B017 - whichever of our errors it is, the code tells
        crm._session.json("try", "POST", f"/services/data/v{{v}}/{path}", json=body)
    assert getattr(caught.value, "vendor_code", "").startswith(code) or code in str(caught.value)


def test_a_lead_with_a_what_is_refused(crm: Salesforce, fake: SalesforceFake) -> None:
    lead, account = fake.add("Lead", LastName="L", Company="C"), fake.add("Account", Name="G")
    with pytest.raises(Exception, match="lead without relating"):
        crm._rows.create("try", "Task", {"WhoId": lead, "WhatId": account}, {})


def test_the_adapter_asks_only_what_is_described(crm: Salesforce, fake: SalesforceFake) -> None:
    if not SPEC.exists():
        pytest.skip(f"{SPEC.name} is not here")
    described = json.loads(SPEC.read_text())["requests"].values()
    _everything(crm)
    kinds = {f"{one.method} {re.sub(r'/v[0-9.]+/', '/v/', one.path)}" for one in fake.asked}
    assert len(kinds) > 10
    for asked in fake.asked:
        problem = _undescribed(asked, described)
        assert not problem, problem


def _everything(crm: Salesforce) -> None:
    cursor = crm.changes().cursor
    ref = crm.upsert_person(Person("ada@globex.example", name="Ada Lovelace"), key="k1")
    crm.upsert_person(Person("ada@globex.example", title="CTO"), key="k2")
    company = crm.upsert_company(Company("globex.example", name="Globex"), key="k3")
    crm.log_activity(ref, CHAT, key="k4")
    event = crm.log_meeting(ref, DEMO, key="k5")
    crm.log_meeting(ref, replace(DEMO, status=MeetingStatus.CANCELLED), key="k6")
    crm.check(), crm.changes(cursor), crm.people([ref]), crm.companies([company]), crm.meetings([event])
    crm.fields_of(Kind.PERSON), crm.fields_of(Kind.COMPANY)
    crm.erase(crm.convert(ref, key="k7", company=company).person, key="k8")


def _undescribed(asked: Asked, described: Any) -> str:
    """What is wrong with a call by the published collection, "" when it is there."""
    path = re.sub(r"/v[0-9.]+/", "/v/", asked.path)
    if f"{asked.method} {path}" in BEYOND:
        return ""
    for one in described:
        where = one["url"].partition("?")[0].replace("v{{version}}", "v").rstrip("/")
        pattern = re.escape(re.sub(r"\{\{\w+\}\}", "", where))
        pattern = re.sub(r"<[A-Z_]+>", "[^/]+", pattern)
        methods = {one["method"], *re.findall(r"\b(?:HEAD|GET|PATCH|DELETE|POST)\b", one["description"])}
        if asked.method in methods and re.fullmatch(pattern, path.rstrip("/")) and not _unknown_keys(asked, one):
            return ""
    return f"{asked.method} {path} {asked.body[:200]!r} is not described"


def _unknown_keys(asked: Asked, one: dict[str, Any]) -> set[str]:
    if one["dataMode"] in ("urlencoded", "params"):
        sent = set(parse_qs(asked.body.decode(), keep_blank_values=True))
        return sent - {field["key"] for field in one["data"]} - set(BEYOND)
    if one["raw"] and "composite/" in one["url"] and asked.body:
        return set(asked.json()) - set(re.findall(r'"(\w+)":', one["raw"]))
    return set(parse_qs(urlsplit(asked.url).query)) - {"q"} if one["method"] == "GET" else set()
