"""Follows the connected calendars of reps: what they change there, the meetings follow. Where we are in each calendar's
list of changes is kept; nothing is skipped, and what is read twice changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection

from plugins.calendar import Calendar, Capability, Changed
from plugins.errors import CursorExpired, Permanent, PluginError
from server import clock
from server.booking import store
from server.booking.connected import asking, reading, sources
from server.booking.connected.asking import Opener
from server.booking.connected.followed import Feed, heed
from server.booking.connected.sources import Key, Source
from server.config.service import Version
from server.db import Database
from server.routing.schema import Rep

FOLLOW_SECONDS = 40.0
MOST_PAGES = 500


def follow(
    db: Database,
    version: Version,
    open_calendar: Opener,
    *,
    only: Collection[str] | None = None,
    seconds: float = FOLLOW_SECONDS,
) -> set[str]:
    """Read what changed in the calendars that get the events of all active reps (or `only` of these), and let their
    meetings follow.

    Returns the reps whose calendar has news of any kind: their busy times are to be read anew. Nothing for an adapter
    that tells no changes. Nothing is called inside a transaction.
    """
    reps = {rep.id: rep for rep in reading.active_reps(version) if only is None or rep.id in only}
    with db.transaction() as tx:
        found = sources.of(tx, version, list(reps.values()))
        followed = [one for some in found.values() for one in some if one.gets_events]
        cursors = {one.position: _cursor(tx, version, one) for one in followed}
    news = set()
    feeds = _feeds(open_calendar, followed, cursors, seconds)
    reading.note(db, followed, {source.key: feed for source, feed in feeds if feed is not None})
    for source, feed in feeds:
        with db.transaction() as tx:
            if isinstance(feed, PluginError):
                failed = {"failed_at": clock.now(), "problem": feed.user_message}
                store.keep_position(tx, version.site_id, source.position, failed)
            elif feed is not None and _apply(tx, version, reps[source.rep], source, cursors[source.position], feed):
                news.add(source.rep)
    return news


def _feeds(
    open_calendar: Opener, followed: Sequence[Source], cursors: Mapping[str, str | None], seconds: float
) -> list[tuple[Source, Feed | PluginError | None]]:
    """What each calendar's feed tells. Two reps may share a calendar; it is asked for each of them."""
    told: list[tuple[Source, Feed | PluginError | None]] = []
    left = list(followed)
    while left:
        now = {one.key: one for one in reversed(left)}
        left = [one for one in left if now[one.key] is not one]
        of = {key: cursors[one.position] for key, one in now.items()}
        found = asking.ask(open_calendar, sources.by_connection(list(now.values())), partial(_read, of), seconds)
        told += [(one, found[key]) for key, one in now.items() if key in found]
    return told


def _read(
    cursors: Mapping[Key, str | None], calendar: Calendar, connection_id: str, names: Sequence[str]
) -> Mapping[str, Feed | None]:
    return {name: _feed(calendar, name, cursors[connection_id, name]) for name in names}


def _cursor(tx: Connection, version: Version, source: Source) -> str | None:
    """Where we are; None when nothing is known of this calendar yet. The row is there afterwards, to be locked."""
    there = store.position(tx, version.site_id, source.position)
    if there is None:
        store.keep_position(tx, version.site_id, source.position, {"problem": ""})
    return there.position if there is not None and there.read_at is not None else None


def _feed(calendar: Calendar, name: str, cursor: str | None) -> Feed | None:
    if Capability.CHANGES not in calendar.capabilities:
        return None
    asked_at = clock.now()
    try:
        items, after = _pages(calendar, name, cursor or "")
        return Feed(items, after, whole=not cursor, first=cursor is None, asked_at=asked_at)
    except CursorExpired:
        items, after = _pages(calendar, name, "")
        return Feed(items, after, whole=True, first=False, asked_at=asked_at)


def _pages(calendar: Calendar, name: str, cursor: str) -> tuple[list[Changed], str]:
    items: list[Changed] = []
    for _ in range(MOST_PAGES):
        page = calendar.changes(name, cursor)
        items += page.items
        cursor = page.cursor
        if not page.more:
            return items, cursor
    raise Permanent(f"more than {MOST_PAGES} pages of changes in {name}")


def _apply(tx: Connection, version: Version, rep: Rep, source: Source, cursor: str | None, feed: Feed) -> bool:
    """Whether there was news. Another process may have been faster: then its reading counts, not ours."""
    there = store.position(tx, version.site_id, source.position)
    if there is None or there.position != (cursor or "") or (cursor is None) != (there.read_at is None):
        return False
    settled, odd = heed(tx, version, rep, source, feed)
    known = {"read_at": clock.now(), "failed_at": None, "problem": odd}
    if settled:
        known["position"] = feed.cursor
    elif feed.first:
        del known["read_at"]  # nothing is kept of a first reading that has to be done again
    store.keep_position(tx, version.site_id, source.position, known)
    return bool(feed.items)
