"""What may be asked of booking: open times, holds, meetings, what keeps reps busy. The parts live beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from server import clock
from server.booking import store
from server.booking.availability.explain import Verdict
from server.booking.changes import cancel, get, hosts_of, mark
from server.booking.confirm import confirm
from server.booking.connected.choosing import choose_calendars, settle_first
from server.booking.connected.followed import follow_move
from server.booking.connected.following import follow
from server.booking.connected.reading import CalendarState, read_ahead
from server.booking.connected.reading import distrust as distrust_calendars
from server.booking.connected.reading import forget as forget_calendars
from server.booking.connected.reading import is_connected as has_connected_calendars
from server.booking.connected.reading import states as calendar_states
from server.booking.connected.rechecking import (
    PATIENCE_SECONDS,
    CalendarUnread,
    check_calendars,
    hold_again,
    with_calendars_read,
)
from server.booking.connected.resettling import resettle
from server.booking.connected.watching import hear_calendars, keep_watches, read_changed, told_of_calendars
from server.booking.disqualified import credit_disqualified
from server.booking.handing_over import Colleague, colleagues, next_in_turn, reassign
from server.booking.holds import HOLD_FOR, hold, release_expired
from server.booking.invitations import ics, links
from server.booking.invitations.video import heed_event
from server.booking.moving import reschedule, takers, would_take
from server.booking.offers import Asked, SlotList, ask, nearest, open_times, slots, why_not
from server.booking.own_times import OwnTime, add_block, meetings_in
from server.booking.own_times import add as add_own_time
from server.booking.own_times import get as own_time
from server.booking.own_times import of_rep as own_times_of
from server.booking.own_times import remove as remove_own_time
from server.booking.replies import mailbox_state, read_mailbox
from server.booking.store import AHEAD, BOOKED, CANCELLED, DONE, HELD, NO_SHOW, PENDING, RESCHEDULED, Meeting
from server.booking.unchanged import fingerprint
from server.booking.week import Item, Week, orphans, week
from server.config.service import Version
from server.errors import NotFound, SlotTaken
from server.people.rights import EVERYTHING, Sight

__all__ = [
    "AHEAD", "BOOKED", "CANCELLED", "DONE", "HELD", "HOLD_FOR", "NO_SHOW", "PATIENCE_SECONDS", "PENDING", "RESCHEDULED",
    "Asked", "CalendarState", "CalendarUnread", "Colleague", "Item", "Meeting", "OwnTime", "Place", "SlotList",
    "SlotTaken", "Verdict", "Week", "add_block", "add_own_time", "ask", "calendar_states", "cancel", "check_calendars",
    "choose_calendars", "colleagues", "confirm", "counts", "credit_disqualified", "distrust_calendars", "find_by_token",
    "fingerprint", "follow", "follow_move", "for_rep", "forget_calendars", "get", "glimpse", "has_connected_calendars",
    "hear_calendars", "heed_event", "hold", "hold_again", "hosts_of", "invitation", "keep_watches", "list_for",
    "mailbox_state", "mark", "meetings_in", "nearest", "next_in_turn", "of_conversation", "of_lead", "open_times",
    "orphans", "own_time", "own_times_of", "place", "read_ahead", "read_changed", "read_mailbox", "reassign",
    "release_expired", "remove_own_time", "reschedule", "resettle", "settle_first", "shown", "slots", "takers", "title",
    "token_of", "told_of_calendars", "visible", "week", "why_not", "with_calendars_read", "would_take",
]  # fmt: skip

glimpse = links.glimpse
place = links.place
Place = links.Where
shown = links.shown
title = links.title
token_of = links.token_of


def counts(tx: Connection) -> Sequence[tuple[str, str, int]]:
    """(site id, status, how many meetings), holds left out."""
    return [(row[0], row[1], row[2]) for row in store.counted(tx)]


def holds_alive(tx: Connection) -> dict[str, int]:
    """How many times are held now, by site id."""
    return store.alive(tx, clock.now())


def find_by_token(tx: Connection, token: str) -> Meeting:
    """The meeting of a manage link (or of a hold's token). NotFound when the link is not whole or leads nowhere."""
    return get(tx, links.meeting_id_of(token))


def for_rep(tx: Connection, site_id: str, rep: str, start: datetime, end: datetime) -> Sequence[Meeting]:
    """A rep's meetings that touch [start, end), cancelled ones left out, by start."""
    standing = (*AHEAD, DONE, NO_SHOW)
    return store.listed(tx, [site_id], reps=[rep], start=start, end=end, statuses=standing, limit=1_000)


def list_for(
    tx: Connection,
    site_ids: Sequence[str],
    *,
    sight: Sight = EVERYTHING,
    start: datetime | None = None,
    end: datetime | None = None,
    statuses: Sequence[str] | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Sequence[Meeting]:
    """The meetings that a person may see (holds left out unless asked for), by start."""
    reps = None if sight.everything else [sight.rep]
    return store.listed(
        tx, site_ids, reps=reps, start=start, end=end, statuses=statuses, limit=limit, newest_first=newest_first
    )


def visible(tx: Connection, meeting_id: str, sight: Sight) -> Meeting:
    """The meeting, asked for through the person asking; NotFound when it is not theirs to see."""
    found = store.get(tx, meeting_id) if sight.everything else store.get_of_rep(tx, meeting_id, sight.rep)
    if found is None:
        raise NotFound("There is no such meeting.")
    return found


def of_conversation(tx: Connection, conversation_id: str) -> Sequence[Meeting]:
    """A conversation's meetings and holds, oldest first."""
    return store.of_conversation(tx, conversation_id)


def of_lead(tx: Connection, site_id: str, lead_id: str) -> Sequence[Meeting]:
    """A lead's meetings, by start."""
    return store.listed(tx, [site_id], lead_id=lead_id)


def invitation(tx: Connection, version: Version, meeting: Meeting) -> str:
    """The meeting as an .ics file for the visitor to keep. It asks for no answer (RFC 5546 3.2.1); the invitation,
    which has the same UID, came by mail."""
    return ics.invitation(
        version,
        meeting,
        ics.PUBLISH,
        organizer=links.rep_of(version, meeting),
        hosts=[],
        dtstamp=clock.now().replace(microsecond=0),
        manage_url=links.manage_url(meeting.id),
    )
