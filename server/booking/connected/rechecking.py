"""At the moment of booking the hosts' connected calendars are read once more, and nobody else's.

Whoever turns out busy, or says nothing, loses the hold to the next fair rep, who is read in turn. Reading takes place
outside of every transaction; `confirm` says by CalendarUnread that it is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from plugins.calendar import Busy, Window
from server import clock, events
from server.booking import holds, offers, store
from server.booking.connected import reading, sources, spans
from server.booking.connected.asking import Opener
from server.booking.connected.sources import Key, Source
from server.booking.hosts import chosen, occupy
from server.booking.offers import Asked
from server.booking.store import HELD, Meeting
from server.config.service import Version
from server.db import Database
from server.errors import SlotTaken, Unavailable
from server.routing import ledger, pools
from server.routing.schema import Team

FRESH_FOR = timedelta(seconds=60)
PATIENCE_SECONDS = 4.0
"""How long a visitor waits for calendars, in all. Each in turn gets half of what is left, so that others can answer."""
MOST_CHECKS = 3
_SHORTEST_SECONDS = 0.4
_BUSY = "busy in the calendar, read at the moment of booking"
Done = TypeVar("Done")


class CalendarUnread(Exception):  # noqa: N818 - no error: the calendars are read and the caller tries again
    """Before the hold is confirmed, its calendars have to be read by `check_calendars`. `held`: the hold as it was
    in the transaction that this ends, and perhaps only there."""

    def __init__(self, held: Meeting, version: Version) -> None:
        super().__init__(held.id)
        self.meeting_id = str(held.id)
        self.held = held
        self.version = version


def with_calendars_read(db: Database, do: Callable[[], Done], open_calendar: Opener) -> Done:
    """What `do` returns, which confirms a hold in a transaction of its own; done again when calendars had to be read.

    SlotTaken when nobody is left whose calendar is free. Call it outside of every transaction.
    """
    for _ in range(MOST_CHECKS):
        try:
            return do()
        except CalendarUnread as unread:
            check_calendars(db, unread.version, unread.meeting_id, open_calendar)
    raise Unavailable("The calendar cannot be asked just now; please try again in a minute.")


def hold_again(tx: Connection, unread: CalendarUnread) -> str:
    """The hold's id: the one there is, or that of a new one like it where the first went with its transaction. The new
    one has the same key, so that whoever holds again by that key gets it. SlotTaken."""
    was = unread.held
    if store.get(tx, was.id) is not None:
        return str(was.id)
    again = holds.hold(
        tx,
        unread.version,
        meeting=was.type,
        start=was.start_at,
        pool=was.pool or None,
        rep=None if was.pool else was.rep,
        conversation_id=was.conversation_id,
        key=was.hold_key,
        passed_over=was.passed_over,
    )
    return str(again.id)


@dataclass
class _Check:
    """One check under way: reps who were found free, and who was passed over for what reason; `unread` those of them of
    whom nobody knows. `sources`: the calendars of those who are read now."""

    window: Window
    free: set[str] = field(default_factory=set)
    passed: dict[str, str] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    refusal: SlotTaken | None = None
    sources: Mapping[str, Sequence[Source]] = field(default_factory=dict)


def is_unread(tx: Connection, version: Version, held: Meeting) -> bool:
    """Whether its hosts' calendars have to be read before it is booked."""
    if held.checked_at is not None and timedelta() <= clock.now() - held.checked_at <= FRESH_FOR:
        return False
    return reading.is_connected(tx, version, _hosts(tx, held))


