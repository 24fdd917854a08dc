"""What happens to a booked meeting: moved, cancelled, held, missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from server import clock, events
from server.booking import offers, store
from server.booking.holds import checked_start, refusal
from server.booking.hosts import chosen, occupy
from server.booking.invitations import messages
from server.booking.offers import Asked
from server.booking.store import AHEAD, CANCELLED, DONE, NO_SHOW, RESCHEDULED, Meeting
from server.config.service import Version
from server.errors import Conflict, Gone, Invalid, NotFound
from server.events import Actor
from server.routing import ledger
from server.routing import service as routing


class _Lost(Exception):
    """Nobody can take it at the new time."""


def reschedule(
    tx: Connection, version: Version, meeting_id: str, start: datetime, *, by: Actor, reason: str = ""
) -> Meeting:
    """Move a meeting: with the same rep if he can, else with a fairly chosen one of the pool.

    One UID, SEQUENCE + 1. The meeting does not stand in its own way. SlotTaken leaves it where it was; Gone when it has
    taken place or was cancelled.
    """
    meeting = _ahead(tx, version, meeting_id)
    start = checked_start(start)
    if start == meeting.start_at:
        return meeting
    if store.booked_by(tx, version.site_id, meeting.attendee, start):
        raise Conflict("You have another meeting at this time already; please choose another time.")
    asked = takers(tx, version, meeting)
    try:
        with tx.begin_nested():
            return _move(tx, version, meeting, asked, start, by, reason)
    except _Lost:
        raise refusal(tx, version, asked, start, meeting.id) from None


def cancel(tx: Connection, version: Version, meeting_id: str, *, by: Actor, reason: str = "") -> Meeting:
    """Call a meeting off: its time is free again, the turn is given back as the pool says, everybody is told.

    Cancelled twice is cancelled once. Gone when it has begun.
    """
    meeting = get(tx, meeting_id, version.site_id)
    if meeting.status == CANCELLED:
        return meeting
    meeting = _ahead(tx, version, meeting_id)
    hosts = [row.rep for row in store.hosts_of(tx, [meeting.id])]
    store.lock_calendars(tx, meeting.site_id, hosts)
    values = {"status": CANCELLED, "sequence": meeting.sequence + 1, "attendee": None}
    if not store.change(tx, meeting.id, AHEAD, {**values, **_ended(by, reason)}):
        return cancel(tx, version, meeting_id, by=by, reason=reason)
    store.free_time(tx, meeting.id)
    store.touch(tx, meeting.site_id, hosts)
    credited = _credits_cancelling(version, meeting, by) and ledger.credit(
        tx, meeting.id, ledger.CANCELLED, by=by, reason=reason or f"cancelled by {by.kind}"
    )
    after = get(tx, meeting.id)
    messages.cancelled(tx, version, after, reason)
    _record(tx, events.MEETING_CANCELLED, after, by, reason, {"credited": credited})
    return after


def mark(tx: Connection, version: Version, meeting_id: str, status: str, *, by: Actor) -> Meeting:
    """It took place (done), or the visitor did not come (no_show: the turn is given back as the pool says).

    Conflict before its start, and for a meeting that was cancelled. Done can still become no_show.
    """
    if status not in (DONE, NO_SHOW):
        raise Invalid(f"A meeting can be marked {DONE} or {NO_SHOW}.", field="status")
    meeting = get(tx, meeting_id, version.site_id)
    if meeting.status == status:
        return meeting
    if meeting.status not in (*AHEAD, DONE):
        raise Conflict(f"This meeting is {meeting.status}; only one that stands can be marked.")
    if meeting.start_at > clock.now():
        raise Conflict("This meeting has not begun yet.")
    if not store.change(tx, meeting.id, (*AHEAD, DONE), {"status": status, **_ended(by, "")}):
        raise Conflict("Somebody has just changed this meeting; please look again.")
    credited = status == NO_SHOW and _pool_credit(version, meeting, "no_show")
    if credited:
        credited = ledger.credit(tx, meeting.id, ledger.NO_SHOW, by=by, reason="the visitor did not come")
    after = get(tx, meeting.id)
    messages.ended(tx, version, after)
    name = events.MEETING_DONE if status == DONE else events.MEETING_NO_SHOW
    _record(tx, name, after, by, "", {"credited": credited})
    return after


def get(tx: Connection, meeting_id: str, site_id: str | None = None) -> Meeting:
    """The meeting (of this site); NotFound."""
    found = store.get(tx, meeting_id)
    if found is None or (site_id is not None and found.site_id != site_id):
        raise NotFound("There is no such meeting.")
    return found


def takers(tx: Connection, version: Version, meeting: Meeting) -> Asked:
    """Who may take the meeting when it is moved: the rep who has it, and the pool as its balance is now."""
    if not meeting.pool:
        return offers.ask(tx, version, meeting.type, None, [meeting.rep])
    asked = offers.ask(tx, version, meeting.type, meeting.pool)
    mine = [rep for rep in routing.members(version, meeting.pool) if rep == meeting.rep]
    return Asked(asked.type, asked.pool, tuple(dict.fromkeys([*mine, *asked.reps])), asked.needed)


def _move(
    tx: Connection, version: Version, meeting: Meeting, asked: Asked, start: datetime, by: Actor, reason: str
) -> Meeting:
    old_hosts = [row.rep for row in store.hosts_of(tx, [meeting.id])]
    if asked.pool:
        ledger.lock(tx, version.site_id, routing.pool_of(version, asked.pool))
    store.lock_calendars(tx, version.site_id, [*asked.reps, *old_hosts])
    free = offers.able(tx, version, asked, start, meeting.id)
    hosts, trace = chosen(tx, version, asked, free, preferred=meeting.rep)
    if not hosts:
        raise _Lost
    _put(tx, version, meeting, asked, hosts, start)
    store.touch(tx, version.site_id, old_hosts)
    if asked.pool and set(hosts) != set(old_hosts):
        pool = routing.pool_of(version, asked.pool)
        why = "moved to a time that the rep could not take"
        ledger.move(tx, version.site_id, pool, meeting.id, hosts, by=by, reason=why, trace=trace)
    after = get(tx, meeting.id)
    messages.moved(tx, version, after, meeting, old_hosts)
    data = {"was": meeting.start_at.isoformat(), "rep_was": meeting.rep}
    _record(tx, events.MEETING_RESCHEDULED, after, by, reason, data, trace)
    return after


def _put(tx: Connection, version: Version, meeting: Meeting, asked: Asked, hosts: list[str], start: datetime) -> None:
    """The meeting's row, hosts and cells at its new time."""
    sequence = meeting.sequence + 1
    values = {
        "status": RESCHEDULED,
        "rep": hosts[0],
        "start_at": start,
        "end_at": start + timedelta(minutes=asked.type.duration_minutes),
        "sequence": sequence,
        "calendar_key": messages.calendar_key(meeting.id, sequence),
        "changed_at": clock.now(),
    }
    store.drop_hosts(tx, meeting.id)
    try:
        with tx.begin_nested():
            if not store.change(tx, meeting.id, AHEAD, values):
                raise Conflict("Somebody has just changed this meeting; please look again.")
            occupy(tx, version, asked.type, meeting.id, hosts, start)
    except IntegrityError:
        raise _Lost from None


