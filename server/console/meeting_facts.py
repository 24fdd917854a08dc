"""What the page of a meeting says of it besides its row: where it is, and how its rep came to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server import events
from server.booking import service as booking
from server.booking.service import Meeting, Place
from server.config.service import Version
from server.console import here

_CHANGES = (events.MEETING_REASSIGNED, events.MEETING_RESCHEDULED)


def place(version: Version, meeting: Meeting) -> Place:
    """Where it takes place, as its rep reads it: a room, whom to call, an address."""
    return booking.place(version, meeting, "en", for_rep=True)


def how(meeting: Meeting, happened: Sequence[Any]) -> str:
    """How the meeting came to its rep: picked from the pool, given by somebody, or with the time it was moved to."""
    picked = f"picked from {meeting.pool}" if meeting.pool else ""
    last = next((one for one in reversed(happened) if _changed_rep(one)), None)
    if last is None:
        return picked
    before = f", instead of {here.rep_name(meeting.site_id, last.data['rep_was'])}"
    if last.name == events.MEETING_RESCHEDULED:
        return (f"{picked} when it was moved" if picked else "with the time it was moved to") + before
    given = f"given by {last.actor_name or last.actor_kind}"
    return given + before if _named(last) else f"{given} to the next in turn of {last.data.get('pool')}{before}"


def _changed_rep(event: Any) -> bool:
    data = event.data or {}
    return event.name in _CHANGES and data.get("rep_was") not in (None, data.get("rep"))


def _named(event: Any) -> bool:
    looked_at = (event.trace or {}).get("looked_at") or ()
    return not event.data.get("pool") or any(one.get("because") == "named" for one in looked_at)
