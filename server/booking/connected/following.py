"""Follows the connected calendars of reps: what they change there, the meetings follow. Where we are in each calendar's
list of changes is kept; nothing is skipped, and what is read twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from plugins.calendar import Calendar, Capability, Changed
from plugins.errors import CursorExpired, Permanent, PluginError
from server import clock
from server.booking import store
from server.booking.connected import asking, reading
from server.booking.connected.followed import Feed, heed
from server.config.service import Version
from server.db import Database
from server.routing.schema import Rep

FOLLOW_SECONDS = 40.0
MOST_PAGES = 500


def follow(
    db: Database, version: Version, open_calendar: Callable[[], Calendar], *, seconds: float = FOLLOW_SECONDS
) -> set[str]:
    """Read what changed in the connected calendars of all active reps and let their meetings follow.

    Returns the reps whose calendar has news of any kind: their busy times are to be read anew. Nothing for an adapter
    that tells no changes. Nothing is called inside a transaction.
    """
    with db.transaction() as tx:
        reps = {rep.id: rep for rep in reading.active_reps(version)} if reading.is_connected(tx, version) else {}
        cursors = {rep.id: _cursor(tx, version, rep) for rep in reps.values()}

    def question(calendar: Calendar, names: Sequence[str]) -> Mapping[str, Feed | None]:
        return {name: _feed(calendar, reps[name].calendar_id, cursors[name]) for name in names}

    found = asking.ask(open_calendar, list(reps), question, seconds)
    news = set()
    for name, feed in found.items():
        with db.transaction() as tx:
            if isinstance(feed, PluginError):
                failed = {"failed_at": clock.now(), "problem": feed.user_message}
                store.keep_position(tx, version.site_id, reading.source_of(reps[name]), failed)
            elif feed is not None and _apply(tx, version, reps[name], cursors[name], feed):
                news.add(name)
    return news


def _cursor(tx: Connection, version: Version, rep: Rep) -> str | None:
    """Where we are; None when nothing is known of this calendar yet. The row is there afterwards, to be locked."""
    there = store.position(tx, version.site_id, reading.source_of(rep))
    if there is None:
        store.keep_position(tx, version.site_id, reading.source_of(rep), {"problem": ""})
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


def _apply(tx: Connection, version: Version, rep: Rep, cursor: str | None, feed: Feed) -> bool:
    """Whether there was news. Another process may have been faster: then its reading counts, not ours."""
    source = reading.source_of(rep)
    there = store.position(tx, version.site_id, source)
    if there is None or there.position != (cursor or "") or (cursor is None) != (there.read_at is None):
        return False
    settled, odd = heed(tx, version, rep, feed)
    known = {"read_at": clock.now(), "failed_at": None, "problem": odd}
    if settled:
        known["position"] = feed.cursor
    elif feed.first:
        del known["read_at"]  # nothing is kept of a first reading that has to be done again
    store.keep_position(tx, version.site_id, source, known)
    return bool(feed.items)
