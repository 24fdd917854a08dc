"""A lead turned out to be no fit: the turns that its meetings cost are given back, where the pool says so."""

from __future__ import annotations

from sqlalchemy import Connection

from server.booking import store
from server.booking.store import HELD, Meeting
from server.config.service import Version
from server.errors import NotFound
from server.events import Actor
from server.routing import ledger, pools


def credit_disqualified(tx: Connection, version: Version, lead_id: str, *, by: Actor, reason: str) -> list[str]:
    """Give back the turns of the lead's meetings, each in the period in which it was given; once, however often it is
    asked. The meetings stay as they are. Returns the ids of those whose turn came back."""
    found = store.listed(tx, [version.site_id], lead_id=lead_id, limit=1_000)
    credited = []
    for meeting in sorted(found, key=lambda one: one.id):
        # The row first: whoever cancels or marks it at this moment gives the turn back as well, and it must be once.
        store.lock(tx, meeting.id)
        if _gives_back(version, meeting) and ledger.credit(tx, meeting.id, ledger.DISQUALIFIED, by=by, reason=reason):
            credited.append(meeting.id)
    return credited


def _gives_back(version: Version, meeting: Meeting) -> bool:
    if meeting.status == HELD:
        return False
    try:
        return pools.pool_of(version, meeting.pool).credit.disqualified
    except NotFound:  # booked with one person, or the pool has left team.yml
        return False
