"""Commands about enrichment: how right the sources are."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from server.cli.terminal import database, out
from server.config import service as config
from server.config.version import Version
from server.db import Database
from server.enrichment import report
from server.errors import NotFound


@click.command("enrichment-report")
@click.argument("samples", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", default=None, help="Key of the site; needed when there are several.")
@click.option("--leads", "number", default=25, show_default=True, help="Without a file: how many of the newest leads.")
@click.option("--csv", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write every value here.")
def enrichment_report(samples: Path | None, site: str | None, number: int, target: Path | None) -> None:
    """Hold what enrichment says against samples whose truth is known; leads are not changed."""
    db = database()
    version = _version(db, site)
    if samples is not None:
        asked = report.read(samples.read_text(encoding="utf-8"))
    else:
        with db.reading() as tx:
            asked = report.of_leads(tx, version, min(number, report.MOST_SAMPLES))
    told = report.run(db, version, asked)
    table = Table("source", "asked by", "asked", "matches", "credits", "field", "right", "wrong", "missing", box=None)
    for of in told.sources:
        rate = "" if of.match_rate is None else f" ({of.match_rate} %)"
        head = [of.source, of.asked_by, str(of.asked), f"{of.matches}{rate}", f"{of.credits:g}"]
        for name, score in of.fields.items() or [("", None)]:
            table.add_row(*head, name, *map(str, (score.right, score.wrong, score.missing) if score else ("", "", "")))
            head = [""] * len(head)
        if of.problem:
            table.add_row("", "", f"{of.failed} failed: {of.problem}")
    out.print(table)
    if target is not None:
        target.write_text(told.as_csv(), encoding="utf-8")
    out.print(f"{told.samples} samples; nothing was written to leads or companies.")


def _version(db: Database, key: str | None) -> Version:
    found = [one for one in config.sites(db) if one.active_version_id and key in (None, one.key)]
    if len(found) == 1:
        return config.version(db, found[0].active_version_id or "")
    if not found:
        raise NotFound(f"There is no site {key}." if key else "There is no site yet: `usher apply` a folder first.")
    raise NotFound("Say which site with --site: " + ", ".join(one.key for one in found))


COMMANDS = (enrichment_report,)
