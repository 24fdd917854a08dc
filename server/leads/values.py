"""Field values: what we know of a lead or account, where it came from, and which origin wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RANKS = {"human": 50, "crm": 40, "identity": 35, "form": 30, "conversation": 20, "enrichment": 10}
"""human > CRM > form > conversation > enrichment; a human value is never overwritten (product.md section 2).
`identity`: what the site signed about its user; it stands above all that can be typed."""

LEAD_FIELDS = (
    "email",
    "name",
    "first_name",
    "phone",
    "title",
    "company",
    "role",
    "interests",
    "seniority",
    "department",
    "email_type",
    "email_validity",
    "locale",
    "zone",
    "tier",
    "rating",
    "score",
)
ACCOUNT_FIELDS = (
    "name",
    "industry",
    "employees",
    "country",
    "tech",
    "is_customer",
    "is_target",
    "owner",
    "csm",
    "revenue",
    "website",
)
MOST_CHARACTERS = 2000


@dataclass(frozen=True)
class FieldValue:
    """One value and where it came from. `confidence` in percent, where the origin gives one."""

    field: str
    value: Any
    origin: str
    source: str = ""
    confidence: int | None = None

    def __post_init__(self) -> None:
        if self.origin not in RANKS:
            raise ValueError(f"{self.origin!r} is no origin; allowed: {', '.join(RANKS)}")


def resolve(rows: Iterable[Any]) -> dict[str, Any]:
    """The winning value of each field; rows have field, value, rank."""
    best: dict[str, Any] = {}
    for row in rows:
        if row.field not in best or row.rank > best[row.field].rank:
            best[row.field] = row
    return {name: row.value for name, row in best.items()}


def lead_values(lead: Any, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """The `lead` namespace of conditions and messages; what nobody told is left out (unknown)."""
    told = {name: value for name, value in resolved.items() if name in LEAD_FIELDS and value not in (None, "")}
    custom = {name.removeprefix("fields."): value for name, value in resolved.items() if name.startswith("fields.")}
    first = str(told.get("name", "")).split(" ")[0]
    known = {"first_name": first} if first and "first_name" not in told else {}
    state = {"status": lead.status, "owner": lead.owner_rep} if lead is not None and lead.owner_rep else {}
    return {**told, **known, **state, "fields": custom}


def trimmed(value: Any) -> Any:
    """A value fit to be stored: texts are cut at 2,000 characters."""
    return value[:MOST_CHARACTERS] if isinstance(value, str) else value
