"""E-mail addresses as people type them: "ada@example.com.", "ada at example dot com", "ada@gmial.com"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from plugins.ai.rules.spelling import slips

_WRITTEN = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+")
_AT = r"\s*(?:@|\(at\)|\[at\]|\{at\}|\barobase\b|\barroba\b|\bklammeraffe\b)\s*"
_DOT = r"\s*(?:\(dot\)|\[dot\]|\bdot\b|\bpunkt\b|\bpoint\b|\bpunto\b|\.)\s*"
_NAME = r"[a-z0-9_%+'-]+"
_SPELT = re.compile(
    rf"(?<![\w@])({_NAME}(?:(?:\.|\s+(?:dot|punkt|point|punto)\s+){_NAME})*)(?:{_AT}|\s+at\s+)({_NAME}(?:{_DOT}{_NAME})+)"
)
_SIGN = re.compile(_AT)
_SPOKEN_DOT = re.compile(r"\s*(?:\(dot\)|\[dot\]|\bdot\b|\bpunkt\b|\bpoint\b|\bpunto\b)\s*")
_PROVIDERS = (
    *("gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com", "protonmail.com"),
    *(
        "gmx.de",
        "gmx.net",
        "web.de",
        "t-online.de",
        "freenet.de",
        "hotmail.fr",
        "orange.fr",
        "wanadoo.fr",
        "laposte.net",
    ),
    *("yahoo.fr", "yahoo.es", "hotmail.es", "yahoo.de", "outlook.de", "outlook.fr", "outlook.es", "telefonica.net"),
)
_REAL = frozenset(
    [
        "mail.com",
        "email.com",
        "gmx.com",
        "gmx.at",
        "gmx.ch",
        "gmx.fr",
        "gmx.es",
        "ymail.com",
        "hotmail.de",
        "hotmail.it",
        "hotmail.co",
    ]
    + [
        "outlook.at",
        "outlook.it",
        "yahoo.it",
        "yahoo.ca",
        "yahoo.co",
        "aol.com",
        "live.com",
        "orange.es",
        "hotmail.ch",
        "fmail.com",
    ]
)
_ENDINGS = {
    "con": "com",
    "cmo": "com",
    "ocm": "com",
    "comm": "com",
    "vom": "com",
    "xom": "com",
    "coom": "com",
    "cpm": "com",
    "dee": "de",
}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, normalised, with its place; `meant` is the address that a slip of typing hides, or ""."""

    address: str
    start: int
    end: int
    meant: str = ""


def mailboxes(folded: str, raw: str) -> list[Mailbox]:
    """All valid addresses, in order. Validity by email-validator, nothing is looked up (RFC 5322, 6531)."""
    if "@" not in folded and not _SIGN.search(folded) and " at " not in folded:
        return []
    found: list[Mailbox] = []
    for match in _WRITTEN.finditer(folded):
        typed = match.group() if len(folded) != len(raw) else raw[match.start() : match.end()]
        _keep(found, typed.strip(".!?'*_-\"").removeprefix("mailto:"), match)
    for match in _SPELT.finditer(folded):
        if not any(box.start < match.end() and match.start() < box.end for box in found) and _means_address(match):
            local, domain = (re.sub(r"\s+", "", _SPOKEN_DOT.sub(".", part)) for part in match.groups())
            _keep(found, f"{local}@{domain}", match)
    return sorted(found, key=lambda box: box.start)


def looks_like_one(folded: str) -> bool:
    """Something with an @ that is no valid address: worth a friendly second try."""
    return "@" in folded


def _means_address(match: re.Match[str]) -> bool:
    """ "I work at globex.com" is no address: a spoken "at" needs a spoken "dot"."""
    spoken = " " in match[2] and _SPOKEN_DOT.search(match[2])
    return bool(_SIGN.search(match.group()) or spoken or match[2] in _PROVIDERS)


def _keep(found: list[Mailbox], typed: str, match: re.Match[str]) -> None:
    try:
        address = validate_email(typed, check_deliverability=False).normalized
    except EmailNotValidError:
        return
    local, _, domain = address.rpartition("@")
    meant = _meant(domain.lower())
    found.append(Mailbox(f"{local}@{domain.lower()}", match.start(), match.end(), f"{local}@{meant}" if meant else ""))


def _meant(domain: str) -> str:
    """The provider one slip away ("gmial.com"), or the ending that was meant ("acme.con"); "" when nothing is odd."""
    if domain in _PROVIDERS or domain in _REAL:
        return ""
    name, _, ending = domain.rpartition(".")
    mended = f"{name}.{_ENDINGS.get(ending, ending)}"
    for provider in _PROVIDERS:
        if abs(len(provider) - len(mended)) < 2 and slips(mended, provider) == 1 and len(provider) > 8:
            return provider
    return mended if mended != domain else ""
