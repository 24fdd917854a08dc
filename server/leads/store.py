"""All SQL about leads and accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    cast,
    delete,
    false,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from server import ids
from server.leads.tables import accounts, assignments, enrolments, field_values, leads
from server.people.rights import Sight

Lead = Row[Any]


def get(tx: Connection, lead_id: str) -> Lead | None:
    return tx.execute(select(leads).where(leads.c.id == lead_id)).one_or_none()


def visible(sight: Sight) -> ColumnElement[bool]:
    """What this person sees: everything, or their own and free leads."""
    if sight.everything:
        return true()
    return or_(leads.c.owner_rep.is_(None), leads.c.owner_rep == sight.rep)


def get_visible(tx: Connection, lead_id: str, sight: Sight) -> Lead | None:
    return tx.execute(select(leads).where(leads.c.id == lead_id, visible(sight))).one_or_none()


def ids_visible(sight: Sight) -> Select[tuple[str]]:
    return select(leads.c.id).where(visible(sight))


def ids_reachable(site_id: str) -> Select[tuple[str]]:
    return select(leads.c.id).where(leads.c.site_id == site_id, leads.c.email_key.is_not(None))


def reachable(tx: Connection, site_id: str, after: str, limit: int) -> list[str]:
    found = ids_reachable(site_id).where(leads.c.id > after).order_by(leads.c.id).limit(limit)
    return [row.id for row in tx.execute(found)]


def of_account(tx: Connection, account_id: str) -> list[str]:
    here = select(leads.c.id).where(leads.c.account_id == account_id, leads.c.email_key.is_not(None))
    return [row.id for row in tx.execute(here.order_by(leads.c.id.desc()))]


def lock(tx: Connection, lead_id: str) -> Lead | None:
    return tx.execute(select(leads).where(leads.c.id == lead_id).with_for_update()).one_or_none()


def by_email(tx: Connection, site_id: str, email_key: str) -> Lead | None:
    return tx.execute(select(leads).where(leads.c.site_id == site_id, leads.c.email_key == email_key)).one_or_none()


def add_if_new(tx: Connection, row: Mapping[str, Any]) -> bool:
    """True when the lead is new; False when the site has one with this e-mail."""
    new = _insert(tx, leads).values(**row).on_conflict_do_nothing().returning(leads.c.id)
    return tx.execute(new).first() is not None


def change(tx: Connection, lead_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(leads).where(leads.c.id == lead_id).values(**values))


def latest(
    tx: Connection,
    site_ids: Sequence[str],
    limit: int,
    before: str | None,
    owner: str | None,
    search: str,
    sight: Sight,
    disqualified: bool | None,
) -> Sequence[Lead]:
    found = select(leads).where(leads.c.site_id.in_(site_ids), visible(sight)).order_by(leads.c.id.desc()).limit(limit)
    if before:
        found = found.where(leads.c.id < before)
    if owner:
        found = found.where(leads.c.owner_rep == owner)
    if disqualified is not None:
        is_no_fit = leads.c.status == "disqualified"
        found = found.where(is_no_fit if disqualified else ~is_no_fit)
    if search:
        named = select(field_values.c.subject_id).where(field_values.c.field.in_(("name", "company")))
        hit = cast(field_values.c.value, Text).icontains(search, autoescape=True)
        found = found.where(leads.c.email_key.icontains(search, autoescape=True) | leads.c.id.in_(named.where(hit)))
    return tx.execute(found).all()


def account(tx: Connection, account_id: str) -> Row[Any] | None:
    return tx.execute(select(accounts).where(accounts.c.id == account_id)).one_or_none()


def account_by_domain(tx: Connection, site_id: str, domain: str) -> Row[Any] | None:
    return tx.execute(select(accounts).where(accounts.c.site_id == site_id, accounts.c.domain == domain)).one_or_none()


def add_account_if_new(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(_insert(tx, accounts).values(**row).on_conflict_do_nothing())


def new_account_id() -> str:
    return ids.new_id("account")


def join_unless_human(tx: Connection, lead_id: str, values: Mapping[str, Any]) -> bool:
    """True when nobody has said by hand where the lead works."""
    free = update(leads).where(leads.c.id == lead_id, leads.c.account_by != "human")
    return tx.execute(free.values(**values)).rowcount == 1


def accounts_named(tx: Connection, site_id: str, key: str, limit: int) -> Sequence[Row[Any]]:
    """Companies whose name is this one, legal forms aside."""
    here = select(accounts).where(accounts.c.site_id == site_id, accounts.c.name_key == key)
    return tx.execute(here.order_by(accounts.c.created_at, accounts.c.id).limit(limit)).all()


def accounts_like(tx: Connection, site_id: str, part: str, key: str, limit: int) -> Sequence[Row[Any]]:
    """Companies whose name begins like this one or holds it, or whose domain holds `part`."""
    like = [accounts.c.name_key.startswith(key.split(" ")[0], autoescape=True)] if key else []
    like += [accounts.c.name_key.contains(key, autoescape=True)] if key else []
    like += [accounts.c.domain.icontains(part, autoescape=True)] if part else []
    here = select(accounts).where(accounts.c.site_id == site_id, or_(false(), *like))
    return tx.execute(here.order_by(accounts.c.domain).limit(limit)).all()


def name_account(tx: Connection, account_id: str, key: str) -> None:
    tx.execute(update(accounts).where(accounts.c.id == account_id).values(name_key=key))


def drop_value(tx: Connection, subject_id: str, field: str, origin: str) -> bool:
    here = (field_values.c.subject_id == subject_id, field_values.c.field == field, field_values.c.origin == origin)
    return tx.execute(delete(field_values).where(*here)).rowcount > 0


def put_values(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each origin has one value a field; a newer one takes its place."""
    statement = _insert(tx, field_values)
    changed = {name: statement.excluded[name] for name in ("value", "source", "confidence", "at")}
    keys = ["subject_id", "field", "origin"]
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def values_of(tx: Connection, subject_ids: Sequence[str]) -> Sequence[Row[Any]]:
    return tx.execute(
        select(field_values).where(field_values.c.subject_id.in_(subject_ids)).order_by(field_values.c.field)
    ).all()


