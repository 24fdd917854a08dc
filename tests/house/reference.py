"""A JSON Schema of the site folder as Markdown tables: every key, what may stand there, what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Row = tuple[str, str, str, str]
HEAD = "| key | allowed | default | what it is |\n|---|---|---|---|\n"


def as_markdown(file: str, schema: Schema) -> str:
    """One file of the site folder: a heading, a sentence, a table; node types get a table each."""
    parts = [f"### `{file}`\n", _sentence(schema), _table(_rows(schema, schema, ""))]
    for title, node in _variants(schema):
        parts += [f"#### Node `{title}`\n", _sentence(node), _table(_rows(schema, node, ""))]
    return "\n".join(part for part in parts if part)


def _table(rows: Iterator[Row]) -> str:
    lines = [f"| `{key}` | {allowed} | {default} | {what} |" for key, allowed, default, what in rows]
    return HEAD + "\n".join(lines) + "\n" if lines else ""


def _sentence(schema: Schema) -> str:
    said = _one_line(schema.get("description", ""))
    return f"{said}\n" if " " in said else ""


def _rows(root: Schema, schema: Schema, path: str) -> Iterator[Row]:
    required = schema.get("required", ())
    for key, raw in schema.get("properties", {}).items():
        value = _resolved(root, raw)
        shown = f"{path}{key}"
        default = "**required**" if key in required else _default(raw)
        yield shown, _allowed(root, value), default, _one_line(_description(raw, value))
        yield from _inside(root, value, shown)


def _inside(root: Schema, value: Schema, path: str) -> Iterator[Row]:
    for one in _choices(root, value):
        items = _resolved(root, one["items"]) if isinstance(one.get("items"), Mapping) else {}
        if items.get("anyOf") and _is_variants(root, items):
            return
        if one.get("properties"):
            yield from _rows(root, one, f"{path}.")
        for inner in _choices(root, items):
            if inner.get("properties"):
                yield from _rows(root, inner, f"{path}[].")
        more = one.get("additionalProperties")
        if isinstance(more, Mapping):
            for inner in _choices(root, _resolved(root, more)):
                if inner.get("properties"):
                    yield from _rows(root, inner, f"{path}.*.")


def _variants(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The node types of a playbook: the alternatives of `nodes[]`, named after their required key."""
    nodes = _resolved(schema, schema.get("properties", {}).get("nodes", {}))
    items = _resolved(schema, nodes.get("items", {}))
    for raw in items.get("anyOf", ()):
        node = _resolved(schema, raw)
        yield str(node.get("title", "")).lower(), node


def _is_variants(root: Schema, items: Schema) -> bool:
    return sum(bool(_resolved(root, one).get("properties")) for one in items["anyOf"]) > 3


def _choices(root: Schema, value: Schema) -> list[Schema]:
    return [_resolved(root, one) for one in value.get("anyOf") or value.get("oneOf") or ()] or [value]


def _resolved(root: Schema, value: Schema) -> Schema:
    while "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        value = {**root["$defs"][name], **{k: v for k, v in value.items() if k != "$ref"}}
    return value


def _allowed(root: Schema, value: Schema) -> str:
    if "anyOf" in value or "oneOf" in value:
        kinds = [_allowed(root, one) for one in _choices(root, value) if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        items = _resolved(root, value.get("items", {}))
        return (
            "list of nodes" if items.get("anyOf") and _is_variants(root, items) else f"list of {_allowed(root, items)}"
        )
    return _plain(value)


def _plain(value: Schema) -> str:
    names = {
        "string": "text",
        "integer": "whole number",
        "boolean": "`true`, `false`",
        "object": "keys below",
        "number": "number",
    }
    if value.get("type") == "object" and not value.get("properties"):
        return "keys of your own"
    if str(value.get("description", "")).startswith("A condition"):
        return "condition"
    low, high = value.get("minimum", value.get("exclusiveMinimum")), value.get("maximum")
    span = f" {low} to {high}" if low is not None and high is not None else f" from {low}" if low is not None else ""
    kind = names.get(str(value.get("type", "")), "any value")
    return {"date": "date", "date-time": "date and time"}.get(str(value.get("format", "")), kind) + span


def _default(raw: Schema) -> str:
    default = raw.get("default")
    shown = "" if default in (None, "", []) or isinstance(default, dict) else json.dumps(default, ensure_ascii=False)
    return f"`{shown}`" if shown else ""


def _description(raw: Schema, value: Schema) -> str:
    return str(raw.get("description") or value.get("description") or "")


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
