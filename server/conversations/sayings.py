"""Say something in a conversation: stored once, under the next number, ours alone while the lock is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from server import clock
from server.conversations import store
from server.conversations.store import Conversation, Message
from server.errors import Invalid, NotFound

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


def get(tx: Connection, conversation_id: str) -> Conversation:
    """The conversation; NotFound."""
    found = store.get(tx, conversation_id)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found


def lock(tx: Connection, conversation_id: str) -> Conversation:
    """The conversation, ours alone until the transaction ends: what is said in it is numbered one after the other."""
    found = store.lock(tx, conversation_id)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found


def said(tx: Connection, conversation_id: str, client_id: str) -> Message | None:
    """The message that the visitor sent under this id before, if any: sent twice is stored once."""
    return store.said(tx, conversation_id, client_id)


def say(tx: Connection, conversation: Conversation, drafts: Sequence[Draft]) -> list[Message]:
    """Store messages under the next numbers. `conversation` must come from `lock` or `start` in this transaction.

    Invalid when a visitor's or rep's text is longer than 4,000 characters.
    """
    if not drafts:
        return []
    now, first = clock.now(), store.count_up(tx, conversation.id, len(drafts), clock.now())
    store.add_messages(tx, [_row(conversation.id, seq, draft, now) for seq, draft in enumerate(drafts, first)])
    return list(store.messages_after(tx, conversation.id, first - 1, len(drafts)))


def messages(tx: Connection, conversation_id: str, after: int = 0, most: int = 500) -> Sequence[Message]:
    """What was said after number `after`, in order."""
    return store.messages_after(tx, conversation_id, after, most)


def _row(conversation_id: str, seq: int, draft: Draft, now: Any) -> dict[str, Any]:
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
