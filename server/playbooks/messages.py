"""Hears what visitors say. Messages that come at the same time share one transaction, and each is as if it were alone.

A turn that changes only its own conversation is taken in company: read with one statement, written with one a table.
A turn that changes more (holds a time, meets a lead), or for which something goes wrong, has a transaction of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from server import live
from server.config import service as config
from server.conversations import frames
from server.conversations import service as conversations
from server.conversations.service import CLOSED, Change, Draft, Written
from server.db import Database
from server.errors import SignInNeeded
from server.leads import service as leads
from server.live import Note
from server.playbooks import hearing, meaning, opening, people, qualification
from server.playbooks.meaning import Meaning
from server.playbooks.memory import Memory
from server.playbooks.rereading import Refused, with_calendars
from server.playbooks.turn import Heard, Turn, WantsToBeAlone
from server.together import Together
from server.visitors import service as visitors

MOST_LOOKS = 4  # how often a message is understood anew because the conversation moved meanwhile
_log = logging.getLogger("usher.playbooks")


@dataclass(frozen=True)
class Outcome:
    """The number under which the message is stored, the conversation's state, and what is new for those who look on:
    `notes` have been sent to other processes already and are to be handed out in this one (`live.hand_out`)."""

    conversation_id: str
    seq: int
    state: str
    notes: Sequence[Note] = ()

    @property
    def frames(self) -> list[Mapping[str, Any]]:
        """What everybody in the conversation gets to see."""
        return [frame for topic, frame in self.notes if topic.startswith("conversation:")]


@dataclass(frozen=True)
class Sent:
    """A message as it came; `visitor_id`: whose socket it came by, "" when nobody asks."""

    conversation_id: str
    client_id: str
    text: str
    value: Mapping[str, Any] | None = None
    visitor_id: str = ""


@dataclass(frozen=True)
class Said(Sent):
    """And what it means. `for_good`: it is not understood anew whatever happened meanwhile."""

    meant: Meaning = field(default_factory=Meaning)
    for_good: bool = False


class Not(Enum):
    """Why a message in company has no outcome: it wants a transaction of its own, or to be understood anew."""

    HERE = "here"
    YET = "yet"


Result = Outcome | Not | Exception
_companies: WeakKeyDictionary[Database, Together[Said, Result]] = WeakKeyDictionary()


def hear(db: Database, sent: Sent) -> Outcome:
    """Store the message, let the playbook answer. What it means is found out before, outside of any transaction, and
    again if the conversation has moved on meanwhile."""
    for look in range(1, MOST_LOOKS + 1):
        meant = meaning.find(db, sent.conversation_id, sent.text, sent.value, anew=look > 1)
        said = Said(**sent.__dict__, meant=meant, for_good=look == MOST_LOOKS)
        result = company(db).do(said)
        if result is Not.HERE:
            result = with_calendars(db, partial(_alone, db, said))
        if isinstance(result, Exception):
            raise result
        if isinstance(result, Outcome):
            return result
    raise AssertionError("the last look is for good")


def finish(turn: Turn, *said: Draft) -> Written:
    """Write what a turn leaves behind, when it has its transaction for itself."""
    written = conversations.write(turn.tx, [_change(turn, *said)])[0]
    _place_lead(turn)
    meaning.remember(turn.version, written.conversation, turn.memory)
    return written


def company(db: Database) -> Together[Said, Result]:
    """Those whose messages are being stored together."""
    if db not in _companies:
        _companies[db] = Together(lambda group: hear_together(db, group))
    return _companies[db]


def hear_together(db: Database, group: Sequence[Said]) -> Sequence[Result]:
    """All messages of the group in one transaction. If that fails, each is heard alone: one bad message is its own
    problem only."""
    try:
        with db.transaction() as tx:
            results = _hear_all(tx, group)
    except Exception:  # noqa: BLE001 - each finds out for itself what it was
        if len(group) > 1:
            _log.warning("%d messages could not be stored together; storing each alone", len(group), exc_info=True)
        return [Not.HERE] * len(group)
    return results


def _hear_all(tx: Connection, group: Sequence[Said]) -> Sequence[Result]:
    rows = conversations.lock_all(tx, [said.conversation_id for said in group])
    before = conversations.said_among(tx, [(said.conversation_id, said.client_id) for said in group])
    turns: dict[int, tuple[Turn, Change]] = {}
    results: list[Result] = []
    for at, said in enumerate(group):
        row = rows.pop(said.conversation_id, None)  # a second message of the same conversation is heard alone
        known = before.get((said.conversation_id, said.client_id))
        if row is None or row.state == CLOSED or not _is_theirs(row, said):
            results.append(Not.HERE)
        elif known is not None:
            results.append(Outcome(row.id, known, row.state))
        else:
            results.append(_take_in_company(tx, row, said, turns, at))
    written = conversations.write(tx, [change for _, change in turns.values()])
    for (at, (turn, _)), stored in zip(turns.items(), written, strict=True):
        meaning.remember(turn.version, stored.conversation, turn.memory)
        results[at] = _outcome(turn, stored)
    live.share(tx, [note for one in results if isinstance(one, Outcome) for note in one.notes])
    return results


def _take_in_company(tx: Connection, row: Any, said: Said, turns: dict[int, tuple[Turn, Change]], at: int) -> Result:
    """Take the turn; what it leaves behind is added to `turns`, to be written with the others'."""
    try:
        turn = Turn(tx, config.version(tx, row.version_id), row, Memory.of(row.engine), in_company=True)
        if not _is_for_now(turn, said):
            return Not.YET
        _take(turn, said)
        turns[at] = (turn, _change(turn, _draft(said)))
    except WantsToBeAlone:
        return Not.HERE
    except Exception as problem:  # noqa: BLE001 - it is raised again where the message came from
        return problem
    return Not.HERE


