"""The answer that is waited for: one function a kind, each returning the value and how sure, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from plugins.ai import Correction, Expect, Value
from plugins.ai.rules import who
from plugins.ai.rules.amounts import Amount, alone
from plugins.ai.rules.forms import filled
from plugins.ai.rules.heard import Heard
from plugins.ai.rules.mailbox import looks_like_one
from plugins.ai.rules.options import Choice, choose
from plugins.ai.rules.slots import slot

_INSTEAD = re.compile(
    r"\b(?:no wait|sorry|i mean|actually|rather|correction|make that|quatsch|nein|doch"
    r"|pardon|enfin|plutot|perdon|digo|mejor dicho)\b"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken as the answer. `suggestion`: what was probably meant where the typed value is refused."""

    value: Value | None = None
    sure: float = 0.0
    correction: Correction = Correction.NONE
    suggestion: str = ""

    @property
    def matched(self) -> bool:
        return self.correction is Correction.NONE and self.value is not None


def take(heard: Heard) -> Taken:
    """The answer in the part of the line that is no question; nothing for `Expect.NONE`."""
    reader = _READERS.get(heard.expectation.kind)
    return reader(heard) if reader else Taken()


def _choice(heard: Heard) -> Taken:
    found = _chosen(heard)
    if len(found[0]) == 1:
        return Taken(found[0][0], found[1])
    return Taken(correction=Correction.SEVERAL_OPTIONS if found[0] else Correction.NO_OPTION)


def _multi(heard: Heard) -> Taken:
    options = heard.expectation.options
    found = choose(heard.signals.statement, options, several=True)
    if not found.ids and not found.none:
        found = _exactly(heard)
    if found.ids or found.none:
        return Taken(found.ids, found.sure)
    return Taken(correction=Correction.NO_OPTION)


def _chosen(heard: Heard) -> tuple[tuple[str, ...], float]:
    found = choose(heard.signals.statement, heard.expectation.options)
    if not found.ids:
        found = _exactly(heard)
    return found.ids, found.sure


def _exactly(heard: Heard) -> Choice:
    """A label may itself be a question ("What does it cost?")."""
    found = choose(heard.said.folded, heard.expectation.options)
    return found if found.sure == 1.0 else Choice()


def _number(heard: Heard) -> Taken:
    options = heard.expectation.options
    pressed = choose(heard.said.folded, options)
    if pressed.sure == 1.0 and len(pressed.ids) == 1:
        return _button(pressed.ids[0], 1.0)
    statement = heard.signals.statement
    found = [one for one in heard.amounts if statement[one.start : one.end].strip()]
    best = _best(found, statement)
    if best is not None:
        return Taken(_plain(best.value), 0.6 if best.weak else 0.9)
    if alone(statement):
        return Taken(1, 0.9)
    if pressed.ids and len(pressed.ids) == 1 and statement.strip():
        return _button(pressed.ids[0], pressed.sure)
    return Taken(correction=Correction.NO_NUMBER)


def _button(option: str, sure: float) -> Taken:
    try:
        return Taken(_plain(float(option)), sure)
    except ValueError:
        return Taken(correction=Correction.NO_NUMBER)


def _best(found: list[Amount], text: str) -> Amount | None:
    """People before other numbers, the corrected before the first; a lone "one" only in a short reply."""
    certain = [one for one in found if not one.weak]
    if not certain:
        return found[0] if found and len(text.split()) <= 2 else None
    if len(certain) > 1 and _INSTEAD.search(text[certain[0].end : certain[-1].start]):
        return certain[-1]
    return next((one for one in certain if one.people), certain[0])


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _email(heard: Heard) -> Taken:
    if not heard.mailboxes:
        meant, sure = _chosen(heard)
        return Taken(meant[0], sure) if len(meant) == 1 else Taken(correction=Correction.INVALID_EMAIL)
    box = next((one for one in heard.mailboxes if not one.meant), heard.mailboxes[0])
    if box.meant and box.meant not in {option.id for option in heard.expectation.options}:
        return Taken(correction=Correction.INVALID_EMAIL, suggestion=box.meant)
    return Taken(box.address, 1.0 if looks_like_one(heard.said.folded) else 0.8)


def _phone(heard: Heard) -> Taken:
    if heard.phones:
        return Taken(heard.phones[0].number, 0.95)
    return Taken(correction=Correction.INVALID_PHONE)


def _company(heard: Heard) -> Taken:
    found = heard.company or who.bare_company(heard.said)
    return Taken(found, 0.9 if heard.company else 0.75) if found else Taken(correction=Correction.EMPTY)


def _text(heard: Heard) -> Taken:
    text = heard.text.strip()
    told = any(character.isalnum() for character in text)
    return Taken(text, 0.9) if told else Taken(correction=Correction.EMPTY)


def _date(heard: Heard) -> Taken:
    days = [moment.best for moment in heard.moments if moment.best and not moment.wish.negated]
    if not days:
        return Taken(correction=Correction.NO_DATE)
    today: date = heard.local.date()
    coming = [day for day in days if day >= today]
    return Taken(coming[0], 0.9) if coming else Taken(correction=Correction.PAST_DATE)


def _slot(heard: Heard) -> Taken:
    wishes = tuple(moment.wish for moment in heard.moments)
    start, several = slot(heard.said.folded, heard.expectation.options, wishes, heard.local.tzinfo)
    if start is not None:
        return Taken(start, 0.9)
    return Taken(correction=Correction.SEVERAL_OPTIONS if several else Correction.NO_SLOT)


def _form(heard: Heard) -> Taken:
    values, missing = filled(heard)
    if not missing:
        return Taken(values, 0.9)
    wrong = "@" in heard.said.folded and not heard.mailboxes
    correction = Correction.INVALID_EMAIL if wrong else Correction.MISSING_FIELD
    return Taken(values or None, 0.5, correction)


_READERS = {
    Expect.CHOICE: _choice,
    Expect.MULTI: _multi,
    Expect.NUMBER: _number,
    Expect.EMAIL: _email,
    Expect.PHONE: _phone,
    Expect.COMPANY: _company,
    Expect.TEXT: _text,
    Expect.DATE: _date,
    Expect.SLOT: _slot,
    Expect.FORM: _form,
}
