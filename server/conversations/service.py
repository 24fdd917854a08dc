"""Start, say, take over, give back, close. A message is stored once, under the next number of its conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select

from server import clock, events, ids
from server.conversations import store
from server.conversations.sayings import NOT_THERE, get, lock, lock_all, messages, said, said_among, say
from server.conversations.store import Conversation, Message
from server.conversations.writing import MOST_CHARACTERS, Change, Draft, Kept, Written, write
from server.db import Database
from server.errors import Conflict, NotFound
from server.events import Actor
from server.leads import service as leads
from server.people.rights import EVERYTHING, Sight

BOT, WAITING, REP, CLOSED = "bot", "waiting_rep", "rep", "closed"

__all__ = [
    "BOT", "CLOSED", "MOST_CHARACTERS", "NOT_THERE", "REP", "WAITING", "Change", "Conversation", "Draft", "Kept",
    "Message", "Start", "Written", "answers_of", "at_rest", "close", "get", "give_back", "give_to", "ids_of",
    "keep_state", "latest", "lock", "lock_all", "messages", "of_lead", "open_of", "reply", "said", "said_among", "say",
    "seen", "start", "take_over", "visible", "write",
]  # fmt: skip


@dataclass(frozen=True)
class Start:
    """What a conversation starts with."""

    site_id: str
    visitor_id: str
    version_id: str
    playbook: str
    locale: str
    zone: str
    path: str
    lead_id: str | None = None


def open_of(tx: Connection, visitor_id: str) -> Conversation | None:
    """The visitor's open conversation; a visitor has one at most."""
    return store.open_of(tx, visitor_id)


def start(tx: Connection, about: Start) -> tuple[Conversation, bool]:
    """The visitor's open conversation, started if there is none, and whether it is new."""
    now = clock.now()
    row = {
        **about.__dict__,
        "id": ids.new_id("conversation"),
        "state": BOT,
        "engine": {},
        "seq": 0,
        "seen_seq": 0,
        "started_at": now,
        "last_at": now,
        "outcome": "",
        "queue": "",
        "rep": "",
    }
    if not store.add_if_none_open(tx, row):
        found = store.open_of(tx, about.visitor_id)
        if found is None:
            raise LookupError(about.visitor_id)
        return found, False
    events.record(
        tx,
        events.CONVERSATION_STARTED,
        site_id=about.site_id,
        subject=("conversation", str(row["id"])),
        conversation_id=str(row["id"]),
        actor=Actor("visitor", about.visitor_id),
        version_id=about.version_id,
        data={"playbook": about.playbook, "path": about.path},
    )
    return get(tx, str(row["id"])), True


def visible(tx: Connection, conversation_id: str, sight: Sight) -> Conversation:
    """The conversation, asked for through the person asking; NotFound when it is not theirs to see."""
    found = store.get_visible(tx, conversation_id, sight, leads.ids_visible(sight))
    if found is None:
        raise NotFound("There is no such conversation.")
    return found


def keep_state(tx: Connection, conversation: Conversation, **values: Any) -> None:
    """Keep where the playbook is and what goes with it: any columns of the conversation but its numbers."""
    store.change(tx, conversation.id, values)


def answers_of(tx: Connection, *conversation_ids: str) -> Sequence[Any]:
    """The qualification answers of these conversations."""
    return store.answers_of(tx, conversation_ids)


def seen(tx: Connection, conversation_id: str, seq: int) -> None:
    """The visitor has read up to here."""
    store.change(tx, conversation_id, {"seen_seq": seq})


def take_over(db: Database, conversation_id: str, rep: str, actor: Actor) -> Conversation:
    """A person speaks from now on; the playbook rests. Conflict when another person has it."""
    with db.transaction() as tx:
        found = lock(tx, conversation_id)
        if found.state == CLOSED:
            raise Conflict("This conversation has ended; the visitor can start a new one.")
        if found.state == REP and found.rep != rep:
            raise Conflict(f"{found.rep} is already talking with this visitor.")
        store.change(tx, found.id, {"state": REP, "rep": rep, "waiting_since": None})
        _record(tx, events.CONVERSATION_TAKEN_OVER, found, actor)
        return get(tx, found.id)


def give_back(db: Database, conversation_id: str, actor: Actor) -> Conversation:
    """The playbook speaks again."""
    with db.transaction() as tx:
        found = lock(tx, conversation_id)
        if found.state != REP:
            raise Conflict("Nobody has taken this conversation over.")
        store.change(tx, found.id, {"state": BOT, "rep": ""})
        _record(tx, events.CONVERSATION_GIVEN_BACK, found, actor)
        return get(tx, found.id)


def reply(db: Database, conversation_id: str, text: str, rep: str, actor: Actor) -> Message:
    """A person says something. Conflict unless they have taken the conversation over."""
    with db.transaction() as tx:
        found = lock(tx, conversation_id)
        if found.state != REP or found.rep != rep:
            raise Conflict("Take the conversation over before you answer.")
        return say(tx, found, [Draft("rep", text, name=actor.name)])[0]


def close(tx: Connection, conversation: Conversation, outcome: str, actor: Actor) -> None:
    """End a conversation; the visitor's next message starts a new one."""
    store.change(tx, conversation.id, {"state": CLOSED, "closed_at": clock.now(), "outcome": outcome})
    _record(tx, events.CONVERSATION_CLOSED, conversation, actor, reason=outcome)


def give_to(tx: Connection, before: str, visitor_id: str) -> Sequence[Conversation]:
    """The conversations of one visitor, as they were; they become another's, who has one open at most together."""
    given = store.of_visitor(tx, before)
    store.give_to(tx, before, visitor_id)
    return given


def ids_of(tx: Connection, visitor_id: str) -> set[str]:
    """The ids of a visitor's conversations."""
    return {one.id for one in store.of_visitor(tx, visitor_id)}


def latest(
    tx: Connection,
    site_ids: Sequence[str],
    *,
    limit: int = 50,
    state: str | None = None,
    rep: str | None = None,
    before: str | None = None,
    sight: Sight = EVERYTHING,
) -> list[tuple[Conversation, Message | None]]:
    """The conversations in which something was said last, each with its last message; `before`: the last id seen."""
    seen = store.visible(sight, leads.ids_visible(sight))
    found = store.latest(tx, site_ids, limit, state, rep, store.get(tx, before) if before else None, seen)
    last = {row.conversation_id: row for row in store.last_messages(tx, [row.id for row in found])}
    return [(row, last.get(row.id)) for row in found]


def at_rest(
    tx: Connection, among: Select[tuple[str]], *, since: datetime, until: datetime, limit: int = 500
) -> Sequence[Conversation]:
    """Conversations of these leads that ended, or in which nothing was said after `until`, and which were not silent
    before `since` already; the longest silent first."""
    return store.at_rest(tx, among, since, until, limit)


def of_lead(tx: Connection, lead_id: str) -> Sequence[Conversation]:
    """A lead's conversations, newest first."""
    return store.of_lead(tx, lead_id)


def _record(tx: Connection, name: str, found: Conversation, actor: Actor, reason: str = "") -> None:
    events.record(
        tx,
        name,
        site_id=found.site_id,
        subject=("conversation", found.id),
        conversation_id=found.id,
        actor=actor,
        reason=reason,
        version_id=found.version_id,
    )
