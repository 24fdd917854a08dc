"""One table of fields per adapter, and all that follows from it: validation, JSON Schema, YAML, environment names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from plugins.config import MASK, Config, Secret
from plugins.errors import ConfigError


class Type(StrEnum):
    """TEXT · INTEGER · NUMBER · BOOLEAN · URL (http or https, with a host) · EMAIL · LIST (of text)."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    URL = "url"
    EMAIL = "email"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of an adapter. `pattern` must match the whole text; `choices` are the only values allowed, and
    `choice_titles` what forms call them, in the same order. `operators`: it names a file or folder of the server, so
    only the operator says it, in the environment. `rare`: forms show it at a second look; most leave it as it is."""

    name: str
    title: str
    type: Type = Type.TEXT
    help: str = ""
    required: bool = False
    secret: bool = False
    default: str | int | float | bool | tuple[str, ...] | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    operators: bool = False
    choice_titles: tuple[str, ...] = ()
    rare: bool = False

    def title_of(self, choice: str) -> str:
        """What forms call this choice."""
        return dict(zip(self.choices, self.choice_titles, strict=False)).get(choice, choice)


def validate(fields: Sequence[Field], given: Mapping[str, Any]) -> Config:
    """The settings in their types with defaults filled in; ConfigError naming every wrong field otherwise."""
    known = {field.name: field for field in fields}
    problems = [(name, _unknown(name, known)) for name in given if name not in known]
    values: dict[str, Any] = {}
    for field in fields:
        try:
            values[field.name] = _value(field, given.get(field.name))
        except ValueError as error:
            problems.append((field.name, str(error)))
    if problems:
        titles = {field.name: field.title for field in fields}
        said = "; ".join(f"{titles.get(name, name)} {why}" for name, why in problems)
        raise ConfigError(
            "; ".join(f"{name}: {why}" for name, why in problems),
            problems=tuple(problems),
            user_message=f"{ConfigError.sentence} {said}.".replace("..", "."),
        )
    return Config(values)


def json_schema(fields: Sequence[Field], title: str = "") -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the settings; secrets are `writeOnly`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in fields if field.required],
        "properties": {field.name: _property(field) for field in fields},
    }


def environment_names(fields: Sequence[Field], kind: str, name: str) -> dict[str, str]:
    """Field name → environment variable, `USHER_<KIND>_<NAME>_<FIELD>`."""
    return {field.name: f"{_prefix(kind, name)}{field.name.upper()}" for field in fields}


def from_environment(fields: Sequence[Field], kind: str, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What `environ` says about these fields, as text that `validate` understands; unset and empty are left out."""
    names = environment_names(fields, kind, name)
    return {field: environ[variable] for field, variable in names.items() if environ.get(variable)}


def unread(
    fields: Sequence[Field], kind: str, name: str, environ: Iterable[str], longer: Iterable[str] = ()
) -> dict[str, str]:
    """Variables that begin as this adapter's do and name no field of it, with the one that was meant, or "". `longer`:
    names of adapters that begin as this one's does ("acme_eu" for "acme"): theirs are not looked at."""
    prefix, others = _prefix(kind, name), tuple(_prefix(kind, one) for one in longer)
    known = [field.name.upper() for field in fields]
    mine = [one for one in sorted(environ) if one.startswith(prefix) and not one.startswith(others)]
    strange = [one.removeprefix(prefix) for one in mine if one.removeprefix(prefix) not in known]
    near = {one: get_close_matches(one, known, n=1) for one in strange}
    return {f"{prefix}{one}": f"{prefix}{meant[0]}" if meant else "" for one, meant in near.items()}


def yaml_template(fields: Sequence[Field]) -> str:
    """The settings as commented YAML, every line a comment that the owner may uncomment; secrets stay empty."""
    lines: list[str] = []
    for field in fields:
        lines += [f"# {line}" for line in (field.title, *_notes(field))]
        lines.append(f"# {field.name}: {_yaml(None if field.secret else field.default)}".rstrip())
    return "\n".join(lines) + "\n" if lines else ""


