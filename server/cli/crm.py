"""Commands about the CRM: try the mapping without writing, compare both sides."""

from __future__ import annotations

import sys

import click
from rich.table import Table

from plugins.errors import PluginError
from server.cli.terminal import database, me, out
from server.config import service as config
from server.db import Database
from server.errors import Invalid, NotFound
from server.events import Actor
from server.sync import service as sync
from server.sync.dry_run import Part, Sample

_SITE = click.option("--site", default=None, help="Key of the site; needed when there are several.")


@click.group("crm")
def crm() -> None:
    """What the CRM hears."""


@crm.command("dry-run")
@_SITE
@click.option("--leads", "number", default=5, show_default=True, help="How many of the newest leads, up to 25.")
@click.option("--made-up", is_flag=True, help="Also two made-up people, one of a company and one with free mail.")
@click.option("--all", "everything", is_flag=True, help="Also fields to which nothing happens.")
def dry_run(site: str | None, number: int, made_up: bool, everything: bool) -> None:
    """Show what would happen to sample records in the CRM; nothing is written."""
    db = database()
    site_id = _site_id(db, site)
    chosen = sync.latest_leads(db, site_id, min(max(number, 0), sync.MOST_SAMPLES))
    try:
        tried = sync.dry_run(db, site_id, lead_ids=chosen, made_up=sync.MADE_UP if made_up or not chosen else ())
    except PluginError as problem:
        raise Invalid(problem.user_message) from problem
    for sample in tried.samples:
        _show(sample, everything)
    counts = ", ".join(f"{count} {what}" for what, count in tried.counts.items() if count)
    out.print(f"{tried.crm}: {len(tried.samples)} records looked at ({counts}); nothing was written.")


@crm.command()
@_SITE
@click.option("--repair", is_flag=True, help="Tell the CRM again of what is missing, untold or drifted.")
def reconcile(site: str | None, repair: bool) -> None:
    """Compare all that was told with what stands in the CRM; exit 1 when something differs."""
    db, by = database(), Actor("user", name=me())
    site_id = _site_id(db, site)
    report = sync.compare(db, site_id, by=by)
    table = Table("", "records", box=None)
    for name in ("ours", "theirs"):
        for kind, count in report.counts.get(name, {}).items():
            table.add_row(f"{name}: {kind}", str(count))
    for name in ("agree", *sync.FINDINGS):
        table.add_row(name, str(report.counts.get(name, 0)))
    out.print(table)
    if report.problem:
        raise Invalid(f"The comparison broke off: {report.problem}")
    if repair:
        told = sync.repair(db, site_id, report.id, by=by)
        out.print(f"{told} {'record is' if told == 1 else 'records are'} told again; the worker does it.")
    if any(report.counts.get(name) for name in sync.FINDINGS):
        sys.exit(1)


def _show(sample: Sample, everything: bool) -> None:
    out.print(f"\n{sample.title}{'' if sample.lead_id else ' (made up)'}", style="bold")
    for part in sample.parts:
        out.print(f"  {part.on}: {part.named}: {part.what}. {_why(part)}")
        table = Table("", "ours", "theirs", "fate", "why", box=None)
        for fate in part.fates:
            if everything or fate.what in ("create", "update", "refuse") or fate.why in ("human", "crm", "rule"):
                table.add_row(
                    f"    {fate.mapped.ours} → {fate.mapped.theirs}", _text(fate.ours), _text(fate.theirs), fate.what,
                    fate.because,
                )  # fmt: skip
        if table.row_count:
            out.print(table)


def _why(part: Part) -> str:
    return " ".join(filter(None, (part.look.because, part.because)))


def _text(value: object) -> str:
    return "" if value is None else str(value)[:60]


def _site_id(db: Database, key: str | None) -> str:
    found = [one for one in config.sites(db) if one.active_version_id and key in (None, one.key)]
    if len(found) == 1:
        return found[0].id
    if not found:
        raise NotFound(f"There is no site {key}." if key else "There is no site yet: `usher apply` a folder first.")
    raise NotFound("Say which site with --site: " + ", ".join(one.key for one in found))


COMMANDS = (crm,)
