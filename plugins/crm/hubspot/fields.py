"""Our people, companies, meetings and activities as HubSpot's properties."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from plugins.config import Config
from plugins.crm import Activity, Company, Kind, Meeting, MeetingStatus, Person
from plugins.errors import ConfigError, InvalidInput, PluginError

TYPES = {
    Kind.PERSON: "contacts",
    Kind.COMPANY: "companies",
    Kind.ACTIVITY: "notes",
    Kind.MEETING: "meetings",
    Kind.OPPORTUNITY: "deals",
}
"""What HubSpot calls them in its addresses."""
PERSON = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "phone": "phone",
    "title": "jobtitle",
    "company": "company",
    "country": "country",
    "locale": "hs_language",
    "status": "hs_lead_status",
    "owner_email": "hubspot_owner_id",
}
COMPANY = {
    "domain": "domain",
    "name": "name",
    "industry": "industry",
    "employees": "numberofemployees",
    "country": "country",
    "phone": "phone",
    "is_customer": "lifecyclestage",
    "is_target": "hs_is_target_account",
    "owner_email": "hubspot_owner_id",
}
UNMAPPED = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE", "PROPERTY_NOT_FOUND"})
"""HubSpot's codes for a property that cannot be written at all."""
OURS = {**{theirs: ours for ours, theirs in {**COMPANY, **PERSON}.items()}, "lifecyclestage": "status"}
"""Our names of HubSpot's properties, to say which field was refused."""
MEETING = (
    "hs_meeting_title", "hs_meeting_body", "hs_meeting_start_time", "hs_meeting_end_time", "hs_meeting_outcome",
    "hs_meeting_location", "hs_meeting_external_url", "hubspot_owner_id",
)  # fmt: skip
OPTIONAL = {"csm_property": "csm_email", "source_property": "source", "opted_out_property": "opted_out"}
"""Settings that name a property of the account's own, and our field that goes there."""
STATUS = {
    "new": "NEW",
    "needs_data": "NEW",
    "nurturing": "BAD_TIMING",
    "agent_working": "OPEN",
    "assigned": "OPEN",
    "claimed": "OPEN",
    "working": "IN_PROGRESS",
    "qualified": "CONNECTED",
    "converted": "OPEN_DEAL",
    "disqualified": "UNQUALIFIED",
}
"""HubSpot's own lead statuses for the states of a lead; what is none of ours is written as it is given."""
STAGE = {"qualified": "salesqualifiedlead", "converted": "opportunity"}
OUTCOME = {
    MeetingStatus.BOOKED: "SCHEDULED",
    MeetingStatus.RESCHEDULED: "RESCHEDULED",
    MeetingStatus.CANCELLED: "CANCELED",
    MeetingStatus.HELD: "COMPLETED",
    MeetingStatus.NO_SHOW: "NO_SHOW",
}
ELECTIVE = {"status": ("hs_lead_status", "lifecyclestage"), "locale": ("hs_language",), "industry": ("industry",)}
"""Properties with lists of their own that we fill in of our own accord, by field."""
SOMETIMES = frozenset({"hs_is_target_account", "hs_lead_status", "hs_language", "industry"})
"""Standard properties that an account may do without."""
INDUSTRY = re.compile(r"[^A-Za-z0-9]+")
LONGEST = 65_000
"""Characters of a note or a meeting's text; HubSpot takes 65,536."""


def of_person(person: Person, config: Config) -> dict[str, str]:
    """What HubSpot is told of a person, without e-mail and owner; what is None is left out."""
    first, last = _names(person)
    said: dict[str, Any] = {
        "firstname": first,
        "lastname": last,
        "phone": person.phone,
        "jobtitle": person.title,
        "company": person.company,
        "country": person.country,
        "hs_language": person.locale and person.locale.lower().replace("_", "-"),
        "hs_lead_status": person.status and STATUS.get(person.status, person.status),
        "lifecyclestage": STAGE.get(person.status or ""),
        config.text("source_property"): person.source,
        config.text("opted_out_property"): person.opted_out,
    }
    return _said({**said, **person.fields})


def of_company(company: Company, config: Config) -> dict[str, str]:
    """What HubSpot is told of a company, without its owner and csm."""
    said: dict[str, Any] = {
        "name": company.name,
        "industry": company.industry and INDUSTRY.sub("_", company.industry).strip("_").upper(),
        "numberofemployees": company.employees,
        "country": company.country,
        "phone": company.phone,
        "lifecyclestage": "customer" if company.is_customer else None,
        "hs_is_target_account": company.is_target,
    }
    return _said({**said, **company.fields})


def milder(error: PluginError, values: Mapping[str, str], given: Person | Company) -> dict[str, str] | None:
    """What to write instead after a refusal that concerns our choice of words: an industry as it was given, or nothing
    where the account's admin took our words out of its lists. None when the refused value was asked for by name."""
    if isinstance(error, ConfigError):
        spare = {name for name, why in error.problems if why in UNMAPPED} & SOMETIMES
    else:
        spare = set(ELECTIVE.get(getattr(error, "field", ""), ()))
    spare = (spare & set(values)) - set(given.fields)
    if not spare:
        return None
    industry = given.industry if isinstance(given, Company) else None
    if spare == {"industry"} and industry and values["industry"] != industry and isinstance(error, InvalidInput):
        return {**values, "industry": industry}
    return {name: value for name, value in values.items() if name not in spare}


def of_meeting(meeting: Meeting) -> dict[str, str]:
    """A meeting as HubSpot keeps it, without its owner."""
    return _said({
        "hs_timestamp": meeting.start,
        "hs_meeting_start_time": meeting.start,
        "hs_meeting_end_time": meeting.end,
        "hs_meeting_title": meeting.title,
        "hs_meeting_body": as_html(meeting.description),
        "hs_meeting_location": meeting.location,
        "hs_meeting_external_url": meeting.url,
        "hs_meeting_outcome": OUTCOME[meeting.status],
    })  # fmt: skip


def of_activity(activity: Activity) -> dict[str, str]:
    """Something that happened, as a note: its subject, its text and the way back to us."""
    link = f'<br><a href="{html.escape(activity.url)}">{html.escape(activity.url)}</a>' if activity.url else ""
    head = f"<strong>{html.escape(activity.subject)}</strong>"
    body = as_html(activity.body, LONGEST - len(head) - len(link))
    return _said({"hs_timestamp": activity.at, "hs_note_body": f"{head}<br>{body}{link}"})


def as_html(text: str, longest: int = LONGEST) -> str:
    """Plain text as the HTML that HubSpot keeps, cut where it would be too long."""
    written = html.escape(text, quote=False).replace("\n", "<br>")
    return written if len(written) <= longest else f"{written[: longest - 20].rpartition(' ')[0]} …"


def written(value: Any) -> str:
    """A value as the text that properties are: flags in small letters, moments in UTC, semicolons between several."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return ";".join(written(one) for one in value)
    return str(value)


def _names(person: Person) -> tuple[str | None, str | None]:
    if person.first_name is not None or person.last_name is not None or person.name is None:
        return person.first_name, person.last_name
    first, _, last = person.name.strip().partition(" ")
    return first, last.strip()


def _said(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: written(value) for name, value in values.items() if name and value is not None}
