"""A condition as the JSON tree that the widget judges (docs/protocol.md, "Config").

What the widget must hold to, so that its answer never contradicts the server's (tests/expressions/browser_cases.json
has cases for both): a missing value and null are unknown; `==` of different kinds (text, number, truth) is no, with a
list or object unknown; order of different kinds is unknown; `in` is part of a text, member of a list, key of an object;
`+` adds two numbers or joins two texts, else unknown; as an answer, "", 0, an empty list and an empty object are no.
`and`, `or`, `not` are Kleene's.
"""
from __future__ import annotations

from typing import Any

from jinja2 import nodes

from server.expressions.grammar import path_of
from server.expressions.names import BROWSER_NAMES

UNKNOWN_HERE = ["?"]

_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in"}
_WORDS = {"startswith": "starts", "endswith": "ends", "lower": "lower", "glob": "glob"}


def tree_of(node: nodes.Expr) -> Any:
    """The tree of an answer: and, or, not, and whatever has a value."""
    if isinstance(node, (nodes.And, nodes.Or)):
        return _joined("and" if isinstance(node, nodes.And) else "or", [tree_of(node.left), tree_of(node.right)])
    if isinstance(node, nodes.Not):
        inner = tree_of(node.node)
        return inner if inner == UNKNOWN_HERE else ["not", inner]
    return _value(node)


def _value(node: nodes.Node) -> Any:
    path = path_of(node)
    if path is not None:
        return ["get", *path] if path[0] in BROWSER_NAMES else UNKNOWN_HERE
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, (nodes.List, nodes.Tuple)):
        return _apply("list", [_value(item) for item in node.items])
    if isinstance(node, nodes.Compare):
        return _compare(node)
    if isinstance(node, nodes.Add):
        return _apply("+", [_value(node.left), _value(node.right)])
    if isinstance(node, nodes.Concat):
        return _concat([_value(part) for part in node.nodes])
    if isinstance(node, nodes.Not):
        return tree_of(node)
    return _word(node)


def _compare(node: nodes.Compare) -> Any:
    pairs = []
    left = _value(node.expr)
    for operand in node.ops:
        right = _value(operand.expr)
        if operand.op == "notin":
            inside = _apply("in", [left, right])
            pairs.append(inside if inside == UNKNOWN_HERE else ["not", inside])
        else:
            pairs.append(_apply(_COMPARE[operand.op], [left, right]))
        left = right
    return pairs[0] if len(pairs) == 1 else _joined("and", pairs)


def _word(node: nodes.Node) -> Any:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        name, subject, arguments = node.node.attr, node.node.node, node.args
    elif isinstance(node, (nodes.Filter, nodes.Test)) and node.node is not None:
        name, subject, arguments = node.name, node.node, node.args
    else:
        return UNKNOWN_HERE
    if name not in _WORDS:
        return UNKNOWN_HERE
    return _apply(_WORDS[name], [_value(subject), *(_value(argument) for argument in arguments)])


def _concat(parts: list[Any]) -> Any:
    """Text joined to text; the empty text in front keeps `1 ~ 2` from becoming 3."""
    tree: Any = ""
    for part in parts:
        tree = _apply("+", [tree, part])
    return tree


def _apply(name: str, arguments: list[Any]) -> Any:
    return UNKNOWN_HERE if UNKNOWN_HERE in arguments else [name, *arguments]


def _joined(name: str, parts: list[Any]) -> Any:
    flat: list[Any] = []
    for part in parts:
        deeper = part[1:] if isinstance(part, list) and part[0] == name else [part]
        flat.extend(one for one in deeper if one != UNKNOWN_HERE or one not in flat)
    return flat[0] if len(flat) == 1 else [name, *flat]
