"""The browser's judge of condition trees in Python, as docs/protocol.md tells it; the widget has it in JavaScript."""
from __future__ import annotations

import re
from typing import Any

UNKNOWN = object()


def judge(tree: Any, values: dict[str, Any]) -> str:
    truth = _truth(_value(tree, values))
    return "unknown" if truth is UNKNOWN else "yes" if truth else "no"


def _value(tree: Any, values: dict[str, Any]) -> Any:
    if not isinstance(tree, list):
        return UNKNOWN if tree is None else tree
    name, *rest = tree
    if name == "?":
        return UNKNOWN
    if name == "get":
        return _get(rest, values)
    arguments = [_value(one, values) for one in rest]
    if name in ("and", "or"):
        return _join([_truth(one) for one in arguments], name == "or")
    if name == "list":
        return arguments
    if UNKNOWN in arguments:
        return UNKNOWN
    return _OPERATORS[name](*arguments)


def _get(path: list[str], values: Any) -> Any:
    for part in path:
        values = values.get(part) if isinstance(values, dict) else None
    return UNKNOWN if values is None else values


def _truth(value: Any) -> Any:
    return value if value is UNKNOWN else bool(value)


def _join(truths: list[Any], decisive: bool) -> Any:
    if any(one is decisive for one in truths):
        return decisive
    return UNKNOWN if UNKNOWN in truths else not decisive


def _not(value: Any) -> Any:
    return not _truth(value)


def _kind(value: Any) -> str:
    return {bool: "truth", int: "number", float: "number", str: "text"}.get(type(value), "many")


def _equal(left: Any, right: Any) -> Any:
    if "many" in (_kind(left), _kind(right)):
        return UNKNOWN
    return _kind(left) == _kind(right) and left == right


def _in(item: Any, container: Any) -> Any:
    if isinstance(container, (str, dict)):
        return item in container if isinstance(item, str) else UNKNOWN
    if not isinstance(container, list):
        return UNKNOWN
    return _join([UNKNOWN if one is None or one is UNKNOWN else _equal(one, item) for one in container], True)


def _ordered(run: Any) -> Any:
    return lambda left, right: (
        run(left, right) if _kind(left) == _kind(right) and _kind(left) in ("number", "text") else UNKNOWN
    )


def _texts(run: Any) -> Any:
    return lambda *values: run(*values) if all(isinstance(value, str) for value in values) else UNKNOWN


def _glob(text: str, *patterns: str) -> bool:
    def expression(pattern: str) -> str:
        return ".*".join(re.escape(piece) for piece in pattern.lower().split("*"))

    return any(re.fullmatch(expression(pattern), text.lower(), re.DOTALL) for pattern in patterns)


def _plus(left: Any, right: Any) -> Any:
    return left + right if _kind(left) == _kind(right) and _kind(left) in ("number", "text") else UNKNOWN


def _negated(value: Any) -> Any:
    return value if value is UNKNOWN else not value


_OPERATORS = {
    "not": _not,
    "==": _equal,
    "!=": lambda left, right: _negated(_equal(left, right)),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "in": _in,
    "glob": _texts(_glob),
    "starts": _texts(str.startswith),
    "ends": _texts(str.endswith),
    "lower": _texts(str.lower),
    "+": _plus,
}
