"""Text to syntax tree: Jinja2's parser, then a list of what may be written. Nothing here sees data."""
from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from jinja2 import TemplateSyntaxError, nodes
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from server.expressions.values import MAX_NUMBER
from server.expressions.words import FILTERS, METHODS, TESTS

MAX_TEXT = 4_000  # characters of a condition or a message
MAX_NODES = 600
MAX_DEPTH = 40

_ENVIRONMENT = ImmutableSandboxedEnvironment(autoescape=False, keep_trailing_newline=True)
_PLAIN = (
    nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.List,
    nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod,
    nodes.Neg, nodes.Pos, nodes.Concat, nodes.CondExpr,
)  # fmt: skip
_MESSAGE = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If)
_INSTEAD = {
    nodes.Pow: "** (a power)",
    nodes.Slice: "a slice",
    nodes.For: 'a loop: write {{ list | join(", ") }}',
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Macro: "a macro",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% import %}",
    nodes.Extends: "{% extends %}",
    nodes.Block: "{% block %}",
}


class ExpressionError(ValueError):
    """A condition or message that cannot be used. The text says what was found and what is allowed."""


def parse_condition(text: str) -> nodes.Expr:
    """The checked tree of one condition. Raises ExpressionError."""
    _check_length(text)
    if not text.strip():
        raise ExpressionError("found nothing, allowed a condition like account.employees >= 500")
    try:
        parser = Parser(_ENVIRONMENT, text, state="variable")
        tree = parser.parse_expression()
        rest = None if parser.stream.eos else parser.stream.current
    except TemplateSyntaxError as error:
        raise ExpressionError(f"found {_quote(text)}: {_reason(error)}") from None
    except RecursionError:
        raise ExpressionError(f"found a condition nested too deeply, allowed {MAX_DEPTH} levels") from None
    if rest is not None:
        raise ExpressionError(_too_much(text, str(rest.value)))
    _check(tree, _PLAIN)
    return tree


def parse_message(text: str) -> nodes.Template:
    """The checked tree of one message. Raises ExpressionError."""
    _check_length(text)
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise ExpressionError(f"found {_quote(text)}: {_reason(error)}") from None
    except RecursionError:
        raise ExpressionError(f"found a message nested too deeply, allowed {MAX_DEPTH} levels") from None
    _check(tree, _PLAIN + _MESSAGE)
    return tree


def path_of(node: nodes.Node) -> tuple[str, ...] | None:
    """`account.owner` or `answers["size"]` as its parts; None for anything else."""
    parts: list[str] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            parts.append(node.arg.value)
        else:
            return None
        node = node.node
    return (node.name, *reversed(parts))


def names_in(tree: nodes.Node) -> Iterator[tuple[str, ...]]:
    """Every name read, longest form only: `page.path` and not also `page`. A method's name is not part of it."""
    if isinstance(tree, nodes.Call) and isinstance(tree.node, nodes.Getattr):
        yield from names_in(tree.node.node)
        for argument in tree.args:
            yield from names_in(argument)
        return
    path = path_of(tree)
    if path is not None:
        yield path
        return
    for child in tree.iter_child_nodes():
        yield from names_in(child)


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"found {len(text)} characters, allowed {MAX_TEXT}")


def _check(tree: nodes.Node, allowed: tuple[type[nodes.Node], ...]) -> None:
    """Walks without recursion, so that no text is too deep for the walk itself."""
    waiting = [(tree, 1)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if depth > MAX_DEPTH or seen > MAX_NODES:
            raise ExpressionError(f"found too long a text, allowed {MAX_NODES} parts nested {MAX_DEPTH} deep")
        _check_node(node, allowed)
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())


def _check_node(node: nodes.Node, allowed: tuple[type[nodes.Node], ...]) -> None:
    if isinstance(node, nodes.Const):
        _check_const(node.value)
    elif isinstance(node, nodes.Call):
        _check_call(node)
    elif isinstance(node, nodes.Filter):
        _check_word(node.name, FILTERS, "filter", node)
    elif isinstance(node, nodes.Test):
        _check_word(node.name, TESTS, "test", node)
    elif not isinstance(node, allowed):
        what = _INSTEAD.get(type(node), type(node).__name__.lower())
        raise ExpressionError(f"found {what}, which is not allowed here")


def _check_const(value: object) -> None:
    if value is None:
        raise ExpressionError('found "none", allowed: "x is defined" or "x is not defined"')
    if isinstance(value, (int, float)) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise ExpressionError("found a number that is too large, allowed up to 15 digits")


def _check_call(node: nodes.Call) -> None:
    if not isinstance(node.node, nodes.Getattr):
        raise ExpressionError(f"found a call, allowed the text methods {', '.join(METHODS)}")
    _check_word(node.node.attr, METHODS, "method", node)


def _check_word(word: str, known: dict, kind: str, node: nodes.Call | nodes.Filter | nodes.Test) -> None:
    if word not in known:
        near = get_close_matches(word, known, 1, 0.6)
        guess = f'; did you mean "{near[0]}"?' if near else ""
        raise ExpressionError(f'found the unknown {kind} "{word}", allowed {", ".join(known)}{guess}')
    least, most = known[word].arguments
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None or not least <= len(node.args) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        raise ExpressionError(f'found wrong arguments of "{word}", allowed {count}, without names')


def _reason(error: TemplateSyntaxError) -> str:
    message = (error.message or "not a condition").rstrip(".")
    return message[0].lower() + message[1:]


def _too_much(text: str, rest: str) -> str:
    hint = ' (write "==" to compare)' if rest == "=" else ""
    return f'found {_quote(text)}: do not understand "{rest}"{hint}'


def _quote(text: str) -> str:
    short = " ".join(text.split())
    return f'"{short if len(short) <= 80 else short[:79] + "…"}"'
