"""Find, show and erase one person's conversations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, or_, select, update

from server.conversations.tables import answers, conversations, messages
from server.db.scrubbing import ERASED, Wipe, scrub


class Found(NamedTuple):
    """Ids of conversations: `theirs`, and those of `others` who only typed the person's address or number."""

    theirs: list[str]
    others: list[str]


def of_person(tx: Connection, lead_ids: Collection[str], visitor_ids: Collection[str]) -> Found:
    """What was said in these browsers to these leads or while nobody was known, and where one of the leads was first
    met. A conversation that has such a lead and is neither is somebody else's: whoever typed the address proved
    nothing."""
    c = conversations.c
    linked = or_(c.lead_id.in_(lead_ids), and_(c.visitor_id.in_(visitor_ids), c.lead_id.is_(None)))
    found = tx.execute(select(c.id, c.visitor_id, c.engine).where(linked).order_by(c.id)).all()
    theirs = [row.id for row in found if row.visitor_id in visitor_ids or row.engine.get("lead_is_theirs")]
    return Found(theirs, [row.id for row in found if row.id not in theirs])


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


def part_with(tx: Connection, conversation_ids: Collection[str], wipe: Wipe) -> None:
    """These go on without the lead whose address was typed in them, and remember neither it nor its company."""
    for row in tx.execute(select(conversations).where(conversations.c.id.in_(conversation_ids))).all():
        kept = {name: value for name, value in row.engine.items() if name not in ("account", "values")}
        values = {place: value for place, value in row.engine.get("values", {}).items() if not _is_it(value, wipe)}
        kept |= {"values": values} if values else {}
        tx.execute(update(conversations).where(conversations.c.id == row.id).values(lead_id=None, engine=kept))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from what others said on this site and from what is remembered of it."""
    here = select(conversations.c.id).where(conversations.c.site_id == site_id)
    count = scrub(tx, conversations, wipe, conversations.c.site_id == site_id)
    return count + sum(scrub(tx, table, wipe, table.c.conversation_id.in_(here)) for table in (messages, answers))


def _is_it(value: Any, wipe: Wipe) -> bool:
    """Whether the value is the address and nothing else."""
    return isinstance(value, str) and bool(wipe(value.strip()) == ERASED)
