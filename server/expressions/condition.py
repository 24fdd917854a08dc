"""A condition: parsed once, judged on values, and told to browsers as a tree."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from server.expressions import browser
from server.expressions.evaluate import Evaluation
from server.expressions.grammar import ExpressionError, names_in, parse_condition
from server.expressions.logic import Answer, answer_of
from server.expressions.names import wrong_name


@dataclass(frozen=True)
class Verdict:
    """The answer, and every name that was looked at on the way (None: not known)."""

    answer: Answer
    saw: dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """`Condition.parse('account.employees >= 500').judge({"account": {"employees": 800}}).answer == "yes"`."""

    text: str
    tree: nodes.Expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, *, names: Iterable[str] = ()) -> Condition:
        """Raises ExpressionError (a ValueError) for bad grammar and unknown names; `names`: further roots."""
        condition = cls(text, parse_condition(text))
        for path in sorted(condition.names()):
            wrong = wrong_name(tuple(path.split(".")), names)
            if wrong:
                raise ExpressionError(wrong)
        return condition

    def judge(self, values: Mapping[str, Any]) -> Verdict:
        """yes, no or unknown for these values (mappings in mappings). Never raises; missing and None are unknown."""
        run = Evaluation(values)
        truth = run.truth(self.tree)
        return Verdict(answer_of(truth), run.saw)

    def names(self) -> frozenset[str]:
        """The dotted names it reads: `account.employees`, `page.path`."""
        return frozenset(".".join(path) for path in names_in(self.tree))

    def for_browser(self) -> Any:
        """The tree of docs/protocol.md; `["?"]` where only the server knows. Never contradicts `judge`."""
        return browser.tree_of(self.tree)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return field_schema(cls, ())

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": ["string", "boolean"], "description": "A condition such as account.employees >= 500"}


Expression = Condition


def field_schema(condition: type[Condition], names: Iterable[str]) -> core_schema.CoreSchema:
    """How pydantic reads a condition: from text, or from a plain true or false."""

    def read(value: Any) -> Condition:
        if isinstance(value, Condition):
            return value
        if isinstance(value, bool):
            return condition.parse(str(value).lower())
        if not isinstance(value, str):
            raise ExpressionError("allowed a condition such as account.employees >= 500")
        return condition.parse(value, names=names)

    return core_schema.no_info_plain_validator_function(
        read, serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.text)
    )
