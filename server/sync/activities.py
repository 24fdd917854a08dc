"""Which events are interactions that the CRM hears of, and in which words. The whole list is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.crm import ActivityKind
from server import events
from server.events import Event
from server.sync.schema import Interaction
from server.sync.values import console_url

_LONGEST = 240
_REPLIES = {
    "ACCEPTED": "accepted the invitation",
    "TENTATIVE": "said maybe to the invitation",
    "DECLINED": "declined the invitation",
    "DELEGATED": "sends somebody else to the meeting",
    "COUNTER": "wishes another time for the meeting",
}


@dataclass(frozen=True)
class Told:
    """How one kind of event is told."""

    name: Interaction
    kind: ActivityKind
    subject: Callable[[Event], str]
    body: Callable[[Event], str] = lambda event: str(event.reason)


def _handed_over(event: Event) -> str:
    return f"Asked for a person ({event.data.get('queue', '')})"


def _criteria(event: Event) -> str:
    met = event.data.get("criteria") or {}
    return "\n".join(f"{name}: {str(status).replace('_', ' ')}" for name, status in sorted(met.items()))


def _answered(event: Event) -> str:
    return f"{event.data.get('by', 'A guest')} {_REPLIES.get(event.data.get('answer', ''), 'answered the invitation')}"


def _data(event: Event) -> str:
    return "\n".join(f"{name}: {value}" for name, value in sorted(event.data.items()))


TOLD: Mapping[str, Told] = {
    events.CONVERSATION_HANDED_OVER: Told("handoff", ActivityKind.CHAT, _handed_over),
    events.CONVERSATION_TAKEN_OVER: Told(
        "takeover", ActivityKind.CHAT, lambda event: f"{event.actor_name or 'A person'} took the conversation over"
    ),
    events.CONVERSATION_QUALIFIED: Told(
        "qualified", ActivityKind.NOTE, lambda event: "Qualified in the chat", _criteria
    ),
    events.QUESTION_NOT_KNOWN: Told(
        "question", ActivityKind.CHAT, lambda event: "Asked something we could not answer",
        lambda event: str(event.data.get("question", "")),
    ),
    events.MEETING_ANSWERED: Told("invitation", ActivityKind.EMAIL, _answered),
    events.VISITOR_TRACKED: Told(
        "tracked", ActivityKind.PAGE, lambda event: f"On the website: {event.trigger}", _data
    ),
    events.LEAD_ENROLLED: Told(
        "enrolled", ActivityKind.NOTE, lambda event: f"Enrolled in {event.data.get('stream', 'a stream')}"
    ),
    events.LEAD_DISQUALIFIED: Told("disqualified", ActivityKind.NOTE, lambda event: "Not a fit"),
}  # fmt: skip
"""Event: how it is told. Beside these: `transcript` (transcripts.py), `mail` and `visit` (telling.py); meetings are
records of their own."""
_PAGES = {"conversation": "conversations", "meeting": "meetings", "lead": "leads"}


def of_event(event: Event) -> dict[str, Any]:
    """plugins.crm.Activity as JSON."""
    told = TOLD[event.name]
    page = _PAGES.get(event.subject_kind)
    conversation = console_url("conversations", event.conversation_id) if event.conversation_id else ""
    return activity(
        told.kind,
        event.at,
        told.subject(event),
        told.body(event),
        url=console_url(page, event.subject_id) if page else conversation,
    )


def activity(kind: ActivityKind, at: Any, subject: str, body: str = "", *, url: str = "") -> dict[str, Any]:
    """plugins.crm.Activity as JSON; the subject is one line."""
    line = " ".join(subject.split())[:_LONGEST]
    return {"kind": kind.value, "at": at.isoformat(), "subject": line, "body": body, "url": url}
