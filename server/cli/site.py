"""Commands about the site folder and its versions."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import click
from rich.table import Table

from server import built, rehearsal
from server.cli.terminal import database, me, out
from server.config import editors, folder
from server.config import service as config
from server.config.version import Version, candidate
from server.db import Database
from server.errors import ConfigProblems, Invalid, NotFound
from server.sections import SECTIONS


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Write a commented sample site folder into DIRECTORY."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Invalid(f"{directory} is there already and not empty; name a new folder.")
    with resources.as_file(resources.files("server") / "sample") as sample:
        folder.write(folder.load(sample), directory)
    out.print(
        f"Wrote a sample site folder to {directory}. Next: `usher check {directory}`, then `usher apply {directory}`."
    )


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--no-tests", is_flag=True, help="Leave out the conversations in tests/*.yml.")
@click.option(
    "--schemas", type=click.Path(path_type=Path), help="Also write JSON Schemas for editors into this folder."
)
def check(directory: Path, no_tests: bool, schemas: Path | None) -> None:
    """Say what is wrong in a site folder, and run its tests."""
    files = folder.load(directory)
    if problems := config.check(files, SECTIONS):
        raise ConfigProblems(problems)
    if schemas:
        _write_schemas(schemas)
    ran = [] if no_tests else rehearsal.run(files)
    for result in ran:
        out.print(f"{'ok  ' if result.passed else 'FAIL'} {result.file}: {result.name}")
        if not result.passed:
            out.print(str(result.problem))
    failed = sum(not result.passed for result in ran)
    if failed:
        raise Invalid(f"{failed} of {len(ran)} tests failed.")
    out.print(f"{directory} is good: {len(files)} files, {len(ran)} tests passed.")


@click.command("apply")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--note", default="", help="Why, for the list of versions.")
@click.option("--no-tests", is_flag=True, help="Apply without running the folder's tests.")
def apply_folder(directory: Path, note: str, no_tests: bool) -> None:
    """Make a site folder the active config version."""
    files = folder.load(directory)
    if problems := config.check(files, SECTIONS):
        raise ConfigProblems(problems)
    failed = [] if no_tests else [result for result in rehearsal.run(files) if not result.passed]
    if failed:
        lines = "\n".join(str(result.problem) for result in failed)
        raise Invalid(
            f"{lines}\nNothing was applied: {len(failed)} tests of the folder fail (--no-tests applies it anyway)."
        )
    version = config.apply(database(), files, author=me(), note=note, sections=SECTIONS)
    out.print(f"Site {version.site_key}: version {version.number} ({version.hash[:12]}) is active.")


@click.command()
@click.argument("before")
@click.argument("after", required=False)
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
def diff(before: str, after: str | None, site: str | None) -> None:
    """Show what differs between two versions (numbers), or between the active version and a folder."""
    db = database()
    if after is None and Path(before).is_dir():
        new = candidate(folder.load(before))
        old = config.active(db, new.site.key)
    else:
        old, new = (_version(db, site, one) for one in (before, after or "active"))
    out.print(config.diff(old, new).text or "No difference.")


@click.command()
@click.argument("number", type=int)
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
def rollback(number: int, site: str | None) -> None:
    """Make an earlier version active again."""
    db = database()
    version = config.rollback(db, _site_key(db, site), number, me())
    out.print(f"Site {version.site_key}: version {version.number} is active again.")


@click.command()
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
def versions(site: str | None) -> None:
    """List a site's config versions, newest first."""
    db = database()
    active = config.active(db, _site_key(db, site))
    table = Table("", "number", "hash", "author", "when", "note", box=None)
    for one in config.versions(db, active.site_id):
        mark = "active" if one.is_active else ""
        table.add_row(
            mark, str(one.number), one.hash[:12], one.author, f"{one.created_at:%Y-%m-%d %H:%M} UTC", one.note
        )
    out.print(table)


@click.command()
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
@click.option("--pinned", is_flag=True, help="With an integrity hash: browsers take this build and no other.")
def snippet(site: str | None, pinned: bool) -> None:
    """Print the script tag to paste into the website."""
    db = database()
    version = config.active(db, _site_key(db, site))
    out.print(built.script_tag(version.site_key, pin=pinned))


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
@click.option("--version", "number", default="active", help="A version's number instead of the active one.")
def export(directory: Path, site: str | None, number: str) -> None:
    """Write a version's site folder into DIRECTORY."""
    if directory.exists() and any(directory.iterdir()):
        raise Invalid(f"{directory} is not empty; name a new folder.")
    version = _version(database(), site, number)
    folder.write(config.export(version), directory)
    out.print(f"Wrote version {version.number} of {version.site_key} to {directory}.")


def _version(db: Database, site: str | None, number: str) -> Version:
    active = config.active(db, _site_key(db, site))
    if number == "active":
        return active
    if not number.isdigit():
        raise Invalid(f"{number} is neither a version's number nor a folder.")
    return config.numbered(db, active.site_id, int(number))


def _site_key(db: Database, given: str | None) -> str:
    keys = [site.key for site in config.sites(db)]
    if given:
        return given
    if len(keys) == 1:
        return keys[0]
    raise NotFound(
        "Say which site with --site: " + ", ".join(keys)
        if keys
        else "There is no site yet: `usher apply` a folder first."
    )


def _write_schemas(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, schema in editors.schemas(SECTIONS).items():
        (directory / f"{name.replace('/', '-').removesuffix('.yml')}.schema.json").write_text(
            json.dumps(schema, indent=2) + "\n"
        )


COMMANDS = (init, check, apply_folder, diff, rollback, versions, snippet, export)
