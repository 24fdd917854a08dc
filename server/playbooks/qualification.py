"""Qualification answers: a criterion, a typed value, whether it is met, and the message that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server import events
from server.conversations.service import Kept
from server.routing.schema import Segments

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

QUALIFIED = "qualified"


def keep(turn: Turn, criterion: str, node: str, kind: str, value: Any, *, told: bool = True) -> str:
    """Keep the answer to a criterion and return its status: met, not_met or unknown.

    `value` None means that nobody told: unknown, which is never not_met (product.md, invariant 11). `told`: the
    visitor's present message is the evidence.
    """
    status = turn.version.part(Segments).status_of(criterion, value)
    turn.memory.criteria[criterion] = status
    if value is not None:
        turn.memory.values[f"answers.{criterion}"] = value
        turn.values.forget()
    evidence = turn.heard.seq if told and turn.heard.seq else None
    turn.kept.append(Kept(criterion, node, kind, value, status, evidence))
    return status


def look(turn: Turn) -> None:
    """Tell page and diary, once in a conversation, that the visitor is qualified: by the outcome of the playbook, or
    because every criterion that qualifies a lead of their segment is met."""
    news = turn.kept or turn.learned or turn.memory.outcome == QUALIFIED
    if not news or QUALIFIED in turn.memory.reached:
        return
    segment = turn.known("segment")
    wanted = next((one.criteria for one in turn.version.part(Segments).segments if one.id == segment), [])
    all_met = bool(wanted) and all(turn.memory.criteria.get(one) == "met" for one in wanted)
    if not all_met and turn.memory.outcome != QUALIFIED:
        return
    turn.reach(QUALIFIED)
    by = "criteria" if all_met else "outcome"
    turn.announce(QUALIFIED, by=by, segment=segment, playbook=turn.playbook_id)
    about = {"segment": segment, "criteria": dict(turn.memory.criteria)}
    turn.note(events.CONVERSATION_QUALIFIED, actor=events.BOT, trigger=by, data=about)


def is_kept(turn: Turn, criterion: str) -> bool:
    """Has this conversation an answer to the criterion already?"""
    return turn.memory.criteria.get(criterion) in ("met", "not_met")
