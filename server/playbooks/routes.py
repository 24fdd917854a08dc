"""Where routing.yml sends this visitor: decided once, kept in memory, used by book and handoff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server import clock
from server.conversations.service import BOT as BOT_HAS_IT
from server.events import BOT
from server.leads import service as leads
from server.routing import service as routing

if TYPE_CHECKING:
    from server.playbooks.turn import Turn


def decide(turn: Turn) -> None:
    """Ask the rules with what is known now; the decision and its trace go into the diary."""
    decision = routing.decide(turn.tx, turn.version, turn.values, conversation_id=turn.conversation.id)
    turn.memory.routed = {"kind": decision.kind, "target": decision.target, "reason": decision.reason}
    if decision.otherwise:
        falls = {"otherwise": list(decision.otherwise), "within_hours": decision.within_hours, "rule": decision.rule}
        turn.memory.routed |= falls
    if decision.kind in (routing.REP, routing.POOL, routing.QUEUE, routing.BOOKING_ONLY):
        turn.changes["queue"] = decision.target
    give_to_owner(turn)


def decide_again(turn: Turn) -> bool:
    """What was told before is different: ask the rules anew where they were asked, and say whether somebody else is to
    take this visitor. Nothing is decided, nor noted, where it comes to the same."""
    before = turn.memory.routed
    if before is None or turn.state != BOT_HAS_IT:
        return False
    found = routing.judge(turn.version, turn.values, clock.now())
    after = (found.kind, found.target, list(found.otherwise or ()), found.within_hours if found.otherwise else None)
    if after == (before["kind"], before["target"], before.get("otherwise", []), before.get("within_hours")):
        return False
    decide(turn)
    return True


def where(turn: Turn) -> tuple[str, str]:
    """Kind and target of the decision, which is made now if no node has asked for one yet."""
    if turn.memory.routed is None:
        decide(turn)
    routed = turn.memory.routed or {}
    return str(routed.get("kind", routing.NOBODY)), str(routed.get("target", ""))


def give_to_owner(turn: Turn) -> None:
    """A lead that is nobody's belongs to the rep whom routing named."""
    routed = turn.memory.routed or {}
    if not turn.lead_id or routed.get("kind") != routing.REP or leads.get(turn.tx, turn.lead_id).owner_rep:
        return
    leads.assign(
        turn.tx,
        turn.lead_id,
        routed["target"],
        kind="routed",
        actor=BOT,
        reason=routed["reason"],
        version_id=turn.version.id,
        conversation_id=turn.conversation.id,
    )
