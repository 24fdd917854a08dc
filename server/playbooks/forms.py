"""The form below a held time: who the invitation is for, and what the meeting type wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from email_validator import EmailNotValidError, validate_email

from server.booking.schema import Meetings, MeetingType
from server.playbooks import slips

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

_LONGEST = {"name": 200, "phone": 60}
_KEPT = {"name": "lead.name", "email": "lead.email", "phone": "lead.phone"}


def is_needed(turn: Turn) -> bool:
    """Is something still missing that the meeting cannot be booked without?"""
    given = _known(turn)
    return any(field["required"] and not given.get(field["id"]) for field in _fields(turn))


def show(turn: Turn, text: str) -> None:
    """Say `text` with the form below it, what is known filled in."""
    step, given = turn.memory.step, _known(turn)
    step["fields"] = fields = _fields(turn)
    given |= {"email": step["meant"]} if "meant" in step else {}
    shown = [{**field, "value": str(given.get(field["id"], ""))} for field in fields]
    part = {"kind": "form", "fields": shown, "submit": turn.word("submit"), "held": step.get("hold")}
    turn.say(text, part=part)


def fill(turn: Turn, form: Mapping[str, Any]) -> bool:
    """Take what was filled in; False while something is missing, or is no e-mail address or
    probably a slip of one."""
    wanted = {field["id"] for field in _fields(turn)}
    told = {
        name: str(value).strip()[: _LONGEST.get(name, 500)] for name, value in form.items() if name in wanted and value
    }
    turn.memory.step.pop("meant", None)
    if "email" in told:
        told["email"] = _address(told["email"])
    if meant := slips.of_address(turn, told.get("email", "")):
        turn.memory.step["meant"], told["email"] = meant, ""
    given = {**turn.memory.step.get("given", {}), **{name: value for name, value in told.items() if value}}
    turn.memory.step["given"] = given
    for name, place in _KEPT.items():
        if name in told and told[name] and told[name] != turn.known(place):
            turn.save(place, told[name], source="the form of the booking", origin="form")
    return not is_needed(turn)


def once_more(turn: Turn) -> None:
    """Show the form again: something is missing, or an address looks like a slip and what was meant is filled in."""
    meant = turn.memory.step.get("meant")
    show(turn, turn.word("did_you_mean", value=meant) if meant else turn.word("form_again"))


def given(turn: Turn) -> dict[str, Any]:
    """What is known for the meeting: name, email, phone, and the answers to its own questions."""
    known = _known(turn)
    own = {question.id for question in _type(turn).questions}
    return {
        "name": str(known.get("name", "")),
        "email": str(known.get("email", "")),
        "phone": str(known.get("phone", "")),
        "answers": {name: value for name, value in known.items() if name in own},
    }


def _known(turn: Turn) -> dict[str, Any]:
    told = {name: value for name, place in _KEPT.items() if (value := turn.known(place))}
    return {**told, **turn.memory.step.get("given", {})}


def _fields(turn: Turn) -> list[dict[str, Any]]:
    of = _type(turn)
    fields = [
        {"id": "name", "label": turn.word("name"), "type": "text", "required": True},
        {"id": "email", "label": turn.word("email"), "type": "email", "required": True},
    ]
    if of.location.kind == "phone":
        fields.append({"id": "phone", "label": turn.word("phone"), "type": "phone", "required": True})
    own = [(question, turn.text(question.label)) for question in of.questions if question.id not in _KEPT]
    return fields + [{"id": one.id, "label": label, "type": "text", "required": one.required} for one, label in own]


def _type(turn: Turn) -> MeetingType:
    return turn.version.part(Meetings).by_id[turn.memory.step["meeting"]]


def _address(email: str) -> str:
    """The address in its normal form, "" when it cannot be one. Whether it takes mail is found out later."""
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError:
        return ""
