"""crm.yml as text: what an owner wrote, with their comments, and the mapping that the console makes of it."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from server.sync.schema import USUAL, Crm, Mapped

_HEAD = "# What the CRM hears and what we take from it. Edited in the console, or here.\n"


def with_fields(crm: Crm, rows: list[Mapped], **settings: Any) -> Crm:
    """The mapping with these rows, the usual ones among them: written down only where they differ from what holds
    anyway. ValueError (pydantic's) for rows that contradict each other."""
    kept = {_key(one) for one in rows}
    standard = {_key(one) for one in USUAL} <= kept or _only_changed(rows)
    written = [one for one in rows if not (standard and one in USUAL)]
    return Crm.model_validate(
        {**crm.model_dump(), **settings, "fields": [one.model_dump() for one in written], "standard": standard}
    )


def text_of(before: str, crm: Crm) -> str:
    """`before` with what `crm` says; comments and the order of what stays are kept."""
    yaml = YAML()
    yaml.width = 160
    yaml.preserve_quotes = True
    document = yaml.load(before) if before.strip() else CommentedMap()
    said = crm.model_dump(exclude_defaults=True, exclude_none=True)
    for name in [name for name in document if name not in said]:
        del document[name]
    for name, value in said.items():
        if name not in document or _plain(document[name]) != value:
            document[name] = _fields(value) if name == "fields" else _flow(value)
    if not document:
        return _HEAD + "{}\n"
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue() if before.strip() else _HEAD + out.getvalue()


def _only_changed(rows: list[Mapped]) -> bool:
    """Whether every usual row that is not among them has its place taken by another."""
    taken = {(one.on, one.theirs) for one in rows} | {(one.on, one.ours) for one in rows}
    return all({(one.on, one.theirs), (one.on, one.ours)} & taken for one in USUAL)


def _key(mapped: Mapped) -> str:
    return mapped.model_dump_json()


def _fields(rows: list[dict[str, Any]]) -> CommentedSeq:
    """One line a field, as the sample folder has them."""
    found = CommentedSeq()
    for row in rows:
        found.append(_flow(row))
    return found


def _flow(value: Any) -> Any:
    if isinstance(value, dict):
        made = CommentedMap({name: _flow(one) for name, one in value.items()})
        made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        listed = CommentedSeq([_flow(one) for one in value])
        listed.fa.set_flow_style()
        return listed
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
