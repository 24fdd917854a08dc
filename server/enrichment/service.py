"""Ask beside the chat, through the outbox; learn when the answer is there. The visitor never waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from plugins import registry
from plugins.enrichment import Capability
from server.config.version import Version
from server.leads import service as leads
from server.leads.values import FieldValue
from server.outbox import service as outbox

LEAD_FIELDS = {
    "email_valid": "email_validity",
    "email_type": "email_type",
    "name": "name",
    "first_name": "first_name",
    "title": "title",
    "phone": "phone",
    "company": "company",
    "seniority": "seniority",
    "department": "department",
}
ACCOUNT_FIELDS = ("name", "industry", "employees", "country", "tech", "revenue", "website")


def ask(tx: Connection, version: Version, lead_id: str, cause: str) -> None:
    """Queue what the site's enrichers can be asked about this lead; `cause` (an event's id) makes it once per cause."""
    known = leads.known(tx, lead_id)
    questions = {
        Capability.PERSON_BY_EMAIL: ("email", known.lead.get("email")),
        Capability.COMPANY_BY_DOMAIN: ("domain", known.account.get("domain")),
    }
    for name in version.site.adapters.enrichment:
        can = registry.load("enrichment", name).capabilities
        for capability, (parameter, value) in questions.items():
            if value and capability in can:
                outbox.queue(
                    tx,
                    site_id=version.site_id,
                    kind=f"enrichment.{name}",
                    operation=capability.value,
                    payload={parameter: value},
                    key=f"enrichment:{name}:{capability}:{lead_id}:{cause}",
                    subject=("lead", lead_id),
                )


def learn(tx: Connection, lead_id: str, operation: str, answer: Mapping[str, Any]) -> None:
    """Keep an adapter's answer (plugins.enrichment.Facts as JSON) on the lead or its account."""
    lead, facts = leads.get(tx, lead_id), answer.get("facts") or {}
    if operation == Capability.PERSON_BY_EMAIL:
        if values := list(_values(facts, LEAD_FIELDS)):
            leads.learn(tx, lead, values)
    elif lead.account_id and (values := list(_values(facts, {name: name for name in ACCOUNT_FIELDS}))):
        leads.learn_account(tx, lead.account_id, values)


def _values(facts: Mapping[str, Any], fields: Mapping[str, str]) -> Iterator[FieldValue]:
    for name, field in fields.items():
        fact = facts.get(name)
        if fact and fact["value"] not in (None, ""):
            value = ("valid" if fact["value"] else "invalid") if name == "email_valid" else fact["value"]
            yield FieldValue(field, value, "enrichment", fact["source"], round(fact["confidence"] * 100))
