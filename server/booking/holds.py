"""Hold a time: the account of turns and the calendars are locked, then checked, then taken. A hold is a meeting's row.

Locks are always taken in this order: account of turns, calendars by name, meetings. Whoever needs several keeps to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from server import clock, events, ids, settings
from server.booking import offers, store
from server.booking.availability.wallclock import DAY
from server.booking.hosts import chosen, occupy, under_the_lock
from server.booking.offers import Asked
from server.booking.repeats import known_hold
from server.booking.store import HELD, Meeting
from server.config.service import Version
from server.errors import Invalid, SlotTaken
from server.events import Actor
from server.routing import ledger, pools

HOLD_FOR = timedelta(minutes=5)
VISITOR = Actor("visitor")

_SENTENCES = {
    "window": "This date cannot be booked.",
    "notice": "This time is too soon to be booked.",
    "outside_hours": "This is not one of the times that can be booked.",
    "off_grid": "This is not one of the times that can be booked.",
    "calendar": "This time cannot be booked at the moment.",
    "limit": "No more meetings can be booked around this date.",
}


_TOLD_FIRST = (
    "later_that_day", "busy", "hold", "buffer", "limit", "window", "notice", "calendar", "outside_hours", "off_grid",
)  # fmt: skip
"""Of several reps' reasons: nearest first to what would have let the meeting be booked."""


def hold(
    tx: Connection,
    version: Version,
    *,
    meeting: str,
    start: datetime,
    pool: str | None = None,
    rep: str | None = None,
    conversation_id: str | None = None,
    lead_id: str | None = None,
    key: str | None = None,
    passed_over: str = "",
    actor: Actor = VISITOR,
) -> Meeting:
    """Keep a time for five minutes, with one fairly chosen rep (or the one named). `passed_over`: the visitor's owner,
    who had no time soon enough.

    The same `key` (by default conversation and choice) gives the same hold; a conversation's earlier hold is let go.
    SlotTaken, with the nearest open starts, when the time cannot be booked; nothing has changed then.
    """
    start = checked_start(start)
    asked = offers.ask(tx, version, meeting, pool, [rep] if rep else None)
    chosen = f"{conversation_id}:{meeting}:{start.isoformat()}" if conversation_id else None
    key = key or chosen
    about = {"conversation_id": conversation_id, "lead_id": lead_id, "hold_key": key, "passed_over": passed_over}
    known = partial(known_hold, tx, version.site_id, key, meeting, start, chosen=key == chosen)
    if found := known():
        return found
    try:
        with tx.begin_nested():
            return _take(tx, version, asked, start, about, actor, known)
    except _Lost:
        if found := known():  # lost to the same request, sent twice
            return found
        raise refusal(tx, version, asked, start) from None


def release(tx: Connection, held: Meeting, *, reason: str, actor: Actor = events.SYSTEM) -> bool:
    """Let a hold go; False when it was confirmed or let go before. The caller has locked its hosts' calendars."""
    hosts = [row.rep for row in store.hosts_of(tx, [held.id])]
    if not store.drop_hold(tx, held.id):
        return False
    store.drop_hosts(tx, held.id)
    store.touch(tx, held.site_id, hosts)
    ledger.release(tx, held.id, by=actor, reason=reason)
    events.record(
        tx,
        events.MEETING_RELEASED,
        site_id=held.site_id,
        subject=("meeting", held.id),
        actor=actor,
        reason=reason,
        version_id=held.version_id,
        conversation_id=held.conversation_id,
        data={"rep": held.rep, "start": held.start_at.isoformat()},
    )
    return True


def release_expired(tx: Connection, now: datetime, most: int = 200) -> int:
    """Let expired holds go; returns how many. Runs every few seconds, and before every hold for its own reps."""
    return _release_all(tx, store.expired_holds(tx, now, most), "the hold expired")


def in_the_way(
    tx: Connection,
    site_id: str,
    reps: Sequence[str],
    *,
    conversation_id: str | None = None,
    lead_id: str | None = None,
    key: str | None = None,
) -> list[Meeting]:
    """What has to be let go before these reps' time is taken: their expired holds, and what this conversation, this
    person or this key holds already."""
    stale = list(store.expired_holds_of(tx, site_id, reps, clock.now()))
    stale += store.holds_of_visitor(tx, conversation_id, lead_id)
    if key and (same := store.by_key(tx, site_id, "hold_key", key)):
        stale.append(same)
    return list({held.id: held for held in stale if held.status == HELD}.values())


def hosts_of_holds(tx: Connection, held: Sequence[Meeting]) -> list[str]:
    """Whose calendars these are in."""
    return [row.rep for row in store.hosts_of(tx, [one.id for one in held])] if held else []


def checked_start(start: datetime) -> datetime:
    """The start in UTC; Invalid for one without a zone, with fractions of a second or far away."""
    if start.tzinfo is None or start.microsecond or not 1970 < start.year < 2500:
        raise Invalid("The start must be a moment with Z or an offset, in whole seconds.", field="start")
    if start - clock.now() > timedelta(seconds=DAY * 800):
        raise Invalid("The start is too far away.", field="start")
    return start.astimezone(UTC)


