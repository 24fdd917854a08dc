"""Writes what turns changed in their conversations: all of them in one statement a table, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from server import clock, events, ids
from server.conversations import store
from server.conversations.store import Conversation
from server.errors import Invalid
from server.events import Actor

MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class Draft:
    """A message before it has a number. `author`: visitor | bot | rep; `part`, `citations`: see docs/protocol.md."""

    author: str
    text: str
    name: str = ""
    client_id: str | None = None
    value: Mapping[str, Any] | None = None
    node: str = ""
    citations: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    part: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Kept:
    """A qualification answer: criterion, typed value, status met | not_met | unknown, evidence message."""

    criterion: str
    node: str
    kind: str
    value: Any
    status: str
    message_seq: int | None


@dataclass
class Change:
    """What one turn leaves behind. `conversation` is as `lock` or `start` gave it in this transaction.

    `columns`: those of the conversation that change, but its numbers; `lines`: rows of the diary, from `events.line`.
    """

    conversation: Conversation
    drafts: Sequence[Draft] = ()
    columns: Mapping[str, Any] = field(default_factory=dict)
    kept: Sequence[Kept] = ()
    lines: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Written:
    """The conversation as it is now, and what was said, with numbers."""

    conversation: Any
    messages: Sequence[Any]


def write(tx: Connection, changes: Sequence[Change]) -> list[Written]:
    """Store all changes, at most one a conversation. Invalid for a visitor's or rep's text beyond 4,000 characters."""
    now = clock.now()
    messages = [_message_rows(one, now) for one in changes]
    columns = [_columns(one, len(said), now) for one, said in zip(changes, messages, strict=True)]
    kept = [_kept_row(one, answer, now) for one in changes for answer in one.kept]
    store.add_messages(tx, [row for said in messages for row in said])
    store.put_answers(tx, kept)
    events.write(tx, [line for one in changes for line in (*one.lines, *_kept_lines(one))])
    store.put_states(tx, [(one.conversation.id, new) for one, new in zip(changes, columns, strict=True) if new])
    return [_written(*of) for of in zip(changes, columns, messages, strict=True)]


def _written(change: Change, columns: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> Written:
    conversation = SimpleNamespace(**{**change.conversation._mapping, **columns})
    return Written(conversation, [SimpleNamespace(**row) for row in said])


def _columns(change: Change, said: int, now: datetime) -> dict[str, Any]:
    return {**change.columns, **({"seq": change.conversation.seq + said, "last_at": now} if said else {})}


def _message_rows(change: Change, now: datetime) -> list[dict[str, Any]]:
    of = change.conversation
    return [_message_row(of.id, seq, draft, now) for seq, draft in enumerate(change.drafts, of.seq + 1)]


def _message_row(conversation_id: str, seq: int, draft: Draft, now: datetime) -> dict[str, Any]:
    if draft.author != "bot" and len(draft.text) > MOST_CHARACTERS:
        raise Invalid(
            f"A message can have {MOST_CHARACTERS:,} characters at most; this one has {len(draft.text):,}.",
            field="text",
        )
    return {
        "conversation_id": conversation_id,
        "seq": seq,
        "client_id": draft.client_id,
        "author": draft.author,
        "name": draft.name[:120],
        "text": draft.text,
        "value": dict(draft.value) if draft.value else None,
        "node": draft.node,
        "citations": [dict(one) for one in draft.citations],
        "part": dict(draft.part) if draft.part else None,
        "at": now,
    }


def _kept_row(change: Change, kept: Kept, now: datetime) -> dict[str, Any]:
    about = {"id": ids.new_id("answer"), "conversation_id": change.conversation.id, "at": now}
    return {**kept.__dict__, **about}


def _kept_lines(change: Change) -> list[dict[str, Any]]:
    of = change.conversation
    return [
        events.line(
            events.ANSWER_KEPT,
            site_id=of.site_id,
            subject=("conversation", of.id),
            conversation_id=of.id,
            actor=Actor("visitor", of.visitor_id),
            version_id=of.version_id,
            trigger=kept.node,
            data={
                "criterion": kept.criterion,
                "value": kept.value,
                "status": kept.status,
                "message_seq": kept.message_seq,
            },
        )
        for kept in change.kept
    ]
