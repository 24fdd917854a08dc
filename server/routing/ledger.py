"""The account of turns of a pool: entries are added, never changed; what a rep has had is their exact sum.

Whoever gives a turn locks the account and gives every entry that has come its place in it (`rev`); a pick counts what
has a place, and keeps which. So the picks can be made again from the entries alone (replay.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server import clock, ids
from server.errors import Invalid
from server.events import Actor
from server.routing import store
from server.routing.pick import Tally
from server.routing.store import Entry
from server.routing.team import Pool

ASSIGNED, REASSIGNED_TO = "assigned", "reassigned_to"
REASSIGNED_AWAY, RELEASED = "reassigned_away", "released"
CANCELLED, NO_SHOW, DISQUALIFIED, CALIBRATION = "cancelled", "no_show", "disqualified", "calibration"
JOINED, LEFT = "joined", "left"
KINDS = (
    ASSIGNED, REASSIGNED_TO, REASSIGNED_AWAY, RELEASED, CANCELLED, NO_SHOW, DISQUALIFIED, CALIBRATION, JOINED, LEFT,
)  # fmt: skip
GIVEN = (ASSIGNED, REASSIGNED_TO)

_AMOUNT = re.compile(r"[+-]?\d{1,6}(/\d{1,6}|\.\d{1,6})?", re.ASCII)
_KEPT_ELSEWHERE = ("looked_at", "also")  # the whole trace of a pick is in the diary


def give(
    tx: Connection, site_id: str, pool: Pool, rep: str, meeting_id: str, *, by: Actor, trace: Mapping[str, Any]
) -> None:
    """A turn for the rep: +1, now."""
    now, mine = clock.now(), _of(trace, rep)
    account = mine.get("account") or pool.account  # a conversation may keep a version in which it had another name
    _add(tx, site_id, account, pool.id, rep, ASSIGNED, Fraction(1), now, by, "", meeting_id, mine)


def move(
    tx: Connection,
    site_id: str,
    pool: Pool,
    meeting_id: str,
    reps: Sequence[str],
    *,
    by: Actor,
    reason: str,
    trace: Mapping[str, Any],
) -> None:
    """The meeting goes to other reps: -1 for those who had it, +1 for the new ones; who stays keeps the turn."""
    stays = {row.rep for row, _ in _counting(tx, meeting_id)} & set(reps)
    _return(tx, meeting_id, REASSIGNED_AWAY, by, reason, keep=stays)
    for rep in (rep for rep in reps if rep not in stays):
        now, mine = clock.now(), _of(trace, rep)
        account = mine.get("account") or pool.account
        _add(tx, site_id, account, pool.id, rep, REASSIGNED_TO, Fraction(1), now, by, reason, meeting_id, mine)


def release(tx: Connection, meeting_id: str, *, by: Actor, reason: str) -> None:
    """The hold came to nothing: as if the turn had never been given."""
    _return(tx, meeting_id, RELEASED, by, reason)


def credit(tx: Connection, meeting_id: str, kind: str, *, by: Actor, reason: str) -> bool:
    """Give the turn back (cancelled, no_show, disqualified), in the period in which it was given. Once: False when
    the turn was given back before, or no turn was counted for this meeting."""
    return _return(tx, meeting_id, kind, by, reason)


def calibrate(tx: Connection, site_id: str, pool: Pool, rep: str, amount: str, *, by: Actor, reason: str) -> Fraction:
    """Add to (or take from) what a rep has had in the present period; `amount` is exact, such as 2, -1 or 1/2."""
    if rep not in pool.members:
        raise Invalid(f"{rep} is not a member of the pool {pool.id}.", field="rep")
    if not reason.strip():
        raise Invalid("Say why, so that the others can read it.", field="reason")
    exact = amount_of(amount)
    lock(tx, site_id, pool)
    _add(tx, site_id, pool.account, pool.id, rep, CALIBRATION, exact, clock.now(), by, reason.strip(), None)
    return exact


def amount_of(text: str) -> Fraction:
    """An exact number such as 2, -1, 1/2 or 0.5 of at most six digits; Invalid, also for nothing."""
    plain = text.strip().replace("\N{MINUS SIGN}", "-")
    try:
        exact = Fraction(plain) if _AMOUNT.fullmatch(plain) else Fraction(0)
    except ZeroDivisionError:
        exact = Fraction(0)
    if not exact:
        raise Invalid(f"{text[:40]!r} is not a number such as 2, -1 or 1/2.", field="amount")
    return exact


def tally(tx: Connection, site_id: str, pool: Pool, at: datetime, *, placed: bool = False) -> Tally:
    """What each rep has had in the period of `at`, and when each was last given a turn. `placed`: count only what has
    its place in the account, as a pick does that holds the lock."""
    counts: dict[str, Fraction] = {}
    for row in store.amounts_since(tx, site_id, pool.account, period_start(pool, at), placed):
        turns = Fraction(int(row.amount) * row.times) if row.amount in ("1", "-1") else Fraction(row.amount) * row.times
        counts[row.rep] = counts[row.rep] + turns if row.rep in counts else turns
    last_at = store.last_given(tx, site_id, pool.account, GIVEN, RELEASED, (JOINED,), placed)
    if not last_at:  # nobody has joined by the ledger yet
        last_at = store.last_given(tx, site_id, pool.account, GIVEN, RELEASED, GIVEN, placed)
    return Tally(counts, last_at)


def lock(tx: Connection, site_id: str, pool: Pool) -> int:
    """Nobody else gives a turn of this account until our transaction ends. Take it before any calendar.

    Returns the account's turn of locking: every entry that is there has its place at or before it.
    """
    rev = store.lock_counter(tx, site_id, pool.account)
    store.place_all(tx, site_id, pool.account, rev)
    return rev


def entries(tx: Connection, site_id: str, pool: Pool, since: datetime, until: datetime) -> Sequence[Entry]:
    """The entries that count in [since, until), oldest first."""
    return store.entries(tx, site_id, pool.account, since, until)


def entries_of_kinds(
    tx: Connection, site_id: str, pool: Pool, kinds: Sequence[str], since: datetime
) -> Sequence[Entry]:
    """The entries of these kinds that count since then."""
    return store.of_kinds(tx, site_id, pool.account, kinds, since)


def newest(tx: Connection, site_id: str, pool: Pool, *, before: str | None = None, limit: int = 50) -> Sequence[Entry]:
    """The account's entries, the newest first; `before` goes on after the entry of this id."""
    return store.newest(tx, site_id, pool.account, before, limit)


