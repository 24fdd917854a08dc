"""Starts and resumes conversations: chooses the playbook, writes down why, says its opening words."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from server import clock, events
from server.config.version import Version
from server.conversations import service as conversations
from server.conversations.service import BOT, Start
from server.enrichment.assembling import Company
from server.playbooks import company, engine, targeting
from server.playbooks.hello import Hello
from server.playbooks.memory import Memory
from server.playbooks.page import seen_so_far
from server.playbooks.questions import Found
from server.playbooks.targeting import Choice
from server.playbooks.turn import Turn


def start(
    tx: Connection,
    version: Version,
    visitor: Any,
    hello: Hello,
    prepared: Mapping[str, Found],
    found: Company | None = None,
) -> Turn:
    """A new conversation with the playbook that fits; its opening words are in the turn. `found`: their company."""
    memory = Memory(lead_is_theirs=bool(visitor.lead_id), visit=seen_so_far(hello.arrival.visit))
    memory.values.update(hello.known)
    memory.look_at(hello.arrival.page)
    recognised = company.remember(tx, version, memory, found)
    turn = begin(tx, version, visitor, memory, prepared, asked=hello.playbook)
    if recognised:
        turn.note(events.COMPANY_RECOGNISED, actor=events.SYSTEM, data=recognised)
    return turn


def begin(
    tx: Connection, version: Version, visitor: Any, memory: Memory, prepared: Mapping[str, Found], *, asked: str = ""
) -> Turn:
    """A conversation for a visitor who has none open, on the page in `memory`."""
    site = version.site
    about = Start(
        site_id=version.site_id,
        visitor_id=visitor.id,
        version_id=version.id,
        playbook="",
        locale=visitor.locale or site.locale,
        zone=visitor.zone or site.zone,
        path=memory.page["path"],
        lead_id=visitor.lead_id,
    )
    choice = _choose(tx, version, visitor, memory, about, asked)
    row, is_new = conversations.start(tx, Start(**{**about.__dict__, "playbook": choice.playbook}))
    turn = Turn(tx, version, row, memory if is_new else Memory.of(row.engine))
    turn.prepared = prepared
    if is_new:
        _meet(turn, choice)
    return turn


def resume(
    tx: Connection,
    version: Version,
    visitor: Any,
    row: Any,
    hello: Hello,
    prepared: Mapping[str, Found],
    found: Company | None = None,
) -> Turn:
    """The open conversation goes on. When nothing is open in it and the page has another playbook, that one speaks."""
    memory = Memory.of(row.engine)
    memory.look_at(hello.arrival.page)
    memory.visit = seen_so_far(hello.arrival.visit)
    if not hello.arrival.consent.recorded:
        memory.company = {}  # consent was taken back
    company.remember(tx, version, memory, found)
    turn = Turn(tx, version, row, memory)
    turn.prepared = prepared
    turn.changes["path"] = memory.page["path"]
    if visitor.lead_id and "email" in (visitor.signed or {}):  # whatever was typed here before they signed in
        turn.lead_id = turn.changes["lead_id"] = visitor.lead_id
        memory.lead_is_theirs = True
    if row.state == BOT and (not memory.node or not memory.spoke):
        choice = _choose(tx, version, visitor, memory, row, hello.playbook)
        if choice.playbook and choice.playbook not in memory.met:
            turn.changes["playbook"] = choice.playbook
            _meet(turn, choice)
    return turn


def _choose(tx: Connection, version: Version, visitor: Any, memory: Memory, about: Any, asked: str) -> Choice:
    """Who shall meet the visitor. Before a conversation exists, conditions about it are unknown."""
    unknown = {"id": "", "state": BOT, "seq": 0, "started_at": None, "playbook": "", "queue": "", "rep": ""}
    row = about if hasattr(about, "seq") else SimpleNamespace(**{**unknown, **about.__dict__})
    values = Turn(tx, version, row, memory).values
    return targeting.choose(version, values, seed=visitor.seed, now=clock.now(), asked=asked)


def _meet(turn: Turn, choice: Choice) -> None:
    turn.note(
        events.PLAYBOOK_CHOSEN,
        actor=events.BOT,
        trigger=turn.memory.page["path"],
        data={"playbook": choice.playbook},
        trace=choice.trace,
    )
    turn.memory.met.append(choice.playbook)
    turn.memory.objections = []
    engine.begin(turn)
