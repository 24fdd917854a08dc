"""Telephone numbers in E.164, read in the country that the site, the visitor's zone or language suggests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from babel.core import get_global

_DIGITS = re.compile(r"\d")
_LIKE = re.compile(r"\+?[\d(][\d\s()./-]{5,}\d")
_TRIES = 12
_BY_LANGUAGE = {"en": "US", "de": "DE", "fr": "FR", "es": "ES"}


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164 with its place."""

    number: str
    start: int
    end: int


def phones(folded: str, region: str, *, expected: bool = False) -> list[Phone]:
    """All valid numbers, in order. When one is expected, a line that is only digits and marks is tried as a whole."""
    if len(_DIGITS.findall(folded)) < 6 or not _LIKE.search(folded):
        return []
    found = [
        Phone(_e164(match.number), match.start, match.end)
        for match in phonenumbers.PhoneNumberMatcher(folded, region, max_tries=_TRIES)
        if expected or _sure(folded, match.start, match.raw_string)
    ]
    return found or (_whole(folded, region) if expected else [])


def region(given: str, locale: str, zone: str) -> str:
    """ISO country: as the site says, else where the visitor's clock is, else by locale."""
    parts = re.split(r"[-_]", locale)
    territory = next((part for part in parts[1:] if len(part) == 2), "")
    return (given or _territory(zone) or territory or _BY_LANGUAGE.get(parts[0], "US")).upper()


@cache
def _territory(zone: str) -> str:
    place = get_global("zone_territories").get(zone, "")
    return place if len(place) == 2 and place.isalpha() else ""


def _sure(folded: str, start: int, raw: str) -> bool:
    """Unasked, a bare row of digits may be an order number: a phone has a +, a leading 0 or groups."""
    return raw.startswith(("+", "0", "(")) or bool(re.search(r"\d[\s()./-]+\d", raw)) or "tel" in folded[:start]


def _whole(folded: str, country: str) -> list[Phone]:
    digits = re.sub(r"[^\d+]", "", folded)
    if len(digits) < 7 or len(digits) > 16:
        return []
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return []
    return [Phone(_e164(number), 0, len(folded))] if phonenumbers.is_valid_number(number) else []


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
