"""All SQL about visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.visitors.tables import identity_keys, page_views, sessions, visitors

Visitor = Row[Any]


def by_token(tx: Connection, site_id: str, token_digest: str) -> Visitor | None:
    """The anonymous visitor of this secret; who has signed in is not opened by it."""
    found = select(visitors).where(visitors.c.token_digest == token_digest, visitors.c.site_id == site_id)
    return tx.execute(found.where(visitors.c.identity.is_(None))).one_or_none()


def by_identity(tx: Connection, site_id: str, sub: str) -> Visitor | None:
    """The person, ours alone until the transaction ends: two of their browsers may come at once."""
    found = select(visitors).where(visitors.c.site_id == site_id, visitors.c.identity == sub)
    return tx.execute(found.with_for_update()).one_or_none()


def get(tx: Connection, visitor_id: str) -> Visitor | None:
    return tx.execute(select(visitors).where(visitors.c.id == visitor_id)).one_or_none()


def of_lead(tx: Connection, lead_id: str) -> Sequence[Visitor]:
    return tx.execute(select(visitors).where(visitors.c.lead_id == lead_id).order_by(visitors.c.id)).all()


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(visitors), dict(row))


def add_if_new(tx: Connection, row: Mapping[str, Any]) -> bool:
    """True when the site knew nobody of this identity, and this is them now."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    new = dialect.insert(visitors).values(**row).on_conflict_do_nothing().returning(visitors.c.id)
    return tx.execute(new).first() is not None


def change(tx: Connection, visitor_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(visitors).where(visitors.c.id == visitor_id).values(**values))


def latest_session(tx: Connection, visitor_id: str) -> Row[Any] | None:
    found = select(sessions).where(sessions.c.visitor_id == visitor_id).order_by(sessions.c.id.desc()).limit(1)
    return tx.execute(found).one_or_none()


def first_session(tx: Connection, visitor_id: str) -> Row[Any] | None:
    found = select(sessions).where(sessions.c.visitor_id == visitor_id).order_by(sessions.c.id).limit(1)
    return tx.execute(found).one_or_none()


def sessions_over(
    tx: Connection, among: Select[tuple[str]], since: datetime, until: datetime, limit: int
) -> Sequence[Row[Any]]:
    """Sessions of these leads' browsers that ended between the two, each with the lead."""
    joined = select(sessions, visitors.c.lead_id).join(visitors, visitors.c.id == sessions.c.visitor_id)
    over = joined.where(visitors.c.lead_id.in_(among), sessions.c.last_at > since, sessions.c.last_at <= until)
    return tx.execute(over.order_by(sessions.c.last_at).limit(limit)).all()


def pages_in(tx: Connection, session_ids: Sequence[str]) -> Sequence[Row[Any]]:
    found = select(page_views).where(page_views.c.session_id.in_(session_ids))
    return tx.execute(found.order_by(page_views.c.session_id, page_views.c.seq)).all()


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


def drop_visits(tx: Connection, visitor_ids: Sequence[str]) -> int:
    """Their sessions and page views are gone; how many rows it were."""
    return sum(tx.execute(delete(t).where(t.c.visitor_id.in_(visitor_ids))).rowcount for t in (page_views, sessions))


def count(tx: Connection, site_id: str) -> int:
    return tx.execute(select(func.count()).select_from(visitors).where(visitors.c.site_id == site_id)).scalar_one()


def move_history(tx: Connection, before: str, visitor_id: str) -> None:
    """Sessions and page views of one visitor become another's."""
    for table in (sessions, page_views):
        tx.execute(update(table).where(table.c.visitor_id == before).values(visitor_id=visitor_id))


def close_lead_to_strangers(tx: Connection, lead_id: str, but: str) -> None:
    """What the lead holds is no longer said to anonymous visitors, `but` one of them."""
    strangers = update(visitors).where(visitors.c.lead_id == lead_id, visitors.c.identity.is_(None))
    tx.execute(strangers.where(visitors.c.id != but).values(knows_lead=False))


def add_key(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(identity_keys), dict(row))


def key(tx: Connection, key_id: str) -> Row[Any] | None:
    return tx.execute(select(identity_keys).where(identity_keys.c.id == key_id)).one_or_none()


def keys_of(tx: Connection, site_id: str) -> Sequence[Row[Any]]:
    found = select(identity_keys).where(identity_keys.c.site_id == site_id)
    return tx.execute(found.order_by(identity_keys.c.id.desc())).all()


def revoke_key(tx: Connection, key_id: str, at: datetime) -> bool:
    """True when it was valid until now."""
    ended = update(identity_keys).where(identity_keys.c.id == key_id, identity_keys.c.revoked_at.is_(None))
    return tx.execute(ended.values(revoked_at=at)).rowcount == 1


def all_keys(tx: Connection) -> Sequence[Row[Any]]:
    """Of all sites, those that were not revoked."""
    return tx.execute(select(identity_keys).where(identity_keys.c.revoked_at.is_(None))).all()


def reseal_key(tx: Connection, key_id: str, before: str, after: str) -> bool:
    here = (identity_keys.c.id == key_id, identity_keys.c.sealed == before)
    return tx.execute(update(identity_keys).where(*here).values(sealed=after)).rowcount == 1


def key_used(tx: Connection, key_id: str, at: datetime, before: datetime) -> None:
    """Note the use, unless one since `before` is noted already."""
    last = identity_keys.c.last_used_at
    stale = update(identity_keys).where(identity_keys.c.id == key_id, or_(last.is_(None), last < before))
    tx.execute(stale.values(last_used_at=at))