def check_calendars(
    db: Database,
    version: Version,
    meeting_id: str,
    open_calendar: Opener,
    *,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Read the calendars of a hold's hosts around its time; a host who is not free gives the hold to the next fair rep.

    SlotTaken, with the nearest open starts, when nobody is left: the hold is let go then. Nothing to do for a hold that
    is gone, or was checked a moment ago. Call it outside of every transaction.
    """
    until = time.monotonic() + patience
    with db.reading() as tx:
        held = store.get(tx, meeting_id)
        if held is None or held.status != HELD or not is_unread(tx, version, held):
            return
        check = _Check(_window(tx, version, held))
        hosts = _hosts(tx, held)
    while hosts:
        with db.reading() as tx:
            check.sources = sources.of_names(tx, version, [rep for rep in hosts if rep not in check.free])
        told = _read(db, check, open_calendar, until)
        with db.transaction() as tx:
            hosts = _settle(tx, version, meeting_id, told, check)
    if check.refusal:
        raise check.refusal


def _read(db: Database, check: _Check, open_calendar: Opener, until: float) -> dict[Key, Busy]:
    """What the calendars tell; nothing of those that were not asked because time is up."""
    left = until - time.monotonic()
    wanted = [one for some in check.sources.values() for one in some]
    if left < _SHORTEST_SECONDS / 2 or not wanted:
        return {}
    found = reading.busy(open_calendar, wanted, check.window, max(left / 2, min(left, _SHORTEST_SECONDS)))
    reading.note(db, wanted, {key: told.error or told for key, told in found.items()})
    return found


def _settle(tx: Connection, version: Version, meeting_id: str, told: Mapping[Key, Busy], check: _Check) -> list[str]:
    """Keep what was told, and decide with it. Returns who has to be read next: nobody when it is decided."""
    held = store.get(tx, meeting_id)
    if held is None or held.status != HELD or not is_unread(tx, version, held):
        return []
    asked = _takers(tx, version, held)
    if asked.pool:
        ledger.lock(tx, version.site_id, pools.pool_of(version, asked.pool))
    store.lock_calendars(tx, version.site_id, [*asked.reps, *_hosts(tx, held)])
    held = store.get(tx, meeting_id)
    if held is None or held.status != HELD:
        return []
    _keep(tx, version, held, told, check)
    hosts = _hosts(tx, held)
    if all(rep in check.free for rep in hosts):
        store.change(tx, held.id, (HELD,), {"checked_at": clock.now()})
        return []
    if any(rep in check.passed for rep in hosts):
        return _pass_on(tx, version, held, asked, check)
    return hosts  # somebody else gave the hold on meanwhile


def _keep(tx: Connection, version: Version, held: Meeting, told: Mapping[Key, Busy], check: _Check) -> None:
    """Who is free in all of his calendars is free; one that says nothing is enough to be passed over."""
    mine = {row.rep: row for row in store.hosts_of(tx, [held.id])}
    for rep, some in check.sources.items():
        why = [_unfree(tx, version, one, told.get(one.key), mine.get(rep), check.window) for one in some]
        if found := next((one for one in why if one), ""):
            check.passed[rep] = found
            if any(not (busy := told.get(one.key)) or busy.error for one in some):
                check.unread.add(rep)
        else:
            check.free.add(rep)


def _unfree(tx: Connection, version: Version, source: Source, busy: Busy | None, host: Any, window: Window) -> str:
    if busy is None:
        return source.named("there was no time left to read the calendar")
    times = reading.keep_near(tx, version.site_id, source, window, busy)
    if busy.error is not None:
        return source.named(busy.error.user_message)
    return source.named(_BUSY) if host is not None and _meets(times, host) else ""


def _pass_on(tx: Connection, version: Version, held: Meeting, asked: Asked, check: _Check) -> list[str]:
    """The hold goes to the next fair rep; nobody left: it is let go, and `check.refusal` says what is open."""
    before = _hosts(tx, held)
    staying = [rep for rep in before if rep not in check.passed]
    free = [rep for rep in offers.able(tx, version, asked, held.start_at, held.id) if rep not in check.passed]
    free = [*staying, *(rep for rep in free if rep not in staying)]
    hosts, trace = chosen(
        tx, version, asked, free, preferred=staying[0] if staying else "", at=held.start_at, moving=held.id
    )
    if not hosts or not _give(tx, version, held, asked, hosts):
        _refuse(tx, version, held, asked, check)
        return []
    why = "; ".join(f"{rep}: {reason}" for rep, reason in check.passed.items() if rep in before)
    trace = {**trace, "looked_at": [*_reasons(check), *trace.get("looked_at", ())]}
    if asked.pool:
        pool = pools.pool_of(version, asked.pool)
        ledger.move(tx, version.site_id, pool, held.id, hosts, by=events.SYSTEM, reason=why, trace=trace)
    data = {"rep": hosts[0], "rep_was": held.rep, "start": held.start_at.isoformat(), "passed": dict(check.passed)}
    _record(tx, events.MEETING_PASSED_ON, held, why, data, trace)
    return hosts


def _give(tx: Connection, version: Version, held: Meeting, asked: Asked, hosts: list[str]) -> bool:
    store.touch(tx, version.site_id, _hosts(tx, held))
    try:
        with tx.begin_nested():
            store.drop_hosts(tx, held.id)
            store.change(tx, held.id, (HELD,), {"rep": hosts[0], "changed_at": clock.now()})
            occupy(tx, version, asked.type, held.id, hosts, held.start_at)
    except IntegrityError:
        return False
    return True


def _refuse(tx: Connection, version: Version, held: Meeting, asked: Asked, check: _Check) -> None:
    trace = {"decision": "pick", "chosen": None, "pool": asked.pool, "looked_at": _reasons(check)}
    why = "; ".join(f"{rep}: {reason}" for rep, reason in check.passed.items())
    data = {"rep": None, "rep_was": held.rep, "start": held.start_at.isoformat(), "passed": dict(check.passed)}
    _record(tx, events.MEETING_PASSED_ON, held, why, data, trace)
    holds.release(tx, held, reason="nobody was left whose calendar is free")
    refused = holds.refusal(tx, version, asked, held.start_at, unread=check.passed.keys() <= check.unread)
    nearest = [start for start in refused.alternatives if start != held.start_at]
    check.refusal = SlotTaken(refused.message, alternatives=nearest, reason=str(refused.extra["reason"]))


def _reasons(check: _Check) -> list[dict[str, Any]]:
    return [{"name": rep, "answer": "no", "because": why, "saw": {}} for rep, why in check.passed.items()]


def _takers(tx: Connection, version: Version, held: Meeting) -> Asked:
    """Who may have the hold: whoever has it now, and the pool as its balance is."""
    if not held.pool:
        return offers.ask(tx, version, held.type, None, _hosts(tx, held))
    asked, team = offers.ask(tx, version, held.type, held.pool), version.part(Team).reps_by_id
    mine = [rep for rep in _hosts(tx, held) if rep in team and team[rep].active]
    return Asked(asked.type, asked.pool, tuple(dict.fromkeys([*mine, *asked.reps])), asked.needed)


def _hosts(tx: Connection, held: Meeting) -> list[str]:
    """The organizer first."""
    return sorted((row.rep for row in store.hosts_of(tx, [held.id])), key=lambda rep: (rep != held.rep, rep))


def _meets(times: Sequence[spans.Span], host: Any) -> bool:
    """Whether these times touch the meeting or the buffers around it."""
    start, end = host.busy_from.timestamp(), host.busy_until.timestamp()
    return any(first < end and start < last for first, last in times)


def _window(tx: Connection, version: Version, held: Meeting) -> Window:
    """The meeting with the widest buffers that any of its takers has."""
    asked = _takers(tx, version, held)
    team = version.part(Team).reps_by_id
    before = max([asked.type.buffer_before_minutes, *(team[rep].buffer_before_minutes or 0 for rep in asked.reps)])
    after = max([asked.type.buffer_after_minutes, *(team[rep].buffer_after_minutes or 0 for rep in asked.reps)])
    return Window(_earlier(held.start_at, before), _earlier(held.end_at, -after))


def _earlier(moment: datetime, minutes: int) -> datetime:
    return moment - timedelta(minutes=minutes)


def _record(tx: Connection, name: str, held: Meeting, reason: str, data: dict[str, Any], trace: dict[str, Any]) -> None:
    events.record(
        tx,
        name,
        site_id=held.site_id,
        subject=("meeting", held.id),
        actor=events.SYSTEM,
        reason=reason,
        version_id=held.version_id,
        conversation_id=held.conversation_id,
        data=data,
        trace=trace,
    )
