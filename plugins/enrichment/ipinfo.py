"""IPinfo: which company an address belongs to (paid plans), and its country."""

from __future__ import annotations

from typing import Any

from plugins.adapter import CheckResult
from plugins.enrichment import Capability, Enrichment, Facts
from plugins.enrichment.asking import facts, found
from plugins.enrichment.domains import public_ip
from plugins.errors import AuthError, PluginError
from plugins.fields import Field, Type
from plugins.http import Reply

SOURCE = "IPinfo"
SAMPLE = "1.1.1.1"
SURE, GUESS = 0.8, 0.5
NO_COMPANY = frozenset({"isp", "hosting"})
"""Types of networks whose name is not that of the visitor's company."""
PASSED_ON = ("is_anonymous", "is_hosting", "is_mobile", "is_satellite")
"""What Core says beside the type of an address whose visitors are not at its owner: VPN, proxy, Tor, relay; a hoster's
machine; a carrier's customer (ipinfo.io/developers/core-api)."""


class IPinfo(Enrichment):
    """The plan decides what is told: "lite" the country alone, since it does not say whether a network is a company's
    or an access provider's; "lookup" the company too."""

    name = "ipinfo"
    title = "IPinfo"
    about = "Names the company and country behind an IP address."
    capabilities = frozenset({Capability.COMPANY_BY_IP})
    fields = (
        Field("token", "Access token", secret=True, required=True),
        Field("plan", "Plan", choices=("lookup", "lite"), default="lookup",
              help="lite is free and knows countries; lookup is what Core and higher plans have."),
        Field("base_url", "Address of the API", Type.URL, default="https://api.ipinfo.io"),
    )  # fmt: skip

    def check(self) -> CheckResult:
        self._ask("check", SAMPLE)
        return CheckResult(ok=True, account=f"IPinfo, plan {self.config.text('plan')}")

    def company_by_ip(self, ip: str) -> Facts:
        public_ip(ip)
        told = found(lambda: self._ask("company_by_ip", ip), "ip", "bogon") or {}
        if told.get("bogon"):
            return Facts()
        geo = told.get("geo") or told
        where = {"country": geo.get("country_code") or geo.get("country"), "city": geo.get("city")}
        if any(map(told.get, PASSED_ON)):
            return facts(SOURCE, SURE, where, cost=1)
        company, network = told.get("company") or {}, told.get("as") or {}
        if company and company.get("type") not in NO_COMPANY:
            return facts(SOURCE, SURE, {"name": company.get("name"), "domain": company.get("domain"), **where}, cost=1)
        if network.get("type") in ("business", "education", "government"):
            return facts(SOURCE, GUESS, {"name": network.get("name"), "domain": network.get("domain"), **where}, cost=1)
        return facts(SOURCE, SURE, where, cost=1)

    def _ask(self, operation: str, ip: str) -> Any:
        url = f"{self.config.text('base_url')}/{self.config.text('plan')}/{ip}"
        bearer = {"Authorization": f"Bearer {self.config.secret('token')}"}
        return self.http.call(operation, "GET", url, headers=bearer, judge=_judge).json()


def _judge(reply: Reply) -> PluginError | None:
    """A token it does not know is told by 403, like one whose plan lacks the question; the title tells them apart."""
    if reply.status == 403 and b"Unknown token" in reply.body:
        return AuthError("Unknown token", http_status=403, vendor_code="Unknown token")
    return None
