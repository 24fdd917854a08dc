"""Reads calendars that a turn has to know before it can book, after the turn was rolled back and before it is taken
again: nobody's transaction stays open meanwhile, and nobody else waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from server.adapters import connections
from server.booking import service as booking
from server.booking.service import CalendarUnread
from server.conversations import service as conversations
from server.db import Database
from server.errors import NotFound, SlotTaken

MOST_READINGS = 4
Taken = TypeVar("Taken")


@dataclass(frozen=True)
class Refused:
    """Holds that cannot be confirmed because nobody was left whose calendar is free; `any`: no hold can."""

    holds: Mapping[str, SlotTaken] = field(default_factory=dict)
    any: SlotTaken | None = None

    def of(self, hold_id: str) -> SlotTaken | None:
        """Why this hold cannot be confirmed, with the nearest open times."""
        return self.holds.get(hold_id) or self.any


def with_calendars(db: Database, take: Callable[[Refused], Taken]) -> Taken:
    """What `take` returns; called again as often as calendars had to be read first, for four seconds in all."""
    until, refused = time.monotonic() + booking.PATIENCE_SECONDS, Refused()
    for _ in range(MOST_READINGS):
        try:
            return take(refused)
        except CalendarUnread as unread:
            refused = replace(refused, holds={**refused.holds, **_read(db, unread, until - time.monotonic())})
    return take(replace(refused, any=SlotTaken("This time cannot be booked at the moment.", reason="calendar")))


def _read(db: Database, unread: CalendarUnread, patience: float) -> Mapping[str, SlotTaken]:
    """Read for the hold, which may have gone with the turn that was rolled back; what this has cost."""
    version, hold_id = unread.version, unread.meeting_id
    calendar = partial(connections.open, db, seconds=booking.PATIENCE_SECONDS)
    try:
        with db.transaction() as tx:
            conversations.get(tx, unread.held.conversation_id)  # else it began in that turn, and is not there either
            hold_id = booking.hold_again(tx, unread)
        booking.check_calendars(db, version, hold_id, calendar, patience=patience)
    except SlotTaken as refusal:
        return {hold_id: refusal}
    except NotFound:
        return {}
    return {}
