"""All SQL about links to the CRM and about comparisons with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.sync.tables import crm_findings, crm_links, crm_positions, crm_reports

Link = Row[Any]
Report = Row[Any]
Finding = Row[Any]


def link(tx: Connection, connection_id: str, kind: str, subject_id: str) -> Link | None:
    return tx.execute(select(crm_links).where(*_is(connection_id, kind, subject_id))).one_or_none()


def add_link_if_new(tx: Connection, row: Mapping[str, Any]) -> bool:
    """True when nobody had linked or claimed it."""
    statement = _insert(tx, crm_links).values(**row).on_conflict_do_nothing().returning(crm_links.c.subject_id)
    return tx.execute(statement).first() is not None


def put_link(tx: Connection, row: Mapping[str, Any]) -> None:
    statement = _insert(tx, crm_links).values(**row)
    keys = ["connection_id", "subject_kind", "subject_id"]
    changed = {name: statement.excluded[name] for name in row if name not in keys}
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def lock_link(tx: Connection, connection_id: str, kind: str, subject_id: str) -> Link | None:
    """The link, nobody else's until the transaction ends."""
    found = select(crm_links).where(*_is(connection_id, kind, subject_id))
    return tx.execute(found.with_for_update()).one_or_none()


def change_link(tx: Connection, connection_id: str, kind: str, subject_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(crm_links).where(*_is(connection_id, kind, subject_id)).values(**values))


def take_claim(tx: Connection, row: Mapping[str, Any], before: datetime) -> bool:
    """True when the claim was the same deed's or is older than `before`, and now is ours."""
    mine = update(crm_links).where(
        *_is(row["connection_id"], row["subject_kind"], row["subject_id"]), crm_links.c.record_id == ""
    )
    free = (crm_links.c.at < before) | (crm_links.c.url == row["url"])
    return tx.execute(mine.where(free).values(at=row["at"], url=row["url"])).rowcount == 1


def drop_link(tx: Connection, connection_id: str, kind: str, subject_id: str) -> None:
    tx.execute(delete(crm_links).where(*_is(connection_id, kind, subject_id)))


def leave(tx: Connection, connection_id: str, ended_id: str) -> None:
    """What was linked there is known of an ended connection from now on; reading begins anew."""
    tx.execute(update(crm_links).where(crm_links.c.connection_id == connection_id).values(connection_id=ended_id))
    tx.execute(delete(crm_positions).where(crm_positions.c.connection_id == connection_id))


def links_of(tx: Connection, connection_id: str, kind: str, ids: Collection[str]) -> Sequence[Link]:
    found = select(crm_links).where(
        crm_links.c.connection_id == connection_id, crm_links.c.subject_kind == kind, crm_links.c.subject_id.in_(ids)
    )
    return tx.execute(found).all()


def links_about(tx: Connection, kind: str, ids: Collection[str]) -> Sequence[Link]:
    """At all CRMs, old ones included."""
    found = select(crm_links).where(crm_links.c.subject_kind == kind, crm_links.c.subject_id.in_(ids))
    return tx.execute(found.order_by(crm_links.c.at)).all()


def linked_to(tx: Connection, connection_id: str, record_kind: str, record_id: str) -> Sequence[Link]:
    found = select(crm_links).where(
        crm_links.c.connection_id == connection_id,
        crm_links.c.record_kind == record_kind,
        crm_links.c.record_id == record_id,
    )
    return tx.execute(found.order_by(crm_links.c.at)).all()


def links_after(tx: Connection, connection_id: str, site_id: str, kind: str, after: str, limit: int) -> Sequence[Link]:
    c = crm_links.c
    found = select(crm_links).where(
        c.connection_id == connection_id, c.site_id == site_id, c.subject_kind == kind, c.subject_id > after,
        c.record_id != "",
    )  # fmt: skip
    return tx.execute(found.order_by(c.subject_id).limit(limit)).all()


def first_link_at(tx: Connection, connection_id: str) -> datetime | None:
    first = select(crm_links.c.at).where(crm_links.c.connection_id == connection_id).order_by(crm_links.c.at).limit(1)
    return tx.execute(first).scalar_one_or_none()


def count_links(tx: Connection, connection_id: str, site_id: str) -> dict[str, int]:
    c = crm_links.c
    counted = select(c.subject_kind, func.count()).where(
        c.connection_id == connection_id, c.site_id == site_id, c.record_id != ""
    )
    return {row[0]: row[1] for row in tx.execute(counted.group_by(crm_links.c.subject_kind))}


