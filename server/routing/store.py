"""The SQL of the ledger of turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.routing.tables import credit_counters as counters
from server.routing.tables import credit_ledger as ledger

Entry = Row[Any]

_SITE: BindParameter[str] = bindparam("site")
_ACCOUNT: BindParameter[str] = bindparam("account")
_NEXT = (
    update(counters)
    .where(counters.c.site_id == _SITE, counters.c.counter == _ACCOUNT)
    .values(rev=counters.c.rev + 1)
    .returning(counters.c.rev)
)
_PLACE = (
    update(ledger)
    .where(ledger.c.site_id == _SITE, ledger.c.counter == _ACCOUNT, ledger.c.rev.is_(None))
    .values(rev=bindparam("place"))
)


def lock_counter(tx: Connection, site_id: str, counter: str) -> int:
    """Ours until the transaction ends; on both databases by the row that it changes. Returns the account's new rev."""
    asked = {"site": site_id, "account": counter}
    rev = tx.execute(_NEXT, asked).scalar()
    if rev is None:
        dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
        row = {"site_id": site_id, "counter": counter, "rev": 0}
        tx.execute(dialect.insert(counters).values(**row).on_conflict_do_nothing())
        rev = tx.execute(_NEXT, asked).scalar_one()
    return int(rev)


def place_all(tx: Connection, site_id: str, counter: str, rev: int) -> None:
    """What has come since the last lock gets its place in the account."""
    tx.execute(_PLACE, {"site": site_id, "account": counter, "place": rev})


def add(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    tx.execute(insert(ledger), [dict(row) for row in rows])


def amounts_since(tx: Connection, site_id: str, counter: str, since: datetime, placed: bool) -> Sequence[Any]:
    """rep, amount and how many of these; exact amounts are added up by the caller."""
    found = select(ledger.c.rep, ledger.c.amount, func.count().label("times"))
    found = found.where(ledger.c.site_id == site_id, ledger.c.counter == counter, ledger.c.counts_at >= since)
    if placed:
        found = found.where(ledger.c.rev.is_not(None))
    return tx.execute(found.group_by(ledger.c.rep, ledger.c.amount)).all()


def last_given(
    tx: Connection, site_id: str, counter: str, given: Sequence[str], released: str, named: Sequence[str], placed: bool
) -> dict[str, datetime]:
    """When a turn was last given to each rep who has an entry of a kind in `named`; those that ended as a mere hold
    are left out. One look into the index a rep, however long the ledger."""
    found = _last_given(tuple(given), released, tuple(named), placed)
    rows = tx.execute(found, {"site": site_id, "account": counter}).all()
    dated = {row.rep: [at for at in row[1:] if at is not None] for row in rows}
    return {rep: max(moments) for rep, moments in dated.items() if moments}


@lru_cache(maxsize=16)
def _last_given(given: Sequence[str], released: str, named: Sequence[str], placed: bool) -> Select[Any]:
    here = (ledger.c.site_id == _SITE, ledger.c.counter == _ACCOUNT)
    reps = select(ledger.c.rep).where(*here, ledger.c.kind.in_(named)).distinct().subquery()
    turn, taken_back = ledger.alias("turn"), ledger.alias("taken_back")
    ended = [taken_back.c.meeting_id == turn.c.meeting_id, taken_back.c.kind == released]
    mine = [turn.c.site_id == _SITE, turn.c.counter == _ACCOUNT, turn.c.rep == reps.c.rep]
    if placed:
        ended.append(taken_back.c.rev.is_not(None))
        mine.append(turn.c.rev.is_not(None))
    was_released = select(taken_back.c.id).where(*ended).exists()
    newest = [
        select(turn.c.at).where(*mine, turn.c.kind == kind, ~was_released).order_by(turn.c.at.desc()).limit(1)
        for kind in given
    ]
    return select(reps.c.rep, *(one.scalar_subquery() for one in newest))


def of_kinds(
    tx: Connection, site_id: str, counter: str, kinds: Sequence[str], since: datetime | None = None
) -> Sequence[Any]:
    """rep, kind and amount of these entries (that count since then), in the account's order."""
    found = select(ledger.c.rep, ledger.c.kind, ledger.c.amount)
    found = found.where(ledger.c.site_id == site_id, ledger.c.counter == counter, ledger.c.kind.in_(kinds))
    if since is not None:
        found = found.where(ledger.c.counts_at >= since)
    return tx.execute(found.order_by(ledger.c.rev, ledger.c.id)).all()


def having(tx: Connection, meeting_ids: Sequence[str], kind: str) -> set[str]:
    """The meetings that have an entry of this kind."""
    here = (ledger.c.meeting_id.in_(meeting_ids), ledger.c.kind == kind)
    return set(tx.execute(select(ledger.c.meeting_id).where(*here)).scalars())


def of_meeting(tx: Connection, meeting_id: str) -> Sequence[Entry]:
    return tx.execute(select(ledger).where(ledger.c.meeting_id == meeting_id).order_by(ledger.c.id)).all()


def entries(tx: Connection, site_id: str, counter: str, since: datetime, until: datetime) -> Sequence[Entry]:
    here = (ledger.c.site_id == site_id, ledger.c.counter == counter)
    within = (ledger.c.counts_at >= since, ledger.c.counts_at < until)
    return tx.execute(select(ledger).where(*here, *within).order_by(ledger.c.id)).all()


def newest(tx: Connection, site_id: str, counter: str, before: str | None, limit: int | None) -> Sequence[Entry]:
    """The account's entries, the newest first."""
    found = select(ledger).where(ledger.c.site_id == site_id, ledger.c.counter == counter)
    if before:
        found = found.where(ledger.c.id < before)
    return tx.execute(found.order_by(ledger.c.id.desc()).limit(limit)).all()


def in_order(tx: Connection, site_id: str, counter: str) -> Sequence[Entry]:
    """All entries that have their place in the account, first to last."""
    here = (ledger.c.site_id == site_id, ledger.c.counter == counter, ledger.c.rev.is_not(None))
    return tx.execute(select(ledger).where(*here).order_by(ledger.c.rev, ledger.c.id)).all()
