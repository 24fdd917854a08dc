"""All SQL about visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from server.visitors.tables import page_views, sessions, visitors

Visitor = Row[Any]


def by_token(tx: Connection, site_id: str, token_digest: str) -> Visitor | None:
    found = select(visitors).where(visitors.c.token_digest == token_digest, visitors.c.site_id == site_id)
    return tx.execute(found).one_or_none()


def get(tx: Connection, visitor_id: str) -> Visitor | None:
    return tx.execute(select(visitors).where(visitors.c.id == visitor_id)).one_or_none()


def of_lead(tx: Connection, lead_id: str) -> Sequence[Visitor]:
    return tx.execute(select(visitors).where(visitors.c.lead_id == lead_id).order_by(visitors.c.id)).all()


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(visitors), dict(row))


def change(tx: Connection, visitor_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(visitors).where(visitors.c.id == visitor_id).values(**values))


def latest_session(tx: Connection, visitor_id: str) -> Row[Any] | None:
    found = select(sessions).where(sessions.c.visitor_id == visitor_id).order_by(sessions.c.id.desc()).limit(1)
    return tx.execute(found).one_or_none()


def first_session(tx: Connection, visitor_id: str) -> Row[Any] | None:
    found = select(sessions).where(sessions.c.visitor_id == visitor_id).order_by(sessions.c.id).limit(1)
    return tx.execute(found).one_or_none()


def add_session(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(sessions), dict(row))


def touch_session(tx: Connection, session_id: str, at: datetime) -> None:
    tx.execute(update(sessions).where(sessions.c.id == session_id).values(last_at=at))


def add_page_views(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    tx.execute(insert(page_views), [dict(row) for row in rows])


def latest_page_view(tx: Connection, session_id: str) -> Row[Any] | None:
    found = select(page_views).where(page_views.c.session_id == session_id).order_by(page_views.c.seq.desc()).limit(1)
    return tx.execute(found).one_or_none()


def finish_page_view(tx: Connection, page_view_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(page_views).where(page_views.c.id == page_view_id).values(**values))


def page_views_of(tx: Connection, visitor_id: str, limit: int) -> Sequence[Row[Any]]:
    found = (
        select(page_views).where(page_views.c.visitor_id == visitor_id).order_by(page_views.c.id.desc()).limit(limit)
    )
    return tx.execute(found).all()


def count(tx: Connection, site_id: str) -> int:
    return tx.execute(select(func.count()).select_from(visitors).where(visitors.c.site_id == site_id)).scalar_one()
