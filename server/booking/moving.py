"""Move a meeting to another time: with its hosts if they can, else with others of the pool; of two movers one wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from server import clock, events
from server.booking import calendars, changes, offers, store
from server.booking.holds import checked_start, hosts_of_holds, in_the_way, refusal, release
from server.booking.hosts import chosen
from server.booking.invitations import links, messages
from server.booking.offers import Asked
from server.booking.store import RESCHEDULED, Meeting
from server.config.service import Version
from server.errors import Conflict
from server.events import Actor
from server.routing import ledger, pools, turns
from server.routing.schema import Team


class _Lost(Exception):
    """Nobody can take it at the new time."""


def reschedule(
    tx: Connection,
    version: Version,
    meeting_id: str,
    start: datetime,
    *,
    by: Actor,
    reason: str = "",
    seen: int | None = None,
) -> Meeting:
    """Move a meeting: with the same hosts if they can, else with fairly chosen ones of the pool.

    One UID, SEQUENCE + 1. Neither the meeting nor what its visitor holds stands in its way. SlotTaken leaves it where
    it was; Gone when it has taken place or was cancelled; Conflict when its SEQUENCE is no longer the one `seen`.
    """
    meeting = changes.ahead(tx, version, meeting_id)
    start = checked_start(start)
    if start == meeting.start_at:
        return meeting
    changes.expect(meeting, seen)
    if meeting.attendee and store.booked_by(tx, version.site_id, meeting.attendee, start):
        raise Conflict("You have another meeting at this time already; please choose another time.")
    asked = takers(tx, version, meeting)
    try:
        with tx.begin_nested():
            return _move(tx, version, meeting, asked, start, by, reason)
    except _Lost:
        raise refusal(tx, version, asked, start, meeting.id) from None


def takers(tx: Connection, version: Version, meeting: Meeting) -> Asked:
    """Who may take the meeting when it is moved: its hosts, and the pool as its balance is now.

    A rep who has left the pool or the team, or is inactive, is nobody any more; a meeting that was booked with such a
    person, or with one whose calendar is silent, goes to the pool of its type.
    """
    of, team = links.type_of(version, meeting), version.part(Team)
    hosts = changes.hosts_of(tx, meeting)
    pool = meeting.pool if meeting.pool in team.pools_by_id else ""
    if not pool:
        there = all(rep in team.reps_by_id and team.reps_by_id[rep].active for rep in hosts)
        silent = there and calendars.load(tx, version, hosts, clock.now()).silent
        if there and not (silent and of.pool):
            return Asked(of, "", tuple(hosts), len(hosts) if of.assignment == "collective" else 1)
        pool = of.pool or ""
    if not pool:
        return Asked(of, "", (), 1)
    everybody = pools.members(version, pool)
    if of.assignment == "collective":
        return Asked(of, pool, tuple(everybody), len(everybody))
    mine = [rep for rep in hosts if rep in everybody]
    return Asked(of, pool, tuple(dict.fromkeys([*mine, *turns.who_may(tx, version, pool)])), of.hosts)


def would_take(
    tx: Connection, version: Version, meeting: Meeting, start: datetime, end: datetime
) -> dict[datetime, list[str]]:
    """Who would have the meeting at each open start in [start, end), as `reschedule` would choose."""
    asked, before = takers(tx, version, meeting), changes.hosts_of(tx, meeting)
    known: dict[tuple[str, ...], list[str]] = {}
    found = offers.who_can(tx, version, asked, start, end, meeting.id)
    for free in {tuple(reps) for reps in found.values()}:
        kept = [rep for rep in before if rep in free][: asked.needed]
        rest, missing = [rep for rep in free if rep not in kept], asked.needed - len(kept)
        if asked.pool and missing:
            turn = [one.rep for one in turns.simulate(tx, version, asked.pool, rest, missing)]
            rest = [*dict.fromkeys([*(rep for rep in turn if rep), *rest])]
        known[free] = [*kept, *rest[:missing]]
    return {at: known[tuple(reps)] for at, reps in found.items()}


def _move(
    tx: Connection, version: Version, meeting: Meeting, asked: Asked, start: datetime, by: Actor, reason: str
) -> Meeting:
    stale = in_the_way(
        tx, version.site_id, asked.reps, conversation_id=meeting.conversation_id, lead_id=meeting.lead_id
    )
    if asked.pool:
        ledger.lock(tx, version.site_id, pools.pool_of(version, asked.pool))
    old_hosts = changes.lock(tx, meeting, [*asked.reps, *hosts_of_holds(tx, stale)])
    for held in stale:
        expired = held.held_until <= clock.now()
        release(tx, held, reason="the hold expired" if expired else "the visitor moved a meeting", actor=by)
    free = offers.able(tx, version, asked, start, meeting.id)
    hosts, trace = _hosts(tx, version, asked, free, old_hosts, start, meeting.id)
    if not hosts:
        raise _Lost
    stayed = set(hosts) == set(old_hosts)
    pool = meeting.pool if stayed else asked.pool
    try:
        changes.put(tx, version, meeting, asked.type, hosts, start, status=RESCHEDULED, pool=pool)
    except IntegrityError:
        raise _Lost from None
    store.touch(tx, version.site_id, old_hosts)
    if asked.pool and not stayed:
        why = "moved to a time that the rep could not take"
        account = pools.pool_of(version, asked.pool)
        ledger.move(tx, version.site_id, account, meeting.id, hosts, by=by, reason=why, trace=trace)
    after = changes.get(tx, meeting.id)
    messages.moved(tx, version, after, meeting, old_hosts)
    data = {"was": meeting.start_at.isoformat(), "rep_was": meeting.rep}
    changes.record(tx, events.MEETING_RESCHEDULED, after, by, reason, data, trace)
    return after


def _hosts(
    tx: Connection,
    version: Version,
    asked: Asked,
    free: Sequence[str],
    before: Sequence[str],
    start: datetime,
    moving: str,
) -> tuple[list[str], dict[str, Any]]:
    """Those who had the meeting before stay, as far as they can; fairly chosen ones take the places of the others."""
    kept = [rep for rep in before if rep in free][: asked.needed]
    missing = asked.needed - len(kept)
    if missing == 0:
        looked_at = [{"name": rep, "answer": "yes", "because": "had the meeting before", "saw": {}} for rep in kept]
        return kept, {"decision": "pick", "chosen": kept[0], "pool": asked.pool, "looked_at": looked_at}
    rest = [rep for rep in free if rep not in kept]
    new, trace = chosen(tx, version, replace(asked, needed=missing), rest, at=start, moving=moving)
    return ([*kept, *new], trace) if new else ([], {})
