"""The Google adapter keeps the contract, against a fake that is strict by Google's published description."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
from googleapiclient.discovery_cache import get_static_doc
from requests.structures import CaseInsensitiveDict

from plugins.calendar import Watch
from plugins.calendar.google import Google
from plugins.hooks import HookCall
from plugins.testing import CalendarConformance
from plugins.testing.calendar_sides import CALLBACK
from plugins.testing.fakes import Fault
from plugins.testing.fakes.google import GoogleFake
from plugins.testing.fakes.google.sign_in import CLIENT_ID, CLIENT_SECRET
from plugins.testing.hooks import CALLED_AT
from plugins.tokens import MemoryTokens, Tokens

# The one that came with the specifications; where they are not at hand, the one that Google's library brings along.
DESCRIPTION = Path(__file__).parents[4] / "shared" / "specs" / "google_calendar_v3.discovery.json"
OWNER = "grace@acme.example"


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleFake]:
    with GoogleFake() as fake:
        yield fake


class TestGoogle(CalendarConformance):
    adapter = Google
    owner: ClassVar[str] = OWNER
    many: ClassVar[int] = 25
    no_age: ClassVar[str] = "Google's calls carry no moment; the number of a message makes a repeat known"
    no_signature: ClassVar[str] = (
        "the proof is the word that the channel was given; a call says nothing but its headers"
    )
    error_in_200: ClassVar[Fault | str] = Fault(
        200,
        json.dumps(
            {"kind": "calendar#freeBusy", "calendars": {OWNER: {"errors": [{"reason": "internalError"}]}}}
        ).encode(),
    )

    def error(self, status: int) -> Fault:
        one = {"domain": "global", "reason": f"reason{status}", "message": "no"}
        return Fault(status, json.dumps({"error": {"errors": [one], "code": status, "message": "no"}}).encode())

    @pytest.fixture
    def fake(self, google: GoogleFake) -> Iterator[GoogleFake]:
        google.reset()
        google.calendar(OWNER)
        google.page = 10
        yield google
        hold_to_description(google)

    @pytest.fixture
    def config(self, fake: GoogleFake) -> dict[str, Any]:
        return addressed(fake)

    @pytest.fixture
    def tokens(self, fake: GoogleFake) -> Tokens | None:
        return MemoryTokens(fake.grant(OWNER))

    @pytest.fixture
    def calendar(self) -> str:
        return OWNER

    @pytest.fixture
    def put(self, fake: GoogleFake, calendar: str) -> Callable[[str], Any]:
        return lambda text: fake.put(calendar, text)

    @pytest.fixture
    def notification(self, fake: GoogleFake) -> Callable[..., HookCall]:
        def notification(watch: Watch, *, secret: str, at: datetime, event: int) -> HookCall:
            headers = {**fake.calls(watch.id, number=event + 1), "X-Goog-Channel-Token": secret}
            return HookCall("POST", CALLBACK, CaseInsensitiveDict(headers), b"", at)

        return notification

    @pytest.fixture
    def handshake(self, fake: GoogleFake, subject: Any) -> tuple[HookCall, str]:
        """Google tells that a channel is open, and reads nothing."""
        watch = subject.watch(OWNER, CALLBACK, self.hook_secret)
        headers = CaseInsensitiveDict(fake.calls(watch.id, "sync", 1))
        return HookCall("POST", CALLBACK, headers, b"", CALLED_AT, self.hook_secret), ""


def hold_to_description(fake: GoogleFake) -> None:
    """What was sent and what was answered is what Google's description says, field by field."""
    for name, body in fake.told:
        described(name).validate(body)


@cache
def described(name: str) -> Any:
    """A validator for a schema of the description that knows no other fields than those in it."""
    kind, _, patch = name.partition(" ")
    text = DESCRIPTION.read_text() if DESCRIPTION.exists() else get_static_doc("calendar", "v3")
    schemas = json.loads(text)["schemas"]
    defined = {one: _strict(schema, bool(patch)) for one, schema in schemas.items()}
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": defined})


def _strict(schema: Any, patch: bool) -> Any:
    """JSON Schema out of Google's own kind; a patch may take away what it names, by null."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    if schema["type"] == "array":
        return {"type": "array", "items": _strict(schema["items"], patch)}
    if schema["type"] != "object":
        return {"type": [schema["type"], "null"] if patch else schema["type"]}
    if "properties" not in schema:
        return {"type": "object", "additionalProperties": _strict(schema["additionalProperties"], patch)}
    inside = {name: _strict(one, patch) for name, one in schema["properties"].items()}
    return {"type": "object", "properties": inside, "additionalProperties": False}


def addressed(fake: GoogleFake, **other: Any) -> dict[str, Any]:
    """Settings that lead to the fake."""
    addresses = dict.fromkeys(("base_url", "sign_in_url", "token_url"), fake.url)
    return {**addresses, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **other}
