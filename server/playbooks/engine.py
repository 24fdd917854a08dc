"""Runs the nodes of a playbook until one waits for the visitor or the flow is over."""

from __future__ import annotations

import logging

from server.config.version import Version
from server.playbooks.asides import ASIDES
from server.playbooks.memory import Memory
from server.playbooks.node import Move, Node
from server.playbooks.schema import Playbook
from server.playbooks.turn import Turn

MOST_NODES = 100  # in one turn: a playbook that goes round without asking anything is stopped here
_log = logging.getLogger("usher.playbooks")


def begin(turn: Turn) -> None:
    """Start the playbook of the conversation from its first node."""
    playbook = playbook_of(turn)
    turn.memory.back = None
    turn.memory.go_to(playbook.nodes[0].id if playbook else "")
    go_on(turn)


def go_on(turn: Turn) -> None:
    """Run from the present node until one waits or the flow is over."""
    for _ in range(MOST_NODES):
        node = find(turn.version, turn.playbook_id, turn.memory.node)
        if node is None or turn.memory.waiting:
            break
        follow(turn, node, node.run(turn))
    else:
        _log.warning("playbook %s goes round without asking anything, at %s", turn.playbook_id, turn.memory.node)
        turn.memory.go_to("")


def take(turn: Turn, node: Node, move: Move) -> None:
    """A waiting node has heard its answer: go where it says."""
    turn.memory.waiting = False
    follow(turn, node, move)
    go_on(turn)


def follow(turn: Turn, node: Node, move: Move) -> None:
    """Keep in memory where `move` leads."""
    memory = turn.memory
    if move.waits:
        memory.waiting = True
        return
    if node.id in ASIDES:
        _leave_aside(turn, move)
        return
    playbook = playbook_of(turn)
    memory.go_to("" if move.over or playbook is None else move.to or playbook.after.get(node.id, ""))
    if move.aside:
        memory.step_aside(move.aside, **move.step)


def aside(turn: Turn, name: str, **step: object) -> None:
    """Do something beside the flow ("~person", "~book" …), then come back to where the flow was."""
    turn.memory.step_aside(name, **step)
    go_on(turn)


def leave_aside(turn: Turn) -> None:
    """The visitor does not want what was begun beside the flow: back to it."""
    _leave_aside(turn, Move())
    go_on(turn)


def jump(turn: Turn, node_id: str) -> None:
    """Go on with another node of the playbook; what was open is left."""
    turn.memory.back = None
    turn.memory.go_to(node_id)
    go_on(turn)


def playbook_of(turn: Turn) -> Playbook | None:
    """The playbook as the conversation's own config version has it; None when none fitted."""
    return turn.version.part(Playbook).get(turn.playbook_id)


def waiting(turn: Turn) -> Node | None:
    """The node that waits for the visitor, if one does."""
    return waiting_in(turn.version, turn.playbook_id, turn.memory)


def waiting_in(version: Version, playbook: str, memory: Memory) -> Node | None:
    """The same, for a conversation that is only being read."""
    return find(version, playbook, memory.node) if memory.waiting else None


def find(version: Version, playbook: str, node_id: str) -> Node | None:
    """The node of this id: one of the playbook's, or an aside. None when the flow is over."""
    if node_id in ASIDES:
        return ASIDES[node_id]
    of = version.part(Playbook).get(playbook)
    return of.by_id.get(node_id) if of else None


def _leave_aside(turn: Turn, move: Move) -> None:
    """Back to the flow; a question that was open there is asked again. One aside may lead to another."""
    memory = turn.memory
    if move.aside:
        memory.step_aside(move.aside, **move.step)
        return
    memory.step_back()
    open_question = waiting(turn)
    if open_question is not None:
        open_question.ask_again(turn)
