"""The parts of docs/ that are written from the code. `python -m tests.house.generated` writes them anew.

A part stands between `<!-- written from the code: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator

import click

from plugins import errors as plugin_errors
from plugins import quality, registry
from plugins.fields import Field, environment_names
from server import errors
from server.cli import usher
from server.config.editors import schemas
from server.sections import SECTIONS
from server.settings import Settings
from server.web import limits
from tests.house.reference import as_markdown
from tests.house.source import ROOT

MARKS = re.compile(r"(<!-- written from the code: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
DOCS = ("owners.md", "operators.md", "adapters.md")


def main() -> None:
    """Write every part anew."""
    for name in DOCS:
        file = ROOT / "docs" / name
        file.write_text(renewed(file.read_text()))


def renewed(text: str) -> str:
    """The same page with its written parts as the code has them now. KeyError for a part nobody writes."""
    return MARKS.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], text)


def settings() -> str:
    rows = ["| variable | default | what it is for |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.is_required() else _default(field.default)
        rows.append(f"| `USHER_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def commands() -> str:
    rows = ["| command | does |", "|---|---|"]
    for words, command in _leaves(usher, "usher"):
        arguments = [
            part.make_metavar(click.Context(command)) for part in command.params if isinstance(part, click.Argument)
        ]
        rows.append(f"| `{' '.join([words, *arguments])}` | {command.get_short_help_str(200)} |")
    return "\n".join(rows) + "\n"


def answers() -> str:
    """The errors of the HTTP answers, as the head of server/errors.py explains them."""
    said = dict(re.findall(r"^ +(\w+) \d{3} +(.+)$", inspect.getdoc(errors) or "", re.MULTILINE))
    rows = ["| code | status | meaning |", "|---|---|---|"]
    for kind in _classes(errors, errors.UsherError):
        rows.append(f"| `{kind.code}` | {kind.status} | {said[kind.__name__]} |")
    return "\n".join(rows) + "\n"


def rates() -> str:
    """What one visitor may send, by kind."""
    rows = ["| frame or request | at once | then a minute |", "|---|---|---|"]
    for kind, rate in (limits.FRAMES | limits.REQUESTS).items():
        rows.append(f"| `{kind}` | {rate.burst:g} | {rate.per_second * 60:g} |")
    return "\n".join(rows) + "\n"


def adapter_errors() -> str:
    rows = ["| raise | when |", "|---|---|"]
    for kind in _classes(plugin_errors, plugin_errors.PluginError):
        rows.append(f"| `{kind.__name__}` | {' '.join((kind.__doc__ or '').split())} |")
    return "\n".join(rows) + "\n"


def adapters() -> str:
    parts = []
    for kind, name in sorted(registry.BUILT_IN):
        adapter = registry.load(kind, name)
        can = ", ".join(sorted(f"`{one}`" for one in adapter.capabilities))
        said = f"{adapter.title}. {adapter.about} Can: {can or 'what the contract asks'}. {_proven(kind, name)}"
        parts.append(f"**`{kind}.{name}`** {said}\n")
        variables = environment_names(adapter.fields, kind, name)
        rows = [
            f"| `{field.name}` | {_variable(kind, variables[field.name])} | {_explained(field)} |"
            for field in adapter.fields
        ]
        if rows:
            parts.append("\n".join(["| setting | variable | what it is |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _proven(kind: str, name: str) -> str:
    """Its quality, and what keeps it from a better one."""
    found = quality.read(kind, name, registry.BUILT_IN[kind, name])
    known = [f"{rule} ({why})" for rule, why in found.failing.items()]
    left = sorted(set(found.left_out.values()))
    notes = [f"Known to fail: {'; '.join(known)}."] if known else []
    notes += [f"Left out: {'; '.join(left)}."] if left else []
    return " ".join([f"Quality: {found.tier}.", *notes])


def site_folder() -> str:
    return "\n".join(as_markdown(file, schema) for file, schema in schemas(SECTIONS).items())


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "answers": answers,
    "rates": rates,
    "adapter-errors": adapter_errors,
    "adapters": adapters,
    "site-folder": site_folder,
}


def _variable(kind: str, name: str) -> str:
    """Mail has its variables among the server's own settings."""
    return "" if kind == "notify" else f"`{name}`"


def _default(value: object) -> str:
    shown = getattr(value, "get_secret_value", lambda: value)()
    if shown in (None, ""):
        return ""
    path = str(shown)
    return f"`{path.removeprefix(f'{ROOT}/')}`"


def _leaves(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner
        yield from _leaves(inner, f"{words} {name}")


def _classes(module: object, root: type) -> list[type]:
    found = [one for one in vars(module).values() if inspect.isclass(one) and issubclass(one, root) and one is not root]
    return sorted(found, key=lambda one: inspect.getsourcelines(one)[1])


def _explained(field: Field) -> str:
    words = [field.title]
    words += [field.help] if field.help else []
    named = [f"`{one}` ({field.title_of(one)})" if field.choice_titles else f"`{one}`" for one in field.choices]
    words += [f"One of {', '.join(named)}."] if named else []
    words += ["Required."] if field.required else []
    words += ["Set by the operator only."] if field.operators else []
    words += [f"Default: `{field.default}`."] if field.default not in (None, "", ()) else []
    return " ".join(word if word.endswith(".") else f"{word}." for word in words).replace("|", "\\|")


if __name__ == "__main__":
    main()
