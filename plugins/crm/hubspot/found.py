"""What HubSpot holds, as we speak of people, companies, meetings and fields."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugins.config import Config
from plugins.crm import Company, Kind, Meeting, MeetingStatus, Person, RemoteField
from plugins.crm.hubspot.fields import COMPANY, OUTCOME, PERSON

OUR_STATUS = {
    "NEW": "new",
    "OPEN": "assigned",
    "IN_PROGRESS": "working",
    "ATTEMPTED_TO_CONTACT": "working",
    "CONNECTED": "qualified",
    "OPEN_DEAL": "converted",
    "UNQUALIFIED": "disqualified",
    "BAD_TIMING": "nurturing",
}
CUSTOMERS = frozenset({"customer", "evangelist"})
MERGED = "hs_merged_object_ids"
FIELD_TYPES = {"string": "text", "number": "number", "bool": "boolean", "date": "date", "datetime": "moment"}


def person_of(found: Mapping[str, Any], owner_email: str | None, config: Config, fields: Sequence[str] = ()) -> Person:
    """A contact as we speak of people. `fields`: HubSpot's names of further values wanted."""
    of = _values(found)
    opted_out = of.get(config.text("opted_out_property") or "hs_email_optout")
    return Person(
        email=of.get("email") or "",
        name=" ".join(filter(None, (of.get("firstname"), of.get("lastname")))) or None,
        first_name=of.get("firstname"),
        last_name=of.get("lastname"),
        phone=of.get("phone"),
        title=of.get("jobtitle"),
        company=of.get("company"),
        country=of.get("country"),
        locale=of.get("hs_language"),
        status=our_status(of.get("hs_lead_status")),
        source=of.get(config.text("source_property")),
        owner_email=owner_email,
        opted_out=None if opted_out is None else opted_out == "true",
        fields={name: of[name] for name in fields if name in of},
    )


def company_of(
    found: Mapping[str, Any], owner_email: str | None, csm_email: str | None, fields: Sequence[str] = ()
) -> Company:
    """A company of HubSpot's as we speak of them."""
    of = _values(found)
    return Company(
        domain=of.get("domain") or "",
        name=of.get("name"),
        industry=industry(of.get("industry")),
        employees=employees(of.get("numberofemployees")),
        country=of.get("country"),
        phone=of.get("phone"),
        is_customer=is_customer(of.get("lifecyclestage")),
        is_target=flag(of.get("hs_is_target_account")),
        owner_email=owner_email,
        csm_email=csm_email,
        fields={name: of[name] for name in fields if name in of},
    )


def meeting_of(found: Mapping[str, Any], uid: str, owner_email: str | None) -> Meeting:
    """A meeting of HubSpot's. Its zone is not kept there: UTC; its text comes back as HubSpot's HTML."""
    of = _values(found)
    statuses = {outcome: status for status, outcome in OUTCOME.items()}
    start = moment(of.get("hs_meeting_start_time") or of.get("hs_timestamp") or "")
    return Meeting(
        uid=uid,
        start=start,
        end=moment(of["hs_meeting_end_time"]) if "hs_meeting_end_time" in of else start,
        zone="UTC",
        title=of.get("hs_meeting_title", ""),
        status=statuses.get(of.get("hs_meeting_outcome", ""), MeetingStatus.BOOKED),
        description=html.unescape(of.get("hs_meeting_body", "").replace("<br>", "\n")),
        location=of.get("hs_meeting_location", ""),
        url=of.get("hs_meeting_external_url", ""),
        owner_email=owner_email or "",
    )


def remote_field(found: Mapping[str, Any], kind: Kind, required: Sequence[str]) -> RemoteField:
    """One property of HubSpot's as something to map a field of ours to."""
    names = {theirs: ours for ours, theirs in (PERSON if kind == Kind.PERSON else COMPANY).items()}
    change = found.get("modificationMetadata") or {}
    name = str(found["name"])
    return RemoteField(
        name=name,
        title=str(found.get("label") or name),
        type=_type(found),
        custom=not found.get("hubspotDefined", False),
        required=name in required,
        writable=not (change.get("readOnlyValue") or found.get("calculated")),
        choices=tuple(str(one["value"]) for one in found.get("options") or [] if not one.get("hidden")),
        ours=names.get(name, ""),
    )


def said_of(record: Person | Company) -> dict[str, Any]:
    """The values that HubSpot has, by our names."""
    values = {one.name: getattr(record, one.name) for one in dataclasses.fields(record)}
    return {name: value for name, value in values.items() if value not in (None, {}, "")}


def merged(found: Mapping[str, Any]) -> list[str]:
    """Ids of the records that went into this one: a merge makes a new record, to which the former ids lead from then on
    (developers.hubspot.com/changelog/updated-merge-functionality-for-contacts-and-companies)."""
    return [id for id in str((found.get("properties") or {}).get(MERGED) or "").split(";") if id]


def our_status(theirs: str | None) -> str | None:
    """The state of a lead that a lead status of HubSpot's stands for; a status made by the admin is told as it is."""
    return None if theirs is None else OUR_STATUS.get(theirs, theirs)


def is_customer(stage: str | None) -> bool | None:
    """Whether a lifecycle stage says so; None without one."""
    return stage in CUSTOMERS if stage else None


def industry(value: str | None) -> str | None:
    """An industry in words; those of HubSpot's own list are written COMPUTER_SOFTWARE."""
    return value.replace("_", " ").title() if value and re.fullmatch(r"[A-Z]+(_[A-Z]+)*", value) else value


def flag(value: str | None) -> bool | None:
    """A checkbox of HubSpot's."""
    return value == "true" if value else None


def employees(value: str | None) -> int | None:
    """A head count; HubSpot keeps numbers as text, whole or not."""
    try:
        return int(float(value)) if value else None
    except ValueError:
        return None


def moment(said: str | int) -> datetime:
    """A moment as HubSpot tells it: ISO 8601 or milliseconds since 1970."""
    if str(said).isdigit():
        return datetime.fromtimestamp(int(said) / 1000, UTC)
    return datetime.fromisoformat(str(said)).astimezone(UTC)


def milliseconds(at: datetime) -> int:
    """A moment as HubSpot's filters want it."""
    return round(at.timestamp() * 1000)


def _values(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in (found.get("properties") or {}).items() if value not in (None, "")}


def _type(found: Mapping[str, Any]) -> str:
    if found.get("type") != "enumeration":
        return FIELD_TYPES.get(str(found.get("type")), "text")
    if found.get("fieldType") == "booleancheckbox":
        return "boolean"
    return "choices" if found.get("fieldType") == "checkbox" else "choice"
