"""Gets a person into the chat: which queue, whether anybody is there, and how they hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server import clock, events
from server.config import hours
from server.config.version import Version
from server.conversations.service import REP, WAITING
from server.outbox import service as outbox
from server.playbooks import routes
from server.playbooks.node import ON, Move
from server.routing.schema import Rep, Routing
from server.routing.team import Queue, Team

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

ROUTED = "routed"


@dataclass(frozen=True)
class Somebody:
    """Who is asked: the members of a queue, or one rep."""

    name: str
    reps: Sequence[Rep]
    queue: Queue | None = None


def agent(version: Version, conversation: Any) -> dict[str, Any]:
    """Who speaks, as the `agent` of docs/protocol.md."""
    rep = version.part(Team).reps_by_id.get(conversation.rep) if conversation.state == REP else None
    if rep is not None:
        return {"name": rep.name, "human": True}
    brand = version.site.brand
    return {"name": brand.agent_name, "human": False} | ({"avatar": brand.logo} if brand.logo else {})


def somebody(turn: Turn, wanted: str = ROUTED) -> Somebody | None:
    """The queue named `wanted`; or where routing leads: a queue, a rep, the members of a pool; else the first queue."""
    team = turn.version.part(Team)
    if wanted in team.queues_by_id:
        return _queue(team, team.queues_by_id[wanted])
    kind, name = routes.where(turn)
    if kind == "queue" and name in team.queues_by_id:
        return _queue(team, team.queues_by_id[name])
    if kind == "rep" and name in team.reps_by_id:
        return Somebody(name, [team.reps_by_id[name]])
    if kind == "pool" and name in team.pools_by_id:
        return Somebody(name, _reps(team, team.pools_by_id[name].members))
    return _queue(team, team.queues[0]) if team.queues else None


def hand_over(turn: Turn, to: Somebody | None, text: str = "") -> Move:
    """Ask them to take the conversation over. Outside opening hours a time is offered instead, or the chat waits for
    the morning, as the queue or routing.yml says (requirement S1-36)."""
    if turn.state in (WAITING, REP):
        turn.say(turn.word("person_waits"))
        return ON
    if to is None:
        turn.say(turn.word("person_books"))
        return Move(aside="~book")
    is_open = hours.is_open(turn.version.site, clock.now())
    after_hours = (to.queue and to.queue.after_hours) or turn.version.part(Routing).after_hours
    if not is_open and after_hours == "booking":
        turn.say(turn.word("person_books"))
        return Move(aside="~book")
    turn.changes |= {"state": WAITING, "waiting_since": clock.now(), "queue": to.name}
    part = {"kind": "handoff", "queue": to.name, "eta_seconds": _eta(turn, to) if is_open else None}
    turn.say((text if is_open else "") or turn.word("person_comes" if is_open else "person_later"), part=part)
    turn.reach("handoff")
    _record(turn, to, is_open)
    _notify(turn, to, "handoff")
    return ON if is_open or turn.known("lead.email") else Move(aside="~email")


def pass_on(turn: Turn, to: Somebody | None) -> None:
    """Tell them that a visitor left an address to be answered at."""
    if to is not None:
        _notify(turn, to, "question")


def _queue(team: Team, queue: Queue) -> Somebody:
    return Somebody(queue.id, _reps(team, queue.members), queue)


def _reps(team: Team, names: Sequence[str]) -> list[Rep]:
    return [rep for name in names if (rep := team.reps_by_id.get(name)) and rep.active]


def _eta(turn: Turn, to: Somebody) -> int | None:
    if to.queue is None:
        return None
    return to.queue.sla.hot_seconds if turn.values["intent"] == "high" else to.queue.sla.standard_seconds


def _record(turn: Turn, to: Somebody, is_open: bool) -> None:
    turn.note(
        events.CONVERSATION_HANDED_OVER,
        actor=events.BOT,
        trigger=turn.memory.node,
        reason="somebody is there" if is_open else "waits for the morning",
        data={"queue": to.name, "reps": [rep.id for rep in to.reps], "lead_id": turn.lead_id},
    )


def _notify(turn: Turn, to: Somebody, kind: str) -> None:
    """A mail to everybody who could take it: who is there, what they want, what they said last."""
    conversation, site = turn.conversation, turn.version.site
    who = str(turn.known("lead.name") or turn.known("lead.email") or "A visitor")
    subject = f"{who} would like to talk" if kind == "handoff" else f"{who} asked something we could not answer"
    facts = [
        ("Page", turn.memory.page.get("path")),
        ("E-mail", turn.known("lead.email")),
        ("Company", turn.known("account.name")),
    ]
    lines = [f"{name}: {value}" for name, value in facts if value]
    text = "\n".join(
        [subject + ".", "", *lines, "", f"Last said: {turn.heard.text}", f"Conversation: {conversation.id}"]
    )
    for rep in to.reps:
        mail = {"to": rep.email, "to_name": rep.name, "subject": subject, "text": text}
        mail |= {"from_address": site.mail.from_address, "from_name": site.mail.from_name or site.name}
        outbox.queue(
            turn.tx,
            site_id=conversation.site_id,
            kind="notify",
            operation="send_mail",
            payload={"mail": mail},
            key=f"{kind}:{conversation.id}:{turn.heard.seq}:{rep.id}",
            subject=("conversation", conversation.id),
        )
