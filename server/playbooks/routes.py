"""Where routing.yml sends this visitor: decided once, kept in memory, used by book and handoff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    turn.memory.whose = _whose(turn)
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


def learnt_since(turn: Turn) -> bool:
    """The CRM has told meanwhile whose company this is, or that it is a customer, and that leads to somebody else."""
    memory = turn.memory
    if memory.routed is None or not memory.whose or memory.whose == (now := _whose(turn)):
        return False
    memory.whose = now
    return decide_again(turn)


def where(turn: Turn) -> tuple[str, str]:
    """Kind and target of the decision, which is made now if no node has asked for one yet."""
    if turn.memory.routed is None:
        decide(turn)
    routed = turn.memory.routed or {}
    return str(routed.get("kind", routing.NOBODY)), str(routed.get("target", ""))


def _whose(turn: Turn) -> list[Any]:
    """What others find out about a company while the visitor talks, and who gets it depends on."""
    return [turn.values["account"].get(name) for name in ("is_customer", "is_target", "owner", "csm")]


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
