"""Back to what was asked before: one question back, all from the start, or another answer to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server import clock
from server.playbooks import contacts, engine, routes
from server.playbooks.nodes.ask import Ask
from server.playbooks.nodes.book import Book
from server.playbooks.rules import builtin

if TYPE_CHECKING:
    from server.playbooks.node import Node
    from server.playbooks.turn import Turn

MOST_RETRACED = 5
_SURE = 0.85


def forget_answers(turn: Turn) -> None:
    """What this conversation's playbook has asked is open again; what is known of the person and the company stays."""
    for node_id in turn.memory.asked:
        node = _asked(turn, node_id)
        if node is not None and node.place.startswith("answers."):
            turn.memory.values.pop(node.place, None)
    turn.memory.asked = []
    turn.memory.wishes = []
    turn.values.forget()


def go_back(turn: Turn) -> bool:
    """Ask the question before the open one once more; False when there is none."""
    asked = turn.memory.asked
    while asked:
        node = _asked(turn, asked.pop())
        if node is not None and node.id != turn.memory.node:
            turn.anew = node.id
            engine.jump(turn, node.id)
            return True
    return False


def correct(turn: Turn, open_node: Node | None) -> bool:
    """ "Sorry, I meant 50": another answer to one of the last questions, or another address; the open question stays.
    False when it corrects nothing that was told."""
    if open_node is not None and turn.heard.understanding.matched:
        return False
    for node_id in reversed(turn.memory.asked[-MOST_RETRACED:]):
        node = _asked(turn, node_id)
        value = _answer_to(turn, node) if node is not None else None
        if node is not None and value is not None and value != turn.known(node.place):
            node.keep(turn, value)
            break
    else:
        if not contacts.correct(turn, turn.heard.understanding):
            return False
    turn.say(turn.word("corrected"))
    elsewhere = routes.decide_again(turn)
    if elsewhere and isinstance(open_node, Book) and "moves" not in turn.memory.step:
        engine.take(turn, open_node, open_node.route_again(turn))
    elif open_node is not None:
        open_node.ask_again(turn)
    return True


def _asked(turn: Turn, node_id: str) -> Ask | None:
    node = engine.find(turn.version, turn.playbook_id, node_id)
    return node if isinstance(node, Ask) else None


def _answer_to(turn: Turn, node: Ask) -> Any:
    """The message as an answer to a question that is not open any more; by the rules, whatever adapter is connected:
    nothing is called inside a transaction."""
    if node.kind == "text":
        return None
    expected = node.expectation(turn.memory, turn.locale)
    meant = builtin().understand(turn.heard.text, expected, locale=turn.locale, now=clock.now(), zone=turn.zone)
    return node.plain(meant.value) if meant.matched and meant.confidence >= _SURE else None