def redact(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they may be shown: secrets as asterisks, also what no field knows."""
    shown = {field.name for field in fields if not field.secret}
    return {name: value if name in shown else (MASK if value else "") for name, value in values.items()}


def _prefix(kind: str, name: str) -> str:
    return re.sub(r"\W", "_", f"usher_{kind}_{name}_").upper()


def _unknown(name: str, known: Mapping[str, Field]) -> str:
    near = get_close_matches(name, known, n=1)
    return f'unknown setting; did you mean "{near[0]}"?' if near else "unknown setting"


def _value(field: Field, given: Any) -> Any:
    if isinstance(given, Secret):
        given = given.reveal()
    if given is None or given == "":
        if field.required:
            raise ValueError("is required")
        given = field.default
    if given is None:
        return Secret("") if field.secret else None
    value = _READ[field.type](given)
    _hold_to_limits(field, value)
    return Secret(str(value)) if field.secret else value


def _hold_to_limits(field: Field, value: Any) -> None:
    if field.choices and value not in field.choices:
        raise ValueError(f"allowed are {', '.join(field.choices)}")
    if field.pattern and not re.fullmatch(field.pattern, str(value)):
        raise ValueError(f"does not look right. {field.help}" if field.help else "does not look right")
    if field.minimum is not None and value < field.minimum:
        raise ValueError(f"must be at least {field.minimum:g}")
    if field.maximum is not None and value > field.maximum:
        raise ValueError(f"must be at most {field.maximum:g}")


def _text(given: Any) -> str:
    if not isinstance(given, str) or "\n" in given or "\0" in given:
        raise ValueError("must be one line of text")
    return given


def _integer(given: Any) -> int:
    if isinstance(given, bool) or not re.fullmatch(r"[+-]?\d+", str(given)):
        raise ValueError("must be a whole number")
    return int(given)


def _number(given: Any) -> float:
    if isinstance(given, bool) or not re.fullmatch(r"[+-]?\d+(\.\d+)?", str(given)):
        raise ValueError("must be a number")
    return float(given)


def _boolean(given: Any) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if str(given).lower() not in words:
        raise ValueError("must be true or false")
    return words[str(given).lower()]


def _url(given: Any) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+([/?#]\S*)?", _text(given)):
        raise ValueError("must be an address that begins with https:// or http://, without user or password")
    return str(given)


def _email(given: Any) -> str:
    if not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", _text(given)):
        raise ValueError("must be an e-mail address")
    return str(given)


def _list(given: Any) -> tuple[str, ...]:
    items = given.split(",") if isinstance(given, str) else given
    if not isinstance(items, list | tuple):
        raise ValueError("must be a list of text")
    return tuple(_text(item).strip() for item in items)


_READ = {
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.NUMBER: _number,
    Type.BOOLEAN: _boolean,
    Type.URL: _url,
    Type.EMAIL: _email,
    Type.LIST: _list,
}
_JSON: dict[Type, dict[str, Any]] = {
    Type.TEXT: {"type": "string"},
    Type.INTEGER: {"type": "integer"},
    Type.NUMBER: {"type": "number"},
    Type.BOOLEAN: {"type": "boolean"},
    Type.URL: {"type": "string", "format": "uri"},
    Type.EMAIL: {"type": "string", "format": "email"},
    Type.LIST: {"type": "array", "items": {"type": "string"}},
}


def _property(field: Field) -> dict[str, Any]:
    extra = {
        "description": field.help,
        "writeOnly": field.secret,
        "default": None if field.secret else field.default,
        "enum": list(field.choices),
        "pattern": f"^(?:{field.pattern})$" if field.pattern else "",
        "minimum": field.minimum,
        "maximum": field.maximum,
    }
    said = {name: value for name, value in extra.items() if value not in ("", None, False, [])}
    return {"title": field.title, **_JSON[field.type], **said}


def _notes(field: Field) -> list[str]:
    notes = [field.help] if field.help else []
    notes += [f"one of {', '.join(field.choices)}"] if field.choices else []
    notes += ["required"] if field.required else []
    notes += ["set by the operator only, in the environment"] if field.operators else []
    return notes + (["secret: set it in the environment or a secret file"] if field.secret else [])


def _yaml(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)
