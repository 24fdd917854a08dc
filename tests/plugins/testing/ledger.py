"""A small CRM that keeps every rule of the kit, its service, and its conformance class: what a test then spoils."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.adapter import CheckResult
from plugins.crm import CRM, Capability, Kind, Person, Ref
from plugins.emails import fold
from plugins.errors import InvalidInput, PluginError, Transient
from plugins.fields import Field, Type
from plugins.http import Reply
from plugins.testing import CRMConformance
from plugins.testing.fakes import Fake, Fault, Refusal, on

TOKEN = "s3cret of the ledger"


class FakeLedger(Fake):
    """People by e-mail; a request without the right token is refused; a bad one is refused with 200."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, dict[str, Any]] = {}
        self.keyless = 0

    def check(self, request: Any) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refusal(401, {"message": "who are you?"})

    @on("GET", "/me")
    def me(self, request: Any) -> Any:
        return {"account": "Acme"}

    @on("GET", "/people/<email>")
    def person(self, request: Any, email: str) -> Any:
        return {"found": [email] if email in self.people else []}

    @on("PUT", "/people/<email>")
    def put(self, request: Any, email: str) -> Any:
        created = email not in self.people
        self.people[email] = request.get_json()
        return {"id": email, "created": created}

    @on("POST", "/people")
    def post(self, request: Any) -> Any:
        """The way in that doubles."""
        self.keyless += 1
        self.people[f"{self.keyless}"] = request.get_json()
        return {"id": f"{self.keyless}", "created": True}


class Ledger(CRM):
    """As it should be."""

    name = "ledger"
    title = "Ledger"
    capabilities = frozenset({Capability.FIND})
    fields = (Field("url", "Address", Type.URL), Field("token", "Token", secret=True, required=True))

    def check(self) -> CheckResult:
        account = self.ask("check", "GET", "/me")["account"]
        return CheckResult(ok=True, account=account, account_id=account)

    def find_by_email(self, email: str) -> list[Ref]:
        return [Ref(Kind.PERSON, id) for id in self.ask("find_by_email", "GET", f"/people/{email.lower()}")["found"]]

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        told = self.ask(
            "upsert_person", "PUT", f"/people/{fold(person.email)}", json={"name": person.name}, repeatable=True
        )
        return Ref(Kind.PERSON, told["id"], created=told["created"])

    def ask(self, operation: str, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.config.secret('token')}"}
        url = self.config.text("url") + path
        told = self.http.call(operation, method, url, headers=headers, judge=refusal, **request).json()
        if not isinstance(told, dict) or not set(told) & {"account", "found", "id"}:
            raise Transient("the ledger did not say what it was asked")
        return told


def refusal(reply: Reply) -> PluginError | None:
    """What the ledger says with 200 and does not mean."""
    return InvalidInput(reply.json()["refused"]) if reply.status == 200 and b'"refused"' in reply.body else None


class LedgerConformance(CRMConformance):
    adapter = Ledger
    error_in_200 = Fault(200, b'{"refused": "no such field"}')

    @pytest.fixture
    def fake(self) -> Iterator[FakeLedger]:
        with FakeLedger() as fake:
            yield fake

    @pytest.fixture
    def config(self, fake: FakeLedger) -> dict[str, Any]:
        return {"url": fake.url, "token": TOKEN}

    @pytest.fixture(autouse=True)
    def _looked_into(self, fake: FakeLedger) -> None:
        self.service = fake

    def count(self, subject: CRM, kind: Kind) -> int:
        return len(self.service.people) if kind is Kind.PERSON else 0
