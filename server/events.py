"""The diary: what happened, by whom, why, under which config version. Written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, Integer, Row, String, Table, Text, delete, insert, select, update
from sqlalchemy.sql import Select

from server import clock, ids
from server.db import Id, Json, UtcDateTime, metadata

CONFIG_APPLIED = "config.applied"
CONFIG_ROLLED_BACK = "config.rolled_back"
VISITOR_FIRST_SEEN = "visitor.first_seen"
VISITOR_IDENTIFIED = "visitor.identified"
VISITOR_VERIFIED = "visitor.verified"
VISITOR_TRACKED = "visitor.tracked"
IDENTITY_REFUSED = "identity.refused"
IDENTITY_KEY_ADDED = "identity_key.added"
IDENTITY_KEY_REVOKED = "identity_key.revoked"
VISITOR_CONSENTED = "visitor.consented"
VISITOR_WITHDREW = "visitor.withdrew"
PERSON_EXPORTED = "person.exported"
PERSON_ERASED = "person.erased"
CONVERSATION_STARTED = "conversation.started"
CONVERSATION_HANDED_OVER = "conversation.handed_over"
CONVERSATION_TAKEN_OVER = "conversation.taken_over"
CONVERSATION_GIVEN_BACK = "conversation.given_back"
COMPANY_RECOGNISED = "company.recognised"
CONVERSATION_QUALIFIED = "conversation.qualified"
CONVERSATION_CLOSED = "conversation.closed"
CONVERSATION_JOINED = "conversation.joined"
PLAYBOOK_CHOSEN = "playbook.chosen"
QUESTION_ANSWERED = "question.answered"
QUESTION_NOT_KNOWN = "question.not_known"
ANSWER_KEPT = "answer.kept"
LEAD_CREATED = "lead.created"
LEAD_CHANGED = "lead.changed"
LEAD_ASSIGNED = "lead.assigned"
LEAD_CLAIMED = "lead.claimed"
LEAD_ENROLLED = "lead.enrolled"
LEAD_ROUTED = "lead.routed"
LEAD_STATUS_CHANGED = "lead.status_changed"
LEAD_CONNECTED = "lead.connected"
LEAD_DISCONNECTED = "lead.disconnected"
LEAD_DISQUALIFIED = "lead.disqualified"
ROTATION_CALIBRATED = "rotation.calibrated"
MEETING_HELD = "meeting.held"
MEETING_RELEASED = "meeting.released"
MEETING_PASSED_ON = "meeting.passed_on"
MEETING_PUT_BACK = "meeting.put_back"
MEETING_BOOKED = "meeting.booked"
MEETING_RESCHEDULED = "meeting.rescheduled"
MEETING_CANCELLED = "meeting.cancelled"
MEETING_ANSWERED = "meeting.answered"
MEETING_REASSIGNED = "meeting.reassigned"
MEETING_DONE = "meeting.done"
MEETING_NO_SHOW = "meeting.no_show"
OWN_TIME_ADDED = "own_time.added"
OWN_TIME_REMOVED = "own_time.removed"
DELIVERY_DONE = "delivery.done"
DELIVERY_DEAD = "delivery.dead"
DELIVERY_RETRIED = "delivery.retried"
DELIVERY_WITHDRAWN = "delivery.withdrawn"
CONNECTION_CONNECTED = "connection.connected"
CONNECTION_CHANGED = "connection.changed"
CONNECTION_DISCONNECTED = "connection.disconnected"
CONNECTION_BROKEN = "connection.broken"
CONNECTION_WORKING = "connection.working"
CRM_CHANGED = "crm.changed"
CRM_RECORD_GONE = "crm.record_gone"
CRM_LINKED = "crm.linked"
CRM_UNLINKED = "crm.unlinked"
CRM_COMPARED = "crm.compared"
CRM_REPAIRED = "crm.repaired"
USER_ADDED = "user.added"
USER_SIGNED_IN = "user.signed_in"
USER_CHANGED = "user.changed"

table = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("name", String(60), nullable=False),
    Column("site_id", Id),
    Column("subject_kind", String(30), nullable=False),
    Column("subject_id", String(80), nullable=False),
    Column("conversation_id", Id),
    Column("actor_kind", String(20), nullable=False),
    Column("actor_id", String(80), nullable=False),
    Column("actor_name", String(200), nullable=False),
    Column("trigger", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("version_id", Id),
    Column("data", Json, nullable=False),
    Column("trace", Json),
    Column("handled_at", UtcDateTime),
    Column("tries", Integer, nullable=False),
    Index(
        "ix_events_waiting",
        "id",
        sqlite_where=Column("handled_at").is_(None),
        postgresql_where=Column("handled_at").is_(None),
    ),
    Index("ix_events_subject", "subject_kind", "subject_id", "id"),
    Index("ix_events_conversation", "conversation_id", "id"),
    Index("ix_events_site_name", "site_id", "name", "id"),
)


MOST_TRIES = 5
_WRITE = insert(table)


@dataclass(frozen=True)
class Actor:
    """Who did it. kind: visitor | bot | rep | user | system | calendar | crm."""

    kind: str
    id: str = ""
    name: str = ""


SYSTEM = Actor("system", name="Usher")
BOT = Actor("bot", name="bot")

Event = Row[Any]
_ALL_NAMES = frozenset(value for key, value in list(globals().items()) if key.isupper() and isinstance(value, str))


def line(
    name: str,
    *,
    site_id: str | None,
    subject: tuple[str, str],
    actor: Actor,
    trigger: str = "",
    reason: str = "",
    version_id: str | None = None,
    conversation_id: str | None = None,
    data: Mapping[str, Any] | None = None,
    trace: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One line of the diary, for `write`. Its id sorts by the time of this call.

    `trace` is a decision trace: `{"decision", "chosen", "looked_at": [{"name", "answer", "because", "saw"}]}`.
    """
    if name not in _ALL_NAMES:
        raise ValueError(f"{name!r} is not an event; add it to server/events.py")
    row = {
        "id": ids.new_id("event"),
        "at": clock.now(),
        "name": name,
        "site_id": site_id,
        "trigger": trigger[:200],
        "reason": reason,
    }
    row |= {"subject_kind": subject[0], "subject_id": subject[1], "conversation_id": conversation_id}
    row |= {"actor_kind": actor.kind, "actor_id": actor.id, "actor_name": actor.name[:200], "version_id": version_id}
    row |= {"data": dict(data or {}), "trace": dict(trace) if trace else None, "handled_at": None, "tries": 0}
    return row


