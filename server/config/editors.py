"""JSON Schemas of the site folder, for editors that complete and check while one writes."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from server.config.version import Section, all_sections


class _Quiet(GenerateJsonSchema):
    """Defaults that are parsed texts have no JSON form; the schema is good without them."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}


def schemas(sections: Sequence[Section]) -> dict[str, dict[str, Any]]:
    """{"site.yml": schema, "playbooks/*.yml": schema, …}; for Markdown the schema of its front matter."""
    found: dict[str, dict[str, Any]] = {}
    for section in all_sections(sections):
        model = section.model
        schema = model.model_json_schema(by_alias=True, schema_generator=_Quiet)
        if model.SUFFIX == ".md":
            schema["properties"].pop("body", None)
            schema["required"] = [key for key in schema.get("required", []) if key != "body"]
        found[model.FILE or f"{model.FOLDER}/*{model.SUFFIX}"] = schema
    return found