def add_report(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(insert(crm_reports), dict(row))


def asked_for(tx: Connection) -> Sequence[Report]:
    return tx.execute(
        select(crm_reports).where(crm_reports.c.ended_at.is_(None), crm_reports.c.problem == "asked")
    ).all()


def begin_asked(tx: Connection, report_id: str, now: datetime) -> bool:
    """True when nobody had begun it and it now is ours."""
    waiting = update(crm_reports).where(crm_reports.c.id == report_id, crm_reports.c.problem == "asked")
    return tx.execute(waiting.values(problem="", started_at=now)).rowcount == 1


def change_report(tx: Connection, report_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(crm_reports).where(crm_reports.c.id == report_id).values(**values))


def reports(tx: Connection, site_id: str, limit: int) -> Sequence[Report]:
    found = select(crm_reports).where(crm_reports.c.site_id == site_id).order_by(crm_reports.c.id.desc())
    return tx.execute(found.limit(limit)).all()


def report(tx: Connection, site_id: str, report_id: str) -> Report | None:
    return tx.execute(
        select(crm_reports).where(crm_reports.c.id == report_id, crm_reports.c.site_id == site_id)
    ).one_or_none()


def add_findings(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.execute(insert(crm_findings), [dict(row) for row in rows])


def drop_findings_but(tx: Connection, site_id: str, report_id: str) -> None:
    tx.execute(delete(crm_findings).where(crm_findings.c.site_id == site_id, crm_findings.c.report_id != report_id))


def findings(tx: Connection, report_id: str, kind: str | None = None, limit: int = 10_000) -> Sequence[Finding]:
    found = select(crm_findings).where(crm_findings.c.report_id == report_id).order_by(crm_findings.c.number)
    return tx.execute((found.where(crm_findings.c.kind == kind) if kind else found).limit(limit)).all()


def finding(tx: Connection, report_id: str, number: int) -> Finding | None:
    return tx.execute(
        select(crm_findings).where(crm_findings.c.report_id == report_id, crm_findings.c.number == number)
    ).one_or_none()


def repaired(tx: Connection, report_id: str, numbers: Collection[int], at: datetime) -> None:
    these = update(crm_findings).where(crm_findings.c.report_id == report_id, crm_findings.c.number.in_(numbers))
    tx.execute(these.values(repaired_at=at))


def ensure_position(tx: Connection, row: Mapping[str, Any]) -> None:
    tx.execute(_insert(tx, crm_positions).values(**row).on_conflict_do_nothing())


def position(tx: Connection, site_id: str, connection_id: str) -> Row[Any] | None:
    return tx.execute(select(crm_positions).where(*_at(site_id, connection_id))).one_or_none()


def take_position(tx: Connection, site_id: str, connection_id: str, now: datetime, until: datetime) -> bool:
    """True when it is due, nobody is reading, and now it is ours to read."""
    c = crm_positions.c
    free = or_(c.leased_until.is_(None), c.leased_until <= now)
    mine = update(crm_positions).where(*_at(site_id, connection_id), c.next_at <= now, free)
    return tx.execute(mine.values(leased_until=until)).rowcount == 1


def move_position(
    tx: Connection, site_id: str, connection_id: str, held_until: datetime, values: Mapping[str, Any]
) -> bool:
    """False when somebody else has taken over the reading."""
    mine = (*_at(site_id, connection_id), crm_positions.c.leased_until == held_until)
    return tx.execute(update(crm_positions).where(*mine).values(**values)).rowcount == 1


def due_at_once(tx: Connection, site_id: str, connection_id: str, now: datetime) -> None:
    tx.execute(update(crm_positions).where(*_at(site_id, connection_id)).values(next_at=now))


def _at(site_id: str, connection_id: str) -> tuple[Any, ...]:
    return crm_positions.c.site_id == site_id, crm_positions.c.connection_id == connection_id


def _is(connection_id: str, kind: str, subject_id: str) -> tuple[Any, ...]:
    return (
        crm_links.c.connection_id == connection_id,
        crm_links.c.subject_kind == kind,
        crm_links.c.subject_id == subject_id,
    )


def _insert(tx: Connection, table: Any) -> Any:
    return (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(table)
