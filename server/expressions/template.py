"""Messages: text with {{ values }} and {% if %}, written for a person. What is not known is no text."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from jinja2 import nodes
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from server.expressions.evaluate import Evaluation
from server.expressions.grammar import ExpressionError, names_in, parse_message
from server.expressions.names import MESSAGE_NAMES, wrong_name
from server.expressions.words import text_of

MAX_MESSAGE = 8_000  # characters a rendered message may have


@dataclass(frozen=True)
class Template:
    """`Template.parse("Hi {{ lead.first_name | default('there') }}!").render({}) == "Hi there!"`."""

    text: str
    tree: nodes.Template = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises ExpressionError (a ValueError) for bad grammar and for names that do not exist."""
        template = cls(text, parse_message(text))
        for path in sorted(template.names()):
            wrong = wrong_name(tuple(path.split(".")), MESSAGE_NAMES)
            if wrong:
                raise ExpressionError(wrong)
        return template

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for these values; never raises, at most MAX_MESSAGE characters."""
        pieces: list[str] = []
        _render(self.tree.body, Evaluation(values, lenient=True), pieces)
        return "".join(pieces)[:MAX_MESSAGE]

    def names(self) -> frozenset[str]:
        """The dotted names it reads."""
        return frozenset(".".join(path) for path in names_in(self.tree))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _read, serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.text)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "description": "Text, with {{ values }} where they are wanted"}


def render(template: str | Template, values: Mapping[str, Any]) -> str:
    """The text of a message. Raises ExpressionError when `template` is text that cannot be parsed."""
    return (Template.parse(template) if isinstance(template, str) else template).render(values)


def _read(value: Any) -> Template:
    if isinstance(value, Template):
        return value
    if not isinstance(value, str):
        raise ExpressionError("allowed text; put it in quotes")
    return Template.parse(value)


def _render(body: list[nodes.Node], run: Evaluation, pieces: list[str]) -> None:
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                pieces.append(part.data if isinstance(part, nodes.TemplateData) else text_of(run.value(part)))
        elif isinstance(node, nodes.If):
            _render(_branch(node, run), run, pieces)


def _branch(node: nodes.If, run: Evaluation) -> list[nodes.Node]:
    for choice in (node, *node.elif_):
        if run.truth(cast(nodes.Expr, choice.test)) is True:
            return choice.body
    return node.else_
