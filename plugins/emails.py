"""When two e-mail addresses are the same person's."""

from __future__ import annotations

import hashlib
import unicodedata

from plugins.errors import InvalidInput


def fold(email: str) -> str:
    """The address to compare by: lower case, composed Unicode, the domain in its ASCII form (RFC 5891).

    Local parts are compared without regard to case, as every large provider does. InvalidInput("email") for what has
    no local part and domain.
    """
    local, _, domain = unicodedata.normalize("NFC", email.strip().lower()).rpartition("@")
    if not (local and domain) or any(letter.isspace() for letter in local + domain):
        raise InvalidInput("this is no e-mail address", field="email")
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """The domain in lower case and ASCII; as it is when it cannot be written so."""
    domain = domain.strip().rstrip(".").lower()
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def stable_id(prefix: str, *parts: str) -> str:
    """The same id for the same parts, always: what makes a repeated write harmless."""
    return f"{prefix}_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:24]}"
