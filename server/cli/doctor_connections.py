"""What `usher doctor` says about connections: those that are broken, whose secrets nobody can read, or that belong to
nobody any more."""

from __future__ import annotations

from server.adapters import connections, own_calendars
from server.adapters.connection import Connection
from server.cli.finding import Finding
from server.config import service as config
from server.config.service import Version
from server.db import Connection as Transaction
from server.db import Database
from server.routing.schema import Team


def examine(db: Database) -> list[Finding]:
    """Site by site; nothing for those without connections."""
    found: list[Finding] = []
    for site in config.sites(db):
        if site.active_version_id:
            with db.reading() as tx:
                found += _of_site(tx, site.key, config.active_of(tx, site.id))
    return found


def _of_site(tx: Transaction, site: str, version: Version) -> list[Finding]:
    kept = connections.all_of(tx, version.site_id)
    wrong = {one.id: one.unreadable() or (one.problem if one.state == connections.BROKEN else "") for one in kept}
    found = [Finding("FAULT", _name(site, one), f"{wrong[one.id]} ({one.id})") for one in kept if wrong[one.id]]
    reps = {rep.id for rep in version.part(Team).reps}
    for one in own_calendars.of_nobody(tx, version.site_id, reps):
        says = f"{one.rep} is not on the team any more, but this is still connected; end it in the console ({one.id})"
        found.append(Finding("note", _name(site, one), says))
    if kept and not found:
        found.append(Finding("ok", f"{site} connections", f"{len(kept)}, none broken"))
    return found


def _name(site: str, one: Connection) -> str:
    return f"{site} {one.adapter}{f' of {one.rep}' if one.rep else ''}"
