"""Queries in SOQL, Salesforce's language: put together here only, with every text escaped."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from plugins.errors import ConfigError


def select(columns: Iterable[str], sobject: str, *where: str, order: str = "", most: int = 0) -> str:
    """A query. Conditions of `where` must all hold; empty ones do not count. One with OR brings its brackets along."""
    parts = ["SELECT", ", ".join(dict.fromkeys(columns)), "FROM", sobject]
    if conditions := [one for one in where if one]:
        parts += ["WHERE", " AND ".join(conditions)]
    parts += ["ORDER BY", order] if order else []
    parts += ["LIMIT", str(most)] if most else []
    return " ".join(parts)


def either(*conditions: str) -> str:
    """At least one of them holds; empty ones do not count."""
    told = [one for one in conditions if one]
    return told[0] if len(told) == 1 else f"({' OR '.join(told)})"


def text(value: str) -> str:
    """A text in SOQL. Nothing in it can end it early: backslash, quote and line breaks are escaped."""
    escapes = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
    return f"'{''.join(escapes.get(letter, letter) for letter in value)}'"


def containing(value: str) -> str:
    """A pattern of LIKE for texts with `value` in them; its own wildcards count as letters."""
    quoted = text(value)[1:-1]
    return "'%" + quoted.replace("%", "\\%").replace("_", "\\_") + "%'"


def listed(values: Collection[str]) -> str:
    """A list for IN."""
    return f"({', '.join(text(value) for value in values)})"


def moment(at: datetime) -> str:
    """A moment, in SOQL and in JSON."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at_moment(told: str) -> datetime:
    """A moment as Salesforce writes it: `2026-03-02T12:00:00.000+0000`."""
    return datetime.fromisoformat(told).astimezone(UTC)


def field_name(name: str) -> str:
    """An API name of a field, harmless in a query. ConfigError for what cannot be one."""
    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise ConfigError(
            f"{name!r} is no field", problems=((name, "is no API name of a field"),),
            user_message=f"“{name}” is no API name of a Salesforce field.",
        )  # fmt: skip
    return name
