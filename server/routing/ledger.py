"""The account of turns of a pool: entries are added, never changed; what a rep has had is their exact sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
KINDS = (ASSIGNED, REASSIGNED_TO, REASSIGNED_AWAY, RELEASED, CANCELLED, NO_SHOW, DISQUALIFIED, CALIBRATION)


def give(
    tx: Connection, site_id: str, pool: Pool, rep: str, meeting_id: str, *, by: Actor, trace: Mapping[str, Any]
) -> None:
    """A turn for the rep: +1, now."""
    _add(tx, site_id, pool.account, pool.id, rep, ASSIGNED, Fraction(1), clock.now(), by, "", meeting_id, trace)


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
    """The meeting goes to other reps: -1 for those who had it, +1 for the new ones."""
    _return(tx, meeting_id, REASSIGNED_AWAY, by, reason)
    for rep in reps:
        _add(
            tx, site_id, pool.account, pool.id, rep, REASSIGNED_TO, Fraction(1), clock.now(), by, reason, meeting_id,
            trace,
        )  # fmt: skip


def release(tx: Connection, meeting_id: str, *, by: Actor, reason: str) -> None:
    """The hold came to nothing: as if the turn had never been given."""
    _return(tx, meeting_id, RELEASED, by, reason)


def credit(tx: Connection, meeting_id: str, kind: str, *, by: Actor, reason: str) -> bool:
    """Give the turn back (cancelled, no_show, disqualified), in the period in which it was given. Once: False when
    the turn was given back before, or no turn was counted for this meeting."""
    return _return(tx, meeting_id, kind, by, reason)


def calibrate(tx: Connection, site_id: str, pool: Pool, rep: str, amount: str, *, by: Actor, reason: str) -> None:
    """Add to (or take from) what a rep has had in the present period; `amount` is exact, such as 2, -1 or 1/2."""
    if rep not in pool.members:
        raise Invalid(f"{rep} is not a member of the pool {pool.id}.", field="rep")
    if not reason:
        raise Invalid("Say why, so that the others can read it.", field="reason")
    try:
        exact = Fraction(amount)
    except (ValueError, ZeroDivisionError):
        raise Invalid(f"{amount!r} is not a number such as 2, -1 or 1/2.", field="amount") from None
    store.lock_counter(tx, site_id, pool.account)
    _add(tx, site_id, pool.account, pool.id, rep, CALIBRATION, exact, clock.now(), by, reason, None)


def tally(tx: Connection, site_id: str, pool: Pool, at: datetime) -> Tally:
    """What each rep has had in the period of `at`, and when each was last given a turn."""
    counts: dict[str, Fraction] = {}
    for row in store.amounts_since(tx, site_id, pool.account, period_start(pool, at)):
        counts[row.rep] = counts.get(row.rep, Fraction(0)) + Fraction(row.amount) * row.times
    given = store.last_given(tx, site_id, pool.account, (ASSIGNED, REASSIGNED_TO), RELEASED)
    return Tally(counts, {row.rep: row.at for row in given})


def lock(tx: Connection, site_id: str, pool: Pool) -> None:
    """Nobody else gives a turn of this account until our transaction ends. Take it before any calendar."""
    store.lock_counter(tx, site_id, pool.account)


def entries(tx: Connection, site_id: str, pool: Pool, since: datetime, until: datetime) -> Sequence[Entry]:
    """The entries that count in [since, until), oldest first."""
    return store.entries(tx, site_id, pool.account, since, until)


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


def _return(tx: Connection, meeting_id: str, kind: str, by: Actor, reason: str) -> bool:
    """Take back the turns that this meeting counts for now, in the period in which each was given.

    Callers change the meeting's row first, which keeps two of them from taking one turn back twice.
    """
    history = store.of_meeting(tx, meeting_id)
    counts: dict[str, Fraction] = {}
    for row in history:
        counts[row.rep] = counts.get(row.rep, Fraction(0)) + Fraction(row.amount)
    given = {row.rep: row for row in history if row.kind in (ASSIGNED, REASSIGNED_TO)}
    back = [(given[rep], count) for rep, count in counts.items() if count > 0]
    for row, count in back:
        _add(
            tx, row.site_id, row.counter, row.pool, row.rep, kind, -count, row.counts_at, by, reason, meeting_id
        )  # fmt: skip
    return bool(back)


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
        "by_id": by.id, "reason": reason, "trace": dict(trace) if trace else None,
    }  # fmt: skip
    store.add(tx, row)
