"""ZoomInfo's GTM API: tokens for clients, and enrichment of contacts and companies as JSON:API."""

from __future__ import annotations

import base64
from typing import Any

from werkzeug.wrappers import Request

from plugins.testing.fakes.server import Fake, Refusal, on

CLIENT, SECRET = "a-client", "a-made-up-secret"
BY = {"contacts": ("ContactEnrich", "matchPersonInput", "emailAddress"),
      "companies": ("CompanyEnrich", "matchCompanyInput", "companyWebsite")}  # fmt: skip


class ZoomInfoFake(Fake):
    """`contacts` by e-mail, `companies` by website. Tokens are good until `expire()`, `credits` for a match each."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, dict[str, dict[str, Any]]] = {"contacts": {}, "companies": {}}
        self.tokens = 0
        self.credits = 1000

    def expire(self) -> None:
        """The token given out last is no good any more."""
        self.tokens += 1

    @on("POST", "/token")
    def token(self, request: Request) -> Any:
        if request.headers.get("Authorization") != f"Basic {base64.b64encode(f'{CLIENT}:{SECRET}'.encode()).decode()}":
            return Refusal(401, {"error": "invalid_client", "error_description": "wrong credentials"})
        if request.form.get("grant_type") != "client_credentials" or "api:data" not in request.form.get("scope", ""):
            return Refusal(400, {"error": "invalid_scope"})
        self.tokens += 1
        return {"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 3600}

    @on("POST", "/gtm/data/v1/<what>/enrich")
    def enrich(self, request: Request, what: str) -> Any:
        if request.headers.get("Authorization") != f"Bearer token-{self.tokens}":
            return Refusal(401, {"error": {"code": "ZI0001", "message": "unauthorized", "retryable": False}})
        if request.content_type != "application/vnd.api+json":
            return Refusal(415, {"error": {"code": "ZI0002", "message": "unsupported media type"}})
        kind, match, by = BY[what]
        data = request.get_json(force=True)["data"]
        asked = data["attributes"]
        if data["type"] != kind or set(asked) != {match, "outputFields"} or not asked["outputFields"]:
            return self._wrong("unknown or missing attributes")
        if set(asked[match][0]) != {by}:
            return self._wrong(f"{by} is required")
        found = self.known[what].get(asked[match][0][by])
        status = ("FULL_MATCH" if found else "NO_MATCH") if self.credits > 0 else "LIMIT_EXCEEDED"
        about = {"id": "1", "meta": {"input": asked[match][0], "matchStatus": status}}
        if status != "FULL_MATCH":
            return {"data": [{**about, "type": "NoMatch"}]}
        self.credits -= 1
        return {"data": [{**about, "type": what, "attributes": _shown(found or {}, asked["outputFields"])}]}

    def _wrong(self, message: str) -> Refusal:
        return Refusal(400, {"error": {"code": "ZI0004", "message": message, "retryable": False}})


def _shown(found: dict[str, Any], asked: list[str]) -> dict[str, Any]:
    """What was asked for. Those of a contact's company (`companyName` …) come within `company`, by its own names."""
    company = {name: value for name, value in found.get("company", {}).items() if f"company{name.title()}" in asked}
    return {name: found[name] for name in asked if name in found} | ({"company": company} if company else {})
