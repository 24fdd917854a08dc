"""What was asked before: the same hold and the same meeting again, and what to say of a hold that is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from server import clock, events
from server.booking import offers, store
from server.booking.store import AHEAD, CANCELLED, HELD, Meeting
from server.config.service import Version
from server.errors import Conflict, Gone, NotFound
from server.leads import service as leads

LOST = "This time is no longer kept for you; please choose again."


def known_hold(
    tx: Connection, site_id: str, key: str | None, meeting: str, start: datetime, *, chosen: bool, locked: bool = False
) -> Meeting | None:
    """What this key made before, unless that hold has expired. Conflict when it stands for something else by now.

    `chosen`: the key is only the choice (in a conversation), which may be made anew once its meeting was moved or
    called off; `locked`: the key is then free for it.
    """
    found = store.by_key(tx, site_id, "hold_key", key) if key else None
    if found is None or (found.status == HELD and found.held_until <= clock.now()):
        return None
    if found.status in (HELD, *AHEAD) and (found.type, found.start_at) == (meeting, start):
        return found
    if not chosen:
        raise Conflict("This key was used for another time before; use a new key.", field="key")
    if locked:
        store.forget_hold_key(tx, found.id)
    return None


def confirmed(tx: Connection, site_id: str, key: str, attendee: str) -> Meeting | None:
    """The meeting that this key made. Conflict when it is somebody else's."""
    found = store.by_key(tx, site_id, "confirm_key", key)
    if found is None or found.status == HELD:
        return None
    if leads.email_key(found.email) != attendee:
        raise Conflict("This key was used for another meeting before; use a new key.", field="key")
    return found


def again(meeting: Meeting, attendee: str) -> Meeting:
    """The hold was confirmed before: by the same person it is the same meeting."""
    if meeting.status == CANCELLED:
        raise Gone("This meeting was cancelled; please choose another time.")
    if meeting.status in AHEAD and meeting.attendee == attendee:
        return meeting
    raise Conflict("This meeting is booked already; use the link in its mail to change it.", code="already_booked")


def after_release(tx: Connection, version: Version, meeting_id: str, attendee: str) -> Meeting:
    """Of a hold that was let go: the meeting that this person has at its time, for which it may have been let go.
    Gone, with the nearest open starts, when there is none."""
    held = [one for one in events.of_subject(tx, "meeting", meeting_id) if one.name == events.MEETING_HELD]
    if not held or held[0].site_id != version.site_id:
        raise Gone(LOST, code="hold_expired")
    about = held[-1].data
    start = datetime.fromisoformat(about["start"])
    if other := store.booked_by(tx, version.site_id, attendee, start):
        return other
    raise over(tx, version, about["type"], about["pool"], about["rep"], start)


def over(tx: Connection, version: Version, meeting: str, pool: str, rep: str, start: datetime) -> Gone:
    """The five minutes are over."""
    try:
        asked = offers.ask(tx, version, meeting, pool or None, None if pool else [rep])
        nearest = offers.nearest(tx, version, asked, start)
    except NotFound:  # meetings.yml or team.yml has changed since
        nearest = []
    return Gone(
        "The time was kept for five minutes, which are over; please choose again.",
        code="hold_expired",
        alternatives=[one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in nearest],
    )
