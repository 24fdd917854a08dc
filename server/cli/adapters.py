"""Commands about adapters: what is installed, what it needs, whether it works, and the beginning of a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from plugins import quality, registry, scaffold
from plugins.adapter import Adapter, CheckResult
from plugins.errors import ConfigError, PluginError
from plugins.fields import json_schema, yaml_template
from plugins.quality import Quality
from plugins.records import MemoryRecords
from plugins.registry import Listing
from server import settings
from server.adapters import connections
from server.cli import doctor_adapters
from server.cli.adapter_page import as_markdown, as_text
from server.cli.terminal import database, out
from server.errors import Invalid, NotFound


@click.group("adapters")
def adapters() -> None:
    """Adapters: what is installed, what one needs, whether it works."""
    registry.allow(settings.get().adapters_allowed)


@adapters.command("list")
@click.option("--kind", type=click.Choice(sorted(registry.CONTRACTS)), help="Of this kind only.")
@click.option("--load", "load", is_flag=True, help="Import each, to see which are broken.")
def list_them(kind: str | None, load: bool) -> None:
    """List all adapters, also those that cannot be used, with the reason. Imports none of them unless told to."""
    if load:
        registry.load_all(kind)
    table = Table(box=None, pad_edge=False)
    for column in ("adapter", "from", "quality", "problem"):
        table.add_column(column, overflow="fold")
    for one in registry.listings(kind):
        table.add_row(f"{one.kind}.{one.name}", one.origin, quality_of(one).tier.value, one.problem)
    out.print(table)


@adapters.command()
@click.argument("name")
@click.option("--format", "shape", type=click.Choice(["text", "yaml", "json-schema", "md"]), default="text")
def show(name: str, shape: str) -> None:
    """Show what adapter NAME ("crm.hubspot", or "hubspot" when that is clear) does, needs and was proven to do."""
    listing = _find(name)
    adapter = _loaded(listing)
    if shape == "yaml":
        out.print(yaml_template(adapter.fields), end="")
    elif shape == "json-schema":
        print(json.dumps(json_schema(adapter.fields, adapter.title), indent=2, ensure_ascii=False))
    elif shape == "md":
        print(as_markdown(adapter, listing, quality_of(listing)), end="")
    else:
        out.print(as_text(adapter, listing, quality_of(listing)), end="")


@adapters.command("check")
@click.argument("name", required=False, metavar="[NAME or con_…]")
@click.option("--connection", "id", help="Check this connection (con_…) with its own settings.")
def try_it(name: str | None, id: str | None) -> None:
    """Try adapter NAME with the settings of the environment, or a connection (con_…) with its own. Changes nothing
    there.

    Exit code 0: it works. 1: it does not, and why is said. 2: wrong usage.
    """
    if name and name.startswith("con_") and not id:
        name, id = None, name
    if name and id:
        raise click.UsageError(f"Leave {name} out: a connection knows its adapter.")
    if not name and not id:
        raise click.UsageError("Give the name of an adapter, or the id of a connection (con_…).")
    try:
        listing = None if id else _find(name or "")
        adapter = _of_environment(listing) if listing else _of_connection(str(id))
        try:
            found: CheckResult = adapter.check()
        finally:
            adapter.close()
    except PluginError as error:
        raise Invalid("\n".join([_said(error), *_unread(listing)])) from error
    if not found.ok:
        said = f"{adapter.title} does not work with these settings: {found.message or 'it says no more'}"
        raise Invalid("\n".join([said, *_unread(listing)]))
    _tell(adapter, found)
    for sentence in _unread(listing):
        out.print(f"  warning: {sentence}")


@adapters.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(scaffold.KINDS), required=True, help="What it connects with.")
@click.option("--into", type=click.Path(path_type=Path), help="A new folder; usher-NAME unless given.")
def new(name: str, kind: str, into: Path | None) -> None:
    """Write the package of a new adapter NAME, with a fake of its service and its conformance test."""
    folder = into or Path(f"usher-{name}")
    if taken := next((one for one in registry.listings(kind) if one.name == name), None):
        raise Invalid(f"There is a {kind} adapter {name} already ({taken.origin}): name yours otherwise.")
    try:
        files = scaffold.write(name, kind, folder)
    except scaffold.Unwritable as error:
        raise Invalid(str(error)) from error
    for file in files:
        out.print(f"  {file}")
    out.print(f"Next: `pip install -e '{folder}[test]'`, then `python -m pytest` in {folder}, then read its README.")


COMMANDS = (adapters,)


def quality_of(listing: Listing) -> Quality:
    """What the kit found of it."""
    return quality.read(listing.kind, listing.name, listing.target)


def _find(name: str) -> Listing:
    """The listing that `name` means, the usable one where several offer it. NotFound names what there is."""
    kind, _, bare = name.rpartition(".")
    found = [one for one in registry.listings(kind or None) if one.name == bare] if _is_kind(kind) else []
    kinds = sorted({one.kind for one in found})
    if len(kinds) > 1:
        raise Invalid(f"There are several: {', '.join(f'{one}.{bare}' for one in kinds)}. Name one of them.")
    if not found:
        raise NotFound(f"There is no adapter {name}. `usher adapters list` shows what there is.")
    return min(found, key=lambda one: bool(one.problem))


def _is_kind(kind: str) -> bool:
    return not kind or kind in registry.CONTRACTS


def _loaded(listing: Listing) -> type[Adapter]:
    try:
        return registry.load(listing.kind, listing.name)
    except ConfigError as error:
        raise Invalid(f"{listing.kind}.{listing.name} cannot be used: {error.message}") from error


def _of_environment(listing: Listing) -> Any:
    of = settings.get()
    given = connections.given_by_environment(_loaded(listing))
    if listing.kind == "notify" and listing.name == of.mail_to:
        given = {name: str(value) for name, value in of.mail_config().items()}
    records = MemoryRecords()
    return registry.open(listing.kind, listing.name, given, records=records, private=of.hosts_in_private)


def _of_connection(id: str) -> Any:
    db = database()
    with db.reading() as tx:
        connection = connections.get(tx, id)
    return connections.open(db, connection, trying=True)


def _unread(listing: Listing | None) -> list[str]:
    return doctor_adapters.unread(listing) if listing else []


def _said(error: PluginError) -> str:
    if not isinstance(error, ConfigError) or not error.user_message.startswith(error.sentence):
        return error.user_message
    return error.sentence + "".join(f"\n  {name} {why}" for name, why in error.problems)


def _tell(adapter: Adapter, found: CheckResult) -> None:
    out.print(f"{adapter.title} works{f', as {found.account}' if found.account else ''}.")
    for label, words in (("granted", found.granted), ("missing", found.missing), ("warning", found.warnings)):
        for word in words:
            out.print(f"  {label}: {word}")
    if found.message:
        out.print(found.message)
