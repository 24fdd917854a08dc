"""All SQL about conversations, messages and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from server.conversations.tables import answers, conversations, messages
from server.people.rights import Sight

Conversation = Row[Any]
Message = Row[Any]

_ONE = select(conversations).where(conversations.c.id == bindparam("id"))
_LOCK = _ONE.with_for_update()
_OPEN = select(conversations).where(
    conversations.c.visitor_id == bindparam("visitor_id"), conversations.c.closed_at.is_(None)
)
_SAID = select(messages).where(
    messages.c.conversation_id == bindparam("id"), messages.c.client_id == bindparam("client_id")
)
_AFTER = (
    select(messages)
    .where(messages.c.conversation_id == bindparam("id"), messages.c.seq > bindparam("after"))
    .order_by(messages.c.seq)
    .limit(bindparam("most"))
)
_ADD = insert(messages)
_LOCK_ALL = (
    select(conversations)
    .where(conversations.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(conversations.c.id)
    .with_for_update()
)
_SAID_AMONG = select(messages.c.conversation_id, messages.c.client_id, messages.c.seq).where(
    messages.c.conversation_id.in_(bindparam("ids", expanding=True)),
    messages.c.client_id.in_(bindparam("client_ids", expanding=True)),
)


def get(tx: Connection, conversation_id: str) -> Conversation | None:
    return tx.execute(_ONE, {"id": conversation_id}).one_or_none()


def lock(tx: Connection, conversation_id: str) -> Conversation | None:
    return tx.execute(_LOCK, {"id": conversation_id}).one_or_none()


def open_of(tx: Connection, visitor_id: str) -> Conversation | None:
    return tx.execute(_OPEN, {"visitor_id": visitor_id}).one_or_none()


def add_if_none_open(tx: Connection, row: Mapping[str, Any]) -> bool:
    """True when the visitor had no open conversation and this one is now it."""
    return tx.execute(_add_if_none_open(tx.dialect.name), dict(row)).first() is not None


def change(tx: Connection, conversation_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(**values))


def said(tx: Connection, conversation_id: str, client_id: str) -> Message | None:
    return tx.execute(_SAID, {"id": conversation_id, "client_id": client_id}).one_or_none()


def add_messages(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.execute(_ADD, list(rows))


def messages_after(tx: Connection, conversation_id: str, after: int, most: int) -> Sequence[Message]:
    return tx.execute(_AFTER, {"id": conversation_id, "after": after, "most": most}).all()


def lock_all(tx: Connection, conversation_ids: Sequence[str]) -> Sequence[Conversation]:
    return tx.execute(_LOCK_ALL, {"ids": sorted(conversation_ids)}).all()


def said_among(tx: Connection, conversation_ids: Sequence[str], client_ids: Sequence[str]) -> Sequence[Any]:
    return tx.execute(_SAID_AMONG, {"ids": list(conversation_ids), "client_ids": list(client_ids)}).all()


def put_states(tx: Connection, changed: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Change columns of conversations (id, column → value): one statement for all that change the same columns."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for conversation_id, columns in changed:
        alike.setdefault(tuple(columns), []).append({"which": conversation_id, **columns})
    for names, rows in alike.items():
        tx.execute(_put_state(names), rows)


def put_answers(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """One answer a criterion; what is said later takes its place."""
    if rows:
        tx.execute(_put_answer(tx.dialect.name), list(rows))


@lru_cache(maxsize=64)
def _put_state(names: Sequence[str]) -> Update:
    columns = {name: bindparam(name, type_=conversations.c[name].type) for name in names}
    return update(conversations).where(conversations.c.id == bindparam("which")).values(columns)


@lru_cache(maxsize=2)
def _add_if_none_open(dialect: str) -> Any:
    new = (postgresql if dialect == "postgresql" else sqlite).insert(conversations)
    return new.on_conflict_do_nothing().returning(conversations.c.id)


@lru_cache(maxsize=2)
def _put_answer(dialect: str) -> Any:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(answers)
    changed = {name: statement.excluded[name] for name in ("node", "kind", "value", "status", "message_seq", "at")}
    return statement.on_conflict_do_update(index_elements=["conversation_id", "criterion"], set_=changed)


def answers_of(tx: Connection, conversation_ids: Sequence[str]) -> Sequence[Row[Any]]:
    return tx.execute(
        select(answers).where(answers.c.conversation_id.in_(conversation_ids)).order_by(answers.c.at)
    ).all()


def visible(sight: Sight, leads: Select[tuple[str]]) -> ColumnElement[bool]:
    """What this person sees: everything, or where they talk, what waits for them, and conversations of `leads`."""
    if sight.everything:
        return true()
    c = conversations.c
    for_all = and_(c.state == "waiting_rep", c.queue == "")
    return or_(and_(c.rep == sight.rep, c.rep != ""), c.queue.in_(sight.queues), for_all, c.lead_id.in_(leads))


def get_visible(tx: Connection, conversation_id: str, sight: Sight, leads: Select[tuple[str]]) -> Conversation | None:
    found = select(conversations).where(conversations.c.id == conversation_id, visible(sight, leads))
    return tx.execute(found).one_or_none()


def latest(
    tx: Connection,
    site_ids: Sequence[str],
    limit: int,
    state: str | None,
    rep: str | None,
    before: Conversation | None,
    seen: ColumnElement[bool],
) -> Sequence[Conversation]:
    at = tuple_(conversations.c.last_at, conversations.c.id)
    found = select(conversations).where(conversations.c.site_id.in_(site_ids), seen)
    if state:
        found = found.where(conversations.c.state == state)
    if rep:
        found = found.where(conversations.c.rep == rep)
    if before is not None:
        found = found.where(at < tuple_(before.last_at, before.id))
    return tx.execute(found.order_by(conversations.c.last_at.desc(), conversations.c.id.desc()).limit(limit)).all()


def at_rest(
    tx: Connection, among: Select[tuple[str]], since: datetime, until: datetime, limit: int
) -> Sequence[Conversation]:
    c = conversations.c
    over = or_(c.closed_at.is_not(None), c.last_at <= until)
    found = select(conversations).where(c.lead_id.in_(among), c.last_at > since, over, c.seq > 0)
    return tx.execute(found.order_by(c.last_at).limit(limit)).all()


def of_lead(tx: Connection, lead_id: str) -> Sequence[Conversation]:
    found = select(conversations).where(conversations.c.lead_id == lead_id).order_by(conversations.c.started_at.desc())
    return tx.execute(found).all()


def of_visitor(tx: Connection, visitor_id: str) -> Sequence[Conversation]:
    return tx.execute(select(conversations).where(conversations.c.visitor_id == visitor_id)).all()


def give_to(tx: Connection, before: str, visitor_id: str) -> None:
    tx.execute(update(conversations).where(conversations.c.visitor_id == before).values(visitor_id=visitor_id))


def last_messages(tx: Connection, conversation_ids: Sequence[str]) -> Sequence[Message]:
    joined = messages.join(conversations, conversations.c.id == messages.c.conversation_id)
    found = (
        select(messages)
        .select_from(joined)
        .where(messages.c.seq == conversations.c.seq, messages.c.conversation_id.in_(conversation_ids))
    )
    return tx.execute(found).all()
