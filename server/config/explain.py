"""What pydantic found wrong, in the words of the site folder: found …, allowed …, did you mean …."""
from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from server.config.documents import Document
from server.config.problems import Problem, did_you_mean, quoted, shown

_TEXT = "text; put it in quotes"
_ALLOWED: dict[str, str | Callable[[dict[str, Any]], str]] = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": _TEXT,
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "greater_than": lambda context: f"more than {context['gt']}",
    "greater_than_equal": lambda context: f"{context['ge']} or more",
    "less_than": lambda context: f"less than {context['lt']}",
    "less_than_equal": lambda context: f"{context['le']} or less",
    "multiple_of": lambda context: f"a multiple of {context['multiple_of']}",
    "string_too_short": lambda context: _count(context["min_length"], "character", "at least"),
    "string_too_long": lambda context: _count(context["max_length"], "character", "at most"),
    "too_short": lambda context: _count(context["min_length"], "entry", "at least"),
    "too_long": lambda context: _count(context["max_length"], "entry", "at most"),
    "string_pattern_mismatch": lambda context: f"text like {context['pattern']}",
    "date_type": "a date such as 2026-12-24",
    "date_parsing": "a date such as 2026-12-24",
    "date_from_datetime_parsing": "a date such as 2026-12-24",
    "date_from_datetime_inexact": "a date such as 2026-12-24",
    "time_type": 'a time such as "09:00"',
    "time_parsing": 'a time such as "09:00"',
    "datetime_type": "a moment such as 2026-03-02T09:00:00Z",
    "datetime_parsing": "a moment such as 2026-03-02T09:00:00Z",
    "datetime_from_date_parsing": "a moment such as 2026-03-02T09:00:00Z",
    "timezone_aware": "a moment with its zone, such as 2026-03-02T09:00:00Z",
}


def problems_of(error: ValidationError, document: Document) -> list[Problem]:
    """One problem per place: where several kinds of value were allowed, they are named together."""
    by_place: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for one in error.errors(include_url=False):
        loc = one["loc"][:-1] if one["type"] == "missing" else one["loc"]
        by_place.setdefault(document.place(loc), []).append(_sentence(one))
    found: list[Problem] = []
    for (where, line), sentences in by_place.items():
        found.extend(Problem(document.file, line, where, message) for message in _joined(sentences))
    return found


def _sentence(one: ErrorDetails) -> tuple[str, str]:
    """(found, allowed), or (whole sentence, "")."""
    kind, context, value = one["type"], one.get("ctx", {}), one["input"]
    name = str(one["loc"][-1]) if one["loc"] else ""
    if kind == "missing":
        return f'missing key "{name}"', ""
    if kind == "unknown_key":
        guess = did_you_mean(name, context["allowed"])
        return f'unknown key "{name}"{guess or ", allowed " + quoted(context["allowed"])}', ""
    if kind in ("literal_error", "enum"):
        return _choice(value, re.findall(r"'([^']*)'", str(context["expected"])) or [str(context["expected"])])
    if kind == "union_tag_invalid":
        return _choice(context["tag"], re.findall(r"'([^']*)'", str(context["expected_tags"])))
    if kind == "value_error":
        return _own(str(context.get("reason", context.get("error", ""))), value)
    if kind == "string_type" and not isinstance(value, (bool, int, float)):
        return shown(value), "text"
    allowed = _ALLOWED.get(kind)
    if allowed is None:
        return f"found {shown(value)}: {one['msg'][:1].lower()}{one['msg'][1:]}", ""
    return shown(value), allowed if isinstance(allowed, str) else allowed(context)


def _choice(value: object, names: list[str]) -> tuple[str, str]:
    return shown(value), quoted(names, " or ") + did_you_mean(value, names)


def _own(reason: str, value: object) -> tuple[str, str]:
    """A validator of ours: `allowed …` (what was found is added), or a whole sentence."""
    if reason.startswith("allowed "):
        return shown(value), reason.removeprefix("allowed ")
    return reason, ""


def _joined(sentences: list[tuple[str, str]]) -> list[str]:
    whole = [found for found, allowed in sentences if not allowed]
    kinds = [(found, allowed) for found, allowed in sentences if allowed]
    if kinds:
        allowed = " or ".join(dict.fromkeys(allowed for _, allowed in kinds))
        whole.append(f"found {kinds[0][0]}, allowed {allowed}")
    return list(dict.fromkeys(whole))


def _count(number: int, noun: str, bound: str) -> str:
    plural = {"entry": "entries"}.get(noun, noun + "s")
    return f"{bound} {number} {noun if number == 1 else plural}"
