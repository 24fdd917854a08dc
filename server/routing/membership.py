"""Who is in an account of turns: whoever joins starts at the share of those who are there, and nobody is flooded.

Members are those of all pools of the account together, and active. The ledger says who is in: the last of their
entries `joined` and `left` counts. It is brought up to date by whoever gives a turn, under the account's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server import clock, ids
from server.events import SYSTEM
from server.routing import ledger, store
from server.routing.pick import Tally
from server.routing.team import Pool, Team

LARGEST_DENOMINATOR = 10**12  # what the column holds; larger ones come of dozens of odd weights only
Weights = Mapping[str, Fraction]
Part = tuple[datetime, Fraction]


def roster(team: Team, account: str) -> dict[str, Fraction]:
    """The active members of the account's pools with their weights; the pool first named in team.yml counts."""
    found: dict[str, Fraction] = {}
    for pool in team.pools:
        if pool.account == account:
            for rep in pool.members:
                if team.reps_by_id[rep].active:
                    found.setdefault(rep, exact(pool.weights.get(rep, team.reps_by_id[rep].weight)))
    return found


@lru_cache(maxsize=1024)
def exact(number: float) -> Fraction:
    """A number of team.yml as people wrote it."""
    return Fraction(str(number))


def arrivals(members: Weights, inside: Collection[str], counts: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """What brings each newcomer up to the ideal share of what those inside have had: exact, never below nothing.

    It leaves everybody's shortfall in proportion: who was next in turn stays next. When nobody is inside (the very
    first turn, or a wholly new team) all start with what they have.
    """
    staying = [rep for rep in members if rep in inside]
    had = sum((counts.get(rep, Fraction(0)) for rep in staying), Fraction(0))
    weight = sum((members[rep] for rep in staying), Fraction(0))
    ideal = {rep: members[rep] * had / weight if weight else Fraction(0) for rep in members if rep not in inside}
    return {rep: max(Fraction(0), share - counts.get(rep, Fraction(0))) for rep, share in ideal.items()}


def admit(tx: Connection, site_id: str, pool: Pool, members: Weights, at: datetime, rev: int) -> None:
    """Write who has joined and who has left since the last turn. The account is locked with this `rev`."""
    inside = _inside(tx, site_id, pool)
    gone = sorted(inside.difference(members))
    if not gone and inside.issuperset(members):
        return
    counts = ledger.tally(tx, site_id, pool, at, placed=True).counts
    came = arrivals(members, inside, counts)
    staying = [rep for rep in members if rep in inside]
    rows = [_row(site_id, pool, rep, ledger.LEFT, Fraction(0), at, rev, "no longer a member") for rep in gone]
    for rep, amount in came.items():
        parts = _spread(tx, site_id, pool, staying, amount, at) if pool.period == "rolling" else [(at, amount)]
        why = f"starts at {amount}, the share of those who were there" if amount else "starts with what is there"
        rows += [_row(site_id, pool, rep, ledger.JOINED, part, counts_at, rev, why) for counts_at, part in parts]
    store.add(tx, rows)


def standing(tx: Connection, site_id: str, pool: Pool, members: Weights, at: datetime) -> Tally:
    """The tally as the next turn would find it, newcomers brought up to their share; writes nothing."""
    found, inside = ledger.tally(tx, site_id, pool, at), _inside(tx, site_id, pool)
    if inside.issuperset(members):
        return found
    came = arrivals(members, inside, found.counts)
    return replace(found, counts={**found.counts, **{rep: found.counts.get(rep, 0) + came[rep] for rep in came}})


def _inside(tx: Connection, site_id: str, pool: Pool) -> set[str]:
    rows = store.of_kinds(tx, site_id, pool.account, (ledger.JOINED, ledger.LEFT))
    last = {row.rep: row.kind for row in rows}
    return {rep for rep, kind in last.items() if kind == ledger.JOINED}


def _spread(
    tx: Connection, site_id: str, pool: Pool, staying: Sequence[str], amount: Fraction, at: datetime
) -> list[Part]:
    """In a rolling period what others have had leaves it day by day, and so must what a newcomer starts with."""
    since = ledger.period_start(pool, at)
    rows = [row for row in store.entries(tx, site_id, pool.account, since, at) if row.rep in staying]
    days = list(_by_day(pool, [row for row in rows if row.rev is not None]))
    total = sum((part for _, part in days), Fraction(0))
    if not amount or total <= 0:
        return [(at, amount)]
    return [(first, amount * part / total) for first, part in days if part]


def _by_day(pool: Pool, rows: Sequence[Any]) -> Iterator[Part]:
    zone = ZoneInfo(pool.zone)
    days: dict[Any, list[Any]] = {}
    for row in rows:
        days.setdefault(row.counts_at.astimezone(zone).date(), []).append(row)
    for _, entries in sorted(days.items()):
        yield min(row.counts_at for row in entries), sum((Fraction(row.amount) for row in entries), Fraction(0))


def _row(
    site_id: str, pool: Pool, rep: str, kind: str, amount: Fraction, counts_at: datetime, rev: int, reason: str
) -> dict[str, Any]:
    kept = str(amount.limit_denominator(LARGEST_DENOMINATOR))
    return {
        "id": ids.new_id("credit"), "site_id": site_id, "counter": pool.account, "pool": pool.id, "rep": rep,
        "kind": kind, "amount": kept, "meeting_id": None, "counts_at": counts_at, "at": clock.now(),
        "by_kind": SYSTEM.kind, "by_id": SYSTEM.id, "reason": reason, "trace": None, "rev": rev,
    }  # fmt: skip
