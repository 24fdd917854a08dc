"""The calendars of those who might take a meeting, together: a roster stays the same one while none of them changes.

What is worked out for all of them at once (availability/question.py, `Crew`) then serves every question, and asking
whether anything has changed costs one small statement, however many reps there are.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import is_
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from server import clock
from server.booking import calendars, store
from server.booking.availability.question import Crew
from server.config.service import Version

NEAR = timedelta(days=60)  # questions about the next weeks share a roster; it is known for 160 days and more
_MOST_KEPT = 200  # per database: a roster is a list of calendars that are kept anyway, and the masks of all of them


@dataclass(frozen=True)
class Roster:
    """The calendars that can be trusted, and the reps who are out because theirs cannot: {rep: why}."""

    crew: Crew
    silent: dict[str, str]


@dataclass(frozen=True)
class _Kept:
    roster: Roster
    pulse: object
    version: Version
    found: calendars.Roster


_kept: WeakKeyDictionary[Engine, OrderedDict[tuple[str, tuple[str, ...]], _Kept]] = WeakKeyDictionary()
_lock = threading.Lock()


def load(
    tx: Connection, version: Version, reps: Sequence[str], since: datetime, *, without: str | None = None
) -> Roster:
    """The calendars of these reps from `since` on; `without`: leave out a meeting, which is being moved."""
    now = clock.now()
    if now <= since <= now + NEAR:
        since = now
    if without is not None:
        return _roster(calendars.load(tx, version, reps, since, without=without))
    name, stamps = (version.site_id, tuple(reps)), None
    if len(reps) <= store.FEW:
        stamps = store.stamps(tx, version.site_id, reps)
    pulse = store.pulse(tx, version.site_id) if stamps is None else stamps
    with _lock:
        kept = _kept.setdefault(tx.engine, OrderedDict()).get(name)
    if kept and kept.pulse == pulse and kept.version is version and kept.found.holds(since, now):
        return kept.roster
    found = calendars.load(tx, version, reps, since, stamps=stamps)
    same = kept is not None and len(kept.roster.crew) == len(found.calendars)
    if kept and same and all(map(is_, kept.roster.crew, found.calendars)):
        roster = Roster(kept.roster.crew, found.silent)  # another rep of the site has changed
    else:
        roster = _roster(found)
    with _lock:
        mine = _kept.setdefault(tx.engine, OrderedDict())
        mine[name] = _Kept(roster, pulse, version, found)
        mine.move_to_end(name)
        while len(mine) > _MOST_KEPT:
            mine.popitem(last=False)
    return roster


def _roster(found: calendars.Roster) -> Roster:
    return Roster(Crew(found.calendars), found.silent)
