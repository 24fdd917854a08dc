"""Qualification answers: a criterion, a typed value, whether it is met, and the message that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.conversations.service import Kept
from server.routing.schema import Segments

if TYPE_CHECKING:
    from server.playbooks.turn import Turn


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


def is_kept(turn: Turn, criterion: str) -> bool:
    """Has this conversation an answer to the criterion already?"""
    return turn.memory.criteria.get(criterion) in ("met", "not_met")
