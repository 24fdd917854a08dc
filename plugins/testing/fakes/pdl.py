"""People Data Labs' enrichment: a person by e-mail, a company by website, a company by address."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from plugins.testing.fakes.server import Fake, Refusal, on

KEY = "a-made-up-key"
ALLOWED = {
    "person": {"email", "min_likelihood", "required", "data_include", "titlecase"},
    "company": {"website", "name", "min_likelihood", "required", "titlecase"},
    "ip": {"ip", "return_ip_location", "return_ip_metadata", "min_confidence"},
}
NO_MATCH = {"status": 404, "error": {"type": "not_found", "message": "No records were found matching your request"}}


class PdlFake(Fake):
    """`people`, `companies`, `addresses`: what is known, by what is asked with. `hosters`: addresses that it does not
    look up. `credits` are spent by matches."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, dict[str, Any]] = {}
        self.companies: dict[str, dict[str, Any]] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self.hosters: set[str] = set()
        self.credits = 1000

    def check(self, request: Request) -> None:
        if request.headers.get("X-Api-Key") != KEY:
            raise Refusal(401, {"status": 401, "error": {"type": "authentication_error", "message": "Invalid key"}})
        kind = request.path.split("/")[1]
        if unknown := set(request.args) - ALLOWED.get(kind, set()):
            raise self._wrong(f"unknown parameter {sorted(unknown)[0]}")
        if self.credits <= 0:
            said = {"status": 402, "error": {"type": "payment_required", "message": "no credits left"}}
            raise Refusal(402, said, x_ratelimit_reset="2030-01-01T00:00:00Z")  # of the minute, as on every answer

    @on("GET", "/person/enrich")
    def person(self, request: Request) -> Any:
        found = self._found(self.people, request.args.get("email", "").lower())
        if found["likelihood"] < int(request.args.get("min_likelihood", 2)):
            return Refusal(404, NO_MATCH)
        return {"status": 200, "likelihood": found["likelihood"], "data": found["data"]}

    @on("GET", "/company/enrich")
    def company(self, request: Request) -> Any:
        found = self._found(self.companies, request.args.get("website", ""))
        return {"status": 200, **found}

    @on("GET", "/ip/enrich")
    def address(self, request: Request) -> Any:
        ip = request.args.get("ip", "")
        if ip in self.hosters:
            raise self._wrong("Cannot Enrich IP: Hosting Provider")
        return {"status": 200, "data": {"ip": {"address": ip}, "company": self._found(self.addresses, ip)}}

    def _found(self, known: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        if not name:
            raise self._wrong("Request was missing required parameters")
        if name not in known:
            raise Refusal(404, NO_MATCH)
        self.credits -= 1
        return known[name]

    def _wrong(self, message: str) -> Refusal:
        return Refusal(400, {"status": 400, "error": {"type": "invalid_request_error", "message": message}})
