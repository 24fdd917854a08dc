"""Commands about one person: give out what is held about them, erase it."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.table import Table

from server import live
from server.cli.plain import as_json
from server.cli.terminal import database, me, out
from server.events import Actor
from server.privacy import service as privacy
from server.privacy.service import Erased, Look, Who

_EMAIL = click.argument("email")
_SITE = click.option("--site", default="", help="Key of one site; left out: all sites.")


@click.command("export-person")
@_EMAIL
@_SITE
@click.option("--out", "target", type=click.Path(path_type=Path, dir_okay=False), help="File; left out: the terminal.")
def export_person(email: str, site: str, target: Path | None) -> None:
    """Give out everything that is held about one person, as JSON."""
    given = privacy.export(database(), Who(email, site), by=_by())
    text = as_json(given)
    if target is None:
        print(text)
        return
    with target.open("x", encoding="utf-8") as file:
        target.chmod(0o600)
        file.write(text + "\n")
    rows = sum(len(some) for tables in given["sites"].values() for some in tables.values())
    out.print(f"Wrote {rows} rows about {email} to {target}.")


@click.command()
@_EMAIL
@_SITE
@click.option(
    "--cancel-meetings", is_flag=True, help="Call off meetings ahead; hosts and guests are told, without a name."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(email: str, site: str, cancel_meetings: bool, yes: bool) -> None:
    """Erase one person: everything but the fact is gone, for good."""
    db, who = database(), Who(email, site)
    _show(privacy.look(db, who), cancel_meetings)
    if not yes:
        typed = click.prompt("This cannot be undone. Type the address to erase this person", err=True, default="")
        if typed.strip().casefold() != email.strip().casefold():
            out.print("Nothing was erased.")
            sys.exit(1)
    live.share_between_processes(db)
    _tell(privacy.erase(db, who, by=_by(), cancel_meetings=cancel_meetings), email)


def _show(look: Look, cancel_meetings: bool) -> None:
    table = Table("held", "rows", box=None)
    for name, count in look.counts.items():
        table.add_row(name.replace("_", " "), str(count))
    out.print(table)
    for meeting in look.ahead:
        fate = "called off" if cancel_meetings else "in the way; see --cancel-meetings"
        out.print(f"Meeting on {meeting.start_at:%Y-%m-%d %H:%M} UTC with {meeting.rep}: {fate}.")


def _tell(done: Erased, email: str) -> None:
    meetings = "1 meeting was" if done.called_off == 1 else f"{done.called_off} meetings were"
    called_off = f" {meetings} called off." if done.called_off else ""
    out.print(f"{email} is erased: {sum(done.counts.values())} rows.{called_off}")
    if done.of_others:
        out.print(done.of_others)
    if done.by_hand:
        out.print(f"Also see to: {', '.join(done.by_hand)}. Backups keep what they have.")
    if not done.without_trace:
        out.print("The database was busy: traces may stay in its file until the next `usher erase`.")


def _by() -> Actor:
    return Actor("user", name=me())


COMMANDS = (export_person, erase)
