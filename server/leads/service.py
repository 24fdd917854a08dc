"""What can be asked of a lead: meet, learn, assign, claim, enrol, look at. Every change leaves a line in the diary."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from server import clock, events, ids
from server.events import Actor
from server.leads import store
from server.leads.finding import (
    account,
    account_by_domain,
    by_email,
    get,
    ids_reachable,
    ids_visible,
    lock,
    of_account,
    reachable,
    values_of,
    visible,
)
from server.leads.matching import (
    CRM,
    DOMAIN,
    HUMAN,
    Suggestion,
    account_for,
    connect,
    connect_by_hand,
    connect_new_by_hand,
    disconnect_by_hand,
    join,
    suggestions,
)
from server.leads.names import name_key
from server.leads.owners import assign, assignments_of, claim, disqualify, follow_status
from server.leads.store import Lead
from server.leads.values import RANKS, FieldValue, lead_values, resolve, trimmed
from server.people.rights import EVERYTHING, Sight

__all__ = [
    "CRM", "HUMAN", "Known", "Suggestion", "account", "account_by_domain", "account_for", "assign", "assignments_of",
    "by_email", "claim", "connect", "connect_by_hand", "connect_new_by_hand", "disconnect_by_hand", "disqualify",
    "email_key", "enrol", "enrolments_of", "field_values", "follow_status", "get", "ids_reachable", "ids_visible",
    "join", "join_account", "known", "latest", "learn", "learn_account", "lock", "meet", "of_account", "place",
    "reachable", "suggestions", "unlearn", "values_of", "visible",
]  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What is known of a person and their company: the `lead` and `account` namespaces, unknown things left out."""

    lead: Mapping[str, Any]
    account: Mapping[str, Any]


