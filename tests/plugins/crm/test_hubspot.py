"""HubSpot, against a made-up account of it that is as strict as the real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from plugins.crm import CRM, Kind, Ref
from plugins.crm.hubspot import HubSpot
from plugins.crm.hubspot.fields import PERSON, TYPES
from plugins.testing import CRMConformance
from plugins.testing.fakes import Fault
from plugins.testing.fakes.hubspot import KEY, HubSpotFake

HOOK = "https://usher.example.com/v1/hooks/con_1"
CATEGORIES = {
    401: "INVALID_AUTHENTICATION", 403: "MISSING_SCOPES", 404: "OBJECT_NOT_FOUND", 409: "CONFLICT", 429: "RATE_LIMITS",
}  # fmt: skip


def said(category: str, **more: Any) -> bytes:
    """HubSpot's words for an error."""
    about = {"status": "error", "message": "made up", "correlationId": "c033", "category": category}
    return json.dumps({**about, **more}).encode()


@pytest.fixture(scope="module")
def account() -> Iterator[HubSpotFake]:
    with HubSpotFake() as fake:
        yield fake


class TestHubSpot(CRMConformance):
    adapter = HubSpot
    error_in_200 = Fault(200, said("VALIDATION_ERROR"))
    no_handshake = "HubSpot does not try the address"
    many = 120
    portal: Any

    @pytest.fixture
    def fake(self, account: HubSpotFake) -> HubSpotFake:
        account.reset()
        for n in range(8):
            account.portal.add_property("contacts", f"f{n}")
        account.portal.add_option("companies", "industry", "Energy")
        type(self).portal = account.portal
        return account

    @pytest.fixture
    def config(self, fake: HubSpotFake) -> dict[str, Any]:
        return {"token": KEY, "base_url": fake.url}

    @pytest.fixture
    def edit(self, fake: HubSpotFake) -> Callable[..., None]:
        return lambda ref, **values: fake.edit(
            "contacts", ref.id, {PERSON[name]: said for name, said in values.items()}
        )

    @pytest.fixture
    def remove(self, fake: HubSpotFake) -> Callable[[Ref], None]:
        return lambda ref: fake.portal.archive("contacts", ref.id)

    @pytest.fixture
    def seed(self, fake: HubSpotFake) -> Callable[[int], list[Ref]]:
        made = lambda n: fake.portal.make("contacts", {"email": f"seed{n}@globex.example"})  # noqa: E731
        return lambda times: [Ref(Kind.PERSON, made(n).id) for n in range(times)]

    @pytest.fixture
    def hook_call(self, fake: HubSpotFake) -> Callable[..., Any]:
        def call(subject: Any, *, secret: str, at: datetime, event: int) -> Any:
            one = fake.note("contact.propertyChange", "151", propertyName="jobtitle", propertyValue="CEO")
            same = {**one, "eventId": event, "occurredAt": 1_772_452_800_000, "attemptNumber": len(fake.events) % 3}
            return fake.told_by(HOOK, at, events=[same], secret=secret)

        return call

    def count(self, subject: CRM, kind: Kind) -> int:
        return len(self.portal.of(TYPES[kind]))

    def error(self, status: int) -> Fault:
        return Fault(status, said(CATEGORIES[status]) if status in CATEGORIES else b"")
