"""Clearbit, for those who still have a key: companies by domain and IP address, people by e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.enrichment import Capability, Enrichment, Facts
from plugins.enrichment.asking import facts, found, no_address, number
from plugins.enrichment.domains import company_domain, public_ip
from plugins.errors import InvalidInput, NotFound
from plugins.fields import Field, Type

SOURCE = "Clearbit"
SURE, BY_IP = 0.85, 0.6
PENDING = 202
EMPLOYERS = (None, "company", "education", "government")
"""`type` of an address in Reveal for which the company is who the visitor works for; "isp" is none."""


class Clearbit(Enrichment):
    """No keys have been given out to accounts made since 2024, and the free tools have ended: existing keys only."""

    name = "clearbit"
    title = "Clearbit (existing keys only)"
    about = "Knows companies and people; Clearbit gives out no new keys, HubSpot has taken it over."
    capabilities = frozenset({Capability.COMPANY_BY_IP, Capability.COMPANY_BY_DOMAIN, Capability.PERSON_BY_EMAIL})
    rate = Rate(calls=500, seconds=60)
    fields = (
        Field("key", "API key", secret=True, required=True, help="Of an account from before 2024."),
        Field("company_url", "Address for companies", Type.URL, default="https://company.clearbit.com"),
        Field("person_url", "Address for people", Type.URL, default="https://person.clearbit.com"),
        Field("reveal_url", "Address for IP addresses", Type.URL, default="https://reveal.clearbit.com"),
    )

    def check(self) -> CheckResult:
        """Asks for nobody: a good key is told that something is missing, a wrong one is refused."""
        with suppress(InvalidInput, NotFound):
            self._ask("check", "company_url", "/v2/companies/find", {})
        return CheckResult(ok=True, account=SOURCE, warnings=("Clearbit gives out no new keys.",))

    def company_by_ip(self, ip: str) -> Facts:
        public_ip(ip)
        told = (
            found(lambda: self._ask("company_by_ip", "reveal_url", "/v1/companies/find", {"ip": ip}), "type", "company")
            or {}
        )
        if told.get("type") not in EMPLOYERS:
            return Facts(pending=told.get("type") == PENDING)
        return facts(SOURCE, BY_IP, _company(told.get("company") or {}), cost=1)

    def company_by_domain(self, domain: str) -> Facts:
        company = company_domain(domain)
        if not company:
            return Facts()
        asked = {"domain": company}
        told = (
            found(lambda: self._ask("company_by_domain", "company_url", "/v2/companies/find", asked), "type", "domain")
            or {}
        )
        return Facts(pending=True) if told.get("type") == PENDING else facts(SOURCE, SURE, _company(told), cost=1)

    def person_by_email(self, email: str) -> Facts:
        if (refused := no_address(email, SOURCE)) is not None:
            return refused
        asked = {"email": email.strip()}
        told = (
            found(lambda: self._ask("person_by_email", "person_url", "/v2/combined/find", asked), "type", "person")
            or {}
        )
        if told.get("type") == PENDING:
            return Facts(pending=True)
        person = told.get("person") or {}
        name, work = person.get("name") or {}, person.get("employment") or {}
        values = {
            "name": name.get("fullName"),
            "first_name": name.get("givenName"),
            "last_name": name.get("familyName"),
            "title": work.get("title"),
            "seniority": work.get("seniority"),
            "department": work.get("role"),
            "company": work.get("name"),
            "domain": work.get("domain"),
            "country": (person.get("geo") or {}).get("countryCode"),
        }
        return facts(SOURCE, SURE, values, cost=1)

    def _ask(self, operation: str, host: str, path: str, params: Mapping[str, Any]) -> Any:
        """What it found; {"type": 202} while it is still looking."""
        reply = self.http.call(
            operation, "GET", f"{self.config.text(host)}{path}", params=params, auth=(self.config.secret("key"), "")
        )
        return {"type": PENDING} if reply.status == PENDING else reply.json()


def _company(told: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing of a free-mail provider, which people's addresses belong to and no visitor's company."""
    if told.get("emailProvider"):
        return {}
    metrics, geo, category = (told.get(name) or {} for name in ("metrics", "geo", "category"))
    return {
        "name": told.get("name"),
        "domain": told.get("domain"),
        "industry": category.get("industry"),
        "employees": number(metrics.get("employees")),
        "country": geo.get("countryCode"),
        "city": geo.get("city"),
        "tech": sorted(told.get("tech") or []),
        "revenue": number(metrics.get("annualRevenue")),
    }
