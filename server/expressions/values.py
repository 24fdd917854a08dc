"""What values mean to a condition: looking them up, truth, comparison, arithmetic. Total: wrong types give UNKNOWN."""
from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

from server.expressions.logic import UNKNOWN, Truth, Unknown, negation
from server.expressions.words import MAX_RESULT, is_number

MAX_NUMBER = 1_000_000_000_000_000  # beyond it a browser's numbers lose digits

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


def look_up(value: object, key: object) -> Any:
    """One step into a mapping by key or into a list by number; None and NaN are unknown, as is everything missing."""
    if isinstance(value, Mapping) and isinstance(key, (str, int)):
        found = value.get(key)
    elif isinstance(value, (list, tuple)) and isinstance(key, int) and -len(value) <= key < len(value):
        found = value[key]
    else:
        return UNKNOWN
    if found is None or (isinstance(found, float) and math.isnan(found)):
        return UNKNOWN
    if isinstance(found, Decimal):
        return float(found) if found.is_finite() else UNKNOWN
    return list(found) if isinstance(found, (set, frozenset)) else found


def truth_of(value: object) -> Truth:
    """Empty text, empty lists and zero are no."""
    if isinstance(value, (bool, int, float, str, list, tuple, Mapping)):
        return bool(value)
    return True if isinstance(value, (date, time)) else UNKNOWN


def compare(op: str, left: Any, right: Any) -> Truth:
    """One comparison. Equality of different kinds is no; order between different kinds is unknown."""
    if op == "eq":
        return equal(left, right)
    if op == "ne":
        return negation(equal(left, right))
    if op in ("in", "notin"):
        inside = contains(right, left)
        return inside if op == "in" else negation(inside)
    if _kind(left) not in ("number", "text", "moment") or _kind(left) != _kind(right):
        return UNKNOWN
    try:
        return bool(_ORDER[op](left, right))
    except TypeError:  # a date beside a time, an aware moment beside a naive one
        return UNKNOWN


def equal(left: object, right: object) -> Truth:
    kinds = {_kind(left), _kind(right)}
    if kinds & {"unknown", "many"}:
        return UNKNOWN
    return len(kinds) == 1 and left == right


def contains(container: object, item: object) -> Truth:
    """Part of a text, member of a list, key of a mapping."""
    if isinstance(item, Unknown):
        return UNKNOWN
    if isinstance(container, str):
        return item in container if isinstance(item, str) else UNKNOWN
    if isinstance(container, Mapping):
        return item in container if isinstance(item, str) else UNKNOWN
    if not isinstance(container, (list, tuple)):
        return UNKNOWN
    answers = [equal(UNKNOWN if member is None else member, item) for member in container]
    if True in answers:
        return True
    return UNKNOWN if UNKNOWN in answers else False


def add(left: object, right: object) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return (left + right)[:MAX_RESULT]
    return calculated(operator.add, left, right)


def calculated(run: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if not is_number(left) or not is_number(right):
        return UNKNOWN
    if not -MAX_NUMBER <= left <= MAX_NUMBER or not -MAX_NUMBER <= right <= MAX_NUMBER:
        return UNKNOWN
    try:
        return run(left, right)
    except ZeroDivisionError:
        return UNKNOWN


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (date, time)):
        return "moment"
    return "many" if isinstance(value, (list, tuple, Mapping)) else "unknown"
