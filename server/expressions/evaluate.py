"""Runs a checked tree over values. Total: whatever the data, the result is a value or UNKNOWN, at a bounded cost."""
from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from server.expressions.grammar import path_of
from server.expressions.logic import UNKNOWN, Truth, Unknown, negation
from server.expressions.values import add, calculated, compare, look_up, truth_of
from server.expressions.words import FILTERS, MAX_RESULT, METHODS, TESTS, Word, is_number, text_of

_ARITHMETIC: dict[type[nodes.Node], Callable[[Any, Any], Any]] = {
    nodes.Sub: operator.sub,
    nodes.Mul: operator.mul,
    nodes.Div: operator.truediv,
    nodes.FloorDiv: operator.floordiv,
    nodes.Mod: operator.mod,
}
_SHOWN = 200  # characters of a value that a trace keeps


class Evaluation:
    """One run. `saw` holds every name that was looked at, None for unknown.

    `lenient` is the manner of messages: where a choice has to be made, unknown takes the other branch, and is no text.
    """

    def __init__(self, values: Mapping[str, Any], *, lenient: bool = False) -> None:
        self.values = values
        self.lenient = lenient
        self.saw: dict[str, Any] = {}

    def truth(self, node: nodes.Expr) -> Truth:
        """Is it so? Kleene's and, or, not; everything else by its value."""
        if isinstance(node, nodes.And):
            return self._joined(node.left, node.right, False)
        if isinstance(node, nodes.Or):
            return self._joined(node.left, node.right, True)
        return truth_of(self.value(node))

    def value(self, node: nodes.Expr) -> Any:
        """What it is, or UNKNOWN."""
        return _RUNS[type(node)](self, node)

    def _joined(self, left: nodes.Expr, right: nodes.Expr, decisive: bool) -> Truth:
        first = self.truth(left)
        if first is decisive:
            return decisive
        second = self.truth(right)
        if second is decisive:
            return decisive
        return UNKNOWN if UNKNOWN in (first, second) else not decisive

    def _name(self, node: nodes.Expr) -> Any:
        """Names, attributes and items: each step is a look into a mapping (or a list, by number)."""
        path = path_of(node)
        if path is None:
            return self._step(node)
        value: Any = self.values
        for part in path:
            value = look_up(value, part)
        self.saw[".".join(path)] = _shown(value)
        return value

    def _step(self, node: nodes.Expr) -> Any:
        if isinstance(node, nodes.Getattr):
            return look_up(self.value(node.node), node.attr)
        assert isinstance(node, nodes.Getitem)  # noqa: S101 - the grammar lets nothing else through
        return look_up(self.value(node.node), self.value(node.arg))

    def _list(self, node: nodes.List | nodes.Tuple) -> Any:
        return [self.value(item) for item in node.items]

    def _dict(self, node: nodes.Dict) -> Any:
        pairs = [(self.value(pair.key), self.value(pair.value)) for pair in node.items]
        return {key: value for key, value in pairs if isinstance(key, (str, int, float))}

    def _choose(self, node: nodes.And | nodes.Or) -> Any:
        """As a value, `a or b` is a when a is yes, else b: `lead.first_name or "there"`."""
        first = self.value(node.left)
        truth = truth_of(first)
        if isinstance(node, nodes.Or):
            return first if truth is True else self.value(node.right)
        return self.value(node.right) if truth is True else first

    def _compare(self, node: nodes.Compare) -> Truth:
        result: Truth = True
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            one = compare(operand.op, left, right)
            if one is False:
                return False
            result = UNKNOWN if isinstance(one, Unknown) else result
            left = right
        return result

    def _arithmetic(self, node: nodes.BinExpr) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node, nodes.Add):
            return add(left, right)
        return calculated(_ARITHMETIC[type(node)], left, right)

    def _negative(self, node: nodes.UnaryExpr) -> Any:
        value = self.value(node.node)
        if not is_number(value):
            return UNKNOWN
        return -value if isinstance(node, nodes.Neg) else value

    def _concat(self, node: nodes.Concat) -> Any:
        values = [self.value(part) for part in node.nodes]
        if not self.lenient and any(isinstance(value, Unknown) for value in values):
            return UNKNOWN
        return "".join(text_of(value) for value in values)[:MAX_RESULT]

    def _either(self, node: nodes.CondExpr) -> Any:
        truth = self.truth(node.test)
        if truth is True:
            return self.value(node.expr1)
        if isinstance(truth, Unknown) and not self.lenient:
            return UNKNOWN
        return UNKNOWN if node.expr2 is None else self.value(node.expr2)

    def _call(self, node: nodes.Call) -> Any:
        assert isinstance(node.node, nodes.Getattr)  # noqa: S101 - the grammar lets nothing else through
        return self._word(METHODS[node.node.attr], node.node.node, node.args)

    def _filter(self, node: nodes.Filter) -> Any:
        return UNKNOWN if node.node is None else self._word(FILTERS[node.name], node.node, node.args)

    def _test(self, node: nodes.Test) -> Any:
        return self._word(TESTS[node.name], node.node, node.args)

    def _word(self, word: Word, subject: nodes.Expr, arguments: list[nodes.Expr]) -> Any:
        value = self.value(subject)
        if isinstance(value, Unknown) and not word.sees_unknown:
            return UNKNOWN
        return word.run(value, *(self.value(argument) for argument in arguments))


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_SHOWN]
    if isinstance(value, (bool, int, float)):
        return value
    return None if isinstance(value, Unknown) else text_of(value)[:_SHOWN]


_RUNS: dict[type, Callable[[Evaluation, Any], Any]] = {
    nodes.Const: lambda run, node: node.value,
    nodes.Name: Evaluation._name,
    nodes.Getattr: Evaluation._name,
    nodes.Getitem: Evaluation._name,
    nodes.List: Evaluation._list,
    nodes.Tuple: Evaluation._list,
    nodes.Dict: Evaluation._dict,
    nodes.And: Evaluation._choose,
    nodes.Or: Evaluation._choose,
    nodes.Not: lambda run, node: negation(run.truth(node.node)),
    nodes.Compare: Evaluation._compare,
    nodes.Neg: Evaluation._negative,
    nodes.Pos: Evaluation._negative,
    nodes.Concat: Evaluation._concat,
    nodes.CondExpr: Evaluation._either,
    nodes.Call: Evaluation._call,
    nodes.Filter: Evaluation._filter,
    nodes.Test: Evaluation._test,
    nodes.Add: Evaluation._arithmetic,
    **dict.fromkeys(_ARITHMETIC, Evaluation._arithmetic),
}
