"""Whether what a database holds about meetings is true: nobody twice, every turn counted once, everybody told."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction

from sqlalchemy import and_, select

from server.booking import service as booking
from server.booking.tables import cells, meeting_hosts, meetings, time_blocks
from server.db import Database
from server.outbox.tables import deliveries
from server.routing.tables import credit_ledger

CELL = 300


def overlaps(db: Database) -> list[tuple[str, str]]:
    """Pairs of meetings or holds that block one rep at the same moment: there are none."""
    a, b = meeting_hosts.alias(), meeting_hosts.alias()
    both = and_(
        a.c.rep == b.c.rep, a.c.meeting_id < b.c.meeting_id, a.c.blocks, b.c.blocks,
        a.c.busy_from < b.c.busy_until, b.c.busy_from < a.c.busy_until,
    )  # fmt: skip
    with db.reading() as tx:
        return [tuple(row) for row in tx.execute(select(a.c.meeting_id, b.c.meeting_id).where(both))]


def check(db: Database) -> int:
    """All of it, at any moment, whatever was killed; the number of hosts whose time is blocked."""
    assert overlaps(db) == []
    blocked = check_cells(db)
    check_blocks(db)
    check_turns(db)
    check_deliveries(db)
    return blocked


def check_cells(db: Database) -> int:
    """The cells are exactly those of the meetings that stand."""
    with db.reading() as tx:
        hosts = tx.execute(select(meeting_hosts).where(meeting_hosts.c.blocks)).all()
        taken = Counter((row.rep, row.cell, row.meeting_id) for row in tx.execute(select(cells)))
        standing = {row.id for row in tx.execute(select(meetings)) if row.status in (*booking.AHEAD, booking.HELD)}
    assert {row.meeting_id for row in hosts} == standing
    expected: Counter[tuple[str, int, str]] = Counter()
    for row in hosts:
        first, last = int(row.busy_from.timestamp()) // CELL, -(-int(row.busy_until.timestamp()) // CELL)
        expected.update((row.rep, cell, row.meeting_id) for cell in range(first, last))
    assert taken == expected
    return len(hosts)


def check_blocks(db: Database) -> None:
    """No time was taken that a rep had kept free before. (A moved meeting took it when it was last changed.)"""
    with db.reading() as tx:
        kept = tx.execute(select(time_blocks)).all()
        joined = select(meeting_hosts, meetings).join(meetings, meetings.c.id == meeting_hosts.c.meeting_id)
        took = tx.execute(joined.where(meeting_hosts.c.blocks)).all()
    for own in kept:
        begins, ends = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (own.start_local, own.end_local))
        for row in took:
            since = row.changed_at if row.sequence else row.created_at
            later = row.rep == own.rep and since > own.created_at
            assert not (later and row.busy_from < ends and begins < row.busy_until), (own, row)


def check_turns(db: Database) -> None:
    """Each meeting of a pool that stands counts exactly one turn for each of its hosts, and none for others."""
    with db.reading() as tx:
        counted: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for row in tx.execute(select(credit_ledger).where(credit_ledger.c.meeting_id.is_not(None))):
            counted[row.meeting_id, row.rep] += Fraction(row.amount)
        pooled = {row.id for row in tx.execute(select(meetings).where(meetings.c.pool != ""))}
        hosts = tx.execute(select(meeting_hosts).where(meeting_hosts.c.blocks)).all()
    expected = {(row.meeting_id, row.rep): Fraction(1) for row in hosts if row.meeting_id in pooled}
    assert {key: count for key, count in counted.items() if count} == expected


def check_deliveries(db: Database) -> None:
    """No meeting without its deliveries, as of its last change; no delivery without its meeting."""
    with db.reading() as tx:
        found = {row.id: row for row in tx.execute(select(meetings))}
        queued: dict[str, dict[str, str]] = defaultdict(dict)
        for row in tx.execute(select(deliveries).where(deliveries.c.subject_kind == "meeting")):
            queued[row.subject_id][row.key] = row.kind
    assert set(queued) == {one.id for one in found.values() if one.status != booking.HELD}
    for meeting_id, keys in queued.items():
        meeting = found[meeting_id]
        assert set(keys.values()) - {"crm"} == {"calendar", "notify"}  # the CRM hears by a reaction, after the commit
        assert meeting.calendar_key in keys
        assert [key for key in keys if key.startswith(f"{meeting_id}:mail:{meeting.sequence}:visitor:")]
