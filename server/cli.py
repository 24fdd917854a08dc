"""The command `usher`. Errors are one sentence on stderr; exit 2 for wrong usage, 1 for failure."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table

from server import __version__, app, doctor, ids, rehearsal, settings
from server.booking import form
from server.config import folder
from server.config import service as config
from server.config.service import Version
from server.db import Database, migrate
from server.errors import ConfigProblems, Invalid, NotFound, UsherError
from server.people import service as people
from server.sections import SECTIONS

_out = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Run a command; whatever goes wrong becomes one sentence and an exit code."""
    try:
        code = usher(standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "usher"
        _fail(f"{error.format_message()} See `{command} --help`.", 2)
    except click.exceptions.Abort:
        _fail("Stopped.", 130)
    except click.ClickException as error:
        _fail(error.format_message(), 1)
    except UsherError as error:
        _fail(error.message, 1)
    except OSError as error:
        _fail(f"{error.filename or 'The system'}: {error.strerror or error}.", 1)
    sys.exit(code if isinstance(code, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="usher")
def usher() -> None:
    """Usher meets the visitors of a website and walks them to the right salesperson's calendar."""


@usher.command()
@click.argument("directory", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Write a commented sample site folder into DIRECTORY."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Invalid(f"{directory} is there already and not empty; name a new folder.")
    with resources.as_file(resources.files("server") / "sample") as sample:
        folder.write(folder.load(sample), directory)
    _out.print(
        f"Wrote a sample site folder to {directory}. Next: `usher check {directory}`, then `usher apply {directory}`."
    )


@usher.command()
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
        _out.print(f"{'ok  ' if result.passed else 'FAIL'} {result.file}: {result.name}", markup=False)
        if not result.passed:
            _out.print(str(result.problem), markup=False)
    failed = sum(not result.passed for result in ran)
    if failed:
        raise Invalid(f"{failed} of {len(ran)} tests failed.")
    _out.print(f"{directory} is good: {len(files)} files, {len(ran)} tests passed.")


@usher.command("apply")
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
            f"{lines}\nNothing was applied: {len(failed)} tests of the folder fail (--no-tests applies it all the same)."
        )
    version = config.apply(_database(), files, author=_me(), note=note, sections=SECTIONS)
    _out.print(f"Site {version.site_key}: version {version.number} ({version.hash[:12]}) is active.")


@usher.command()
@click.argument("before")
@click.argument("after", required=False)
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
def diff(before: str, after: str | None, site: str | None) -> None:
    """Show what differs between two versions (numbers), or between the active version and a folder."""
    db = _database()
    if after is None and Path(before).is_dir():
        new = config.candidate(folder.load(before))
        old = config.active(db, new.site.key)
    else:
        old, new = (_version(db, site, one) for one in (before, after or "active"))
    _out.print(str(config.diff(old, new)) or "No difference.", markup=False)


@usher.command()
@click.argument("number", type=int)
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
def rollback(number: int, site: str | None) -> None:
    """Make an earlier version active again."""
    db = _database()
    version = config.rollback(db, _site_key(db, site), number, _me())
    _out.print(f"Site {version.site_key}: version {version.number} is active again.")


@usher.command()
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
def versions(site: str | None) -> None:
    """List a site's config versions, newest first."""
    db = _database()
    active = config.active(db, _site_key(db, site))
    table = Table("", "number", "hash", "author", "when", "note", box=None)
    for one in config.versions(db, active.site_id):
        mark = "active" if one.is_active else ""
        table.add_row(
            mark, str(one.number), one.hash[:12], one.author, f"{one.created_at:%Y-%m-%d %H:%M} UTC", one.note
        )
    _out.print(table)


@usher.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
@click.option("--version", "number", default="active", help="A version's number instead of the active one.")
def export(directory: Path, site: str | None, number: str) -> None:
    """Write a version's site folder into DIRECTORY."""
    if directory.exists() and any(directory.iterdir()):
        raise Invalid(f"{directory} is not empty; name a new folder.")
    version = _version(_database(), site, number)
    folder.write(config.export(version), directory)
    _out.print(f"Wrote version {version.number} of {version.site_key} to {directory}.")


@usher.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; more than one needs PostgreSQL.",
)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the widget, the chat and the console; the outbox worker runs inside."""
    asked = ["--host", host, "--port", str(port), "--workers", str(workers)]
    os.execv(sys.executable, [sys.executable, "-m", "server.serve", *asked])  # noqa: S606 - ourselves, with gevent first


@usher.command()
def worker() -> None:
    """Run one more worker for reactions and deliveries."""
    os.execv(sys.executable, [sys.executable, "-m", "server.work"])  # noqa: S606 - ourselves, with logging set up


@usher.group()
def user() -> None:
    """People who may sign in to the console."""


@user.command("add")
@click.argument("email")
@click.option("--name", default="", help="How the person is called.")
@click.option("--role", default="rep", show_default=True, type=click.Choice(people.ROLES))
@click.option("--rep", default="", help="The person's id in team.yml.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one.")
def add_user(email: str, name: str, role: str, rep: str, password_stdin: bool) -> None:
    """Let a person sign in; prints the password unless it was given."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ids.new_token()[:20]
    added = people.add(_database(), email=email, name=name, role=role, rep=rep or None, password=password)
    _out.print(
        f"{added.email} may sign in as {role}." + ("" if password_stdin else f" Password: {password}"), markup=False
    )


@usher.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--who", is_flag=True, help="Also say who can take each slot.")
@click.option("--explain", metavar="START", default=None, help="Say of each rep why this start is open or not.")
@click.option(
    "--repeat", type=click.IntRange(1, 100_000), default=None, help="Compute N times; the median goes to stderr."
)
def slots(file: TextIO, who: bool, explain: str | None, repeat: int | None) -> None:
    """Solve slot problems given as JSON (docs/availability.md)."""
    problem = _json(file)
    many = problem if isinstance(problem, list) else [problem]
    took, solved = [], []
    for _ in range(repeat or 1):
        began = time.perf_counter()
        solved = [form.solve_slots(one, who=who, explain=explain) for one in many]
        took.append((time.perf_counter() - began) * 1000)
    print(json.dumps(solved if isinstance(problem, list) else solved[0]))
    if repeat:
        print(f"median of {repeat}: {statistics.median(took):.3f} ms", file=sys.stderr)


@usher.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
def pick(file: TextIO) -> None:
    """Solve rota problems given as JSON (docs/availability.md)."""
    problem = _json(file)
    many = problem if isinstance(problem, list) else [problem]
    solved = [form.solve_pick(one) for one in many]
    print(json.dumps(solved if isinstance(problem, list) else solved[0]))


@usher.command("doctor")
def examine() -> int:
    """Say what is configured, reachable and missing."""
    findings = doctor.examine(settings.get())
    for finding in findings:
        _out.print(f"{finding.mark} {finding.what}: {finding.says}", markup=False)
    return 1 if any(finding.is_fault for finding in findings) else 0


def _database() -> Database:
    """The configured database, up to date."""
    of = settings.get()
    ids.use_key(app.secret_key(of))
    db = Database(of.database_url)
    migrate.upgrade(db)
    return db


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
    for name, schema in config.schemas(SECTIONS).items():
        (directory / f"{name.replace('/', '-').removesuffix('.yml')}.schema.json").write_text(
            json.dumps(schema, indent=2) + "\n"
        )


def _json(file: TextIO) -> Any:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file.name} is not JSON: {error}.") from None


def _me() -> str:
    return os.environ.get("USER") or "command line"


def _fail(sentence: str, code: int) -> None:
    print(f"usher: {sentence}" if code == 2 else sentence, file=sys.stderr)
    sys.exit(code)
