"""`book`: open times as buttons, a hold on the chosen one, name and e-mail if unknown, the meeting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from plugins.ai import Expect, Expectation, Intent, Option, Shift
from server.config.schema import Identifier
from server.errors import Invalid
from server.expressions import LocaleText
from server.playbooks import forms, meetings, questions, routes, times, whose, wishes
from server.playbooks.meetings import Lost
from server.playbooks.memory import Memory
from server.playbooks.node import WAIT, Move, Node, Place
from server.playbooks.rules import agrees
from server.playbooks.times import ANY, Ask
from server.playbooks.turn import Turn
from server.routing.service import RESOURCE


class Book(Node):
    """Books `book` (a meeting of meetings.yml) with whom routing found. `choices`: other meetings to change to.

    Goes on only when something is booked; else to `otherwise`, and without that the flow is over.
    """

    KEY: ClassVar[str] = "book"

    book: Identifier
    text: LocaleText | None = None
    choices: list[Identifier] = []
    otherwise: Identifier | None = Field(None, description="Where to go when nothing is booked")

    def run(self, turn: Turn) -> Move:
        booked = meetings.theirs(turn)
        if booked is not None and booked.id == turn.memory.meeting:
            turn.say(turn.word("already_booked", **meetings.told(turn, booked)), part=meetings.card(turn, booked))
            return self.on()
        kind, target = routes.where(turn)
        if kind == RESOURCE:
            meetings.show_resource(turn, target)
            return self._nothing_booked()
        turn.memory.step = {"meeting": self.book or times.usual(turn)}
        meant, kept = turn.heard.understanding, [wishes.of_json(one) for one in turn.memory.wishes]
        turn.memory.wishes = []
        if meant.intent is Intent.BOOK and meant.entities.times:
            kept = []
        said = meant.entities.times if meant.intent is Intent.BOOK else ()
        text = turn.text(self.text) if self.text else turn.word("pick_time")
        return self._offer(turn, turn.word("remembered_times") if kept else text, Ask(wishes=said or kept))

    def expectation(self, memory: Memory, locale: str) -> Expectation:
        if memory.step.get("held"):
            return Expectation(Expect.FORM, fields=forms.expected(memory.step))
        return Expectation(Expect.SLOT, tuple(Option(start, start) for start in memory.step.get("offered", ())))

    def wants(self, understanding: Any) -> bool:
        told = understanding.entities.times or understanding.shift
        return bool(told) and understanding.intent in (
            Intent.OTHER,
            Intent.QUESTION,
            Intent.BOOK,
            Intent.RESCHEDULE,
        )

    def hear(self, turn: Turn) -> Move:
        meant, step = turn.heard.understanding, turn.memory.step
        if step.get("held"):
            return self._hear_below_form(turn)
        if meant.matched and isinstance(meant.value, datetime):
            return self._taken(turn, meant.value)
        if meant.entities.times:
            return self._offer(turn, "", Ask(wishes=meant.entities.times))
        if meant.shift:
            return self._shift(turn, meant.shift)
        if meant.intent is Intent.SKIP and not step.get("listed", True):  # no to the one time that fitted
            return self._offer(turn, turn.word("other_times"))
        if meant.intent is Intent.SKIP:
            turn.say(turn.word("no_booking"))
            meetings.forget_hold(turn)
            return self._nothing_booked()
        return self._try_again(turn)

    def use(self, turn: Turn, value: Mapping[str, Any]) -> Move | None:
        step = turn.memory.step
        if isinstance(value.get("form"), Mapping) and "fields" in step:
            return self._fill(turn, value["form"])
        times.look_at_clock(turn, value.get("zone"))
        meeting = value.get("meeting") or value.get("option")
        if isinstance(meeting, str) and "moves" not in step and times.exists(turn, meeting):
            step["meeting"] = meeting
            if "slot" not in value:
                return self._offer(turn, turn.word("pick_time"))
        start = times.moment(value.get("slot"))
        return self._choose(turn, start) if start else None

    def other_times(self, turn: Turn) -> Move:
        """More days than were shown. What was filled in for a time that is given up is kept."""
        filled = (turn.heard.value or {}).get("form")
        if isinstance(filled, Mapping) and "fields" in turn.memory.step:
            forms.fill(turn, filled)
        after = meetings.day_given_up(turn) or turn.memory.step.get("next_from")
        return self._offer(turn, turn.word("other_times"), Ask(after=after))

    def route_again(self, turn: Turn) -> Move:
        """Somebody else is to meet them: times anew, of the same meeting. What was filled in is kept."""
        step = turn.memory.step
        turn.memory.step = {name: step[name] for name in ("meeting", "given") if name in step}
        meetings.forget_hold(turn)
        kind, target = routes.where(turn)
        if kind == RESOURCE:
            meetings.show_resource(turn, target)
            return self._nothing_booked()
        return self._offer(
            turn, turn.word("pick_time"), Ask(wishes=[wishes.of_json(one) for one in step.get("wishes", ())])
        )

    def step_back(self, turn: Turn) -> bool:
        """From the form back to the times; False when there is no form."""
        if not turn.memory.step.get("held"):
            return False
        self._offer(turn, turn.word("pick_time"))
        return True

    def ask_again(self, turn: Turn, *, lost: bool = False) -> None:
        if turn.memory.step.get("held"):
            forms.show(turn, turn.word("form_again"))
        elif not times.offer_again(turn, self.choices, turn.word("pick_time")):
            self._offer(turn, turn.word("pick_time"))

    def targets(self) -> Iterator[tuple[Place, str]]:
        yield from super().targets()
        if self.otherwise:
            yield ("otherwise",), self.otherwise

    def _offer(self, turn: Turn, text: str, ask: Ask = ANY) -> Move:
        meetings.forget_hold(turn)
        if times.offer(turn, self.choices, text, ask):
            return WAIT
        turn.say(turn.word("no_times"))
        return Move(self.otherwise or "", over=not self.otherwise, aside="" if turn.known("lead.email") else "~email")

    def _hear_below_form(self, turn: Turn) -> Move:
        """The form in words, or a wish for another time than the one that is held."""
        meant = turn.heard.understanding
        told, start = meant.entities.times, times.moment(turn.memory.step["hold"]["start"])
        if wishes.are_for_another_time(meant) or (told and not meant.value):
            if start and wishes.name_exactly(told, start, turn.zone):
                return self._try_again(turn)
            return self._offer(turn, "", Ask(wishes=told)) if told else self._shift(turn, meant.shift)
        return self._fill(turn, meant.value) if isinstance(meant.value, Mapping) else self._try_again(turn)

    def _taken(self, turn: Turn, start: datetime) -> Move:
        """One of the offered times fits what was said. It is chosen by its hour, its place or a yes; "in the morning"
        is no choice yet: where several were listed that one is proposed, where one was proposed the wish is wider."""
        told, listed = turn.heard.understanding.entities.times, turn.memory.step.get("listed", True)
        if not told or any(one.at and not one.negated for one in told):
            return self._choose(turn, start)
        if listed:
            return self._offer(turn, "", Ask(only=start))
        if wishes.name_the_day_of(told, start, turn.zone) and agrees(turn.heard.text, turn.locale, turn.zone):
            return self._choose(turn, start)
        return self._offer(turn, "", Ask(wishes=told))

    def _shift(self, turn: Turn, shift: Shift) -> Move:
        if shift is Shift.MORE:
            return self.other_times(turn)
        if turn.memory.step.get("held"):  # the one time that they look at now
            turn.memory.step |= {"offered": [turn.memory.step["hold"]["start"]], "first": 1}
        beside = shift is Shift.EARLIER and whose.sooner(turn)
        return self._offer(turn, turn.word("sooner_times") if beside else "", Ask(shift=shift))

    def _choose(self, turn: Turn, start: datetime) -> Move:
        """Hold the time; then the form, or at once the meeting."""
        step = turn.memory.step
        meetings.forget_hold(turn)
        try:
            if "moves" in step:
                meetings.move(turn, step["moves"], start)
                return self.on()
            meetings.hold(turn, start)
        except Lost as lost:
            return self._offer(turn, turn.word("slot_taken"), Ask(near=lost.nearest))
        if forms.is_needed(turn):
            forms.show(turn, turn.word("form", when=times.local(turn, start)))
            return WAIT
        return self._confirm(turn)

    def _fill(self, turn: Turn, form: Mapping[str, Any]) -> Move:
        filled = forms.fill(turn, form)
        if not turn.memory.step.get("held"):  # another tab has given the time up meanwhile
            self.ask_again(turn)
            return WAIT
        if filled:
            return self._confirm(turn)
        forms.once_more(turn)
        return WAIT

    def _confirm(self, turn: Turn) -> Move:
        try:
            meetings.confirm(turn)
        except Lost as lost:
            return self._offer(turn, turn.word("hold_over" if lost.expired else "slot_taken"), Ask(near=lost.nearest))
        except Invalid as wrong:
            forms.show(turn, wrong.message)
            return WAIT
        turn.reach("book")
        turn.memory.outcome = "booked"
        return self.on()

    def _try_again(self, turn: Turn) -> Move:
        turn.memory.tries += 1
        if turn.memory.step.get("held"):
            forms.show(turn, turn.word("form_again"))
        elif turn.memory.tries > 1:
            turn.say(turn.word("rather"), part={"kind": "fallback", "actions": questions.ways_out(turn)})
        elif not times.offer_again(turn, self.choices, turn.word("retry_slot")):
            return self._offer(turn, turn.word("retry_slot"))
        return WAIT

    def _nothing_booked(self) -> Move:
        return Move(self.otherwise or "", over=not self.otherwise)
