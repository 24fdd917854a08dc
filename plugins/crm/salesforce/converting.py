"""Leads become contacts by an Apex service of the org: Salesforce's REST API has no call for it."""

from __future__ import annotations

from contextlib import suppress

from plugins.crm.salesforce.rows import CONTACT, LEAD, sobject_of
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import select, text
from plugins.errors import Conflict, NotFound, Permanent

Became = tuple[str, str, str]
"""Ids of the contact, the account and the opportunity; "" for what there is not."""


def convert(session: Session, path: str, lead: str, account: str, opportunity: str) -> Became:
    """Convert the lead, or tell what it became. Sent again after a lost answer it finds the lead converted."""
    if sobject_of(lead) == CONTACT:
        return lead, _account_of(session, lead), ""
    if sobject_of(lead) != LEAD:
        raise NotFound(f"{lead} is no lead")
    if became := _became(session, lead):
        return became
    asked = {"leadId": lead, "accountId": account or None, "opportunityName": opportunity or None}
    with suppress(Conflict):  # somebody else converted it at the same moment
        session.json("convert", "POST", f"/services/apexrest/{path.strip('/')}", json=asked)
    if became := _became(session, lead):
        return became
    raise Permanent(f"the Apex service did not convert {lead}")


def _became(session: Session, lead: str) -> Became | None:
    columns = ("Id", "IsConverted", "ConvertedContactId", "ConvertedAccountId", "ConvertedOpportunityId")
    found = session.query("convert", select(columns, LEAD, f"Id = {text(lead)}"))
    if not found:
        raise NotFound(f"there is no lead {lead}")
    row = found[0]
    if not row["IsConverted"]:
        return None
    ids = (row[name] or "" for name in ("ConvertedContactId", "ConvertedAccountId", "ConvertedOpportunityId"))
    contact, account, deal = ids
    return contact, account, deal


def _account_of(session: Session, contact: str) -> str:
    found = session.query("convert", select(["AccountId"], CONTACT, f"Id = {text(contact)}"))
    if not found:
        raise NotFound(f"there is no contact {contact}")
    return found[0]["AccountId"] or ""
