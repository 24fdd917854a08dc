"""The form below a held time: who the invitation is for, where to meet, and what the meeting type wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plugins.ai import FormField, Option
from server.booking.schema import Meetings, MeetingType
from server.playbooks import addresses, slips

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

_LONGEST = {"name": 200, "phone": 60, "guests": 4_000}
_KEPT = {"name": "lead.name", "email": "lead.email", "phone": "lead.phone"}
_PLACE_SAYS = {
    "video": ("video", "zoom", "teams", "meet", "online", "visio"),
    "phone": ("phone", "call", "call me", "telefon", "anruf", "telephone", "telefono", "llamada"),
    "in_person": ("in person", "on site", "office", "vor ort", "sur place", "en persona", "presencial"),
}


def is_needed(turn: Turn) -> bool:
    """Is something still missing that the meeting cannot be booked without, or the visitor's to choose?"""
    given = _known(turn)
    if len(_type(turn).places) > 1 and "place" not in turn.memory.step.get("given", {}):
        return True
    return bool(_missing(turn, given))


def show(turn: Turn, text: str) -> None:
    """Say `text` with the form below it, what is known filled in."""
    step, given = turn.memory.step, _known(turn)
    step["fields"] = fields = _fields(turn)
    given |= {"email": step["meant"]} if "meant" in step else {}
    shown = [{**field, "value": str(given.get(field["id"], field.get("value", "")))} for field in fields]
    part = {"kind": "form", "fields": shown, "submit": turn.word("submit"), "held": step.get("hold")}
    turn.say(text, part=part)


def expected(step: Mapping[str, Any]) -> tuple[FormField, ...]:
    """The fields, for understanding them filled in by words."""
    return tuple(
        FormField(
            one["id"], one["label"], one["type"], one["required"] and not one.get("value"),
            tuple(Option(of["id"], of["label"], _PLACE_SAYS.get(of["id"], ())) for of in one.get("options", ())),
        )
        for one in step["fields"]
    )  # fmt: skip


def fill(turn: Turn, form: Mapping[str, Any]) -> bool:
    """Take what was filled in; False while something is missing, or is no e-mail address or probably a slip of one."""
    step, wanted = turn.memory.step, {field["id"] for field in _fields(turn)}
    told = {
        name: str(value).strip()[: _LONGEST.get(name, 500)]
        for name, value in form.items()
        if name in wanted and value is not None
    }
    for name in ("meant", "wrong"):
        step.pop(name, None)
    if told.get("email"):
        told["email"] = addresses.plain(told["email"])
    if meant := slips.of_address(turn, told.get("email", "")):
        step["meant"], told["email"] = meant, ""
    if told.get("guests"):
        told["guests"], step["wrong"] = addresses.several(told["guests"], told.get("email", ""))
    emptied = {"guests"} & set(told)
    given = {**step.get("given", {}), **{name: value for name, value in told.items() if value or name in emptied}}
    if len(_type(turn).places) > 1:
        given["place"] = _place(turn, given.get("place", ""))
    step["given"] = given
    for name, place in _KEPT.items():
        if told.get(name) and told[name] != turn.known(place):
            turn.save(place, told[name], source="the form of the booking", origin="form")
    return not step.get("wrong") and not is_needed(turn)


def once_more(turn: Turn) -> None:
    """Show the form again and say why: a guest's address is wrong, the visitor's own looks like a slip, a number to
    call is missing, or something else is."""
    step, missing = turn.memory.step, _missing(turn, _known(turn))
    if meant := step.get("meant"):
        show(turn, turn.word("did_you_mean", value=meant))
    elif wrong := step.get("wrong"):
        show(turn, turn.word("too_many_guests" if wrong == addresses.TOO_MANY else "wrong_guest", guest=wrong))
    else:
        show(turn, turn.word("form_phone" if missing == ["phone"] else "form_again"))


def given(turn: Turn) -> dict[str, Any]:
    """What is known for the meeting: name, email, phone, place, guests, and the answers to its own questions."""
    known, of = _known(turn), _type(turn)
    own = {question.id for question in of.questions}
    return {
        "name": str(known.get("name", "")),
        "email": str(known.get("email", "")),
        "phone": str(known.get("phone", "")),
        "place": _place(turn, str(known.get("place", ""))) if len(of.places) > 1 else "",
        "guests": addresses.split(str(known.get("guests", ""))),
        "answers": {name: value for name, value in known.items() if name in own},
    }


def _known(turn: Turn) -> dict[str, Any]:
    told = {name: value for name, place in _KEPT.items() if (value := turn.known(place))}
    return {**told, **turn.memory.step.get("given", {})}


def _missing(turn: Turn, given: Mapping[str, Any]) -> list[str]:
    """Required fields without a value; a number only where the call is chosen."""
    at = given.get("place") or _type(turn).places[0].kind
    return [
        one["id"]
        for one in _fields(turn)
        if (one["required"] or one.get("for") == at) and not given.get(one["id"]) and one["id"] != "place"
    ]


def _fields(turn: Turn) -> list[dict[str, Any]]:
    of, kinds = _type(turn), [one.kind for one in _type(turn).places]
    fields: list[dict[str, Any]] = [
        {"id": "name", "label": turn.word("name"), "type": "text", "required": True},
        {"id": "email", "label": turn.word("email"), "type": "email", "required": True},
    ]
    if len(kinds) > 1:
        options = [{"id": kind, "label": turn.word(f"place_{kind}")} for kind in kinds]
        label, chosen = turn.word("place"), kinds[0]
        fields.append(
            {"id": "place", "label": label, "type": "choice", "required": True, "options": options, "value": chosen}
        )
    if "phone" in kinds:
        phone = {"id": "phone", "label": turn.word("phone"), "type": "phone", "required": len(kinds) == 1}
        fields.append(phone | ({"for": "phone"} if len(kinds) > 1 else {}))
    own = [(question, turn.text(question.label)) for question in of.questions if question.id not in _TAKEN]
    fields += [{"id": one.id, "label": label, "type": "text", "required": one.required} for one, label in own]
    return [*fields, {"id": "guests", "label": turn.word("guests"), "type": "emails", "required": False}]


_TAKEN = {*_KEPT, "place", "guests"}


def _place(turn: Turn, wanted: str) -> str:
    kinds = [one.kind for one in _type(turn).places]
    return wanted if wanted in kinds else kinds[0]


def _type(turn: Turn) -> MeetingType:
    return turn.version.part(Meetings).by_id[turn.memory.step["meeting"]]
