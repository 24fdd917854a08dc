"""Apollo.io: people by e-mail, companies by domain. Both cost credits of the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.enrichment import Capability, Enrichment, Facts
from plugins.enrichment.asking import facts, found, no_address, number
from plugins.enrichment.domains import company_domain
from plugins.errors import PermissionDenied, PluginError, QuotaExhausted
from plugins.fields import Field, Type
from plugins.http import Reply

SOURCE = "Apollo"
SURE = 0.8


class Apollo(Enrichment):
    """Private addresses and telephone numbers are not asked for: they cost more, and the visitor gave none."""

    name = "apollo"
    title = "Apollo"
    about = "Knows people by e-mail and companies by domain."
    capabilities = frozenset({Capability.COMPANY_BY_DOMAIN, Capability.PERSON_BY_EMAIL})
    rate = Rate(calls=50, seconds=60)
    fields = (
        Field("key", "API key", secret=True, required=True, help="Settings, Integrations, API; a master key."),
        Field("base_url", "Address of the API", Type.URL, default="https://api.apollo.io/api/v1"),
    )

    def check(self) -> CheckResult:
        told = self._ask("check", "GET", "users/api_profile", {})
        return CheckResult(ok=True, account=str((told or {}).get("email") or SOURCE))

    def company_by_domain(self, domain: str) -> Facts:
        company = company_domain(domain)
        if not company:
            return Facts()
        told = found(lambda: self._ask("company_by_domain", "GET", "organizations/enrich", {"domain": company})) or {}
        return facts(SOURCE, SURE, _company(told.get("organization") or {}), cost=1)

    def person_by_email(self, email: str) -> Facts:
        if (refused := no_address(email, SOURCE)) is not None:
            return refused
        asked = {"email": email.strip(), "reveal_personal_emails": "false", "reveal_phone_number": "false"}
        told = found(lambda: self._ask("person_by_email", "POST", "people/match", asked)) or {}
        person = told.get("person") or {}
        if person.get("match_confidence") == "none":  # nobody, with the organization of the address's domain
            return Facts()
        employer, departments = person.get("organization") or {}, person.get("departments") or []
        values = {
            "name": person.get("name"),
            "first_name": person.get("first_name"),
            "last_name": person.get("last_name"),
            "title": person.get("title"),
            "seniority": person.get("seniority"),
            "department": departments[0] if departments else None,
            "company": employer.get("name"),
            "domain": employer.get("primary_domain"),
            "country": person.get("country"),
        }
        return facts(SOURCE, SURE, values, cost=1)

    def _ask(self, operation: str, method: str, path: str, params: Mapping[str, Any]) -> Any:
        return self.http.call(
            operation, method, f"{self.config.text('base_url')}/{path}", params=params, repeatable=True,
            headers={"x-api-key": self.config.secret("key"), "Accept": "application/json"}, judge=_judge,
        ).json()  # fmt: skip


def _judge(reply: Reply) -> PluginError | None:
    """Its 422 for no credits says "Insufficient credits. Please upgrade your plan."; any other is a value."""
    if reply.status == 403 and b"API_INACCESSIBLE" in reply.body:
        said = "Your Apollo plan does not include this: upgrade it, or use a master key."
        return PermissionDenied("API_INACCESSIBLE", http_status=403, vendor_code="API_INACCESSIBLE", user_message=said)
    if reply.status == 422 and b"insufficient credits" in reply.body.lower():
        return QuotaExhausted("Insufficient credits", http_status=422)
    return None


def _company(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": told.get("name"),
        "domain": told.get("primary_domain"),
        "industry": told.get("industry"),
        "employees": number(told.get("estimated_num_employees")),
        "country": told.get("country"),
        "city": told.get("city"),
        "tech": sorted(told.get("technology_names") or []),
        "revenue": number(told.get("annual_revenue")),
    }
