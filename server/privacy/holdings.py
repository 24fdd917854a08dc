"""What a site holds about one person, and the rows of it, by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from server import events
from server.adapters import erasing as adapters
from server.booking import erasing as booking
from server.booking.service import Meeting
from server.conversations import erasing as conversations
from server.enrichment import erasing as enrichment
from server.leads import erasing as leads
from server.outbox import erasing as outbox
from server.privacy import diary
from server.routing import erasing as routing
from server.sync import erasing as sync
from server.visitors import erasing as visitors

PERSONAL = (
    "leads", "accounts", "field_values", "assignments", "enrolments", "visitors", "sessions", "page_views",
    "conversations", "messages", "answers", "meetings", "meeting_hosts", "credit_ledger", "deliveries", "events",
    "adapter_records", "hook_messages", "crm_links", "crm_findings", "enrichment_answers",
)  # fmt: skip
"""The tables whose rows are about visitors: each is given out and erased."""

IMPERSONAL = {
    "sites": "the websites",
    "config_versions": "what the owner wrote; who stands in team.yml is an employee, not a visitor",
    "users": "who signs in to the console; managed there",
    "identity_keys": "the site's signing keys",
    "credit_counters": "locks of the ledger",
    "rep_calendars": "locks of the reps' calendars",
    "meeting_cells": "which five minutes of a rep are taken; freed with the meeting",
    "time_blocks": "what reps wrote into their own calendars; the address is taken out",
    "busy_times": "when reps' calendars are busy, without what for",
    "calendar_watches": "which services call when a rep's calendar changes",
    "crm_positions": "how far the changes of a CRM have been read",
    "crm_reports": "how many records agreed with the CRM, and when it was looked",
    "connections": "services the owner connected, and reps' calendars",
    "connection_agreements": "who of the console's users is connecting what; gone within minutes",
    "replaced_keys": "keys of deliveries that newer ones replaced; gone with the delivery",
    "enrichment_spending": "how many questions enrichment services were asked in a day, and what they cost",
    "meters": "how many calls there were, and how long they took",
    "reading_positions": "how far calendars and the mailbox have been read",
}
"""The other tables, and why nothing in them has to be given out. A test holds both lists against the database."""


@dataclass(frozen=True)
class Holdings:
    """Ids and meetings of one person on one site; `shared`: browsers that others used too; `typed`: conversations
    of others, in which the address was only typed; `invited`: meetings of others to which the person is invited."""

    site_id: str
    address: str
    leads: Sequence[str]
    visitors: Sequence[str]
    shared: Sequence[str]
    conversations: Sequence[str]
    typed: Sequence[str]
    meetings: Sequence[Meeting]
    invited: Sequence[Meeting]

    def __bool__(self) -> bool:
        return bool(self.leads or self.visitors or self.conversations or self.typed or self.meetings or self.invited)

    @property
    def meeting_ids(self) -> list[str]:
        return [meeting.id for meeting in self.meetings]

    @property
    def uids(self) -> list[str]:
        """What the meetings are called in calendars and CRMs."""
        return [meeting.uid for meeting in self.meetings]

    @property
    def subjects(self) -> Mapping[str, Sequence[str]]:
        """What deliveries and lines of the diary may be about."""
        return {
            "lead": self.leads,
            "visitor": self.visitors,
            "conversation": self.conversations,
            "meeting": self.meeting_ids,
        }


def find(tx: Connection, site_id: str, address: str, lead_id: str = "") -> Holdings:
    """What the site holds about whoever has this address (folded), or is this lead."""
    lead_ids = leads.of_person(tx, site_id, address, lead_id)
    visitor_ids = visitors.of_person(tx, site_id, lead_ids, address)
    talks, typed = conversations.of_person(tx, lead_ids, visitor_ids)
    visitor_ids = sorted({*visitor_ids, *conversations.visitors_of(tx, talks)})
    mine = booking.of_person(tx, site_id, address, lead_ids, talks, typed)
    return Holdings(
        site_id,
        address,
        lead_ids,
        visitor_ids,
        conversations.shared_by(tx, visitor_ids, talks),
        talks,
        typed,
        mine,
        [one for one in booking.invited(tx, site_id, address) if one.id not in {meeting.id for meeting in mine}],
    )


def rows(tx: Connection, of: Holdings) -> dict[str, Sequence[Row[Any]]]:
    """Everything in `PERSONAL` tables that is about the person."""
    told = outbox.about(tx, of.subjects)
    return {
        **leads.held(tx, of.leads),
        **visitors.held(tx, of.visitors),
        **conversations.held(tx, of.conversations),
        **booking.held(tx, of.meeting_ids, [meeting.id for meeting in of.invited]),
        **routing.held(tx, of.meeting_ids),
        "deliveries": told,
        events.table.name: diary.held(tx, of.subjects, [row.id for row in told]),
        **adapters.held(tx, of.site_id, of.address, of.uids),
        **sync.held(tx, of.subjects),
        **enrichment.held(tx, of.site_id, of.address),
    }
