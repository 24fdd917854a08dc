"""What conditions and words of an alert may read, gathered from the event it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from server.booking import service as booking
from server.config import hours
from server.config.version import Version
from server.conversations import service as conversations
from server.errors import NotFound
from server.events import Event
from server.leads import service as leads
from server.playbooks.memory import Memory
from server.routing.schema import Segments
from server.visitors import service as visitors


@dataclass(frozen=True)
class About:
    """The lead, conversation and meeting of an event, as far as it has them, and the namespaces of conditions."""

    values: Mapping[str, Any]
    lead_id: str | None = None
    conversation_id: str | None = None
    meeting: Any = None
    owner: str = ""


def about(tx: Connection, version: Version, event: Event) -> About:
    """All that is known about what happened. NotFound when it is gone meanwhile."""
    meeting = booking.get(tx, event.subject_id) if event.subject_kind == "meeting" else None
    talk = _conversation(tx, event, meeting)
    lead_id = event.subject_id if event.subject_kind == "lead" else None
    lead_id = lead_id or (meeting and meeting.lead_id) or (talk and talk.lead_id) or None
    lead = leads.get(tx, lead_id) if lead_id else None
    visitor = visitors.get(tx, talk.visitor_id) if talk else None
    told = Memory.of(talk.engine) if talk else Memory()
    values = {
        **_company_and_person(tx, version, lead_id or (visitor.lead_id if visitor else None), told),
        **_visit(tx, talk, visitor, told),
        "site": {"name": version.site.name, "key": version.site.key},
        "now": {"open": hours.is_open(version.site, event.at)},
    }
    segments = version.part(Segments)
    values["segment"] = (lead.segment if lead else None) or segments.segment_of(values)
    values["intent"] = (lead.intent if lead else None) or segments.intent_of(values)
    owner = meeting.rep if meeting else (lead.owner_rep if lead else "")
    return About(
        {name: value for name, value in values.items() if value is not None},
        lead_id, talk.id if talk else None, meeting, owner or "",
    )  # fmt: skip


def _conversation(tx: Connection, event: Event, meeting: Any) -> Any:
    """The conversation it happened in; a meeting's own when it was booked in one."""
    id = event.conversation_id or getattr(meeting, "conversation_id", None)
    if event.subject_kind == "conversation":
        id = event.subject_id
    try:
        return conversations.get(tx, id) if id else None
    except NotFound:
        return None


def _company_and_person(tx: Connection, version: Version, lead_id: str | None, told: Memory) -> dict[str, Any]:
    """What is on file, what was told in the conversation where nothing is, what segments.yml says of the company."""
    known = leads.known(tx, lead_id, told.account)
    company = {**_under(told, "account."), **known.account}
    listed = version.part(Segments).of_domain(str(company.get("domain", "")))
    return {"lead": {**_under(told, "lead."), **known.lead}, "account": {**listed, **company}}


def _visit(tx: Connection, talk: Any, visitor: Any, told: Memory) -> dict[str, Any]:
    if talk is None or visitor is None:
        return {}
    answers = {row.criterion: row.value for row in conversations.answers_of(tx, talk.id) if row.value is not None}
    return {
        "page": told.page or {"path": talk.path},
        "visit": {"count": visitor.visits, "returning": visitor.visits > 1},
        "device": visitor.device,
        "locale": talk.locale,
        "answers": {**_under(told, "answers."), **answers},
        "conversation": {"id": talk.id, "state": talk.state, "playbook": talk.playbook, "queue": talk.queue},
    }


def _under(told: Memory, root: str) -> dict[str, Any]:
    return {place.removeprefix(root): value for place, value in told.values.items() if place.startswith(root)}
