"""Leads become contacts by an Apex service of the org: Salesforce's REST API has no call for it."""

from __future__ import annotations

from plugins.crm.salesforce.people import went_into
from plugins.crm.salesforce.rows import CONTACT, LEAD, NOWHERE, sobject_of
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import select, text
from plugins.errors import ConfigError, Conflict, NotFound, Permanent

Became = tuple[str, str, str]
"""Ids of the contact, the account and the opportunity; "" for what there is not."""


def convert(session: Session, path: str, lead: str, account: str, opportunity: str) -> Became:
    """Convert the lead, or tell what it became. Sent again after a lost answer it finds the lead converted. One that
    was merged is the lead that was kept. ConfigError when there is no service at `path`."""
    try:
        return _converted(session, path, lead, account, opportunity)
    except NotFound:
        into = went_into(session, "convert", lead)
        if not into:
            raise
    return convert(session, path, into, account, opportunity)


def _converted(session: Session, path: str, lead: str, account: str, opportunity: str) -> Became:
    if sobject_of(lead) == CONTACT:
        return lead, _account_of(session, lead), ""
    if sobject_of(lead) != LEAD:
        raise NotFound(f"{lead} is no lead")
    if became := _became(session, lead):
        return became
    asked = {"leadId": lead, "accountId": account or None, "opportunityName": opportunity or None}
    try:
        session.json("convert", "POST", f"/services/apexrest/{path.strip('/')}", json=asked)
    except Conflict:
        pass  # somebody else converted it at the same moment
    except NotFound as missing:
        if missing.vendor_code not in NOWHERE:
            raise
        raise _no_service(path, missing) from missing
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


def _no_service(path: str, missing: NotFound) -> ConfigError:
    """The lead was there a moment ago: `Could not find a match for URL` speaks of the Apex class."""
    why = f"no Apex class answers at /services/apexrest/{path.strip('/')}"
    said = f"convert_path: {why}. Deploy the class, or correct the path."
    return ConfigError(missing.message, problems=(("convert_path", why),), user_message=said, http_status=404)


def _account_of(session: Session, contact: str) -> str:
    found = session.query("convert", select(["AccountId"], CONTACT, f"Id = {text(contact)}"))
    if not found:
        raise NotFound(f"there is no contact {contact}")
    return found[0]["AccountId"] or ""
