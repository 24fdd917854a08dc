"""The methods, filters and tests that may be written, one table each: the Python that runs is ours, bounded, and total.

Each takes plain values and returns a plain value or UNKNOWN; wrong types are UNKNOWN, never an error.
"""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from server.expressions.logic import UNKNOWN, Unknown

MAX_RESULT = 20_000  # characters any text may grow to


@dataclass(frozen=True)
class Word:
    """`run(value, *arguments)`; `arguments` = fewest and most; `sees_unknown`: runs on what is not known, too."""

    run: Callable[..., Any]
    arguments: tuple[int, int] = (0, 0)
    sees_unknown: bool = False


def text_of(value: object) -> str:
    """A value as a visitor reads it: 25.0 is 25, yes and no for truth, lists with commas, nothing for UNKNOWN."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(text_of(item) for item in value)
    if isinstance(value, (int, float, date, datetime, time)):
        return str(value)
    return ""


def matches_glob(value: object, *patterns: object) -> bool | Unknown:
    """Does the text match one of the patterns, `*` being any run of characters, case-insensitively, whole text?"""
    if not isinstance(value, str) or not all(isinstance(pattern, str) for pattern in patterns):
        return UNKNOWN
    return any(_matches(value.lower(), str(pattern).lower()) for pattern in patterns)


def _matches(text: str, pattern: str) -> bool:
    """Piece by piece from the left: linear, where a regular expression with many stars is not."""
    first, *middle = pattern.split("*")
    if not middle:
        return text == pattern
    last = middle.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _on_text(run: Callable[..., Any]) -> Callable[..., Any]:
    """Only texts in (all arguments), no text longer than MAX_RESULT out."""

    def guarded(*values: object) -> Any:
        if not all(isinstance(value, str) for value in values):
            return UNKNOWN
        result = run(*values)
        return result[:MAX_RESULT] if isinstance(result, str) else result

    return guarded


def _replace(value: str, old: str, new: str) -> str:
    most = MAX_RESULT // max(1, len(new))
    return value[:MAX_RESULT].replace(old, new, most) if old else value


def _split(value: str, by: str = "") -> list[str]:
    return value.split(by, 999) if by else value.split(None, 999)


def _number(value: object) -> float | int | Unknown:
    if is_number(value):
        return value  # type: ignore[return-value]
    if not isinstance(value, str) or not re.fullmatch(r"\s*[+-]?\d{1,15}(\.\d{0,15})?\s*", value, re.ASCII):
        return UNKNOWN
    return float(value) if "." in value else int(value)


def _whole(value: object, otherwise: object = UNKNOWN) -> Any:
    number = _number(value)
    return otherwise if isinstance(number, Unknown) or not math.isfinite(number) else int(number)


def _real(value: object, otherwise: object = UNKNOWN) -> Any:
    number = _number(value)
    return otherwise if isinstance(number, Unknown) else float(number)


def _round(value: object, digits: object = 0) -> Any:
    if not is_number(value) or not isinstance(digits, int) or not 0 <= digits <= 10 or not math.isfinite(value):  # type: ignore[arg-type]
        return UNKNOWN
    return round(value, digits) if digits else round(value)  # type: ignore[call-overload]


def _length(value: object) -> int | Unknown:
    return len(value) if isinstance(value, (str, list, tuple, Mapping)) else UNKNOWN


def _end(value: object, position: int) -> Any:
    return value[position] if isinstance(value, (str, list, tuple)) and value else UNKNOWN


def _join(value: object, between: object = ", ") -> Any:
    if not isinstance(value, (list, tuple)) or not isinstance(between, str):
        return UNKNOWN
    return between.join(text_of(item) for item in value)[:MAX_RESULT]


def _default(value: object, otherwise: object, empty_too: object = False) -> Any:
    if isinstance(value, Unknown) or (empty_too is True and value == ""):
        return otherwise
    return value


def _of(*types: type) -> Word:
    return Word(lambda value: isinstance(value, types))


METHODS: dict[str, Word] = {
    "startswith": Word(_on_text(str.startswith), (1, 1)),
    "endswith": Word(_on_text(str.endswith), (1, 1)),
    "lower": Word(_on_text(str.lower)),
    "upper": Word(_on_text(str.upper)),
    "strip": Word(_on_text(str.strip), (0, 1)),
    "split": Word(_on_text(_split), (0, 1)),
    "replace": Word(_on_text(_replace), (2, 2)),
    "title": Word(_on_text(str.title)),
    "capitalize": Word(_on_text(str.capitalize)),
}
FILTERS: dict[str, Word] = {
    "default": Word(_default, (1, 2), sees_unknown=True),
    "d": Word(_default, (1, 2), sees_unknown=True),
    "lower": METHODS["lower"],
    "upper": METHODS["upper"],
    "title": METHODS["title"],
    "capitalize": METHODS["capitalize"],
    "trim": METHODS["strip"],
    "replace": METHODS["replace"],
    "length": Word(_length),
    "count": Word(_length),
    "int": Word(_whole, (0, 1)),
    "float": Word(_real, (0, 1)),
    "round": Word(_round, (0, 1)),
    "first": Word(lambda value: _end(value, 0)),
    "last": Word(lambda value: _end(value, -1)),
    "join": Word(_join, (0, 1)),
}
TESTS: dict[str, Word] = {
    "defined": Word(lambda value: not isinstance(value, Unknown), sees_unknown=True),
    "undefined": Word(lambda value: isinstance(value, Unknown), sees_unknown=True),
    "none": Word(lambda value: isinstance(value, Unknown), sees_unknown=True),
    "true": Word(lambda value: value is True),
    "false": Word(lambda value: value is False),
    "boolean": _of(bool),
    "number": Word(is_number),
    "string": _of(str),
    "sequence": _of(list, tuple),
    "mapping": _of(Mapping),
    "glob": Word(matches_glob, (1, 20)),
}