def refusal(
    tx: Connection,
    version: Version,
    asked: Asked,
    start: datetime,
    exclude_meeting: str | None = None,
    *,
    unread: bool = False,
) -> SlotTaken:
    """Why this start cannot be booked, with the nearest ones that can. `unread`: nobody's calendar could be asked."""
    alternatives = offers.nearest(tx, version, asked, start, exclude_meeting)
    if start <= clock.now():
        return SlotTaken("This time has passed.", alternatives=alternatives, reason="notice")
    answers = {one.answer for one in offers.why_not(tx, version, asked, start, exclude_meeting).values()}
    reason = "calendar" if unread else next((one for one in _TOLD_FIRST if one in answers), "busy")
    sentence = _SENTENCES.get(reason, "This time has just been taken.")
    if reason == "later_that_day":
        which = f"first {count} open times" if (count := asked.type.first_of_day) != 1 else "first open time"
        sentence = f"Only the {which} of a day can be booked, and this one is later."
    return SlotTaken(sentence, alternatives=alternatives, reason=reason)


class _Lost(Exception):
    """Not enough reps can take it."""


def _take(
    tx: Connection,
    version: Version,
    asked: Asked,
    start: datetime,
    about: dict[str, Any],
    actor: Actor,
    known: Callable[..., Meeting | None],
) -> Meeting:
    keep = {"conversation_id": about["conversation_id"], "key": about["hold_key"]}
    stale = in_the_way(tx, version.site_id, asked.reps, **keep)
    if not stale and len(offers.able(tx, version, asked, start)) < asked.needed:
        raise _Lost  # seen without a lock: most who come too late need not wait for those who book
    if asked.pool:
        ledger.lock(tx, version.site_id, pools.pool_of(version, asked.pool))
        asked = under_the_lock(tx, version, asked)
    store.lock_calendars(tx, version.site_id, [*asked.reps, *hosts_of_holds(tx, stale)])
    if found := known(locked=True):
        return found
    for old in stale:
        expired = old.held_until <= clock.now()
        release(tx, old, reason="the hold expired" if expired else "another time was chosen", actor=actor)
    hosts, trace = chosen(tx, version, asked, offers.able(tx, version, asked, start), at=start)
    if not hosts:
        raise _Lost
    row = _row(version, asked, hosts[0], start, about)
    try:
        with tx.begin_nested():
            store.add_meeting(tx, row)
            occupy(tx, version, asked.type, row["id"], hosts, start)
    except IntegrityError:
        raise _Lost from None
    if asked.pool:
        pool = pools.pool_of(version, asked.pool)
        for rep in hosts:
            ledger.give(tx, version.site_id, pool, rep, row["id"], by=actor, trace=trace)
    _record_hold(tx, row, trace, actor)
    return _stored(tx, row["id"])


def _release_all(tx: Connection, found: Iterable[Meeting], reason: str) -> int:
    """Site by site, so that calendars are locked in one order."""
    by_site: dict[str, list[Meeting]] = {}
    for held in found:
        by_site.setdefault(held.site_id, []).append(held)
    count = 0
    for site_id in sorted(by_site):
        store.lock_calendars(tx, site_id, hosts_of_holds(tx, by_site[site_id]))
        count += sum(release(tx, held, reason=reason) for held in by_site[site_id])
    return count


def _row(version: Version, asked: Asked, rep: str, start: datetime, about: dict[str, Any]) -> dict[str, Any]:
    now, meeting_id = clock.now(), ids.new_id("meeting")
    host = settings.get().public_url.split("://")[-1].split("/")[0].split(":")[0]
    return {
        **about, "id": meeting_id, "site_id": version.site_id, "version_id": version.id, "type": asked.type.id,
        "pool": asked.pool, "rep": rep, "status": HELD, "start_at": start,
        "end_at": start + timedelta(minutes=asked.type.duration_minutes), "held_until": now + HOLD_FOR,
        "uid": f"{meeting_id}@{host}", "sequence": 0, "calendar_key": "", "name": "", "email": "", "phone": "",
        "guests": [], "answers": {}, "zone": version.site.zone, "locale": version.site.locale, "created_at": now,
        "changed_at": now, "ended_by": "", "end_reason": "",
    }  # fmt: skip


def _record_hold(tx: Connection, row: dict[str, Any], trace: dict[str, Any], actor: Actor) -> None:
    events.record(
        tx,
        events.MEETING_HELD,
        site_id=row["site_id"],
        subject=("meeting", row["id"]),
        actor=actor,
        version_id=row["version_id"],
        conversation_id=row["conversation_id"],
        data={"rep": row["rep"], "pool": row["pool"], "type": row["type"], "start": row["start_at"].isoformat()},
        trace=trace,
    )


def _stored(tx: Connection, meeting_id: str) -> Meeting:
    found = store.get(tx, meeting_id)
    if found is None:
        raise LookupError(meeting_id)
    return found
