"""Writes the package of a new adapter: an adapter that works, a fake of its service, its conformance test, and what a
package needs. Its author then puts the real service in place of the sample one, bit by bit, with the tests green.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"
KINDS = tuple(sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir() and folder.name != "common"))
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
SUFFIX = ".jinja"


class Unwritable(ValueError):
    """The package cannot be written so; the message is for a person."""


def write(name: str, kind: str, into: Path) -> list[Path]:
    """Write the package for an adapter `name` of `kind` into a new folder; returns its files. Unwritable when the name
    is none, or something is there already."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise Unwritable(f"{name!r} is no name: lower-case letters, digits and _, beginning with a letter.")
    if kind not in KINDS:
        raise Unwritable(f"There is no kind {kind}; there are: {', '.join(KINDS)}.")
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Unwritable(f"{into} is there already and not empty; name a new folder with --into.")
    words = {"name": name, "kind": kind, "title": name.replace("_", " ").title(), "cls": _camel(name)}
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        variable_start_string="[[",
        variable_end_string="]]",
        autoescape=False,  # noqa: S701 - what is written are files of Python and text, from our own templates
    )
    written = []
    for template in sorted(path for folder in ("common", kind) for path in (TEMPLATES / folder).rglob(f"*{SUFFIX}")):
        inside = template.relative_to(TEMPLATES)
        file = into / "/".join(map(_spelled, inside.parts[1:])).replace("NAME", name).removesuffix(SUFFIX)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(environment.get_template(str(inside)).render(words))
        written.append(file)
    return written


def _spelled(part: str) -> str:
    """A hidden file's name; packages leave out templates that are hidden themselves."""
    return f".{part.removeprefix('dot_')}" if part.startswith("dot_") else part


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
