"""Find, show and erase one person's conversations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, or_, select

from server.conversations.tables import answers, conversations, messages
from server.db.scrubbing import Wipe, scrub


def of_person(tx: Connection, lead_ids: Collection[str], visitor_ids: Collection[str]) -> list[str]:
    """Ids of what these leads said, and of what was said in their browsers while nobody was known."""
    nobody = and_(conversations.c.visitor_id.in_(visitor_ids), conversations.c.lead_id.is_(None))
    mine = or_(conversations.c.lead_id.in_(lead_ids), nobody)
    return list(tx.execute(select(conversations.c.id).where(mine).order_by(conversations.c.id)).scalars())


def visitors_of(tx: Connection, conversation_ids: Collection[str]) -> list[str]:
    """Ids of the browsers in which these were held."""
    found = select(conversations.c.visitor_id).where(conversations.c.id.in_(conversation_ids)).distinct()
    return list(tx.execute(found).scalars())


def shared_by(tx: Connection, visitor_ids: Collection[str], mine: Collection[str]) -> list[str]:
    """Those of the browsers in which others than `mine` were held."""
    others = and_(conversations.c.visitor_id.in_(visitor_ids), conversations.c.id.not_in(mine))
    return list(tx.execute(select(conversations.c.visitor_id).where(others).distinct()).scalars())


def lock(tx: Connection, conversation_ids: Collection[str]) -> None:
    """Nobody says anything in these until the transaction ends; afterwards they find them gone."""
    mine = select(conversations.c.id).where(conversations.c.id.in_(conversation_ids)).order_by(conversations.c.id)
    tx.execute(mine.with_for_update()).all()


def held(tx: Connection, conversation_ids: Collection[str]) -> dict[str, Sequence[Row[Any]]]:
    """Everything about these conversations, by table."""
    said = select(messages).where(messages.c.conversation_id.in_(conversation_ids))
    return {
        "conversations": tx.execute(select(conversations).where(conversations.c.id.in_(conversation_ids))).all(),
        "messages": tx.execute(said.order_by(messages.c.conversation_id, messages.c.seq)).all(),
        "answers": tx.execute(select(answers).where(answers.c.conversation_id.in_(conversation_ids))).all(),
    }


def erase(tx: Connection, conversation_ids: Collection[str]) -> None:
    """These conversations were never held."""
    for table in (messages, answers):
        tx.execute(delete(table).where(table.c.conversation_id.in_(conversation_ids)))
    tx.execute(delete(conversations).where(conversations.c.id.in_(conversation_ids)))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from what others said on this site and from what is remembered of it."""
    here = select(conversations.c.id).where(conversations.c.site_id == site_id)
    count = scrub(tx, conversations, wipe, conversations.c.site_id == site_id)
    return count + sum(scrub(tx, table, wipe, table.c.conversation_id.in_(here)) for table in (messages, answers))
