"""A rep's events go to another calendar from now on: what lies ahead is written there, and taken out where it stood, as
far as that calendar can still be reached. What waits to be written goes to the new one by itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from server import clock, ids
from server.adapters import own_calendars
from server.booking import changes, store
from server.booking.invitations import calendar_events
from server.booking.store import AHEAD, Meeting
from server.config.service import Version
from server.errors import NotFound
from server.outbox import service as outbox
from server.outbox.service import Delivery
from server.routing.schema import Team


def resettle(tx: Connection, version: Version, reps: Sequence[str]) -> int:
    """Bring the events of these reps' meetings ahead to where their events go now; how many were written anew. What
    stands right already is left alone, so it may be called at any time."""
    team = version.part(Team).reps_by_id
    return sum(_of_rep(tx, version, rep) for rep in reps if rep in team)


def _of_rep(tx: Connection, version: Version, rep: str) -> int:
    connection, calendar = own_calendars.events_of(tx, version, rep)
    now = connection if connection is not None and connection.rep else None
    target = (now.id, calendar) if now else ("", "")
    found = store.listed(tx, [version.site_id], reps=[rep], start=clock.now(), statuses=AHEAD, limit=5_000)
    moved = 0
    for meeting in found:
        if meeting.rep == rep and meeting.start_at > clock.now():
            moved += _settle(tx, version, meeting, target)
    return moved


def _settle(tx: Connection, version: Version, meeting: Meeting, target: tuple[str, str]) -> bool:
    rows = [row for row in outbox.of_subject(tx, "meeting", meeting.id) if row.kind == own_calendars.KIND]
    latest = next((row for row in rows if row.key == meeting.calendar_key), None)
    if latest is None or latest.operation == "create" and latest.state in outbox.UNDER_WAY:
        return False
    written = _written(rows, latest)
    if written is None or _place(tx, written) == target:
        return False
    _withdraw(tx, rows, written)
    left = written.state == "done" and _reachable(tx, version, written)
    mark = ids.digest(f"{written.key} {target}")[:12]
    key = f"{calendar_events.calendar_key(meeting.id, meeting.sequence)}:at:{mark}"
    store.change(tx, meeting.id, AHEAD, {"calendar_key": key})
    calendar_events.rewrite(tx, version, changes.get(tx, meeting.id), was=written.key if left else "")
    return True


def _written(rows: Sequence[Delivery], latest: Delivery) -> Delivery | None:
    """The delivery that says where the event stands: the last one done of the event that the meeting has now, or the
    one that could not make it."""
    if latest.state == "done" or latest.operation == "create":
        return latest
    done = [row for row in rows if row.state == "done" and row.operation != "cancel" and row.key != latest.key]
    return done[-1] if done and latest.operation == "update" else None


def _place(tx: Connection, written: Delivery) -> tuple[str, str]:
    """Connection and calendar; nothing but "" for the site's, whose calendars team.yml names."""
    if not own_calendars.is_own(tx, written.connection_id or ""):
        return "", ""
    if written.state != "done":
        return written.connection_id or "", ""
    return written.connection_id or "", str((written.result or {}).get("calendar", ""))


def _withdraw(tx: Connection, rows: Sequence[Delivery], written: Delivery) -> None:
    """What was still to be changed where it stands is said by the new event."""
    for row in rows:
        if row.state in ("waiting", "paused") and row.operation == "update" and row.order_key == written.order_key:
            outbox.drop(tx, row.id)


def _reachable(tx: Connection, version: Version, written: Delivery) -> bool:
    try:
        own_calendars.through(tx, version, written.connection_id or "")
    except NotFound:
        return False
    return True
