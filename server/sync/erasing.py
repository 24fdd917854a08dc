"""Find, show and erase what stands where at the CRM about one person."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, or_, select

from plugins.crm import Capability, Ref
from plugins.errors import PluginError
from server.db import Database
from server.db.scrubbing import Wipe, scrub
from server.sync.opened import BUILT_IN, opened
from server.sync.tables import crm_findings, crm_links

LOOKS_SECONDS = 15
_log = logging.getLogger("usher.sync")
Subjects = Mapping[str, Collection[str]]
"""Kind → ids."""


def held(tx: Connection, subjects: Subjects) -> dict[str, Sequence[Row[Any]]]:
    """Everything about these, by table."""
    return {
        table.name: tx.execute(select(table).where(_about(table, subjects))).all()
        for table in (crm_links, crm_findings)
    }


def records_of(tx: Connection, lead_ids: Collection[str]) -> Sequence[Row[Any]]:
    """Where these people stand at CRMs, past ones included: whom to ask to forget them."""
    mine = crm_links.c.subject_kind == "lead", crm_links.c.subject_id.in_(lead_ids), crm_links.c.record_id != ""
    return tx.execute(select(crm_links).where(*mine)).all()


def look_up(db: Database, site_id: str, emails: Collection[str]) -> list[Ref] | None:
    """Where people with these addresses stand at the site's CRM; None when that cannot be found out."""
    try:
        with opened(db, site_id, seconds=LOOKS_SECONDS) as at:
            if at.connection_id == BUILT_IN:
                return []
            if not at.can(Capability.FIND):
                return None
            return [ref for email in emails for ref in at.crm.find_by_email(email)]
    except PluginError as error:
        _log.warning("the CRM could not be asked for somebody to erase: %s", type(error).__name__)
        return None


def erase(tx: Connection, subjects: Subjects) -> None:
    """It was never told."""
    for table in (crm_links, crm_findings):
        tx.execute(delete(table).where(_about(table, subjects)))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from what was told about others."""
    return sum(scrub(tx, table, wipe, table.c.site_id == site_id) for table in (crm_links, crm_findings))


def _about(table: Any, subjects: Subjects) -> Any:
    return or_(*(and_(table.c.subject_kind == kind, table.c.subject_id.in_(ids)) for kind, ids in subjects.items()))