def _alone(db: Database, said: Said, refused: Refused) -> Result:
    with db.transaction() as tx:
        result = _hear_alone(tx, said, refused)
        if isinstance(result, Outcome):
            live.share(tx, result.notes)
    return result


def _hear_alone(tx: Connection, said: Said, refused: Refused) -> Result:
    row = conversations.lock(tx, said.conversation_id)
    if not _is_theirs(row, said):
        raise SignInNeeded("Somebody has signed in: say hello again.")
    before = conversations.said(tx, row.id, said.client_id)
    greeted: list[Mapping[str, Any]] = []
    if before is None and row.state == CLOSED:
        row, greeted = _next_conversation(tx, row, said.meant)
        before = conversations.said(tx, row.id, said.client_id)
    if before is not None:
        return Outcome(row.id, before.seq, row.state)
    turn = Turn(tx, config.version(tx, row.version_id), row, Memory.of(row.engine))
    turn.refused = refused
    if not greeted and not _is_for_now(turn, said):
        return Not.YET
    _take(turn, said)
    return _outcome(turn, finish(turn, _draft(said)), greeted)


def _is_theirs(row: Any, said: Said) -> bool:
    """Is the conversation still that of the visitor by whose socket the message came?"""
    return said.visitor_id in ("", row.visitor_id)


def _is_for_now(turn: Turn, said: Said) -> bool:
    """Was the message understood for what the conversation waits for now?"""
    if said.for_good:
        return True
    expected = meaning.expectation(turn.version, turn.conversation, turn.memory)
    return (expected, turn.conversation.state) == (said.meant.expectation, said.meant.state)


def _take(turn: Turn, said: Said) -> None:
    meant = said.meant
    turn.heard = Heard(turn.conversation.seq + 1, said.text, said.value, meant.understanding, meant.answer)
    turn.prepared = meant.prepared
    turn.memory.spoke = True
    hearing.hear(turn)
    qualification.look(turn)
    if turn.in_company:
        _place_lead(turn)


def _draft(said: Said) -> Draft:
    return Draft("visitor", said.text, client_id=said.client_id, value=said.value)


def _change(turn: Turn, *said: Draft) -> Change:
    """What the turn leaves behind: what was said, and where the playbook is now."""
    engine = turn.memory.as_json()
    columns = dict(turn.changes)
    if turn.memory.outcome != turn.conversation.outcome:
        columns["outcome"] = turn.memory.outcome
    if engine != turn.conversation.engine:
        columns["engine"] = engine
    return Change(turn.conversation, [*said, *turn.drafts], columns, turn.kept, turn.lines)


def _outcome(turn: Turn, written: Written, greeted: Sequence[Mapping[str, Any]] = ()) -> Outcome:
    row, out = written.conversation, [*greeted, *(frames.message_frame(one) for one in written.messages)]
    if row.state != turn.conversation.state:
        out.append(frames.state_frame(row.state, people.agent(turn.version, row)))
    cause = next((one.client_id for one in written.messages if one.author == "visitor"), None)
    out += [{**one, "id": cause} for one in turn.announced]
    notes = [(f"conversation:{row.id}", frame) for frame in out]
    notes.append((f"site:{row.site_id}", {"t": "conversation", "id": row.id}))
    return Outcome(row.id, turn.heard.seq, row.state, notes)


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
    said = finish(turn).messages
    return conversations.get(tx, turn.conversation.id), [frames.message_frame(one) for one in said]


def _place_lead(turn: Turn) -> None:
    """Segment and intent as they are known now."""
    if not turn.lead_id or not (turn.learned or not turn.heard.seq):
        return
    lead = leads.get(turn.tx, turn.lead_id)
    segment, intent = turn.values["segment"], turn.values["intent"]
    if (lead.segment, lead.intent) != (segment, intent):
        leads.place(turn.tx, turn.lead_id, segment=segment, intent=intent)
