"""The fake of Dataverse for the tests of its adapter."""

from __future__ import annotations

from typing import Any

from plugins.crm.dynamics import Dynamics
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.conformance import LOOPBACK
from plugins.testing.fakes.dataverse import DataverseFake


def settings(fake: DataverseFake, **other: Any) -> dict[str, Any]:
    """Settings that reach the fake."""
    return {
        "base_url": fake.url,
        "login_url": fake.url,
        "tenant": fake.tenant,
        "client_id": fake.client_id,
        "client_secret": fake.client_secret,
        **other,
    }


def opened(fake: DataverseFake, **other: Any) -> Dynamics:
    """The adapter as the server opens it."""
    registry = Registry(discover=list)
    found: Dynamics = registry.open(
        "crm", "dynamics", settings(fake, **other), records=MemoryRecords(), private=LOOPBACK
    )
    return found


def only(fake: DataverseFake, table: str) -> dict[str, Any]:
    """The one row of a table."""
    [row] = fake.all_of(table)
    return row
