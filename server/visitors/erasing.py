"""Find, show and erase what the room keeps of one person's browsers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, delete, or_, select, update

from server.db.scrubbing import Wipe, scrub
from server.visitors import store
from server.visitors.tables import page_views, sessions, visitors

_UNTOLD = ("token_digest", "seed")
"""Secrets of the browser; who may see the rest may still not act as it."""


def of_person(tx: Connection, site_id: str, lead_ids: Collection[str], address: str) -> list[str]:
    """Ids of the browsers of these leads, and of those whose page or signed token named this address."""
    told = [
        cast(column, Text).icontains(address, autoescape=True) for column in (visitors.c.attributes, visitors.c.signed)
    ]
    mine = or_(visitors.c.lead_id.in_(lead_ids), visitors.c.identity == address, *told)
    found = tx.execute(select(visitors).where(visitors.c.site_id == site_id, mine).order_by(visitors.c.id)).all()
    return [row.id for row in found if _is_of(row, lead_ids, address)]


def lock(tx: Connection, visitor_ids: Collection[str]) -> None:
    """Whoever comes with one of these browsers waits until the transaction ends, and is somebody new then."""
    tx.execute(select(visitors.c.id).where(visitors.c.id.in_(visitor_ids)).order_by(visitors.c.id).with_for_update())


def held(tx: Connection, visitor_ids: Collection[str]) -> dict[str, Sequence[Row[Any]]]:
    """Everything about these browsers, by table, without their secrets."""
    shown = [column for column in visitors.columns if column.name not in _UNTOLD]
    return {
        "visitors": tx.execute(select(*shown).where(visitors.c.id.in_(visitor_ids)).order_by(visitors.c.id)).all(),
        "sessions": tx.execute(select(sessions).where(sessions.c.visitor_id.in_(visitor_ids))).all(),
        "page_views": tx.execute(select(page_views).where(page_views.c.visitor_id.in_(visitor_ids))).all(),
    }


def erase(tx: Connection, visitor_ids: Collection[str], shared: Collection[str]) -> None:
    """These browsers were never here. A `shared` one, with which others talked too, only forgets who used it."""
    store.drop_visits(tx, [*visitor_ids])
    tx.execute(delete(visitors).where(visitors.c.id.in_(set(visitor_ids) - set(shared))))
    nobody: dict[str, Any] = {"lead_id": None, "attributes": {}, "identity": None, "signed": None, "verified_at": None}
    tx.execute(update(visitors).where(visitors.c.id.in_(shared)).values(**nobody))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from what is kept of other people's browsers."""
    return sum(scrub(tx, table, wipe, table.c.site_id == site_id) for table in (visitors, sessions, page_views))


def _is_of(row: Any, lead_ids: Collection[str], address: str) -> bool:
    values: list[Any] = [row.identity]
    for told in (row.attributes, row.signed):
        values += told.values() if isinstance(told, Mapping) else []
    return row.lead_id in lead_ids or any(isinstance(one, str) and one.strip().casefold() == address for one in values)
