"""What can be told without asking anybody: e-mail validity and type, a company's likely name, the visitor's device.

Domain lists come from packages that are kept up to date; DNS is asked only where the owner switched it on.
"""

from __future__ import annotations

import re
from functools import cached_property

import dns.exception
import dns.resolver
from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from ua_parser import parse

from plugins.adapter import CheckResult
from plugins.emails import ascii_domain
from plugins.enrichment import Capability, EmailType, Enrichment, Fact, Facts
from plugins.enrichment.domains import is_disposable, is_mail_provider, public_ip, registrable
from plugins.fields import Field, Type

SOURCE = "built-in"
ROLES = frozenset(
    {
        "abuse", "accounting", "admin", "billing", "bonjour", "booking", "career", "careers", "compras",
        "contabilidad", "contact", "contacto", "contato", "datenschutz", "einkauf", "empfang", "finance", "ftp",
        "hallo", "hello", "help", "hola", "hostmaster", "hr", "info", "invoice", "jobs", "kontakt", "legal",
        "mail", "marketing", "news", "newsletter", "no-reply", "noc", "noreply", "office", "orders", "post",
        "postmaster", "press", "presse", "privacy", "rechnung", "sales", "security", "service", "soporte",
        "support", "team", "usenet", "ventas", "verkauf", "vertrieb", "webmaster", "www",
    }
)
"""RFC 2142 and the usual ones in English, German, French and Spanish."""
ACCESS_HOST = re.compile(r"(^|[.\d-])(dyn\w*|dip|pools?|a?dsl|cable|dhcp|ppp|cust\w*|broadband|mobile)([.\d-]|$)")
"""Names that access providers give their customers' lines: they name the provider, not the visitor's company."""


class BuiltinEnrichment(Enrichment):
    """Guesses say so by their confidence: a name taken from a domain or an address is 0.4, reverse DNS 0.3."""

    name = "builtin"
    title = "Built-in enrichment"
    about = "Judges e-mail addresses, guesses company names from domains and reads the browser's user agent."
    capabilities = frozenset(Capability)
    local = True
    fields = (
        Field("check_dns", "Ask DNS whether a domain takes mail", Type.BOOLEAN, default=False),
        Field("reverse_dns", "Guess companies from the visitor's host name", Type.BOOLEAN, default=False),
        Field("dns_seconds", "Longest wait for DNS, in seconds", Type.NUMBER, default=1.0, minimum=0.1, maximum=10),
        Field("nameservers", "Name servers", Type.LIST, help="Addresses; empty means the system's", default=()),
        Field("nameserver_port", "Port of the name servers", Type.INTEGER, default=53, minimum=1, maximum=65535),
        Field("free_domains", "Further free-mail domains", Type.LIST, default=()),
        Field("company_domains", "Domains that are companies although listed as free mail", Type.LIST, default=()),
    )

    def check(self) -> CheckResult:
        return CheckResult(ok=True, account=self.title)

    def company_by_ip(self, ip: str) -> Facts:
        public_ip(ip)
        host = self._host_of(ip) if self.config["reverse_dns"] else ""
        domain = "" if not host or _is_access_line(host, ip) else registrable(host)
        return _company(domain, 0.3) if domain else Facts()

    def company_by_domain(self, domain: str) -> Facts:
        company = registrable(domain)
        if not company or self._is_mail_provider(company):
            return Facts()
        return _company(company, 1.0)

    def person_by_email(self, email: str) -> Facts:
        valid = self._validated(email)
        if valid is None:
            return Facts({"email_valid": _sure(False), "email_type": _sure(EmailType.INVALID.value)})
        domain = ascii_domain(valid.ascii_domain or valid.domain)
        kind = self._type_of(valid.local_part, domain)
        facts = {"email": _sure(valid.normalized), "email_valid": _sure(True), "email_type": _sure(kind.value)}
        if kind in (EmailType.WORK, EmailType.ROLE):
            company = self.company_by_domain(domain)
            facts |= {"domain": _sure(registrable(domain) or domain), **_as_employer(company)}
        if kind in (EmailType.WORK, EmailType.PERSONAL):
            facts |= _name_in(valid.local_part)
        return Facts(facts)

    def device(self, user_agent: str) -> Facts:
        seen = parse(user_agent[:1000])
        family = seen.device.family if seen.device else ""
        crawler = family == "Spider"
        said = {"os": seen.os.family if seen.os else "", "browser": seen.user_agent.family if seen.user_agent else ""}
        facts = {name: _sure(value) for name, value in said.items() if value}
        if not crawler and facts:
            facts["device"] = Fact(_form_factor(user_agent, said["os"]), 0.9, SOURCE)
        return Facts({**facts, "crawler": Fact(crawler, 0.9, SOURCE)})

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.config["nameservers"])
        if self.config["nameservers"]:
            resolver.nameservers = list(self.config["nameservers"])
            resolver.port = self.config["nameserver_port"]
        resolver.timeout = resolver.lifetime = self.config["dns_seconds"]
        return resolver

    def _host_of(self, ip: str) -> str:
        """The host name the address's owner gives it, "" when there is none in time."""
        try:
            found = self._resolver.resolve_address(ip)
        except dns.exception.DNSException:
            return ""
        return str(found[0]).rstrip(".").lower()

    def _validated(self, email: str) -> ValidatedEmail | None:
        """The parts of the address, None when there can be none. A silent name server is no proof against it."""
        ask = bool(self.config["check_dns"])
        try:
            return validate_email(email.strip(), check_deliverability=ask, dns_resolver=self._resolver if ask else None)
        except EmailNotValidError:
            return None

    def _type_of(self, local: str, domain: str) -> EmailType:
        names = {domain, registrable(domain)}
        if any(map(is_disposable, names)) and not names & set(self.config["company_domains"]):
            return EmailType.DISPOSABLE
        if any(self._is_mail_provider(name) for name in names):
            return EmailType.PERSONAL
        return EmailType.ROLE if local.lower().partition("+")[0] in ROLES else EmailType.WORK

    def _is_mail_provider(self, domain: str) -> bool:
        if domain in self.config["company_domains"]:
            return False
        return is_mail_provider(domain, self.config["free_domains"])


