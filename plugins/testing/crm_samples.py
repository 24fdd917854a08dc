"""Who and what the kit writes into a CRM."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugins.crm import CRM, Activity, ActivityKind, Capability, Company, Kind, Meeting, Person, Ref

ADA = Person("ada@globex.example", name="Ada Lovelace", phone="+4930123456", title="CTO")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHAT = Activity(ActivityKind.CHAT, NOON, "Chat on /pricing", "How much is it?")
DEMO = Meeting("mtg_1@usher", NOON, NOON + timedelta(minutes=30), "Europe/Berlin", "Product demo")


def person(crm: CRM, n: int) -> Ref:
    """Somebody of that number."""
    return crm.upsert_person(replace(ADA, email=f"ada{n}@globex.example"), key=f"person {n}")


def _upsert_company(crm: CRM, n: int, key: str) -> Any:
    return crm.upsert_company(Company(f"globex{n}.example", name=f"Globex {n}"), key=key)


def _log_meeting(crm: CRM, given: tuple[Ref, int], key: str) -> Any:
    ref, n = given
    return crm.log_meeting(ref, replace(DEMO, uid=f"mtg_{n}@usher"), key=key)


def _log_activity(crm: CRM, ref: Ref, key: str) -> Any:
    return crm.log_activity(ref, CHAT, key=key)


def _convert(crm: CRM, ref: Ref, key: str) -> Any:
    return crm.convert(ref, key=key, opportunity="Globex: 800 seats")


WRITINGS: dict[str, tuple[Capability, Any, Any, Kind]] = {
    "upsert_company": (Capability.COMPANY, None, _upsert_company, Kind.COMPANY),
    "log_activity": (
        Capability.ACTIVITY,
        person,
        lambda crm, ref, key: crm.log_activity(ref, CHAT, key=key),
        Kind.ACTIVITY,
    ),
    "log_meeting": (Capability.MEETING, lambda crm, n: (person(crm, n), n), _log_meeting, Kind.MEETING),
    "convert": (
        Capability.CONVERT,
        person,
        lambda crm, ref, key: crm.convert(ref, key=key, opportunity="Globex: 800 seats"),
        Kind.OPPORTUNITY,
    ),
    "erase": (Capability.ERASE, person, lambda crm, ref, key: crm.erase(ref, key=key), Kind.PERSON),
}
"""Everything that a CRM can be told to write beside a person: what it needs, what is made first, what is counted."""
