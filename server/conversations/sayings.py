"""Say something in a conversation: stored once, under the next number, ours alone while the lock is held."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from server.conversations import store
from server.conversations.store import Conversation, Message
from server.conversations.writing import Change, Draft, write
from server.errors import NotFound

ALL = 1_000_000  # more than anybody says in one conversation
NOT_THERE = "no_conversation"
"""The error's code for a conversation that was erased."""


def get(tx: Connection, conversation_id: str) -> Conversation:
    """The conversation; NotFound."""
    found = store.get(tx, conversation_id)
    if found is None:
        raise NotFound("There is no such conversation.", code=NOT_THERE)
    return found


def lock(tx: Connection, conversation_id: str) -> Conversation:
    """The conversation, ours alone until the transaction ends: what is said in it is numbered one after the other."""
    found = store.lock(tx, conversation_id)
    if found is None:
        raise NotFound("There is no such conversation.", code=NOT_THERE)
    return found


def lock_all(tx: Connection, conversation_ids: Sequence[str]) -> dict[str, Conversation]:
    """Those of these conversations that there are, by id, all ours alone until the transaction ends."""
    return {row.id: row for row in store.lock_all(tx, conversation_ids)}


def said_among(tx: Connection, sent: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Which messages, named by conversation and client id, were stored before, and under which number."""
    found = store.said_among(tx, [one for one, _ in sent], [client_id for _, client_id in sent])
    return {(row.conversation_id, row.client_id): row.seq for row in found}


def said(tx: Connection, conversation_id: str, client_id: str) -> Message | None:
    """The message that the visitor sent under this id before, if any: sent twice is stored once."""
    return store.said(tx, conversation_id, client_id)


def say(tx: Connection, conversation: Conversation, drafts: Sequence[Draft]) -> Sequence[Any]:
    """Store messages under the next numbers. `conversation` must come from `lock` or `start` in this transaction.

    Invalid when a visitor's or rep's text is longer than 4,000 characters.
    """
    return write(tx, [Change(conversation, drafts)])[0].messages


def messages(tx: Connection, conversation_id: str, after: int = 0, most: int = ALL) -> Sequence[Message]:
    """What was said after number `after`, in order."""
    return store.messages_after(tx, conversation_id, after, most)
