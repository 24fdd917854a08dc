"""A fake org of Salesforce that is set up as our page tells owners to, and the adapter before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from plugins.crm.salesforce import Salesforce
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.conformance import LOOPBACK
from plugins.testing.fakes.salesforce import SalesforceFake
from plugins.tokens import MemoryTokens

Open = Callable[..., Salesforce]
FIELDS = {
    "person_id_field": "Usher_Id__c",
    "company_id_field": "Usher_Domain__c",
    "activity_id_field": "Usher_Id__c",
    "convert_path": "usher/convert",
}


@cache
def key_pair(of: str = "ours") -> tuple[str, str]:
    """A private and a public key, as PEM; everybody has their own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    public = key.public_key().public_bytes(kinds[0], serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(*kinds).decode(), public.decode()


def in_one_line(pem: str) -> str:
    """As a one-line field of a form leaves it."""
    return pem.replace("\n", "")


@pytest.fixture(scope="module")
def org() -> Iterator[SalesforceFake]:
    with SalesforceFake() as fake:
        yield fake


@pytest.fixture
def ready(org: SalesforceFake) -> SalesforceFake:
    org.reset()
    org.app.public_key = key_pair()[1]
    org.add_usher_fields()
    return org


@pytest.fixture
def fake(ready: SalesforceFake) -> SalesforceFake:
    return ready


@pytest.fixture
def settings(ready: SalesforceFake) -> dict[str, Any]:
    """Signed in with a certificate, external id fields as they should be."""
    return {
        "sign_in": "jwt",
        "login_url": ready.url,
        "client_id": ready.app.client_id,
        "username": "usher@acme.example",
        "private_key": in_one_line(key_pair()[0]),
        **FIELDS,
    }


@pytest.fixture
def granted(ready: SalesforceFake) -> dict[str, Any] | None:
    """What signing in gave earlier; None: nobody has signed in yet."""
    ready.sessions["a session"] = ready.us
    identity = f"https://login.salesforce.com/id/{ready.org_id}/{ready.us}"
    return {"access_token": "a session", "instance_url": ready.url, "id": identity, "scope": "api"}


@pytest.fixture
def open_one(settings: dict[str, Any], granted: dict[str, Any] | None) -> Iterator[Open]:
    """Opens the adapter with settings that differ from the good ones."""
    opened: list[Salesforce] = []

    def one(*, tokens: Any = None, records: Any = None, now: Any = None, **given: Any) -> Salesforce:
        chosen: Mapping[str, Any] = {**settings, **given}
        adapter = Registry(discover=list).open(
            "crm", "salesforce", chosen, records=records or MemoryRecords(), tokens=tokens or MemoryTokens(granted),
            private=LOOPBACK,
        )  # fmt: skip
        if now:
            adapter.http.now = now
        opened.append(adapter)
        return adapter

    yield one
    for adapter in opened:
        adapter.close()


@pytest.fixture
def crm(open_one: Open) -> Salesforce:
    return open_one()
