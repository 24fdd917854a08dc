"""Moments as a reader writes them: on their clock, in their language, and as in their country."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_timezone_name

_NOWHERE = "ZZ"  # the territory of UTC
_ELSEWHERE = {"en": "en-150"}
"""English where no English is spoken: day before month, 24 hours."""


def when(start: datetime, end: datetime, zone: str, locale: str) -> str:
    """Tuesday, 3 March 2026, 10:00 – 10:30 (Central European Standard Time)"""
    info, language = ZoneInfo(zone), Locale.parse(locale, sep="-")
    local, until = start.astimezone(info), end.astimezone(info)
    day = format_date(local.date(), "full", locale=language)
    first, last = (format_time(moment, "short", tzinfo=info, locale=language) for moment in (local, until))
    return f"{day}, {first} – {last} ({get_timezone_name(local, locale=language)})"


def short(start: datetime, zone: str, locale: str) -> str:
    """Tue, 3 Mar, 10:00: for a subject."""
    info, language = ZoneInfo(zone), Locale.parse(locale, sep="-")
    local = start.astimezone(info)
    day = format_skeleton("MMMEd", local, tzinfo=info, locale=language)
    return f"{day}, {format_time(local, 'short', tzinfo=info, locale=language)}"


def locale_of(wanted: str, language: str, zone: str) -> str:
    """How dates are written in `language`: as in the country that `wanted` names (en-GB), else in that of the zone, so
    that a bare "en" does not make Americans of everybody."""
    wanted = wanted.replace("_", "-")
    spoken, _, country = wanted.partition("-")
    if spoken.lower() == language and country and _known(wanted):
        return wanted
    territory = get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), _NOWHERE)
    there = f"{language}-{territory}"
    return there if territory != _NOWHERE and _known(there) else _ELSEWHERE.get(language, language)


def _known(locale: str) -> bool:
    try:
        return bool(Locale.parse(locale, sep="-"))
    except (UnknownLocaleError, ValueError):
        return False
