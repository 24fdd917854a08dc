"""People Data Labs: people by e-mail, companies by domain and by IP address. A credit for each match, none without."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.enrichment import Capability, Enrichment, Facts
from plugins.enrichment.asking import facts, found, no_address, number
from plugins.enrichment.domains import company_domain, public_ip
from plugins.errors import InvalidInput, NotFound, PluginError
from plugins.fields import Field, Type
from plugins.http import Reply

SOURCE = "People Data Labs"
CONFIDENCE = {"very high": 0.9, "high": 0.8, "moderate": 0.6, "low": 0.4, "very low": 0.2}
"""What it says of an IP address, as a share."""


class PeopleDataLabs(Enrichment):
    """`min_likelihood` keeps weak matches out, and their price down."""

    name = "pdl"
    title = "People Data Labs"
    about = "Knows people by e-mail and companies by domain or IP address."
    capabilities = frozenset({Capability.COMPANY_BY_IP, Capability.COMPANY_BY_DOMAIN, Capability.PERSON_BY_EMAIL})
    rate = Rate(calls=90, seconds=60)
    fields = (
        Field("key", "API key", secret=True, required=True),
        Field("min_likelihood", "Least likelihood of a match", Type.INTEGER, default=6, minimum=1, maximum=10),
        Field("base_url", "Address of the API", Type.URL, default="https://api.peopledatalabs.com/v5",
              help="https://sandbox.api.peopledatalabs.com/v5 answers with made-up people, free of charge."),
    )  # fmt: skip

    def check(self) -> CheckResult:
        """Asks without saying for whom: a good key is told so (400), a wrong one refused, and nothing is paid for."""
        with suppress(InvalidInput, NotFound):
            self._ask("check", "person/enrich", {})
        return CheckResult(ok=True, account=SOURCE)

    def company_by_ip(self, ip: str) -> Facts:
        told = found(lambda: self._ask("company_by_ip", "ip/enrich", {"ip": public_ip(ip)}), "data") or {}
        about = _shown((told.get("data") or {}).get("company"))
        return _company(about, CONFIDENCE.get(str(about.get("confidence")), 0.3))

    def company_by_domain(self, domain: str) -> Facts:
        company = company_domain(domain)
        if not company:
            return Facts()
        asked = {"website": company, "min_likelihood": self.config["min_likelihood"]}
        told = found(lambda: self._ask("company_by_domain", "company/enrich", asked), "status", "likelihood") or {}
        return _company(_shown(told), _share(told))

    def person_by_email(self, email: str) -> Facts:
        if (refused := no_address(email, SOURCE)) is not None:
            return refused
        asked = {"email": email.strip(), "min_likelihood": self.config["min_likelihood"]}
        told = found(lambda: self._ask("person_by_email", "person/enrich", asked), "data") or {}
        person = _shown(told.get("data"))
        levels = person.get("job_title_levels") or []
        values = {
            "name": _titled(person.get("full_name")),
            "first_name": _titled(person.get("first_name")),
            "last_name": _titled(person.get("last_name")),
            "title": person.get("job_title"),
            "seniority": levels[0] if levels else None,
            "department": person.get("job_title_role"),
            "company": _titled(person.get("job_company_name")),
            "domain": person.get("job_company_website"),
            "country": person.get("location_country"),
        }
        return facts(SOURCE, _share(told), values, cost=1)

    def _ask(self, operation: str, path: str, params: Mapping[str, Any]) -> Any:
        url, key = f"{self.config.text('base_url')}/{path}", {"X-Api-Key": self.config.secret("key")}
        return self.http.call(operation, "GET", url, params=params, headers=key, judge=_judge).json()


def _judge(reply: Reply) -> PluginError | None:
    """Hosters, proxies, Tor and mobile networks are answered with 400, though nothing is wrong with the address."""
    if reply.status == 400 and b"Cannot Enrich IP" in reply.body:
        return NotFound("Cannot Enrich IP", http_status=400)
    return None


def _shown(record: Any) -> dict[str, Any]:
    """What the plan lets us see: what it withholds comes as `true`, or `false` where there is nothing to withhold."""
    shown = record if isinstance(record, dict) else {}
    return {name: value for name, value in shown.items() if not isinstance(value, bool)}


def _share(told: Mapping[str, Any]) -> float:
    """Its likelihood of 1 to 10 as a share."""
    return (number(told.get("likelihood")) or 0) / 10


def _company(told: Mapping[str, Any], confidence: float) -> Facts:
    where = _shown(told.get("location"))
    values = {
        "name": told.get("display_name") or _titled(told.get("name")),
        "domain": told.get("website"),
        "industry": told.get("industry"),
        "employees": number(told.get("employee_count")),
        "country": where.get("country"),
        "city": _titled(where.get("locality")),
    }
    return facts(SOURCE, confidence, values, cost=1)


def _titled(said: Any) -> str | None:
    """Names come in lower case; one that has capitals stays as it is."""
    if not isinstance(said, str):
        return None
    return said.title() if said.islower() else said