def released(tx: Connection, meeting_ids: Sequence[str]) -> set[str]:
    """Those of these meetings that never became more than a hold."""
    return store.having(tx, meeting_ids, RELEASED)


def of_meeting(tx: Connection, meeting_id: str) -> Sequence[Entry]:
    """All entries about one meeting, oldest first."""
    return store.of_meeting(tx, meeting_id)


def period_start(pool: Pool, at: datetime) -> datetime:
    """The first moment of the period in which `at` lies, on the pool's own clock; rolling periods end at `at`."""
    if pool.period == "rolling":
        return at - timedelta(days=pool.rolling_days)
    local = at.astimezone(ZoneInfo(pool.zone))
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if pool.period == "week":
        day -= timedelta(days=day.weekday())
    elif pool.period == "month":
        day = day.replace(day=1)
    elif pool.period == "quarter":
        day = day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
    return day.astimezone(at.tzinfo)


def _return(tx: Connection, meeting_id: str, kind: str, by: Actor, reason: str, *, keep: Collection[str] = ()) -> bool:
    """Take back the turns that this meeting counts for now (not of `keep`), in the period in which each was given.

    Callers change the meeting's row first, which keeps two of them from taking one turn back twice.
    """
    back = [(row, count) for row, count in _counting(tx, meeting_id) if row.rep not in keep]
    for row, count in back:
        _add(
            tx, row.site_id, row.counter, row.pool, row.rep, kind, -count, row.counts_at, by, reason, meeting_id
        )  # fmt: skip
    return bool(back)


def _counting(tx: Connection, meeting_id: str) -> list[tuple[Entry, Fraction]]:
    """Each rep's turn that this meeting counts for now: the entry that gave it, and what it counts."""
    history = store.of_meeting(tx, meeting_id)
    counts: dict[str, Fraction] = {}
    for row in history:
        counts[row.rep] = counts.get(row.rep, Fraction(0)) + Fraction(row.amount)
    given = {row.rep: row for row in history if row.kind in GIVEN}
    return [(given[rep], count) for rep, count in counts.items() if count > 0]


def _of(trace: Mapping[str, Any], rep: str) -> dict[str, Any]:
    """What the pick of this rep saw, as far as the ledger needs it to make the same pick again."""
    picks = [trace, *trace.get("also", ())]
    mine = next((one for one in picks if one.get("chosen") == rep), None)
    left_out = _KEPT_ELSEWHERE if mine else (*_KEPT_ELSEWHERE, "rev")  # without it there is nothing to make again
    return {name: value for name, value in (mine or trace).items() if name not in left_out}


def _add(
    tx: Connection,
    site_id: str,
    counter: str,
    pool: str,
    rep: str,
    kind: str,
    amount: Fraction,
    counts_at: datetime,
    by: Actor,
    reason: str,
    meeting_id: str | None,
    trace: Mapping[str, Any] | None = None,
) -> None:
    row = {
        "id": ids.new_id("credit"), "site_id": site_id, "counter": counter, "pool": pool, "rep": rep, "kind": kind,
        "amount": str(amount), "meeting_id": meeting_id, "counts_at": counts_at, "at": clock.now(), "by_kind": by.kind,
        "by_id": by.id, "reason": reason, "trace": dict(trace) if trace else None, "rev": None,
    }  # fmt: skip
    store.add(tx, [row])