def _sure(value: object) -> Fact:
    return Fact(value, 1.0, SOURCE)


def _company(domain: str, confidence: float) -> Facts:
    label = domain.partition(".")[0]
    if label.startswith("xn--"):
        label = label.encode().decode("idna")
    name = " ".join(word if any(c.isupper() for c in word) else word.capitalize() for word in re.split(r"[-_]+", label))
    return Facts({"domain": Fact(domain, confidence, SOURCE), "name": Fact(name, min(confidence, 0.4), SOURCE)})


def _as_employer(company: Facts) -> dict[str, Fact]:
    name = company.facts.get("name")
    return {"company": name} if name else {}


def _name_in(local: str) -> dict[str, Fact]:
    """First and last name from "ada.lovelace"; nothing from "alovelace" or "ada1815"."""
    parts = re.fullmatch(r"([^\W\d_]{2,})[._-]([^\W\d_]{2,}(?:-[^\W\d_]{2,})?)", local.partition("+")[0])
    if not parts:
        return {}
    first, last = (part.title() for part in parts.groups())
    guesses = {"first_name": first, "last_name": last, "name": f"{first} {last}"}
    return {name: Fact(value, 0.4, SOURCE) for name, value in guesses.items()}


def _is_access_line(host: str, ip: str) -> bool:
    """Providers name lines by words, or by the address itself: host-198-51-100-7, 7.100.51.198, 198051100007."""
    parts, numbers = ip.split("."), re.findall(r"\d+", host)
    spelled = set(parts) <= set(numbers) or "".join(part.zfill(3) for part in parts) in numbers
    return spelled or bool(ACCESS_HOST.search(host))


def _form_factor(user_agent: str, os: str) -> str:
    """Android says "Mobile" on phones only; iPads that ask for desktop pages cannot be told from Macs."""
    if "iPad" in user_agent or "Tablet" in user_agent or (os == "Android" and "Mobile" not in user_agent):
        return "tablet"
    return "mobile" if os in ("iOS", "Android") or "Mobi" in user_agent else "desktop"
