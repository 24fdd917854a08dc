"""Services that call when a calendar changes: their subscriptions are begun, renewed and ended here, and a calendar
that one of them names is read at once. Calendars are read every few minutes all the same; a call makes it sooner."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection as Transaction

from plugins.calendar import Calendar, Capability, Watch
from plugins.errors import PluginError
from server import clock, settings
from server.adapters import connections, own_calendars
from server.adapters.connections import Connection, Message
from server.booking import store
from server.booking.connected import following, reading, sources, told_store
from server.booking.connected.asking import Opener
from server.booking.connected.sources import Key, Source
from server.config.service import Version
from server.db import Database
from server.errors import NotFound

RENEW_BEFORE = timedelta(hours=12)
RETRY_AFTER = timedelta(hours=1)
MOST_MESSAGES = 200
_log = logging.getLogger("usher.booking")


def keep_watches(db: Database, version: Version, open_calendar: Opener) -> int:
    """Begin or renew what is missing or ends soon, and end what nobody needs any more; how many were begun.

    Services call https addresses only, so nothing is done where Usher has none. A service that refuses is asked again
    after an hour. Nothing is called inside a transaction.
    """
    if not settings.get().public_url.startswith("https://"):
        return 0
    with db.reading() as tx:
        found = sources.of(tx, version, reading.active_reps(version)).values()
        wanted = {one.key: one for some in found for one in some}
        there = {(row.connection_id, row.calendar): row for row in told_store.watches(tx, version.site_id)}
    begun = 0
    for key, source in wanted.items():
        if _is_due(there.get(key)) and _can_watch(source.connection):
            begun += _begin(db, version.site_id, source, there.get(key), open_calendar)
    for key in set(there) - set(wanted):
        _end(db, key, there[key], open_calendar)
    return begun


def told_of_calendars(db: Database) -> bool:
    """Whether services have called about calendars."""
    with db.reading() as tx:
        return connections.has_messages(tx, own_calendars.KIND)


def hear_calendars(db: Database, open_calendar: Opener) -> dict[str, set[str]]:
    """What services have called to say: {site id: reps whose calendar has changed}. Each message is done with
    this: what it is about is looked at anyway before long."""
    with db.transaction() as tx:
        messages = connections.messages_waiting(tx, own_calendars.KIND, MOST_MESSAGES)
    changed: dict[str, set[str]] = {}
    for message in messages:
        problem: PluginError | None = None
        try:
            named = _told(message, open_calendar)
        except PluginError as error:
            named, problem = "", error
        with db.transaction() as tx:
            row = told_store.watch_named(tx, message.connection.id, named) if named else None
            if row is not None:
                changed.setdefault(row.site_id, set()).update(_reps(tx, row))
            connections.settle_message(tx, message, problem)
    return changed


def read_changed(db: Database, version: Version, reps: Collection[str], open_calendar: Opener) -> None:
    """Let meetings follow these reps' calendars and read them anew, now."""
    following.follow(db, version, open_calendar, only=reps)
    reading.read_ahead(db, version, open_calendar, only=reps)


def _reps(tx: Transaction, row: Any) -> set[str]:
    """Whose calendar it is: of whom something was read there."""
    return {
        one.rep
        for one in store.calendars_read(tx, row.site_id)
        if (one.connection_id, one.calendar) == (row.connection_id, row.calendar)
    }


def _told(message: Message, open_calendar: Opener) -> str:
    calendar = open_calendar(message.connection)
    try:
        return calendar.told(message.data)
    finally:
        calendar.close()


def _is_due(row: Any) -> bool:
    now = clock.now()
    if row is None:
        return True
    if row.problem or row.expires_at is None:
        return bool(now - row.tried_at >= RETRY_AFTER)
    return bool(row.expires_at - now <= RENEW_BEFORE and now - row.tried_at >= RETRY_AFTER)


def _can_watch(connection: Connection) -> bool:
    return connections.refusal(connection) is None and own_calendars.can(connection, Capability.WATCH)


def _begin(db: Database, site_id: str, source: Source, before: Any, open_calendar: Opener) -> bool:
    """A new subscription takes the place of the old one, which is ended after it, so that nothing is missed."""
    kept: dict[str, Any] = {"watch_id": "", "resource": "", "expires_at": None, "problem": ""}
    if before is not None:
        kept = {name: getattr(before, name) for name in kept}
    try:
        secret = connections.secret_of(db, source.connection)
        calendar = open_calendar(source.connection)
        try:
            made = calendar.watch(source.calendar, connections.hook_address(source.connection), secret)
            _keep(db, site_id, source.key, {**_row(made), "problem": ""})
            _unwatch(calendar, before)
        finally:
            calendar.close()
    except NotFound:
        return False
    except PluginError as problem:
        _log.warning("%s does not call about %s: %s", source.connection.adapter, source.calendar, problem)
        _keep(db, site_id, source.key, {**kept, "problem": problem.user_message})
        return False
    return True


def _end(db: Database, key: Key, row: Any, open_calendar: Opener) -> None:
    try:
        with db.reading() as tx:
            connection = connections.get(tx, key[0])
        if connection.serves and row.watch_id:
            calendar = open_calendar(connection)
            try:
                _unwatch(calendar, row)
            finally:
                calendar.close()
    except (NotFound, PluginError) as problem:
        _log.info("a subscription of %s was not ended: %s", key[0], problem)
    with db.transaction() as tx:
        told_store.drop_watch(tx, *key)


def _unwatch(calendar: Calendar, row: Any) -> None:
    if row is not None and row.watch_id and row.expires_at is not None:
        try:
            calendar.unwatch(Watch(row.watch_id, row.expires_at, row.resource))
        except PluginError as problem:  # it ends by itself
            _log.info("an old subscription was not ended: %s", problem)


def _row(made: Watch) -> dict[str, Any]:
    return {"watch_id": made.id, "resource": made.resource, "expires_at": made.expires_at}


def _keep(db: Database, site_id: str, key: Key, values: Mapping[str, Any]) -> None:
    row = {"connection_id": key[0], "calendar": key[1], "site_id": site_id, "tried_at": clock.now()}
    with db.transaction() as tx:
        told_store.keep_watch(tx, {**row, **values})
