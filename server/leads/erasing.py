"""Find, show and erase what the room keeps of one person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, delete, or_, select

from server.db.scrubbing import Wipe, scrub
from server.leads.service import email_key
from server.leads.tables import accounts, assignments, enrolments, field_values, leads


def of_person(tx: Connection, site_id: str, address: str, lead_id: str = "") -> list[str]:
    """Ids of this lead and of those with this address: known by it, or having it as a value that anybody told."""
    told = cast(field_values.c.value, Text).icontains(address, autoescape=True)
    rows = tx.execute(select(field_values).where(field_values.c.field == "email", told)).all()
    having = [row.subject_id for row in rows if isinstance(row.value, str) and email_key(row.value) == address]
    mine = or_(leads.c.email_key == address, leads.c.id.in_([lead_id, *having]))
    return list(tx.execute(select(leads.c.id).where(leads.c.site_id == site_id, mine).order_by(leads.c.id)).scalars())


def held(tx: Connection, lead_ids: Collection[str]) -> dict[str, Sequence[Row[Any]]]:
    """Everything about these leads, by table, with the companies they are from."""
    found = tx.execute(select(leads).where(leads.c.id.in_(lead_ids)).order_by(leads.c.id)).all()
    companies = {row.account_id for row in found if row.account_id}
    subjects = field_values.c.subject_id.in_({*lead_ids, *companies})
    return {
        "leads": found,
        "accounts": tx.execute(select(accounts).where(accounts.c.id.in_(companies))).all(),
        "field_values": tx.execute(select(field_values).where(subjects)).all(),
        "assignments": tx.execute(select(assignments).where(assignments.c.lead_id.in_(lead_ids))).all(),
        "enrolments": tx.execute(select(enrolments).where(enrolments.c.lead_id.in_(lead_ids))).all(),
    }


def erase(tx: Connection, lead_ids: Collection[str]) -> None:
    """These leads were never here, nor the companies that nobody else is from."""
    companies = set(tx.execute(select(leads.c.account_id).where(leads.c.id.in_(lead_ids))).scalars()) - {None}
    tx.execute(delete(leads).where(leads.c.id.in_(lead_ids)))
    for table in (assignments, enrolments):
        tx.execute(delete(table).where(table.c.lead_id.in_(lead_ids)))
    lonely = companies - set(tx.execute(select(leads.c.account_id).where(leads.c.account_id.in_(companies))).scalars())
    tx.execute(delete(accounts).where(accounts.c.id.in_(lonely)))
    tx.execute(delete(field_values).where(field_values.c.subject_id.in_({*lead_ids, *lonely})))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from what is known of others on this site."""
    subjects = [select(table.c.id).where(table.c.site_id == site_id) for table in (leads, accounts)]
    count = scrub(tx, field_values, wipe, or_(*(field_values.c.subject_id.in_(of) for of in subjects)))
    return count + sum(scrub(tx, table, wipe, table.c.site_id == site_id) for table in (assignments, enrolments))