def email_key(email: str) -> str:
    """How two spellings of one address are recognised: compatibility-normalised and case-folded, as a whole."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def meet(
    tx: Connection,
    site_id: str,
    *,
    email: str | None,
    source: str,
    actor: Actor,
    version_id: str | None = None,
    conversation_id: str | None = None,
) -> tuple[Lead, bool]:
    """The lead with this e-mail (product.md section 5, row 1), new if there is none, and whether it is new.

    Without an e-mail a new lead is made, to be told apart later by `learn(email=…)`.
    """
    key, now, lead_id = email_key(email) if email else None, clock.now(), ids.new_id("lead")
    row = {
        "id": lead_id,
        "site_id": site_id,
        "email_key": key,
        "status": "new",
        "status_at": now,
        "source": source,
        "created_at": now,
        "changed_at": now,
    }
    if store.add_if_new(tx, row):
        events.record(
            tx,
            events.LEAD_CREATED,
            site_id=site_id,
            subject=("lead", lead_id),
            actor=actor,
            trigger=source,
            version_id=version_id,
            conversation_id=conversation_id,
        )
        return get(tx, lead_id), True
    found = store.by_email(tx, site_id, key or "")
    if found is None:
        raise LookupError(key)
    return found, False


def learn(tx: Connection, lead: Lead, values: Sequence[FieldValue]) -> Lead:
    """Keep what was told about a lead, beside what others told. An e-mail also becomes how the lead is recognised,
    unless another lead of the site has it already (joining two people is a human's decision)."""
    _keep(tx, lead.id, values)
    email = next((value.value for value in values if value.field == "email"), None)
    if email and lead.email_key is None and store.by_email(tx, lead.site_id, email_key(email)) is None:
        store.change(tx, lead.id, {"email_key": email_key(email)})
    store.change(tx, lead.id, {"changed_at": clock.now()})
    events.record(
        tx,
        events.LEAD_CHANGED,
        site_id=lead.site_id,
        subject=("lead", lead.id),
        actor=events.SYSTEM,
        data={"learnt": {value.field: value.origin for value in values}},
    )
    return get(tx, lead.id)


def learn_account(tx: Connection, account_id: str, values: Sequence[FieldValue]) -> None:
    """Keep what was told about a company."""
    _keep(tx, account_id, values)
    if any(value.field == "name" for value in values):
        name = resolve(store.values_of(tx, [account_id])).get("name")
        store.name_account(tx, account_id, name_key(str(name or "")))


def unlearn(tx: Connection, subject_id: str, field: str, origin: str) -> bool:
    """Whoever told this of a lead or company has taken it back; False when they had not told it."""
    return store.drop_value(tx, subject_id, field, origin)


def join_account(tx: Connection, lead_id: str, account_id: str) -> None:
    """The lead's address says that it works there; what a person has said stands."""
    lead = get(tx, lead_id)
    domain = (store.account(tx, account_id) or lead)._mapping.get("domain", "")
    join(tx, lead, account_id, DOMAIN, f"The e-mail address is at {domain}.")


def known(tx: Connection, lead_id: str | None, account_id: str | None = None) -> Known:
    """What conditions and messages may say of this lead and its account (or of an account alone)."""
    lead = store.get(tx, lead_id) if lead_id else None
    apart = lead is not None and lead.account_by == HUMAN
    account_id = (lead.account_id if lead else None) or (None if apart else account_id)
    ids = [one for one in (lead_id, account_id) if one]
    rows = store.values_of(tx, ids) if ids else []
    of_lead = resolve(row for row in rows if row.subject_id == lead_id)
    of_account = resolve(row for row in rows if row.subject_id == account_id)
    company = store.account(tx, account_id) if account_id else None
    domain = {"domain": company.domain} if company else {}
    return Known(lead=lead_values(lead, of_lead), account={**domain, **of_account})


def field_values(tx: Connection, lead_id: str) -> Sequence[Any]:
    """Every value of a lead and its account with its origin, for the console."""
    lead = get(tx, lead_id)
    return store.values_of(tx, [one for one in (lead.id, lead.account_id) if one])


def place(tx: Connection, lead_id: str, *, segment: str | None, intent: str | None) -> None:
    """Which segment the lead is in and how strong the intent is."""
    store.change(tx, lead_id, {"segment": segment, "intent": intent, "changed_at": clock.now()})


def enrol(
    tx: Connection, lead_id: str, stream: str, *, actor: Actor, reason: str, conversation_id: str | None = None
) -> bool:
    """Put a lead on a nurture stream; False when it is on it already."""
    lead = get(tx, lead_id)
    row = {
        "id": ids.new_id("enrolment"),
        "site_id": lead.site_id,
        "lead_id": lead_id,
        "stream": stream,
        "state": "active",
        "started_at": clock.now(),
        "by": reason[:200],
    }
    if not store.enrol(tx, row):
        return False
    events.record(
        tx,
        events.LEAD_ENROLLED,
        site_id=lead.site_id,
        subject=("lead", lead_id),
        actor=actor,
        reason=reason,
        conversation_id=conversation_id,
        data={"stream": stream},
    )
    return True


def enrolments_of(tx: Connection, lead_id: str) -> Sequence[Any]:
    """The streams a lead is or was on."""
    return store.enrolments_of(tx, lead_id)


def latest(
    tx: Connection,
    site_ids: Sequence[str],
    *,
    limit: int = 50,
    before: str | None = None,
    owner: str | None = None,
    search: str = "",
    sight: Sight = EVERYTHING,
    disqualified: bool | None = None,
) -> list[tuple[Lead, Known]]:
    """The newest leads with what is known of them, newest first; `before` is the id to go on from; `disqualified`:
    only those, or all but those."""
    found = store.latest(tx, site_ids, limit, before, owner, search, sight, disqualified)
    return [(lead, known(tx, lead.id)) for lead in found]


def _keep(tx: Connection, subject_id: str, values: Sequence[FieldValue]) -> None:
    now = clock.now()
    rows = {
        (value.field, value.origin): {
            "subject_id": subject_id,
            "field": value.field[:80],
            "origin": value.origin,
            "rank": RANKS[value.origin],
            "value": trimmed(value.value),
            "source": value.source[:200],
            "confidence": value.confidence,
            "at": now,
        }
        for value in values
    }
    if rows:
        store.put_values(tx, list(rows.values()))