def _ahead(tx: Connection, version: Version, meeting_id: str) -> Meeting:
    meeting = get(tx, meeting_id, version.site_id)
    if meeting.status not in AHEAD:
        raise Gone(f"This meeting cannot be changed any more: it is {meeting.status.replace('_', ' ')}.")
    if meeting.start_at <= clock.now():
        raise Gone("This meeting has begun and cannot be changed any more.")
    return meeting


def _credits_cancelling(version: Version, meeting: Meeting, by: Actor) -> bool:
    """The pool gives turns back for cancelled meetings; not for those that the visitor cancelled too late."""
    if not _pool_credit(version, meeting, "cancelled"):
        return False
    late = timedelta(minutes=routing.pool_of(version, meeting.pool).credit.late_cancel_minutes)
    return by.kind != "visitor" or meeting.start_at - clock.now() >= late


def _pool_credit(version: Version, meeting: Meeting, rule: str) -> bool:
    try:
        return bool(getattr(routing.pool_of(version, meeting.pool).credit, rule))
    except NotFound:  # booked with one person, or the pool has left team.yml
        return False


def _ended(by: Actor, reason: str) -> dict[str, Any]:
    now = clock.now()
    return {"ended_at": now, "changed_at": now, "ended_by": by.kind, "end_reason": reason}


def _record(
    tx: Connection,
    name: str,
    meeting: Meeting,
    by: Actor,
    reason: str,
    data: dict[str, Any],
    trace: dict[str, Any] | None = None,
) -> None:
    common = {"rep": meeting.rep, "pool": meeting.pool, "type": meeting.type, "start": meeting.start_at.isoformat()}
    events.record(
        tx,
        name,
        site_id=meeting.site_id,
        subject=("meeting", meeting.id),
        actor=by,
        reason=reason,
        version_id=meeting.version_id,
        conversation_id=meeting.conversation_id,
        data={**common, **data},
        trace=trace,
    )
