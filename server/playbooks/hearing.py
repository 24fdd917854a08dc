"""Decides what a visitor's message does: answers the open question, asks one, objects, wants a person or a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from plugins.ai import Intent, Understanding
from server.conversations.service import REP
from server.playbooks import contacts, engine, meetings, questions, retracing, routes, wishes
from server.playbooks.node import Node
from server.playbooks.nodes.book import Book
from server.playbooks.nodes.objection import Objection
from server.playbooks.turn import Turn


def hear(turn: Turn) -> None:
    """Do what the message in `turn.heard` asks for. While a person has the conversation, only keep what it tells."""
    contacts.keep_in_passing(turn, turn.heard.understanding)
    if turn.state == REP:
        return
    node = engine.waiting(turn)
    if routes.learnt_since(turn) and isinstance(node, Book) and "moves" not in turn.memory.step:
        engine.take(turn, node, node.route_again(turn))
        return
    if turn.heard.value and _use(turn, node, turn.heard.value):
        return
    meant = turn.heard.understanding
    noted = _remember_wish(turn, node)
    if meant.corrects and retracing.correct(turn, node):
        return
    if node is not None and _answers(node, meant):
        if meant.matched:
            _side_remark(turn, meant)
        engine.take(turn, node, node.hear(turn))
    elif noted and meant.intent is Intent.OTHER:
        _note_wish(turn, node)
    else:
        _DEEDS.get(meant.intent, _anything)(turn, node)


def _use(turn: Turn, node: Node | None, value: Mapping[str, Any]) -> bool:
    """A button, slot or form. False when it belongs to nothing that is open: then the words beside it count."""
    option, action = value.get("option"), value.get("action")
    if isinstance(option, str) and option.startswith("~"):
        action = option[1:]
    if isinstance(action, str) and action in _ACTIONS:
        _ACTIONS[action](turn, node)
        return True
    move = node.use(turn, value) if node else None
    if move is not None and node is not None:
        engine.take(turn, node, move)
    elif "form" in value or "slot" in value:
        return _is_booked_already(turn)
    return move is not None


def _is_booked_already(turn: Turn) -> bool:
    """The form or the time of a booking that is over, from another tab or pressed twice: what was booked is shown."""
    return meetings.show_booked(turn)


def _remember_wish(turn: Turn, node: Node | None) -> bool:
    """Keep when the visitor would like to meet, said before times are on offer; True when something was kept.

    What answers a question may speak of other times ("we start this week"), so an hour is wanted there."""
    meant = turn.heard.understanding
    if isinstance(node, Book) or meant.intent not in (Intent.OTHER, Intent.ANSWER, Intent.BOOK):
        return False
    if node is not None and meant.matched and not isinstance(meant.value, date):
        said = [one for one in meant.entities.times if wishes.is_to_the_hour(one)]
    else:
        said = [] if meant.matched else [one for one in meant.entities.times if wishes.is_for_a_meeting(one)]
    if said:
        refused = [one for one in meant.entities.times if one.negated]
        turn.memory.wishes = [wishes.as_json(one) for one in [*said, *refused]]
    return bool(said)


def _note_wish(turn: Turn, node: Node | None) -> None:
    """A time and nothing else, before times are on offer: to the booking where nothing is asked, else it waits."""
    if node is None:
        _book(turn, node)
    else:
        turn.say(turn.word("wish_noted"))
        node.ask_again(turn)


def _answers(node: Node, meant: Understanding) -> bool:
    """Is the message for the node that waits?"""
    return meant.matched or node.wants(meant)


def _side_remark(turn: Turn, meant: Understanding) -> None:
    """An answer may come with a question or an objection; that is met first."""
    if meant.intent is Intent.QUESTION:
        questions.reply(turn)
    elif meant.intent is Intent.OBJECTION:
        _reply_to(turn, meant.objection)


def _ask_again(turn: Turn, *, lost: bool = False) -> None:
    node = engine.waiting(turn)
    if node is not None:
        node.ask_again(turn, lost=lost)


def _question(turn: Turn, node: Node | None) -> None:
    _ask_again(turn, lost=not questions.reply(turn))


def _objection(turn: Turn, node: Node | None) -> None:
    if _reply_to(turn, turn.heard.understanding.objection):
        _ask_again(turn)
    else:
        _anything(turn, node)


def _reply_to(turn: Turn, raised: str) -> bool:
    """Say the reply of the objection, the one of the latest node that has it."""
    for node_id in reversed(turn.memory.objections):
        node = engine.find(turn.version, turn.playbook_id, node_id)
        if isinstance(node, Objection) and raised in node.objection:
            turn.say(turn.text(node.objection[raised].reply))
            return True
    return False


def _person(turn: Turn, node: Node | None) -> None:
    engine.aside(turn, "~person")


def _leave_email(turn: Turn, node: Node | None) -> None:
    engine.aside(turn, "~email")


def _cancel(turn: Turn, node: Node | None) -> None:
    engine.aside(turn, "~cancel")


def _reschedule(turn: Turn, node: Node | None) -> None:
    engine.aside(turn, "~reschedule")


def _another_time(turn: Turn, node: Node | None) -> None:
    """Another time: for their meeting, or than those on offer where none is booked yet."""
    moving = isinstance(node, Book) and ("moves" in turn.memory.step or meetings.theirs(turn) is None)
    if isinstance(node, Book) and moving:
        meant = turn.heard.understanding
        told = meant.entities.times or meant.shift
        engine.take(turn, node, node.hear(turn) if told else node.other_times(turn))
    else:
        _reschedule(turn, node)


def _book(turn: Turn, node: Node | None) -> None:
    """To the booking: the playbook's own, or one beside the flow where it has none."""
    if isinstance(node, Book):
        engine.take(turn, node, node.hear(turn))
        return
    playbook = engine.playbook_of(turn)
    ahead = [one for one in playbook.nodes if isinstance(one, Book)] if playbook else []
    if ahead and not turn.memory.meeting:
        engine.jump(turn, ahead[0].id)
    else:
        engine.aside(turn, "~book")


