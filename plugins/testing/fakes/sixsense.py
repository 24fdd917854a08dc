"""6sense's company details by address."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from plugins.testing.fakes.server import Fake, Refusal, on

TOKEN = "a-made-up-token"  # noqa: S105 - made up


class SixSenseFake(Fake):
    """`companies`: address → the company, with its `company_match`."""

    def __init__(self) -> None:
        super().__init__()
        self.companies: dict[str, dict[str, Any]] = {}

    def check(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            raise Refusal(401, {"error": "invalid token"})
        if set(request.args) != {"ip"}:
            raise Refusal(400, {"error": "ip is required, and nothing else"})

    @on("GET", "/v3/company/details")
    def details(self, request: Request) -> Any:
        ip = request.args["ip"]
        if ip not in self.companies:
            return Refusal(404, {"error": "no match"})
        return {"company": self.companies[ip], "scores": [], "confidence": "High"}
