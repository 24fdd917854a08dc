"""The SQL of the ledger of turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.routing.tables import credit_counters as counters
from server.routing.tables import credit_ledger as ledger

Entry = Row[Any]


def lock_counter(tx: Connection, site_id: str, counter: str) -> None:
    """Ours until the transaction ends; on both databases by the row that it changes."""
    here = (counters.c.site_id == site_id, counters.c.counter == counter)
    change = update(counters).where(*here).values(rev=counters.c.rev + 1)
    if tx.execute(change).rowcount == 0:
        dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
        row = {"site_id": site_id, "counter": counter, "rev": 0}
        tx.execute(dialect.insert(counters).values(**row).on_conflict_do_nothing())
        tx.execute(change)


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(ledger), dict(row))


def amounts_since(tx: Connection, site_id: str, counter: str, since: datetime) -> Sequence[Any]:
    """rep, amount and how many of these; exact amounts are added up by the caller."""
    found = select(ledger.c.rep, ledger.c.amount, func.count().label("times"))
    here = found.where(ledger.c.site_id == site_id, ledger.c.counter == counter, ledger.c.counts_at >= since)
    return tx.execute(here.group_by(ledger.c.rep, ledger.c.amount)).all()


def last_given(tx: Connection, site_id: str, counter: str, given: Sequence[str], released: str) -> Sequence[Any]:
    """rep and when a turn was last given to him, those that ended as a mere hold left out."""
    taken_back = ledger.alias("taken_back")
    was_released = (
        select(taken_back.c.id)
        .where(taken_back.c.meeting_id == ledger.c.meeting_id, taken_back.c.kind == released)
        .exists()
    )
    here = (ledger.c.site_id == site_id, ledger.c.counter == counter, ledger.c.kind.in_(given), ~was_released)
    return tx.execute(select(ledger.c.rep, func.max(ledger.c.at).label("at")).where(*here).group_by(ledger.c.rep)).all()


def of_meeting(tx: Connection, meeting_id: str) -> Sequence[Entry]:
    return tx.execute(select(ledger).where(ledger.c.meeting_id == meeting_id).order_by(ledger.c.id)).all()


def entries(tx: Connection, site_id: str, counter: str, since: datetime, until: datetime) -> Sequence[Entry]:
    here = (ledger.c.site_id == site_id, ledger.c.counter == counter)
    within = (ledger.c.counts_at >= since, ledger.c.counts_at < until)
    return tx.execute(select(ledger).where(*here, *within).order_by(ledger.c.id)).all()
