"""Open a conversation, hear what the visitor says, see where they go. One transaction each: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from server import clock, events
from server.config import service as config
from server.conversations import frames
from server.conversations import service as conversations
from server.conversations.service import CLOSED, MOST_CHARACTERS, Draft
from server.db import Database
from server.errors import Invalid
from server.events import Actor
from server.leads import service as leads
from server.playbooks import hearing, knowing, meaning, opening, people
from server.playbooks.hello import Hello
from server.playbooks.meaning import Meaning
from server.playbooks.memory import Memory
from server.playbooks.turn import Heard, Turn
from server.routing import service as routing
from server.routing.service import Decision
from server.visitors import service as visitors

__all__ = ["Hello", "Opened", "Outcome", "hear", "identify", "open", "see_page", "seen", "track", "where_to"]

MOST_LOOKS = 4  # how often a message is understood anew because the conversation moved meanwhile


@dataclass
class Opened:
    """A conversation as the browser gets it after `hello`. `token` only when it is new."""

    conversation_id: str
    site_id: str
    token: str | None
    state: str
    seq: int
    agent: Mapping[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)

    def welcome(self) -> dict[str, Any]:
        """The `welcome` frame of docs/protocol.md."""
        frame = {
            "t": "welcome",
            "conversation": self.conversation_id,
            "state": self.state,
            "seq": self.seq,
            "messages": self.messages,
            "agent": dict(self.agent),
            "texts": {},
        }
        return frame | ({"token": self.token} if self.token else {})


@dataclass(frozen=True)
class Outcome:
    """The number under which the message is stored, what everybody in the conversation gets to see, and its state."""

    conversation_id: str
    seq: int
    state: str
    frames: Sequence[Mapping[str, Any]] = ()


def open(db: Database, hello: Hello) -> Opened:  # noqa: A001 - the verb of the brief
    """Meet the visitor, and resume their conversation or start one with the playbook of the page.

    A conversation that goes on keeps the config version it started with. NotFound for an unknown site.
    """
    active = config.active(db, hello.site)
    told_before = knowing.prepared_for(db, active, hello.arrival.locale or active.site.locale)
    with db.transaction() as tx:
        visitor, token = visitors.arrive(tx, active.site_id, hello.token, hello.arrival)
        row = conversations.open_of(tx, visitor.id)
        is_new = row is None
        if row is None:
            turn = opening.start(tx, active, visitor, hello, told_before)
        else:
            version = config.version(tx, row.version_id)
            turn = opening.resume(tx, version, visitor, conversations.lock(tx, row.id), hello, told_before)
        _finish(turn)
        row = conversations.get(tx, turn.conversation.id)
        after = 0 if is_new or hello.after > row.seq else hello.after
        found = conversations.messages(tx, row.id, after)
        agent = people.agent(turn.version, row)
    return Opened(row.id, row.site_id, token, row.state, row.seq, agent, [frames.message(one) for one in found])


def hear(
    db: Database, conversation_id: str, client_id: str, text: str, value: Mapping[str, Any] | None = None
) -> Outcome:
    """Store what the visitor said, understand it, and let the playbook go on, all in one transaction.

    The same `client_id` again changes nothing and gets the same number. Invalid for no text at all or too long a one.
    What it means is found out before the transaction, and again if the conversation has moved on meanwhile.
    """
    if not text.strip() and not value:
        raise Invalid("Write something first.", field="text")
    if len(text) > MOST_CHARACTERS:
        raise Invalid(f"A message can have {MOST_CHARACTERS:,} characters at most.", field="text")
    for look in range(1, MOST_LOOKS + 1):
        meant = meaning.find(db, conversation_id, text, value)
        with db.transaction() as tx:
            outcome = _hear(tx, conversation_id, Said(client_id, text, value), meant, for_good=look == MOST_LOOKS)
            if outcome is not None:
                return outcome
    raise AssertionError("the last look is for good")


@dataclass(frozen=True)
class Said:
    """A message as it came."""

    client_id: str
    text: str
    value: Mapping[str, Any] | None


def see_page(db: Database, conversation_id: str, page: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """The visitor went to another page without leaving (single-page applications)."""
    with db.transaction() as tx:
        row = conversations.lock(tx, conversation_id)
        memory = Memory.of(row.engine)
        memory.look_at(page)
        visitors.see_page(tx, visitors.get(tx, row.visitor_id), memory.page, data)
        memory.visit["pages_seen"] = int(memory.visit.get("pages_seen", 1)) + 1
        conversations.keep_state(tx, row, engine=memory.as_json(), path=memory.page["path"])


def identify(db: Database, conversation_id: str, attributes: Mapping[str, Any]) -> None:
    """Keep what the page says about its user: unverified, so it opens nothing."""
    with db.transaction() as tx:
        row = conversations.get(tx, conversation_id)
        visitors.set_attributes(tx, visitors.get(tx, row.visitor_id), attributes)


def track(db: Database, conversation_id: str, name: str, data: Mapping[str, Any]) -> None:
    """Something happened on the page that its owner wants remembered."""
    if not name.strip():
        raise Invalid("Give what happened a name.", field="name")
    with db.transaction() as tx:
        row = conversations.get(tx, conversation_id)
        events.record(
            tx,
            events.VISITOR_TRACKED,
            site_id=row.site_id,
            subject=("visitor", row.visitor_id),
            actor=Actor("visitor", row.visitor_id),
            conversation_id=row.id,
            trigger=name,
            data=data,
        )


def seen(db: Database, conversation_id: str, seq: int) -> None:
    """The visitor has read up to here."""
    with db.transaction() as tx:
        row = conversations.get(tx, conversation_id)
        if row.seen_seq < seq <= row.seq:
            conversations.seen(tx, conversation_id, seq)


def where_to(db: Database, conversation_id: str) -> Decision:
    """Where routing.yml would send this visitor now; writes nothing."""
    with db.reading() as tx:
        row = conversations.get(tx, conversation_id)
        version = config.version(tx, row.version_id)
        turn = Turn(tx, version, row, Memory.of(row.engine))
        return routing.judge(version, turn.values, clock.now())


def _hear(tx: Connection, conversation_id: str, said: Said, meant: Meaning, *, for_good: bool) -> Outcome | None:
    """One message; None when the conversation waits for something else than `meant` was understood for."""
    row = conversations.lock(tx, conversation_id)
    before = conversations.said(tx, row.id, said.client_id)
    greeted: list[Mapping[str, Any]] = []
    if before is None and row.state == CLOSED:
        row, greeted = _next_conversation(tx, row, meant)
        before = conversations.said(tx, row.id, said.client_id)
    if before is not None:
        return Outcome(row.id, before.seq, row.state)
    version, memory = config.version(tx, row.version_id), Memory.of(row.engine)
    if not for_good and not greeted and meaning.expectation(version, row, memory) != meant.expectation:
        return None
    return _answer(tx, Turn(tx, version, row, memory), said, meant, greeted)


def _answer(tx: Connection, turn: Turn, said: Said, meant: Meaning, greeted: Sequence[Mapping[str, Any]]) -> Outcome:
    row = turn.conversation
    turn.heard = Heard(row.seq + 1, said.text, said.value, meant.understanding, meant.answer)
    turn.prepared = meant.prepared
    turn.memory.spoke = True
    hearing.hear(turn)
    rows = _finish(turn, Draft("visitor", said.text, client_id=said.client_id, value=said.value))
    out = [*greeted, *(frames.message_frame(one) for one in rows)]
    if turn.state != row.state:
        out.append(frames.state_frame(turn.state, people.agent(turn.version, conversations.get(tx, row.id))))
    return Outcome(row.id, turn.heard.seq, turn.state, out)


def _next_conversation(tx: Connection, closed: Any, meant: Meaning) -> tuple[Any, list[Mapping[str, Any]]]:
    """The conversation after one that has ended: the visitor's open one, or a new one on the same page."""
    visitor = visitors.get(tx, closed.visitor_id)
    found = conversations.open_of(tx, visitor.id)
    if found is not None:
        return conversations.lock(tx, found.id), []
    before = Memory.of(closed.engine)
    memory = Memory(lead_is_theirs=bool(visitor.lead_id), visit=before.visit)
    memory.look_at(before.page)
    turn = opening.begin(tx, config.active_of(tx, closed.site_id), visitor, memory, meant.prepared)
    rows = _finish(turn)
    return conversations.get(tx, turn.conversation.id), [frames.message_frame(one) for one in rows]


def _finish(turn: Turn, *said: Draft) -> Sequence[Any]:
    """Store what was said and where the playbook is now; the new messages in order."""
    rows = conversations.say(turn.tx, turn.conversation, [*said, *turn.drafts])
    engine = turn.memory.as_json()
    if turn.memory.outcome != turn.conversation.outcome:
        turn.changes["outcome"] = turn.memory.outcome
    if engine != turn.conversation.engine or turn.changes:
        conversations.keep_state(turn.tx, turn.conversation, **{**turn.changes, "engine": engine})
    if turn.lead_id and (turn.learned or not turn.heard.seq):
        _place_lead(turn, turn.lead_id)
    return rows


def _place_lead(turn: Turn, lead_id: str) -> None:
    """Segment and intent as they are known now."""
    lead = leads.get(turn.tx, lead_id)
    segment, intent = turn.values["segment"], turn.values["intent"]
    if (lead.segment, lead.intent) != (segment, intent):
        leads.place(turn.tx, lead_id, segment=segment, intent=intent)
