"""`ask`: one question, answered by a button or in words; asked a second time kindly, never a third."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from plugins.ai import Correction, Expect, Expectation, Intent, Option
from server.config.schema import Identifier, Part
from server.expressions import LocaleText
from server.playbooks import qualification, questions, slips
from server.playbooks.memory import Memory
from server.playbooks.node import WAIT, Move, Node, Place
from server.playbooks.places import checked, full
from server.playbooks.turn import Turn

MOST_TRIES = 2
Kind = Literal["text", "choice", "multi", "number", "email", "phone", "company", "date"]
_SAID_APART = (Correction.SEVERAL_OPTIONS, Correction.PAST_DATE)  # the others read the same for a kind of question
_FOR_ANYBODY = ("choice", "multi", "number")  # answers that pages may pass on; words of one's own are not among them
_OF_THEMSELVES = {"email": "lead.email", "phone": "lead.phone", "company": "lead.company"}


class Choice(Part):
    """One of the things to choose; `says` are other words for it, `next` where choosing it leads."""

    id: Identifier
    label: LocaleText
    says: list[str] = []
    next: Identifier | None = None


class Button(Part):
    """A ready answer to a question of another kind than choice."""

    label: LocaleText
    value: int | float | str


class Ask(Node):
    """Asks, keeps the answer in `save` and, as a qualification answer, under `criterion`."""

    KEY: ClassVar[str] = "ask"

    ask: LocaleText
    kind: Kind = "text"
    save: Annotated[str, AfterValidator(checked)] | None = None
    criterion: Identifier | None = None
    retry: LocaleText | None = Field(None, description="What to say when the answer was not understood")
    options: list[Choice] = []
    buttons: list[Button] = []
    placeholder: LocaleText | None = None
    required: bool = Field(True, description="false: the visitor may skip the question")
    skip_known: bool = Field(True, description="Do not ask what is known")

    @model_validator(mode="after")
    def _options_fit_the_kind(self) -> Ask:
        if self.kind in ("choice", "multi") and not self.options:
            raise ValueError(f"a question of kind {self.kind} needs options, allowed [{{id: …, label: …}}, …]")
        if self.kind not in ("choice", "multi") and self.options:
            raise ValueError(f"a question of kind {self.kind} has no options, allowed buttons, or kind: choice")
        if self.kind in ("choice", "multi") and self.buttons:
            raise ValueError(f"a question of kind {self.kind} has no buttons, allowed options")
        names = [option.id for option in self.options]
        double = next((name for name in names if names.count(name) > 1), None)
        if double:
            raise ValueError(f'found the option "{double}" twice, allowed every id once')
        return self

    @property
    def place(self) -> str:
        """Where the answer is kept."""
        return full(self.save or _OF_THEMSELVES.get(self.kind) or self.id)

    def run(self, turn: Turn) -> Move:
        known = turn.known(self.place) if self.skip_known and turn.anew != self.id else None
        if known is None:
            turn.say(turn.text(self.ask), part=self._part(turn))
            return WAIT
        if self.criterion and not qualification.is_kept(turn, self.criterion):
            qualification.keep(turn, self.criterion, self.id, self.kind, known, told=False)
        return self._after(known)

    def expectation(self, memory: Memory, locale: str) -> Expectation:
        options = slips.asked(memory.step)
        if self.options:
            options = tuple(Option(one.id, _plain(one.label, locale), tuple(one.says)) for one in self.options)
        elif self.buttons:
            options += tuple(Option(str(one.value), _plain(one.label, locale)) for one in self.buttons)
        return Expectation(Expect(self.kind), options)

    def hear(self, turn: Turn) -> Move:
        meant = turn.heard.understanding
        if meant.matched and meant.value is not None:
            return self._take(turn, meant.value)
        if meant.intent is Intent.SKIP and not self.required:
            turn.say(turn.word("skipped"))
            return self._without(turn)
        if slips.ask(turn, meant):
            return WAIT
        return self._try_again(turn, meant.correction)

    def use(self, turn: Turn, value: Mapping[str, Any]) -> Move | None:
        chosen = value.get("options") if self.kind == "multi" else value.get("option")
        if suggested := slips.taken(turn, value):
            return self._take(turn, suggested)
        if self.kind == "multi":
            known = {one.id for one in self.options}
            good = isinstance(chosen, list) and chosen and all(isinstance(one, str) and one in known for one in chosen)
            return self._take(turn, tuple(dict.fromkeys(chosen))) if good and isinstance(chosen, list) else None
        if self.kind == "choice":
            return self._take(turn, chosen) if any(one.id == chosen for one in self.options) else None
        if self.kind == "date":
            return self._take(turn, chosen) if _is_date(chosen) else None
        pressed = next((one for one in self.buttons if str(one.value) == chosen), None)
        return self._take(turn, pressed.value) if pressed else None

    def ask_again(self, turn: Turn, *, lost: bool = False) -> None:
        part = self._part(turn)
        if lost and part["kind"] == "choices":
            part["options"] += (
                ()
                if part["multi"]
                else [{"id": f"~{one['id']}", "label": one["label"]} for one in questions.ways_out(turn)]
            )
        elif lost:
            part = {"kind": "fallback", "actions": questions.ways_out(turn)}
        turn.say(turn.word("back_to", question=turn.text(self.ask)), part=part)

    def targets(self) -> Iterator[tuple[Place, str]]:
        yield from super().targets()
        for number, option in enumerate(self.options):
            if option.next:
                yield ("options", number, "next"), option.next

    @staticmethod
    def plain(value: Any) -> Any:
        """An answer as it is kept."""
        return value.isoformat() if isinstance(value, date) else list(value) if isinstance(value, tuple) else value

    def keep(self, turn: Turn, value: Any) -> Any:
        """Keep an answer, and tell the page of it."""
        kept = self.plain(value)
        turn.save(self.place, kept, source=f"playbook {turn.playbook_id}, {self.id}")
        status = qualification.keep(turn, self.criterion, self.id, self.kind, kept) if self.criterion else None
        shown = {"value": kept} if self.kind in _FOR_ANYBODY else {}
        turn.announce("answered", node=self.id, save=self.place, criterion=self.criterion, status=status, **shown)
        return kept

    def _take(self, turn: Turn, value: Any) -> Move:
        turn.memory.asked = [*(one for one in turn.memory.asked if one != self.id), self.id]
        return self._after(self.keep(turn, value))

    def _after(self, value: Any) -> Move:
        chosen = next((one for one in self.options if one.id == value), None)
        return Move(chosen.next) if chosen and chosen.next else self.on()

    def _try_again(self, turn: Turn, correction: Correction) -> Move:
        turn.memory.tries += 1
        if turn.memory.tries >= MOST_TRIES:
            turn.say(turn.word("never_mind"))
            return self._without(turn)
        wrong = correction.value if correction in _SAID_APART else self.kind
        text = turn.text(self.retry) if self.retry else turn.word(f"retry_{wrong}")
        turn.say(text, part=self._part(turn))
        return WAIT

    def _without(self, turn: Turn) -> Move:
        if self.criterion:
            qualification.keep(turn, self.criterion, self.id, self.kind, None)
        return self.on()

    def _part(self, turn: Turn) -> dict[str, Any]:
        if self.options:
            labels = [{"id": one.id, "label": turn.text(one.label)} for one in self.options]
            return {"kind": "choices", "options": labels, "multi": self.kind == "multi"}
        if self.buttons:
            labels = [{"id": str(one.value), "label": turn.text(one.label)} for one in self.buttons]
            return {"kind": "choices", "options": labels, "multi": False}
        hint = turn.text(self.placeholder) if self.placeholder else ""
        return {"kind": "input", "input": self.kind, "placeholder": hint}


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _plain(label: LocaleText, locale: str) -> str:
    return label.in_locale(locale).render({})
