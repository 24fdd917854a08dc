"""The node types, one file each: whatever class in this folder has a KEY is a node that playbooks may use."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from server.config.schema import did_you_mean
from server.playbooks.node import Node


def _types() -> Iterator[tuple[str, type[Node]]]:
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{__name__}.{found.name}")
        for thing in vars(module).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, Node)
                and thing.KEY
                and thing.__module__ == module.__name__
            ):
                yield thing.KEY, thing


TYPES: dict[str, type[Node]] = dict(_types())


def read(value: Any) -> Node:
    """The node of a mapping in a playbook file: exactly one of its keys names the type."""
    if isinstance(value, Node):
        return value
    if not isinstance(value, dict):
        raise ValueError("allowed a node such as {id: hi, say: Hello}")
    types = [key for key in value if key in TYPES]
    if len(types) == 1:
        return TYPES[types[0]].model_validate(value)
    if types:
        raise ValueError(f"found the node types {', '.join(types)} in one node, allowed one")
    raise _no_type(value)


def _no_type(value: dict[Any, Any]) -> Exception:
    """Point at the key that is nearest to a node type, else at the node."""
    allowed = ", ".join(sorted(TYPES))
    for key in value:
        guess = did_you_mean(key, TYPES) if key not in ("id", "next") else ""
        if guess:
            reason = f'found no node type but "{key}", allowed one of {allowed}{guess}'
            fault = PydanticCustomError("value_error", "{reason}", {"reason": reason})
            return ValidationError.from_exception_data("Node", [InitErrorDetails(type=fault, loc=(key,), input=key)])
    return ValueError(f"found no node type, allowed one of {allowed}")


class AnyNode:
    """`Annotated[Node, AnyNode]`: how pydantic reads a node of any type, and how the JSON Schema shows it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(TYPES[key].__pydantic_core_schema__) for key in sorted(TYPES)]}