def _other_times(turn: Turn, node: Node | None) -> None:
    if isinstance(node, Book):
        engine.take(turn, node, node.other_times(turn))
    else:
        _book(turn, node)


def _restart(turn: Turn, node: Node | None) -> None:
    """From the first node. Who asks for it in words wants to be asked again; who they are is still known."""
    turn.memory.outcome = ""
    if turn.heard.understanding.intent is Intent.RESTART:
        retracing.forget_answers(turn)
    engine.begin(turn)


def _back(turn: Turn, node: Node | None) -> None:
    """One step back: from the form to the times, from an aside to the flow, else to the question before."""
    if isinstance(node, Book) and node.step_back(turn):
        return
    if turn.memory.back is not None:
        engine.leave_aside(turn)
    elif not retracing.go_back(turn):
        turn.say(turn.word("no_way_back"))
        _ask_again(turn)


def _skip(turn: Turn, node: Node | None) -> None:
    if node is None:
        _courtesy(turn, node)
    else:
        engine.take(turn, node, node.hear(turn))


def _courtesy(turn: Turn, node: Node | None) -> None:
    """Greetings and thanks are returned; the open question stays open, or help is offered."""
    kind = turn.heard.understanding.intent
    turn.say(turn.word(kind.value if kind in (Intent.GREETING, Intent.THANKS, Intent.BYE) else "help"))
    if kind is Intent.GREETING and node is None:
        turn.say(turn.word("help"))
    elif kind is not Intent.BYE:
        _ask_again(turn)


def _anything(turn: Turn, node: Node | None) -> None:
    """Nothing we recognise: perhaps the knowledge folder does; else the open question gets its second try."""
    found = turn.heard.answer
    if node is None or (found is not None and found.text):
        _question(turn, node)
    else:
        engine.take(turn, node, node.hear(turn))


Deed = Callable[[Turn, Node | None], None]
_DEEDS: dict[Intent, Deed] = {
    Intent.QUESTION: _question,
    Intent.OBJECTION: _objection,
    Intent.PERSON: _person,
    Intent.CANCEL: _cancel,
    Intent.RESCHEDULE: _another_time,
    Intent.BOOK: _book,
    Intent.BACK: _back,
    Intent.RESTART: _restart,
    Intent.SKIP: _skip,
    Intent.GREETING: _courtesy,
    Intent.THANKS: _courtesy,
    Intent.BYE: _courtesy,
}
_ACTIONS: dict[str, Deed] = {
    "person": _person,
    "leave_email": _leave_email,
    "cancel_meeting": _cancel,
    "reschedule_meeting": _reschedule,
    "other_times": _other_times,
    "restart": _restart,
}
