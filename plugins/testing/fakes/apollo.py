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
    """`people` by e-mail, `companies` by domain; who is not known comes as null with 200."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, dict[str, Any]] = {}
        self.companies: dict[str, dict[str, Any]] = {}

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
        return {"person": self.people.get(request.args.get("email", "").lower())}

    @on("GET", "/organizations/enrich")
    def company(self, request: Request) -> Any:
        if not request.args.get("domain"):
            return Refusal(422, {"error": "domain is required"})
        known = self.companies.get(request.args["domain"])
        return {"organization": known} if known else {}
