"""What every conversation can do beside its playbook: get a person, leave an e-mail, book, cancel or move a meeting.

Asides are nodes whose ids start with "~"; when one is over, the conversation is where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.ai import Expect, Expectation, Intent, Option
from server.playbooks import meetings, people, slips
from server.playbooks.memory import Memory
from server.playbooks.node import ON, WAIT, Move, Node
from server.playbooks.nodes.book import Book
from server.playbooks.times import Ask
from server.playbooks.turn import Turn


class Person(Node):
    """Gets a person, from wherever in the playbook."""

    def run(self, turn: Turn) -> Move:
        return people.hand_over(turn, people.somebody(turn))


class LeaveEmail(Node):
    """Takes an e-mail address to answer to, and tells the people of the queue what was asked."""

    def run(self, turn: Turn) -> Move:
        email = turn.known("lead.email")
        if email:
            return self._thank(turn, str(email))
        turn.say(turn.word("ask_email"), part={"kind": "input", "input": "email", "placeholder": ""})
        return WAIT

    def expectation(self, memory: Memory, locale: str) -> Expectation:
        return Expectation(Expect.EMAIL, slips.asked(memory.step))

    def hear(self, turn: Turn) -> Move:
        meant = turn.heard.understanding
        if meant.matched and meant.value:
            return self._take(turn, str(meant.value))
        if slips.ask(turn, meant):
            return WAIT
        turn.memory.tries += 1
        if meant.intent is Intent.SKIP or turn.memory.tries > 1:
            turn.say(turn.word("never_mind"))
            return ON
        self.ask_again(turn)
        return WAIT

    def use(self, turn: Turn, value: Mapping[str, Any]) -> Move | None:
        suggested = slips.taken(turn, value)
        return self._take(turn, suggested) if suggested else None

    def ask_again(self, turn: Turn, *, lost: bool = False) -> None:
        turn.say(turn.word("retry_email"), part={"kind": "input", "input": "email", "placeholder": ""})

    def _take(self, turn: Turn, email: str) -> Move:
        turn.save("lead.email", email, source="left to be answered")
        return self._thank(turn, email)

    def _thank(self, turn: Turn, email: str) -> Move:
        turn.say(turn.word("email_kept", email=email))
        people.pass_on(turn, people.somebody(turn))
        return ON


class Cancel(Node):
    """Cancels the visitor's meeting, after one question whether that is meant."""

    def run(self, turn: Turn) -> Move:
        meeting = meetings.theirs(turn)
        if meeting is None:
            turn.say(turn.word("no_meeting"))
            return ON
        turn.memory.step = {"meeting": meeting.id}
        self.ask_again(turn)
        return WAIT

    def expectation(self, memory: Memory, locale: str) -> Expectation:
        return Expectation(
            Expect.CHOICE,
            (
                Option("yes", "yes", ("ja", "oui", "sí", "si", "ok", "sure", "cancel")),
                Option("no", "no", ("nein", "non", "keep")),
            ),
        )

    def hear(self, turn: Turn) -> Move:
        value = turn.heard.understanding.value
        if turn.heard.understanding.intent is Intent.CANCEL:
            value = "yes"
        return self._decide(turn, str(value) if value in ("yes", "no") else "no")

    def use(self, turn: Turn, value: Mapping[str, Any]) -> Move | None:
        chosen = value.get("option")
        return self._decide(turn, str(chosen)) if chosen in ("yes", "no") else None

    def ask_again(self, turn: Turn, *, lost: bool = False) -> None:
        meeting = meetings.theirs(turn)
        if meeting is not None:
            options = [{"id": one, "label": turn.word(f"cancel_{one}")} for one in ("yes", "no")]
            part = {"kind": "choices", "options": options, "multi": False}
            turn.say(turn.word("cancel_sure", **meetings.told(turn, meeting)), part=part)

    def _decide(self, turn: Turn, answer: str) -> Move:
        if answer == "yes":
            meetings.cancel(turn, turn.memory.step.get("meeting", ""))
        else:
            turn.say(turn.word("kept"))
        return ON


class Reschedule(Book):
    """Offers new times for the visitor's meeting and moves it."""

    def run(self, turn: Turn) -> Move:
        meeting = meetings.theirs(turn)
        if meeting is None:
            turn.say(turn.word("no_meeting"))
            return ON
        who = {"pool": meeting.pool} if meeting.pool else {"reps": [meeting.rep]}
        turn.memory.step = {"meeting": meeting.type, "moves": meeting.id, "who": who}
        meant = turn.heard.understanding
        wishes = meant.entities.times if meant.intent is Intent.RESCHEDULE else ()
        return self._offer(turn, turn.word("new_time", when=meetings.told(turn, meeting)["when"]), Ask(wishes=wishes))


ASIDES: dict[str, Node] = {
    "~person": Person.model_construct(id="~person", next=None),
    "~email": LeaveEmail.model_construct(id="~email", next=None),
    "~cancel": Cancel.model_construct(id="~cancel", next=None),
    "~book": Book.model_construct(id="~book", next=None, book="", text=None, choices=[], otherwise=None),
    "~reschedule": Reschedule.model_construct(
        id="~reschedule", next=None, book="", text=None, choices=[], otherwise=None
    ),
}
