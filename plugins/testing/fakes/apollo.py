"""Apollo's people/match and organizations/enrich."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from plugins.testing.fakes.server import Fake, Refusal, on

KEY = "a-made-up-key"
ALLOWED = {
    "match": {"email", "first_name", "last_name", "name", "domain", "reveal_personal_emails", "reveal_phone_number"},
    "enrich": {"domain"},
    "api_profile": {"include_credit_usage"},
}


class ApolloFake(Fake):
    """`people` by e-mail, `companies` by domain. What is not known comes with 200: a company as {}, a person as one
    without a name, at the organization of the address's domain. `credits` are spent by matches."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, dict[str, Any]] = {}
        self.companies: dict[str, dict[str, Any]] = {}
        self.credits = 1000

    def check(self, request: Request) -> None:
        if request.headers.get("x-api-key") != KEY:
            raise Refusal(401, "Invalid access credentials.")
        if unknown := set(request.args) - ALLOWED.get(request.path.rsplit("/", 1)[1], set()):
            raise Refusal(422, {"error": f"unknown parameter {sorted(unknown)[0]}"})

    @on("GET", "/users/api_profile")
    def profile(self, request: Request) -> Any:
        return {"id": "u1", "email": "owner@acme.example", "team_id": "t1"}

    @on("POST", "/people/match")
    def person(self, request: Request) -> Any:
        email = request.args.get("email", "").lower()
        known = self._spent_on(self.people.get(email))
        at = self.companies.get(email.rpartition("@")[2])
        return {"person": known or {"name": "", "match_confidence": "none", "organization": at}}

    @on("GET", "/organizations/enrich")
    def company(self, request: Request) -> Any:
        if not request.args.get("domain"):
            return Refusal(422, {"error": "domain is required"})
        known = self._spent_on(self.companies.get(request.args["domain"]))
        return {"organization": known} if known else {}

    def _spent_on(self, known: dict[str, Any] | None) -> dict[str, Any] | None:
        if self.credits <= 0:
            raise Refusal(422, {"error": "Insufficient credits. Please upgrade your plan."})
        self.credits -= 1 if known else 0
        return known
