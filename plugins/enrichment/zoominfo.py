"""ZoomInfo by its GTM API: people by e-mail, companies by domain. A credit for each match."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.enrichment import Capability, Enrichment, Facts
from plugins.enrichment.asking import facts, found, no_address, number
from plugins.enrichment.domains import company_domain
from plugins.errors import InvalidInput, NotFound, PluginError, QuotaExhausted, RateLimited
from plugins.fields import Field, Type
from plugins.http import Reply
from plugins.oauth import Authorized, judge_token, with_expiry
from plugins.tokens import Granted

SOURCE = "ZoomInfo"
SURE = 0.85
JSON_API = "application/vnd.api+json"
PERSON = (
    "firstName", "lastName", "jobTitle", "managementLevel", "jobFunction", "companyName", "companyWebsite", "country",
)  # fmt: skip
COMPANY = ("name", "website", "primaryIndustry", "employeeCount", "country", "city", "revenue")
SCOPES = "api:data:contact api:data:company"
SPENT = (b'"LIMIT_EXCEEDED"', b'"PFAPI0011"')
"""No credits left: `meta.matchStatus` of an answer (OpenAPI of the Data API), or the code of an error with 400, which
stands in `error` or in `errors`. In their quotes, since the answer repeats the question."""


class ZoomInfo(Enrichment):
    """Client credentials; a token is minted when there is none that is good for a while."""

    name = "zoominfo"
    title = "ZoomInfo"
    about = "Knows people by e-mail and companies by domain."
    capabilities = frozenset({Capability.COMPANY_BY_DOMAIN, Capability.PERSON_BY_EMAIL})
    rate = Rate(calls=5, seconds=1)
    fields = (
        Field("client_id", "Client id", required=True),
        Field("client_secret", "Client secret", secret=True, required=True),
        Field("base_url", "Address of the API", Type.URL, default="https://api.zoominfo.com/gtm"),
        Field("token_url", "Address for tokens", Type.URL,
              default="https://okta-login.zoominfo.com/oauth2/default/v1/token"),
    )  # fmt: skip

    def check(self) -> CheckResult:
        self._calls.granted()
        with suppress(InvalidInput, NotFound):
            self._enrich("check", "contacts", "ContactEnrich", "matchPersonInput", {}, ("firstName",))
        return CheckResult(ok=True, account=SOURCE)

    def company_by_domain(self, domain: str) -> Facts:
        company = company_domain(domain)
        if not company:
            return Facts()
        asked = {"companyWebsite": company}
        told = self._enrich("company_by_domain", "companies", "CompanyEnrich", "matchCompanyInput", asked, COMPANY)
        values = {
            "name": told.get("name"),
            "domain": company_domain(_host(told.get("website"))),
            "industry": _one(told.get("primaryIndustry")),
            "employees": number(told.get("employeeCount")),
            "country": told.get("country"),
            "city": told.get("city"),
            "revenue": _revenue(told.get("revenue")),
        }
        return facts(SOURCE, SURE, values, cost=1)

    def person_by_email(self, email: str) -> Facts:
        if (refused := no_address(email, SOURCE)) is not None:
            return refused
        asked = {"emailAddress": email.strip()}
        told = self._enrich("person_by_email", "contacts", "ContactEnrich", "matchPersonInput", asked, PERSON)
        names = [told[part] for part in ("firstName", "lastName") if told.get(part)]
        employer, work = told.get("company") or {}, _one(told.get("jobFunction")) or {}
        values = {
            "name": " ".join(names),
            "first_name": told.get("firstName"),
            "last_name": told.get("lastName"),
            "title": told.get("jobTitle"),
            "seniority": _one(told.get("managementLevel")),
            "department": work.get("department") or work.get("name"),
            "company": employer.get("name"),
            "domain": company_domain(_host(employer.get("website"))),
            "country": told.get("country"),
        }
        return facts(SOURCE, SURE, values, cost=1)

    @cached_property
    def _calls(self) -> Authorized:
        return Authorized(self.http, self.tokens, self._minted)

    def _minted(self, _: Granted) -> Granted:
        pair = f"{self.config.text('client_id')}:{self.config.secret('client_secret')}"
        basic = base64.b64encode(pair.encode()).decode()
        form = {"grant_type": "client_credentials", "scope": SCOPES}
        told = self.http.call(
            "token", "POST", self.config.text("token_url"), data=form, repeatable=True, judge=judge_token,
            headers={"Authorization": f"Basic {basic}"},
        ).json()  # fmt: skip
        return with_expiry(told, self.http)

    def _enrich(
        self, operation: str, what: str, kind: str, by: str, match: Mapping[str, str], fields: Sequence[str]
    ) -> Mapping[str, Any]:
        """The attributes of the first match, {} without one."""
        body = {"data": {"type": kind, "attributes": {by: [match], "outputFields": list(fields)}}}
        told = found(
            lambda: self._calls.call(
                operation, "POST", f"{self.config.text('base_url')}/data/v1/{what}/enrich", json=body, repeatable=True,
                headers={"Content-Type": JSON_API, "Accept": JSON_API}, judge=_judge,
            ).json(),
            "data",
        )  # fmt: skip
        first = ((told or {}).get("data") or [{}])[0]
        return (first or {}).get("attributes") or {}


def _judge(reply: Reply) -> PluginError | None:
    """Its limits are buckets of their own, and which one was full stands in a header. That no credits are left it does
    not say by 402."""
    if reply.status == 429 and (bucket := reply.headers.get("X-RateLimit-Rejected-Bucket")):
        from_header = reply.headers.get("Retry-After", "")
        return None if from_header else RateLimited(f"the bucket {bucket} is full", http_status=429, vendor_code=bucket)
    if reply.status in (200, 400) and any(said in reply.body for said in SPENT):
        return QuotaExhausted("the credits are used up", http_status=reply.status)
    return None


def _host(url: Any) -> str:
    return str(url or "").removeprefix("https://").removeprefix("http://").partition("/")[0]


def _one(said: Any) -> Any:
    """The first of a list, as some values come."""
    return said[0] if isinstance(said, list) and said else (None if isinstance(said, list) else said)


def _revenue(thousands: Any) -> int | None:
    """ZoomInfo counts revenue in thousands of dollars."""
    found = number(thousands)
    return None if found is None else found * 1000
