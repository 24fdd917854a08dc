"""The frames a visitor may send, as a table; what does not fit is refused with one sentence."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from server.db.storing import storable
from server.errors import Invalid

Frame = dict[str, Any]

MOST_TEXT = 4000
MOST_DEPTH = 6
MOST_ID = 64


@dataclass(frozen=True)
class Shape:
    """The fields of one frame: name → type, all others are refused."""

    needed: Mapping[str, type]
    optional: Mapping[str, type]


_PAGE = {"page": dict}
_VALUE = {"option": str, "options": list, "slot": str, "meeting": str, "form": dict, "action": str}
FRAMES: Mapping[str, Shape] = {
    "hello": Shape(
        {"site": str, "page": dict, "device": str, "locale": str, "zone": str, "seed": str},
        {"token": str, "after": int, "visit": dict, "data": dict, "playbook": str, "consent": bool, "discreet": bool}
        | {"identity": str},
    ),
    "resume": Shape({"site": str}, {"token": str, "conversation": str, "after": int, "state": str}),
    "say": Shape({"id": str, "text": str}, {"value": dict}),
    "page": Shape(_PAGE, {"data": dict}),
    "identify": Shape({}, {"attributes": dict, "token": str}),
    "track": Shape({"name": str}, {"data": dict}),
    "typing": Shape({}, {}),
    "seen": Shape({"seq": int}, {}),
    "ping": Shape({}, {}),
}
OPENINGS = ("hello", "resume")


def read(raw: str | bytes, expected: Collection[str] = ()) -> Frame:
    """The frame in a socket message, one of the expected kinds. Invalid says what is wrong with it."""
    frame = _parsed(raw)
    kind = frame.get("t")
    if not isinstance(kind, str) or kind not in FRAMES:
        raise Invalid(f"A frame needs `t`, one of: {', '.join(FRAMES)}.", field="t")
    if expected and kind not in expected:
        raise Invalid(f"The first frame must be `{'` or `'.join(expected)}`.", field="t")
    _check(frame, FRAMES[kind], kind)
    if len(frame.get("text", "")) > MOST_TEXT:
        raise Invalid(f"A message can have {MOST_TEXT:,} characters at most.", field="text")
    if not 0 < len(frame.get("id", "x")) <= MOST_ID:
        raise Invalid(f"`id` must have 1 to {MOST_ID} characters.", field="id")
    _check_value(frame.get("value", {}))
    return frame


def id_of(raw: str | bytes) -> str | None:
    """The id under which a message was sent that cannot be read otherwise, so that its sender can be told."""
    try:
        found = json.loads(raw).get("id")
    except (ValueError, RecursionError, AttributeError):
        return None
    return found if isinstance(found, str) and 0 < len(found) <= MOST_ID and storable(found) else None


def _parsed(raw: str | bytes) -> Frame:
    try:
        frame = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Invalid("This is not a JSON frame.") from None
    if not isinstance(frame, dict) or _depth(frame) > MOST_DEPTH:
        raise Invalid("A frame is a JSON object that is not nested deeper than six levels.")
    if not storable(frame):
        raise Invalid("A frame contains a character that cannot be stored.")
    return {name: value for name, value in frame.items() if value is not None}


def _check(frame: Frame, shape: Shape, kind: str) -> None:
    for name in shape.needed:
        if name not in frame:
            raise Invalid(f"`{kind}` needs `{name}`.", field=name)
    fields = {**shape.needed, **shape.optional}
    for name, value in frame.items():
        if name == "t":
            continue
        if name not in fields:
            raise Invalid(f"`{kind}` has no field `{name[:40]}`.", field=name[:40])
        wanted = fields[name]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise Invalid(f"`{name}` of `{kind}` must be a {_NAMES[wanted]}.", field=name)


_NAMES = {str: "text", int: "whole number", dict: "JSON object", bool: "true or false", list: "list"}


def _depth(value: Any, level: int = 0) -> int:
    if level > MOST_DEPTH:
        return level
    if isinstance(value, dict):
        return max((_depth(one, level + 1) for one in value.values()), default=level + 1)
    if isinstance(value, list):
        return max((_depth(one, level + 1) for one in value), default=level + 1)
    return level


def _check_value(value: Frame) -> None:
    """What was chosen is kept with the message and shown to people, so it is what the protocol says or nothing."""
    for name, wanted in _VALUE.items():
        if value.get(name) is not None and not isinstance(value[name], wanted):
            raise Invalid(f"`{name}` of `value` must be a {_NAMES[wanted]}.", field="value")
    if not all(isinstance(one, str) for one in value.get("options") or ()):
        raise Invalid("`options` of `value` must be a list of texts.", field="value")


def _no_constant(name: str) -> Any:
    raise ValueError(name)
