"""Look at comparisons that were made, and at where our things stand."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from server.config.service import Version
from server.errors import NotFound
from server.sync import store
from server.sync.opened import serving_id
from server.sync.store import Finding, Link, Report


def reports(tx: Connection, site_id: str, *, limit: int = 26) -> Sequence[Report]:
    """The comparisons of a site, newest first."""
    return store.reports(tx, site_id, limit)


def report(tx: Connection, site_id: str, report_id: str) -> Report:
    """One of them; NotFound."""
    found = store.report(tx, site_id, report_id)
    if found is None:
        raise NotFound("There is no such report.")
    return found


def findings(tx: Connection, report_id: str, kind: str | None = None, *, limit: int = 200) -> Sequence[Finding]:
    """What it found, of one kind or all; only the newest report has them."""
    return store.findings(tx, report_id, kind, limit)


def linked(tx: Connection, version: Version) -> dict[str, int]:
    """How many of our leads, accounts, meetings and conversations stand at the CRM that serves now."""
    return store.count_links(tx, serving_id(tx, version), version.site_id)


def links_of_lead(tx: Connection, lead_id: str) -> Sequence[Link]:
    """Where a lead stands at CRMs, those of before included."""
    return store.links_about(tx, "lead", [lead_id])