def write(tx: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write lines into the diary, all in one statement; reactions.py may act on them after the commit."""
    if lines:
        tx.execute(_WRITE, list(lines))


def record(tx: Connection, name: str, **about: Any) -> str:
    """Write one line, given as for `line`, and return its id."""
    row = line(name, **about)
    write(tx, [row])
    return str(row["id"])


def of_subject(tx: Connection, kind: str, subject_id: str) -> list[Event]:
    """The history of one thing, oldest first."""
    return _rows(tx, select(table).where(table.c.subject_kind == kind, table.c.subject_id == subject_id))


def of_conversation(tx: Connection, conversation_id: str) -> list[Event]:
    """All that happened in a conversation, oldest first."""
    return _rows(tx, select(table).where(table.c.conversation_id == conversation_id))


def latest(tx: Connection, site_id: str, names: Iterable[str], limit: int = 50) -> list[Event]:
    """The newest events of these names, newest first."""
    found = select(table).where(table.c.site_id == site_id, table.c.name.in_(list(names)))
    return list(tx.execute(found.order_by(table.c.id.desc()).limit(limit)).all())


def waiting(tx: Connection, names: Iterable[str], limit: int = 100) -> list[Event]:
    """Events of these names that no reaction has handled yet, oldest first."""
    found = select(table).where(table.c.handled_at.is_(None), table.c.tries < MOST_TRIES, table.c.name.in_(list(names)))
    return list(tx.execute(found.order_by(table.c.id).limit(limit)).all())


def take(tx: Connection, event_id: str) -> bool:
    """True when nobody had handled this event and it is now ours; rolled back with the caller's transaction."""
    mine = update(table).where(table.c.id == event_id, table.c.handled_at.is_(None)).values(handled_at=clock.now())
    return tx.execute(mine).rowcount == 1


def failed(tx: Connection, event_id: str) -> None:
    """A reaction to this event failed; after five times it is left alone, with the fault in the log."""
    tx.execute(update(table).where(table.c.id == event_id).values(tries=table.c.tries + 1))


def drop(tx: Connection, name: str, subject: tuple[str, str]) -> None:
    """Forget lines of this name about one thing: for what a person may have forgotten, and for nothing else."""
    here = (table.c.name == name, table.c.subject_kind == subject[0], table.c.subject_id == subject[1])
    tx.execute(delete(table).where(*here))


def _rows(tx: Connection, found: Select[Any]) -> list[Event]:
    return list(tx.execute(found.order_by(table.c.id)).all())
