"""Which fields an org has, and what of its set-up would get in our way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from plugins.crm import RemoteField
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import field_name

_TYPES = {
    "string": "text", "textarea": "text", "phone": "text", "url": "text", "email": "text", "reference": "text",
    "id": "text", "encryptedstring": "text", "time": "text", "int": "number", "double": "number", "long": "number",
    "currency": "number", "percent": "number", "boolean": "boolean", "date": "date", "datetime": "moment",
    "picklist": "choice", "combobox": "choice", "multipicklist": "choices",
}  # fmt: skip
"""Salesforce's types we can read and write one value of; compound ones (addresses, places) are left out."""


def described(session: Session, operation: str, sobject: str) -> list[dict[str, Any]]:
    """The fields of one kind of record as our user sees them, in Salesforce's order."""
    told = session.json(operation, "GET", f"/services/data/v{{v}}/sobjects/{sobject}/describe")
    return [one for one in told.get("fields", []) if isinstance(one, dict)]


def remote_fields(fields: Iterable[Mapping[str, Any]], names: Mapping[str, str], closed: str = "") -> list[RemoteField]:
    """Fields as they can be mapped. `names`: Salesforce's name → ours; `closed` is a field that we do not write."""
    told = [_remote(one, names.get(one["name"], "")) for one in fields if one["type"] in _TYPES]
    return [replace(one, writable=one.writable and one.name != closed) for one in told]


def merged(of_leads: list[RemoteField], of_contacts: list[RemoteField]) -> list[RemoteField]:
    """Fields of people. One that only leads or only contacts have is called `Lead.X__c` or `Contact.X__c`. What is the
    same to us is told once: a lead's country is Country, a contact's MailingCountry."""
    leads, contacts = ({one.name: one for one in each} for each in (of_leads, of_contacts))
    known = {one.ours for one in of_leads if one.ours}
    told = [one if name in contacts else _only("Lead", one) for name, one in leads.items()]
    others = [one for name, one in contacts.items() if name not in leads and one.ours not in known]
    return told + [_only("Contact", one) for one in others]


def unfit(fields: Iterable[Mapping[str, Any]], sobject: str, name: str, *, unique: bool) -> str:
    """Why a field cannot be our external id, "" when it is right."""
    found = next((one for one in fields if one["name"].lower() == field_name(name).lower()), None)
    if found is None:
        return f"{sobject} has no field {name}, or our user may not see it"
    if not found.get("externalId"):
        return f"{sobject}.{name} is not marked as External ID"
    if not (found.get("updateable") and found.get("createable")):
        return f"our user may not write {sobject}.{name}"
    return f"{sobject}.{name} is not marked as Unique" if unique and not found.get("unique") else ""


def unseen(fields: Iterable[Mapping[str, Any]], sobject: str, needed: Iterable[str]) -> str:
    """Which of the needed fields our user does not see, and where that is mended; "" when all are there. Describe
    leaves out what field-level security hides."""
    seen = {one["name"].lower() for one in fields}
    lacking = [name for name in needed if name.lower() not in seen]
    if not lacking:
        return ""
    where = f"tick Read Access and Edit Access in its permission set (Object Settings, {sobject}, Field Permissions)"
    return f"our user may not see {', '.join(f'{sobject}.{name}' for name in lacking)}: {where}"


def demanded(fields: Iterable[Mapping[str, Any]], given: Iterable[str]) -> list[str]:
    """Fields that Salesforce demands of a new record, gives no default, and that we have nothing for."""
    have = set(given)
    return [one["name"] for one in fields if _required(one) and one["name"] not in have]


def _remote(one: Mapping[str, Any], ours: str) -> RemoteField:
    choices = tuple(choice["value"] for choice in one.get("picklistValues") or () if choice.get("active", True))
    kind = _TYPES[one["type"]]
    return RemoteField(
        name=one["name"], title=one.get("label") or one["name"],
        type=kind if choices or "choice" not in kind else "text",
        custom=bool(one.get("custom")), required=_required(one), writable=bool(one.get("updateable")),
        choices=choices, ours=ours,
    )  # fmt: skip


def _required(one: Mapping[str, Any]) -> bool:
    free = one.get("nillable", True) or one.get("defaultedOnCreate") or not one.get("createable")
    return not free and one.get("type") != "boolean"


def _only(sobject: str, one: RemoteField) -> RemoteField:
    return replace(one, name=f"{sobject}.{one.name}", title=f"{one.title} ({sobject.lower()}s)")
