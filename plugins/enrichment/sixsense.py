"""6sense: the company behind an IP address, with what your 6sense account knows of it."""

from __future__ import annotations

from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.enrichment import Capability, Enrichment, Facts
from plugins.enrichment.asking import facts, found, number
from plugins.enrichment.domains import public_ip
from plugins.fields import Field, Type

SOURCE = "6sense"
SAMPLE = "8.8.8.8"
CONFIDENCE = {"very high": 0.9, "high": 0.8, "moderate": 0.6, "medium": 0.6, "low": 0.4}
MATCH = "Match"


class SixSense(Enrichment):
    """Only a "Match" counts, by `company.company_match` (OpenAPI of v3/company/details): a "Non-actionable Match" is an
    access provider or too large a network. 6sense names no moment to come back at after 429, and its tokens end after
    90 days."""

    name = "sixsense"
    title = "6sense"
    about = "Names the company behind an IP address."
    capabilities = frozenset({Capability.COMPANY_BY_IP})
    rate = Rate(calls=90, seconds=60)
    fields = (
        Field("token", "API token", secret=True, required=True, help="Ends after 90 days."),
        Field("base_url", "Address of the API", Type.URL, default="https://epsilon.6sense.com"),
    )

    def check(self) -> CheckResult:
        found(lambda: self._ask("check", SAMPLE))
        return CheckResult(ok=True, account=SOURCE)

    def company_by_ip(self, ip: str) -> Facts:
        public_ip(ip)
        told = found(lambda: self._ask("company_by_ip", ip), "company") or {}
        company = told.get("company") or {}
        if company.get("company_match") != MATCH:
            return Facts()
        values = {
            "name": company.get("name"),
            "domain": company.get("domain"),
            "industry": company.get("industry"),
            "employees": number(company.get("employee_count")),
            "country": company.get("country_iso_code") or company.get("country"),
            "city": company.get("city"),
            "revenue": number(company.get("annual_revenue")),
        }
        return facts(SOURCE, CONFIDENCE.get(str(told.get("confidence", "")).lower(), 0.5), values, cost=1)

    def _ask(self, operation: str, ip: str) -> Any:
        url, token = f"{self.config.text('base_url')}/v3/company/details", self.config.secret("token")
        return self.http.call(
            operation, "GET", url, params={"ip": ip}, headers={"Authorization": f"Token {token}"}
        ).json()  # fmt: skip
