"""What the adapter asks of Microsoft Graph, and what the fake answers, is what Graph's description says."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import pytest
import requests

from plugins.calendar import Window
from plugins.testing.calendar import DAY, DEMO, at
from plugins.testing.fakes import Asked
from plugins.testing.fakes.graph import GraphFake
from tests.house.source import ROOT
from tests.plugins.calendar import graph
from tests.plugins.calendar.graph import CALLBACK, GRACE

SPEC = ROOT.parent / "shared" / "specs" / "msgraph_calendar_v1.0.json"
# Navigation properties, which the description leaves out, and how a nested path is described.
_FURTHER = {"event": {"singleValueExtendedProperties": {"type": "array"}}}
_ODATA = {"$filter", "$expand", "$select", "$top", "$skip", "$skiptoken", "$deltatoken"}
_SELECTED = re.compile(r"/calendars/[^/]+(?=/)")


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    if not SPEC.is_file():
        pytest.skip(f"there is no {SPEC.name} beside the project")
    found = json.loads(SPEC.read_text())
    return found | {"components": _strict(found["components"])}


@pytest.fixture(scope="module")
def fake() -> Iterator[GraphFake]:
    with GraphFake() as fake:
        yield fake


@pytest.fixture(scope="module")
def asked(fake: GraphFake) -> list[Asked]:
    """Everything that the adapter ever asks for, by a person and by an application."""
    for subject, calendar in (
        (graph.by_person(fake), "primary"),
        (graph.opened(fake, mailbox=GRACE, guests="1"), GRACE),
    ):
        subject.calendars()
        ref = subject.create(calendar, replace(DEMO, video=True, location="Room 1"), key="k1")
        ref = subject.update(ref, replace(at(15), description="new", title="Other"), key="k2")
        subject.video(ref)
        subject.busy([calendar, GRACE], Window(DAY.start, DAY.start + timedelta(days=40)))
        cursor = subject.changes(calendar).cursor
        watch = subject.watch(calendar, CALLBACK, "only we know")
        subject.unwatch(watch)
        subject.cancel(ref, key="k3", reason="ill")
        subject.changes(calendar, cursor)
    return [one for one in fake.asked if one.path.startswith("/v1.0/")]


def test_every_call_is_one_that_graph_describes(description: dict[str, Any], asked: list[Asked]):
    assert {one.method for one in asked} == {"GET", "POST", "PATCH", "DELETE"}
    for one in asked:
        operation = _operation(description, one)
        allowed = {part["name"] for part in operation.get("parameters", [])} | _ODATA
        assert set(parse_qs(urlsplit(one.url).query)) <= allowed, one.url


def test_every_body_that_is_sent_fits_its_schema_with_no_name_unknown(description: dict[str, Any], asked: list[Asked]):
    sent = [one for one in asked if one.body]
    assert {one.path.rsplit("/", 1)[-1] for one in sent} >= {"events", "getSchedule", "subscriptions", "cancel"}
    for one in sent:
        schema = _operation(description, one)["requestBody"]["content"]["application/json"]["schema"]
        _hold_to(description, schema, one.json())


@pytest.mark.parametrize(
    "spoilt",
    [
        {"atendees": []},
        {"subject": 7},
        {"showAs": "away"},
        {"start": {"datetime": "x"}},
        {"attendees": [{"email": "x"}]},
    ],
)
def test_the_schema_and_the_fake_both_refuse_what_is_spelt_wrong(
    description: dict[str, Any], asked: list[Asked], fake: GraphFake, spoilt: dict[str, Any]
):
    [good, *_] = [one for one in asked if one.method == "POST" and one.path.endswith("/events")]
    schema = _operation(description, good)["requestBody"]["content"]["application/json"]["schema"]
    bad = good.json() | spoilt
    with pytest.raises(jsonschema.ValidationError):
        _hold_to(description, schema, bad)
    token = fake.connected(GRACE)["access_token"]
    answer = requests.post(f"{fake.base}/me/events", json=bad, headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert answer.status_code == 400


def test_the_answers_of_the_fake_are_those_of_graph(description: dict[str, Any], asked: list[Asked], fake: GraphFake):
    fake.put(GRACE, "2026-03-02T12:00:00", "2026-03-02T12:30:00")
    token = fake.connected(GRACE)["access_token"]
    seen = set()
    for one in asked:
        operation = _operation(description, one)
        if one.method != "GET" and not one.path.endswith("/getSchedule"):
            continue
        url = one.url.replace(f"/users/{GRACE}", "/me").replace(f"/users/{GRACE.replace('@', '%40')}", "/me")
        headers = {"Authorization": f"Bearer {token}", "Prefer": one.headers["Prefer"]}
        answer = requests.request(
            one.method, url, data=one.body, headers=headers | {"Content-Type": "application/json"}, timeout=5
        )
        status = str(answer.status_code) if str(answer.status_code) in operation["responses"] else "default"
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        _hold_to(description, schema, _plain(answer.json()))
        seen.add(one.path.rsplit("/", 1)[-1])
    assert {"calendars", "getSchedule", "calendarView", "delta", "events"} <= seen


def _operation(description: dict[str, Any], one: Asked) -> dict[str, Any]:
    """The description of a call. A chosen calendar's events are described at the default calendar's."""
    path = _SELECTED.sub("", unquote(urlsplit(one.url).path).removeprefix("/v1.0"))
    if path.endswith("/calendar"):
        path += "s"  # one of what the list describes
    for pattern, methods in description["paths"].items():
        if re.fullmatch(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(pattern)), path) and one.method.lower() in methods:
            return methods[one.method.lower()]
    raise AssertionError(f"Graph does not describe {one.method} {path}")


def _hold_to(description: dict[str, Any], schema: dict[str, Any], body: Any) -> None:
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_strict_one(schema),
        "components": description["components"],
    }
    jsonschema.validate(body, whole, cls=jsonschema.Draft202012Validator)


def _strict(components: dict[str, Any]) -> dict[str, Any]:
    schemas = copy.deepcopy(components["schemas"])
    for name, further in _FURTHER.items():
        schemas[name]["allOf"][-1]["properties"] |= further
    return {"schemas": {name: _nullable(one) for name, one in schemas.items()}}


def _strict_one(schema: dict[str, Any]) -> dict[str, Any]:
    return {**_nullable(copy.deepcopy(schema)), "unevaluatedProperties": False}


def _nullable(part: Any) -> Any:
    """`nullable` of OpenAPI 3.0 in words of JSON Schema; objects behind a reference take no unknown names."""
    if isinstance(part, list):
        return [_nullable(one) for one in part]
    if not isinstance(part, dict):
        return part
    part = {name: _nullable(value) for name, value in part.items()}
    if "properties" in part and "allOf" not in part and isinstance(part["properties"], dict):
        for name, value in part["properties"].items():
            if isinstance(value, dict) and {"$ref", "allOf", "anyOf"} & set(value):
                part["properties"][name] = {"unevaluatedProperties": False, **value}
            elif isinstance(value, dict) and "$ref" in value.get("items", {}):
                value["items"]["unevaluatedProperties"] = False
    if part.pop("nullable", False):
        return {"anyOf": [part, {"type": "null"}]}
    return part


def _plain(body: Any) -> Any:
    """Without OData's own remarks, which the description leaves out."""
    if isinstance(body, list):
        return [_plain(one) for one in body]
    if isinstance(body, dict):
        kept = {name: value for name, value in body.items() if not name.startswith("@") or name == "@odata.nextLink"}
        return {name: _plain(value) for name, value in kept.items()}
    return body
