"""What an AI adapter proposes is untrusted: an answer of the wrong kind, or one it is not sure of, is no answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from plugins.ai import Expect, Expectation, Understanding

SURE = 0.5  # below it the engine asks again (plugins/ai)
_LONGEST = {Expect.TEXT: 4_000, Expect.EMAIL: 320, Expect.PHONE: 40, Expect.COMPANY: 200}


def believed(understanding: Understanding, expected: Expectation) -> Understanding:
    """The same, or without its answer when that cannot be one."""
    if not understanding.matched or (understanding.confidence >= SURE and _fits(understanding.value, expected)):
        return understanding
    return replace(understanding, matched=False, value=None)


def _fits(value: Any, expected: Expectation) -> bool:
    if expected.kind in _LONGEST:
        return isinstance(value, str) and bool(value.strip()) and len(value) <= _LONGEST[expected.kind]
    check = _CHECKS.get(expected.kind)
    return check is not None and check(value, expected)


def _is_choice(value: Any, expected: Expectation) -> bool:
    return isinstance(value, str) and value in {option.id for option in expected.options}


def _are_choices(value: Any, expected: Expectation) -> bool:
    return isinstance(value, tuple) and bool(value) and all(_is_choice(one, expected) for one in value)


def _is_number(value: Any, expected: Expectation) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_date(value: Any, expected: Expectation) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_slot(value: Any, expected: Expectation) -> bool:
    offered = (datetime.fromisoformat(option.id) for option in expected.options)
    return isinstance(value, datetime) and value.tzinfo is not None and value in offered


def _is_form(value: Any, expected: Expectation) -> bool:
    names = {field.id for field in expected.fields}
    return isinstance(value, dict) and all(key in names and isinstance(told, str) for key, told in value.items())


_CHECKS: dict[Expect, Callable[[Any, Expectation], bool]] = {
    Expect.CHOICE: _is_choice,
    Expect.MULTI: _are_choices,
    Expect.NUMBER: _is_number,
    Expect.DATE: _is_date,
    Expect.SLOT: _is_slot,
    Expect.FORM: _is_form,
}
