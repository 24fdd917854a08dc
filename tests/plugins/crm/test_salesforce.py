"""The Salesforce adapter keeps the contract, against a fake of an org that is set up as our page says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.crm import CRM, Kind, Ref
from plugins.crm.salesforce import Salesforce
from plugins.testing import CRMConformance
from plugins.testing.fakes import Fault
from plugins.testing.fakes.salesforce import SalesforceFake
from plugins.tokens import MemoryTokens
from tests.plugins.crm.salesforce.conftest import granted, org, ready, settings  # noqa: F401 - fixtures

HELD = {Kind.COMPANY: "Account", Kind.ACTIVITY: "Task", Kind.MEETING: "Event", Kind.OPPORTUNITY: "Opportunity"}
THEIRS = {"title": "Title", "name": "LastName", "phone": "Phone", "status": "Status"}
LOCKED = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}]
CODES = {401: "INVALID_SESSION_ID", 403: "INSUFFICIENT_ACCESS", 404: "ENTITY_IS_DELETED", 500: "UNKNOWN_EXCEPTION"}


class TestSalesforce(CRMConformance):
    adapter = Salesforce
    error_in_200 = Fault(200, json.dumps({
        "compositeResponse": [{"httpStatusCode": 400, "body": LOCKED, "referenceId": "contacts", "httpHeaders": {}}],
        "success": False, "errors": LOCKED,
    }).encode())  # fmt: skip

    @pytest.fixture
    def fake(self, ready: SalesforceFake) -> SalesforceFake:  # noqa: F811 - the fixture
        return ready

    @pytest.fixture
    def config(self, settings: dict[str, Any]) -> dict[str, Any]:  # noqa: F811 - the fixture
        return settings

    @pytest.fixture
    def tokens(self, granted: dict[str, Any]) -> MemoryTokens:  # noqa: F811 - the fixture
        return MemoryTokens(granted)

    @pytest.fixture(autouse=True)
    def _fields_of_the_samples(self, fake: SalesforceFake) -> None:
        for n in range(8):
            fake.add_field("Lead", f"f{n}")

    def error(self, status: int) -> Fault:
        said = [{"errorCode": CODES.get(status, "UNKNOWN"), "message": "the org says no", "fields": []}]
        return Fault(status, json.dumps(said).encode())

    def count(self, subject: CRM, kind: Kind) -> int:
        fake = self._fake
        if kind is Kind.PERSON:
            return len(fake.there("Contact")) + len([row for row in fake.there("Lead") if not row["IsConverted"]])
        return len(fake.there(HELD[kind]))

    @pytest.fixture(autouse=True)
    def _counted(self, fake: SalesforceFake) -> None:
        self._fake = fake

    @pytest.fixture
    def edit(self, fake: SalesforceFake) -> Any:
        return lambda ref, **values: fake.change(ref.id, **{THEIRS[name]: value for name, value in values.items()})

    @pytest.fixture
    def remove(self, fake: SalesforceFake) -> Any:
        def gone(ref: Ref) -> None:
            fake.remove(ref.id)

        return gone
