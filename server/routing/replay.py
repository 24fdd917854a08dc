"""The picks of an account, made again from its entries alone: what was given must be what the rules say.

A pick counted every entry that had its place in the account at its own; the entry of the turn keeps that place, the
moment, the config version and who was free. Turns of before places were kept, and those given by name, are no picks.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from server.config import service as config
from server.config.service import Version
from server.errors import NotFound
from server.routing import ledger, store
from server.routing.pick import Tally, choose
from server.routing.pools import candidates, policy_of, pool_of
from server.routing.schema import Pool, Team
from server.routing.store import Entry

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Difference:
    """A turn that was not given to whom the entries before it say. `should`: None is nobody."""

    entry_id: str
    at: datetime
    meeting_id: str | None
    given: str
    should: str | None


@dataclass(frozen=True)
class Replayed:
    """How many picks were made again, and those that came out otherwise."""

    picks: int
    differences: Sequence[Difference]


def replay(tx: Connection, site_id: str, pool: Pool) -> Replayed:
    """Make every pick of the pool's account again, reading the whole account; writes nothing."""
    rows = store.in_order(tx, site_id, pool.account)
    made = sorted(
        (row for row in store.newest(tx, site_id, pool.account, None, None) if _is_pick(row)),
        key=lambda row: (row.trace["rev"], row.id),
    )
    account, next_row, differences = _Account(), 0, []
    for row in made:
        while next_row < len(rows) and rows[next_row].rev <= row.trace["rev"]:
            account.add(rows[next_row])
            next_row += 1
        should = _again(tx, account, row)
        if should != row.rep:
            differences.append(Difference(row.id, row.at, row.meeting_id, row.rep, should))
    return Replayed(len(made), differences)


def replay_all(tx: Connection, version: Version) -> Replayed:
    """As `replay`, for every account of a site's pools."""
    accounts = {pool.account: pool for pool in version.part(Team).pools}
    found = [replay(tx, version.site_id, pool) for pool in accounts.values()]
    return Replayed(sum(one.picks for one in found), [each for one in found for each in one.differences])


def _is_pick(row: Entry) -> bool:
    return row.kind in ledger.GIVEN and bool(row.trace) and "rev" in row.trace


def _again(tx: Connection, account: _Account, row: Entry) -> str | None:
    """Whom the rules pick, from what the account held then."""
    seen: Mapping[str, Any] = row.trace
    try:
        version: Version = config.version(tx, seen["version"])
        of = pool_of(version, row.pool)
    except NotFound:
        return None
    at = datetime.fromisoformat(seen["at"])
    standing = account.tally(ledger.period_start(of, at))
    return choose(policy_of(of), candidates(version, of, seen["free"]), standing).rep


class _Account:
    """The entries added so far: counts since a moment that mostly moves on, and who was given a turn when."""

    def __init__(self) -> None:
        self._counts: dict[str, Fraction] = {}
        self._since = _LONG_AGO
        self._counted: list[tuple[datetime, str, str, Fraction]] = []
        self._all: list[tuple[datetime, str, str, Fraction]] = []
        self._given: dict[str, dict[str, datetime]] = {}

    def add(self, row: Entry) -> None:
        line = (row.counts_at, row.id, row.rep, Fraction(row.amount))
        self._all.append(line)
        self._count([line])
        if row.kind in ledger.GIVEN:
            self._given.setdefault(row.rep, {})[row.meeting_id] = row.at
        elif row.kind == ledger.RELEASED:
            for meetings in self._given.values():
                meetings.pop(row.meeting_id, None)

    def tally(self, since: datetime) -> Tally:
        if since < self._since:  # another period, or another clock: count anew
            self._counts, self._counted, self._since = {}, [], since
            self._count(self._all)
        self._since = since
        while self._counted and self._counted[0][0] < since:
            _, _, rep, amount = heapq.heappop(self._counted)
            self._counts[rep] -= amount
        last_at = {rep: max(meetings.values()) for rep, meetings in self._given.items() if meetings}
        return Tally(dict(self._counts), last_at)

    def _count(self, lines: Iterable[tuple[datetime, str, str, Fraction]]) -> None:
        for line in lines:
            if line[0] >= self._since:
                heapq.heappush(self._counted, line)
                self._counts[line[2]] = self._counts.get(line[2], Fraction(0)) + line[3]
