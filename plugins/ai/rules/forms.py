"""A form filled in by typing: "Ada Lovelace, ada@example.com, 0171 2345678"."""

from __future__ import annotations

import re

from plugins.ai import FormField
from plugins.ai.rules import who
from plugins.ai.rules.heard import Heard
from plugins.ai.rules.options import choose, plainly
from plugins.ai.rules.phrasebook import plain
from plugins.ai.rules.text import fold
from plugins.ai.rules.words import word_set

_NAME = re.compile(r"name|nom\b|nombre|prenom")
_COMPANY = re.compile(r"company|firm|unternehmen|entreprise|societe|empresa|organi[sz]ation")
_SHORT = word_set("openers")
_PARTS = re.compile(r"[,;\n|]|\s-\s|\s/\s")


def filled(heard: Heard) -> tuple[dict[str, str], list[str]]:
    """Field id → what was typed for it, and the ids of required fields still missing."""
    fields = heard.expectation.fields
    rest = [part for part in _rest(heard) if not _is_a_time(heard, part)]
    wanted = [field for field in fields if field.required]
    if len(wanted) != 1 or not _is_open(wanted[0]):
        rest = [part for part in rest if not _is_short_reply(part)]
    values: dict[str, str] = {}
    for field in fields:
        found = _value(heard, field, rest, alone=not values)
        if found:
            values[field.id] = found
    return values, [field.id for field in fields if field.required and field.id not in values]


def _value(heard: Heard, field: FormField, rest: list[str], *, alone: bool) -> str:
    about = fold(f"{field.id} {field.label}")
    if field.options:
        chosen = choose(heard.said.folded, field.options).ids
        return chosen[0] if len(chosen) == 1 else ""
    if field.type == "email":
        return next((box.address for box in heard.mailboxes if not box.meant), "")
    if field.type == "emails":
        return ", ".join(box.address for box in heard.mailboxes[1:])
    if field.type == "phone":
        return heard.phones[0].number if heard.phones else ""
    if field.type == "number":
        return f"{heard.amounts[0].value:g}" if heard.amounts else ""
    if field.type == "date":
        return next((moment.best.isoformat() for moment in heard.moments if moment.best), "")
    if field.type == "company" or _COMPANY.search(about):
        return heard.company or ("" if alone else _take(rest))
    if _NAME.search(about):
        return heard.name or _named(rest)
    return _take(rest)


def _named(rest: list[str]) -> str:
    for part in rest:
        found = who.bare_name(part)
        if found and not _is_short_reply(part):
            rest.remove(part)
            return found
    return ""


def _is_open(field: FormField) -> bool:
    """A question that "yes" or "no" may answer."""
    named = _NAME.search(fold(f"{field.id} {field.label}"))
    return not (named or field.options) and field.type in ("text", "long", "textarea")


def _is_short_reply(part: str) -> bool:
    """ "Yes", "ok", "hm": said to what was asked, and nothing to write down."""
    words = plain(fold(part))
    return plainly(words) or all(word in _SHORT for word in words)


def _is_a_time(heard: Heard, part: str) -> bool:
    """Nothing but a day or an hour: "next month"."""
    said = fold(part)
    return any(said in heard.said.folded[one.start : one.end] for one in heard.moments)


def _take(rest: list[str]) -> str:
    return rest.pop(0) if rest else ""


def _rest(heard: Heard) -> list[str]:
    """What is left of the line, part by part, once addresses and numbers are taken out."""
    raw = heard.said.raw
    places = [(box.start, box.end) for box in heard.mailboxes] + [(one.start, one.end) for one in heard.phones]
    for start, end in sorted(places, reverse=True):
        first, last = heard.said.span(start, end)
        raw = f"{raw[:first]},{raw[last:]}"
    if heard.name or heard.company:
        return []
    return [part.strip(" .:!?") for part in _PARTS.split(raw) if part.strip(" .:!?")]
