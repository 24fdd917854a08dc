"""A made-up HubSpot account and the adapter opened on it, for the tests of HubSpot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from plugins.crm.hubspot import HubSpot
from plugins.fields import validate
from plugins.http import Http
from plugins.limits import Limits
from plugins.records import MemoryRecords
from plugins.testing.fakes.hubspot import KEY, HubSpotFake
from plugins.testing.fakes.hubspot.sign_in import CLIENT_ID, CLIENT_SECRET

NOW = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[HubSpotFake]:
    with HubSpotFake() as fake:
        yield fake


@pytest.fixture
def account(running: HubSpotFake) -> HubSpotFake:
    running.reset()
    return running


@pytest.fixture
def hubspot(account: HubSpotFake) -> Iterator[HubSpot]:
    opened = opened_on(account, token=KEY)
    yield opened
    opened.close()


def opened_on(
    account: HubSpotFake, *, tokens: Any = None, records: Any = None, limits: Limits | None = None, now: Any = None,
    **settings: Any,
) -> HubSpot:  # fmt: skip
    """The adapter as the server opens it; `now` stops its clock."""
    config = validate(HubSpot.fields, {"base_url": account.url, **settings})
    clock = {"now": lambda: now} if now else {}
    http = Http("crm.hubspot", secrets=config.secrets(), private=["127.0.0.1"], limits=limits, **clock)
    return HubSpot(config, records=records or MemoryRecords(), http=http, tokens=tokens)


def app(account: HubSpotFake) -> dict[str, str]:
    """The settings of an app of the owner's own."""
    return {
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "authorize_url": "https://app.hubspot.com/oauth/authorize",
    }  # fmt: skip
