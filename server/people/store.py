"""All SQL about users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.people.tables import users


def add_if_new(tx: Connection, row: Mapping[str, Any]) -> bool:
    """True when nobody had this e-mail."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    new = dialect.insert(users).values(**row).on_conflict_do_nothing().returning(users.c.id)
    return tx.execute(new).first() is not None


def get(tx: Connection, user_id: str) -> Row[Any] | None:
    return tx.execute(select(users).where(users.c.id == user_id)).one_or_none()


def by_email(tx: Connection, email: str) -> Row[Any] | None:
    return tx.execute(select(users).where(users.c.email == email)).one_or_none()


def all_by_name(tx: Connection) -> Sequence[Row[Any]]:
    return tx.execute(select(users).order_by(users.c.active.desc(), users.c.name, users.c.id)).all()


def lock_active_owners(tx: Connection) -> Sequence[Row[Any]]:
    """The owners who can sign in, ours until the transaction ends: two of them cannot remove each other at once."""
    found = select(users).where(users.c.role == "owner", users.c.active.is_(True)).order_by(users.c.id)
    return tx.execute(found.with_for_update()).all()


def change(tx: Connection, user_id: str, values: Mapping[str, Any]) -> bool:
    return tx.execute(update(users).where(users.c.id == user_id).values(**values)).rowcount == 1