def open_assignment(tx: Connection, lead_id: str) -> Row[Any] | None:
    return tx.execute(
        select(assignments).where(assignments.c.lead_id == lead_id, assignments.c.ended_at.is_(None))
    ).one_or_none()


def end_assignment(tx: Connection, assignment_id: str, at: datetime, reason: str) -> None:
    tx.execute(update(assignments).where(assignments.c.id == assignment_id).values(ended_at=at, end_reason=reason))


def add_assignment(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(assignments), dict(row))


def assignments_of(tx: Connection, lead_id: str) -> Sequence[Row[Any]]:
    return tx.execute(select(assignments).where(assignments.c.lead_id == lead_id).order_by(assignments.c.id)).all()


def take_if_free(tx: Connection, lead_id: str, rep: str, at: datetime) -> bool:
    """True when the lead had no owner and now is `rep`'s."""
    free = update(leads).where(leads.c.id == lead_id, leads.c.owner_rep.is_(None))
    return tx.execute(free.values(owner_rep=rep, status="claimed", status_at=at, changed_at=at)).rowcount == 1


def enrol(tx: Connection, row: Mapping[str, Any]) -> bool:
    new = _insert(tx, enrolments).values(**row).on_conflict_do_nothing().returning(enrolments.c.id)
    return tx.execute(new).first() is not None


def enrolments_of(tx: Connection, lead_id: str) -> Sequence[Row[Any]]:
    return tx.execute(select(enrolments).where(enrolments.c.lead_id == lead_id).order_by(enrolments.c.id)).all()


def _insert(tx: Connection, table: Any) -> Any:
    return (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(table)
