"""Clearbit's three hosts on one: companies by domain, people by e-mail, companies by address."""

from __future__ import annotations

import base64
from typing import Any

from werkzeug.wrappers import Request

from plugins.testing.fakes.server import Fake, Refusal, on

KEY = "sk_a_made_up_key"


class ClearbitFake(Fake):
    """What is known by domain, e-mail and address; those in `looking` are answered with 202. `kinds`: what an address
    belongs to where it is no "company"."""

    def __init__(self) -> None:
        super().__init__()
        self.companies: dict[str, dict[str, Any]] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, str] = {}
        self.looking: set[str] = set()

    def check(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}":
            raise Refusal(401, {"error": {"type": "auth_invalid", "message": "Invalid API key provided."}})

    @on("GET", "/company/v2/companies/find")
    def company(self, request: Request) -> Any:
        return self._found(self.companies, request, "domain")

    @on("GET", "/person/v2/combined/find")
    def person(self, request: Request) -> Any:
        found = self._found(self.people, request, "email")
        return {"person": found, "company": None} if isinstance(found, dict) else found

    @on("GET", "/reveal/v1/companies/find")
    def address(self, request: Request) -> Any:
        found = self._found(self.addresses, request, "ip")
        kind = self.kinds.get(request.args["ip"], "company")
        return {"type": kind, "company": found} if isinstance(found, dict) else found

    def _found(self, known: dict[str, dict[str, Any]], request: Request, by: str) -> Any:
        if set(request.args) != {by} or not request.args[by]:
            raise Refusal(422, {"error": {"type": "params_invalid", "message": f"{by} is required"}})
        if request.args[by] in self.looking:
            return 202, {}
        return known.get(request.args[by]) or Refusal(404, {"error": {"type": "unknown_record"}})
