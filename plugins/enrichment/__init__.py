"""What an enrichment adapter is: facts about companies and people, each with its source and how sure it is.

No match is an empty `Facts`, not an error. Never asked about private addresses; free-mail domains are no companies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from plugins.adapter import Adapter, needs


class Capability(StrEnum):
    """What can be asked."""

    COMPANY_BY_IP = "company_by_ip"
    COMPANY_BY_DOMAIN = "company_by_domain"
    PERSON_BY_EMAIL = "person_by_email"
    DEVICE = "device"


class EmailType(StrEnum):
    """WORK: an address at a company. PERSONAL: a free-mail provider. ROLE: info@, sales@ … at a company.
    DISPOSABLE: a throw-away provider. INVALID: no address at all."""

    WORK = "work"
    PERSONAL = "personal"
    ROLE = "role"
    DISPOSABLE = "disposable"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value. `confidence` 0..1: 1 is certain, below 0.5 is a guess. `source` is what a person may be told."""

    value: Any
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts by name. About companies: domain, name, industry, employees (int), country (ISO 3166), city, tech (list),
    revenue (int, US dollars a year). About people: email, email_valid (bool), email_type, name, first_name, last_name,
    title, seniority, department, phone, company, domain, country. About devices: device (mobile, tablet, desktop), os,
    browser, crawler (bool).

    `pending` True: the service is still looking, ask again later. `cost` in credits of the service.
    """

    facts: Mapping[str, Fact] = field(default_factory=dict)
    pending: bool = False
    cost: float = 0.0

    def value(self, name: str) -> Any:
        """The plain value, None when there is no such fact."""
        fact = self.facts.get(name)
        return fact.value if fact else None


class Enrichment(Adapter):
    """Knows one source of facts. Raises `plugins.errors`; the caller keeps time budget, cache, credits and consent.

    `local`: it answers from this machine, so nobody hears of the question, no answer is kept and nothing is paid.
    """

    kind: ClassVar[str] = "enrichment"
    local: ClassVar[bool] = False

    @needs(Capability.COMPANY_BY_IP)
    def company_by_ip(self, ip: str) -> Facts:
        """The company behind a public IPv4 or IPv6 address. InvalidInput for what is no public address."""
        raise NotImplementedError

    @needs(Capability.COMPANY_BY_DOMAIN)
    def company_by_domain(self, domain: str) -> Facts:
        """The company of a registrable domain. Empty for free-mail and throw-away providers."""
        raise NotImplementedError

    @needs(Capability.PERSON_BY_EMAIL)
    def person_by_email(self, email: str) -> Facts:
        """What is known of the person. An address that cannot be one gives email_valid False, not an error."""
        raise NotImplementedError

    @needs(Capability.DEVICE)
    def device(self, user_agent: str) -> Facts:
        """What the browser says it is."""
        raise NotImplementedError
