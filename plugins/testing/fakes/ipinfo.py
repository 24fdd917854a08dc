"""IPinfo's lookup and lite: what a network is, by address."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from plugins.testing.fakes.server import Fake, Refusal, on

TOKEN = "a-made-up-token"  # noqa: S105 - made up


class IPinfoFake(Fake):
    """`networks`: address → what is known of it."""

    def __init__(self) -> None:
        super().__init__()
        self.networks: dict[str, dict[str, Any]] = {}

    def check(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refusal(403, {"error": {"title": "Unknown token", "message": "Please check your token."}})
        if request.args:
            raise Refusal(400, {"error": {"title": "Wrong parameter", "message": "no parameters are known"}})

    @on("GET", "/lookup/<ip>")
    def lookup(self, request: Request, ip: str) -> Any:
        return self.networks.get(ip) or Refusal(404, {"error": {"title": "Wrong ip", "message": "not found"}})

    @on("GET", "/lite/<ip>")
    def lite(self, request: Request, ip: str) -> Any:
        known = self.networks.get(ip)
        if known is None:
            return Refusal(404, {"error": {"title": "Wrong ip", "message": "not found"}})
        network = known.get("as") or {}
        place = {"country_code": (known.get("geo") or {}).get("country_code"), "country": "Germany"}
        return {"ip": ip, "as_name": network.get("name"), "as_domain": network.get("domain"), **place}
