"""What happens to a booked meeting: cancelled, held, missed; and the parts that every change is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from server import clock, events
from server.booking import store
from server.booking.hosts import occupy
from server.booking.invitations import calendar_events, messages
from server.booking.schema import MeetingType
from server.booking.store import AHEAD, CANCELLED, DONE, NO_SHOW, Meeting
from server.config.service import Version
from server.errors import Conflict, Gone, Invalid, NotFound
from server.events import Actor
from server.routing import ledger, pools


def cancel(
    tx: Connection, version: Version, meeting_id: str, *, by: Actor, reason: str = "", seen: int | None = None
) -> Meeting:
    """Call a meeting off: its time is free again, the turn is given back as the pool says, everybody is told.

    Cancelled twice is cancelled once. Gone when it has begun; Conflict when its SEQUENCE is no longer the one `seen`.
    """
    meeting = get(tx, meeting_id, version.site_id)
    if meeting.status == CANCELLED:
        return meeting
    meeting = ahead(tx, version, meeting_id)
    expect(meeting, seen)
    hosts = lock(tx, meeting)
    values = {"status": CANCELLED, "sequence": meeting.sequence + 1, "attendee": None}
    if not store.change(tx, meeting.id, AHEAD, {**values, **_ended(by, reason)}):
        raise changed_meanwhile()
    store.free_time(tx, meeting.id)
    store.touch(tx, meeting.site_id, hosts)
    credited = _credits_cancelling(version, meeting, by) and ledger.credit(
        tx, meeting.id, ledger.CANCELLED, by=by, reason=reason or f"cancelled by {by.kind}"
    )
    after = get(tx, meeting.id)
    messages.cancelled(tx, version, after, reason)
    record(tx, events.MEETING_CANCELLED, after, by, reason, {"credited": credited})
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
    name = events.MEETING_DONE if status == DONE else events.MEETING_NO_SHOW
    record(tx, name, after, by, "", {"credited": credited})
    return after


def get(tx: Connection, meeting_id: str, site_id: str | None = None) -> Meeting:
    """The meeting (of this site); NotFound."""
    found = store.get(tx, meeting_id)
    if found is None or (site_id is not None and found.site_id != site_id):
        raise NotFound("There is no such meeting.")
    return found


def ahead(tx: Connection, version: Version, meeting_id: str) -> Meeting:
    """The meeting, if it can still be changed; NotFound, Gone."""
    meeting = get(tx, meeting_id, version.site_id)
    if meeting.status not in AHEAD:
        raise Gone(f"This meeting cannot be changed any more: it is {meeting.status.replace('_', ' ')}.")
    if meeting.start_at <= clock.now():
        raise Gone("This meeting has begun and cannot be changed any more.")
    return meeting


def hosts_of(tx: Connection, meeting: Meeting) -> list[str]:
    """Its hosts, the organizer first."""
    found = [row.rep for row in store.hosts_of(tx, [meeting.id])]
    return sorted(found, key=lambda rep: (rep != meeting.rep, rep))


def lock(tx: Connection, meeting: Meeting, reps: Iterable[str] = ()) -> list[str]:
    """Lock the calendars of the meeting's hosts and of `reps`; returns the hosts. Conflict when somebody has changed
    the meeting since it was read: of two who change it at once, one wins and the other is told."""
    hosts = hosts_of(tx, meeting)
    store.lock_calendars(tx, meeting.site_id, [*reps, *hosts])
    now = store.get(tx, meeting.id)
    if now is None or (now.sequence, now.status) != (meeting.sequence, meeting.status):
        raise changed_meanwhile()
    return hosts


def put(
    tx: Connection,
    version: Version,
    meeting: Meeting,
    of: MeetingType,
    hosts: Sequence[str],
    start: datetime,
    **values: Any,
) -> None:
    """The meeting's row, hosts and cells at their new time. IntegrityError when somebody else has any of it."""
    sequence = meeting.sequence + 1
    new = {
        "rep": hosts[0],
        "start_at": start,
        "end_at": start + timedelta(minutes=of.duration_minutes),
        "sequence": sequence,
        "calendar_key": calendar_events.calendar_key(meeting.id, sequence),
        "checked_at": None,
        "changed_at": clock.now(),
    }
    store.drop_hosts(tx, meeting.id)
    with tx.begin_nested():
        if not store.change(tx, meeting.id, AHEAD, {**new, **values}):
            raise changed_meanwhile()
        occupy(tx, version, of, meeting.id, hosts, start)


def expect(meeting: Meeting, seen: int | None) -> None:
    """Conflict when the meeting is no longer as a page has shown it; `seen` is the SEQUENCE that the page knew."""
    if seen is not None and meeting.sequence != seen:
        raise changed_meanwhile()


def changed_meanwhile() -> Conflict:
    """The error to raise for who comes second."""
    return Conflict("Somebody has just changed this meeting; please look at it as it is now.", code="changed")


def record(
    tx: Connection,
    name: str,
    meeting: Meeting,
    by: Actor,
    reason: str,
    data: Mapping[str, Any],
    trace: Mapping[str, Any] | None = None,
) -> None:
    """A line of the diary about the meeting as it is now."""
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


def _credits_cancelling(version: Version, meeting: Meeting, by: Actor) -> bool:
    """The pool gives turns back for cancelled meetings; not for those that the visitor cancelled too late."""
    if not _pool_credit(version, meeting, "cancelled"):
        return False
    late = timedelta(minutes=pools.pool_of(version, meeting.pool).credit.late_cancel_minutes)
    return by.kind != "visitor" or meeting.start_at - clock.now() >= late


def _pool_credit(version: Version, meeting: Meeting, rule: str) -> bool:
    try:
        return bool(getattr(pools.pool_of(version, meeting.pool).credit, rule))
    except NotFound:  # booked with one person, or the pool has left team.yml
        return False


def _ended(by: Actor, reason: str) -> dict[str, Any]:
    now = clock.now()
    return {"ended_at": now, "changed_at": now, "ended_by": by.kind, "end_reason": reason}
