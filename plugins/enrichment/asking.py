"""What sources asked over the network share: their answers as facts, countries by code, no match as nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from babel import Locale

from plugins.enrichment import EmailType, Fact, Facts
from plugins.enrichment.domains import usable_email
from plugins.errors import NotFound, Transient

NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


def facts(source: str, confidence: float, values: Mapping[str, Any], *, cost: float = 0.0) -> Facts:
    """Facts of all values that there are, each as sure as the whole answer; `country` as its code, or not at all."""
    known = {**values, "country": country_code(str(values.get("country") or ""))}
    told = {
        name: Fact(value, round(min(max(confidence, 0.0), 1.0), 2), source)
        for name, value in known.items()
        if value not in (None, "", [], ())
    }
    return Facts(told, cost=cost if told else 0.0)


def found(ask: Callable[[], Any], *said: str) -> Any:
    """What the service answers; None where it has no match, which it tells by 404. Transient for an answer with none of
    the names `said`: that is no knowledge, also not of nobody."""
    try:
        told = ask()
    except NotFound:
        return None
    if not isinstance(told, dict) or (said and not told.keys() & set(said)):
        raise Transient("the answer is not of the shape that the service has", http_status=200)
    return told


def no_address(email: str, source: str) -> Facts | None:
    """What is told of something that cannot be an e-mail address; None when it can."""
    if usable_email(email):
        return None
    return Facts({"email_valid": Fact(False, 1.0, source), "email_type": Fact(EmailType.INVALID.value, 1.0, source)})


def country_code(said: str) -> str:
    """ISO 3166 of a country by its code or its English name; "" when nobody knows it."""
    known = _countries()
    return said.upper() if said.upper() in known.values() else known.get(said.strip().lower(), "")


def number(said: Any) -> int | None:
    """A head count or an amount in whole units; None for what is no number."""
    try:
        return int(float(said))
    except (TypeError, ValueError, OverflowError):
        return None


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    named = Locale("en").territories.items()
    return {name.lower(): code for code, name in named if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY}
