"""Questions of visitors: answered from the site's knowledge with the source, or honestly not, with ways out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from server import events
from server.events import BOT

if TYPE_CHECKING:
    from server.playbooks.turn import Turn


@dataclass(frozen=True)
class Found:
    """What the knowledge folder says to a question; without `text`, that it says nothing. `trace`: why."""

    question: str
    text: str = ""
    citations: Sequence[Mapping[str, str]] = ()
    confidence: float = 0.0
    trace: Mapping[str, Any] = field(default_factory=dict)


def reply(turn: Turn) -> bool:
    """Answer the visitor's question; False when the bot had to say that it does not know."""
    found = turn.heard.answer
    if found is not None and found.text:
        turn.say(found.text, citations=found.citations)
        _record(turn, events.QUESTION_ANSWERED, found)
        return True
    part = {"kind": "fallback", "actions": ways_out(turn)}
    turn.say(turn.text(turn.version.site.answers.unknown), part=part)
    _record(turn, events.QUESTION_NOT_KNOWN, found or Found(turn.heard.text))
    return False


def tell(turn: Turn, question: str) -> bool:
    """Say the answer to a question of the playbook itself; say nothing when there is none."""
    found = turn.prepared.get(question)
    if found is None or not found.text:
        _record(turn, events.QUESTION_NOT_KNOWN, found or Found(question))
        return False
    turn.say(found.text, citations=found.citations)
    return True


def ways_out(turn: Turn) -> list[dict[str, str]]:
    """What is offered when the bot does not know."""
    return [{"id": name, "label": turn.word(name)} for name in ("person", "leave_email")]


def _record(turn: Turn, name: str, found: Found) -> None:
    turn.note(
        name,
        actor=BOT,
        trigger=turn.memory.node,
        data={
            "question": found.question[:500],
            "confidence": found.confidence,
            "citations": [dict(one) for one in found.citations],
        },
        trace=found.trace or None,
    )
