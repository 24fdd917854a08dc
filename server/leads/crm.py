"""What the CRM hears of a lead: the person as we know them now, through the outbox, in order per lead."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from server.leads import service as leads
from server.outbox import service as outbox

PERSON_FIELDS = ("email", "name", "phone", "title", "company", "locale")


def order_key(lead_id: str) -> str:
    """Deliveries about one lead go out one after the other."""
    return f"lead:{lead_id}"


def tell(tx: Connection, lead_id: str, cause: str) -> str:
    """Queue the person for the CRM; `cause` (an event's id) makes it once per cause. Returns the delivery's key, ""
    when the CRM could not recognise the person: it needs an e-mail address."""
    lead, known = leads.get(tx, lead_id), leads.known(tx, lead_id)
    person = {name: known.lead[name] for name in PERSON_FIELDS if known.lead.get(name)}
    if "email" not in person:
        return ""
    key = f"crm:person:{lead_id}:{cause}"
    outbox.queue(
        tx,
        site_id=lead.site_id,
        kind="crm",
        operation="upsert_person",
        payload={"person": {**person, "source": lead.source, "status": lead.status, "fields": _further(lead, known)}},
        key=key,
        order_key=order_key(lead_id),
        subject=("lead", lead_id),
    )
    return key


def _further(lead: Any, known: leads.Known) -> dict[str, Any]:
    """Values that CRMs keep in fields of their own."""
    own = {"segment": lead.segment, "intent": lead.intent, "owner_rep": lead.owner_rep}
    answers = {
        f"account_{name}": value for name, value in known.account.items() if isinstance(value, str | int | float | bool)
    }
    return {name: value for name, value in {**own, **answers}.items() if value is not None}
