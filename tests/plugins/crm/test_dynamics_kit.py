"""Dynamics 365 keeps the contract of CRMs, against a fake of Dataverse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugins.crm import CRM, Kind, Ref
from plugins.crm.dynamics import Dynamics
from plugins.testing import CRMConformance
from plugins.testing.fakes import Fault
from plugins.testing.fakes.dataverse import DataverseFake
from tests.plugins.crm import dataverse

TABLES = {
    Kind.PERSON: ("lead", "contact"),
    Kind.COMPANY: ("account",),
    Kind.ACTIVITY: ("task", "phonecall"),
    Kind.MEETING: ("appointment",),
    Kind.OPPORTUNITY: ("opportunity",),
}
COLUMNS = {"title": "jobtitle", "phone": "telephone1"}


@pytest.fixture(scope="module")
def service() -> Iterator[DataverseFake]:
    with DataverseFake() as fake:
        yield fake


class TestDynamics(CRMConformance):
    adapter = Dynamics
    sign_in = r"/oauth2/v2\.0/|/\.well-known/"
    unknown_id = "lead/00000000-0000-4000-8000-000000000009"
    error_in_200 = "Dataverse answers errors with their status"
    people = ("lead", "contact")

    def error(self, status: int) -> Fault:
        codes = {403: "0x80040220", 404: "0x80040217", 409: "0x80040237", 412: "0x80060882", 429: "0x80072322"}
        told = {"error": {"code": codes.get(status, "0x0"), "message": "No."}}
        return Fault(status, json.dumps(told).encode())

    @pytest.fixture
    def fake(self, service: DataverseFake) -> DataverseFake:
        service.reset()
        return service

    @pytest.fixture
    def config(self, fake: DataverseFake) -> dict[str, Any]:
        return dataverse.settings(fake)

    @pytest.fixture(autouse=True)
    def _counted(self, fake: DataverseFake) -> None:
        self._fake = fake

    def count(self, subject: CRM, kind: Kind) -> int:
        """Of people those who are not somebody's former lead."""
        rows = self._fake.all_of(*TABLES[kind])
        return sum(not ("subject" in row and kind is Kind.PERSON and row["statecode"] == 1) for row in rows)

    @pytest.fixture
    def edit(self, fake: DataverseFake) -> Callable[..., None]:
        def change(ref: Ref, **values: Any) -> None:
            table, _, id = ref.id.partition("/")
            fake.edit(table, id, **{COLUMNS[name]: value for name, value in values.items()})

        return change

    @pytest.fixture
    def remove(self, fake: DataverseFake) -> Callable[..., None]:
        return lambda ref: fake.remove(*ref.id.split("/"))


class TestDynamicsWithContacts(TestDynamics):
    """Where new people are made as contacts."""

    @pytest.fixture
    def config(self, fake: DataverseFake) -> dict[str, Any]:
        return dataverse.settings(fake, new_people="contact", domain_field="new_domain")
