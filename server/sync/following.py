"""Follow a CRM: ask it what has changed, and do what it called to say. Whoever reads holds the position; the others
leave it alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from plugins.crm import Capability, Change, Kind, Ref
from plugins.errors import CursorExpired, Permanent, PluginError, Retry, Transient
from server import clock
from server.adapters import connections
from server.adapters.connections import Message
from server.config import service as config
from server.config.service import Version
from server.db import Connection, Database
from server.errors import NotFound
from server.sync import coming, store
from server.sync.coming import Failed, Whose
from server.sync.opened import BUILT_IN, Opened, opened, serving_id
from server.sync.schema import Crm

A_PAGE, MOST_PAGES, BATCH = 200, 20, 100
HELD_FOR = timedelta(minutes=5)
"""So long nobody else reads; renewed with every page."""
A_MESSAGE_FOR = timedelta(minutes=2)
MOST_MESSAGES = 200
EVERYTHING = "account:"
"""Where reading everything anew begins: companies, then people."""
LOOK = "$look"
_log = logging.getLogger("usher.sync")


@dataclass
class Reading:
    """A position that is ours to move for a while."""

    db: Database
    at: Opened
    until: datetime

    @property
    def place(self) -> tuple[str, str]:
        return self.at.version.site_id, self.at.connection_id

    @property
    def row(self) -> Any:
        """As it stands in the database."""
        with self.db.reading() as tx:
            return store.position(tx, *self.place)

    def keep(self, **values: Any) -> None:
        """Raise _Lost when somebody else reads meanwhile."""
        until = clock.now() + HELD_FOR
        with self.db.transaction() as tx:
            if not store.move_position(tx, *self.place, self.until, {**values, "leased_until": until}):
                raise _Lost
        self.until = until

    def end(self, problem: PluginError | None = None) -> None:
        """Let go, and say when to read again."""
        now = clock.now()
        again = max(now + _rest(self.at), (problem.retry_after if problem else None) or now)
        read = {"problem": problem.user_message, "failed_at": now} if problem else {"problem": "", "read_at": now}
        with self.db.transaction() as tx:
            store.move_position(tx, *self.place, self.until, {**read, "next_at": again, "leased_until": None})


class _Lost(Exception):
    """Somebody else reads by now; what was taken over is taken over."""


def follow_all(db: Database) -> None:
    """Every site whose CRM is somebody else's and is due."""
    for site_id in list(_connected(db)):
        try:
            follow(db, site_id)
        except PluginError as problem:
            _log.warning("the CRM of %s cannot be followed: %s", site_id, problem)


def follow(db: Database, site_id: str) -> bool:
    """Read what has changed since the last time; False when it is not due, or another worker reads. Raises
    plugins.errors only where the CRM cannot be opened; what it answers is kept with the position."""
    with opened(db, site_id) as at:
        if not at.can(Capability.CHANGES):
            return False
        reading = _begin(db, at)
        if reading is None:
            return False
        try:
            _read(reading)
            _read_anew(reading)
        except PluginError as problem:
            reading.end(problem)
            raise
        except _Lost:
            return True
        reading.end()
        return True


def has_connected(db: Database) -> bool:
    """Whether any site's CRM is somebody else's."""
    return any(True for _ in _connected(db))


def do_messages(db: Database) -> None:
    """Take over what CRMs called to say, connection by connection."""
    with db.transaction() as tx:
        due = connections.messages_waiting(tx, "crm", MOST_MESSAGES)
        mine = [one for one in due if connections.claim_message(tx, one, clock.now() + A_MESSAGE_FOR)]
    for some in _by_connection(mine):
        try:
            with opened(db, some[0].connection.site_id) as at:
                _do(db, at, some)
        except PluginError as problem:
            _log.warning("messages of %s wait: %s", some[0].connection.id, problem)


def has_messages(db: Database) -> bool:
    """Whether a CRM has called."""
    with db.reading() as tx:
        return connections.has_messages(tx, "crm")


def place_of(tx: Connection, version: Version) -> Any:
    """How far the changes of the CRM that serves now have been read; None before the first time."""
    return store.position(tx, version.site_id, serving_id(tx, version))


def read_at_once(db: Database, site_id: str) -> None:
    """Somebody wants to see what is new: the next round reads."""
    with db.transaction() as tx:
        version = config.active_of(tx, site_id)
        store.due_at_once(tx, site_id, serving_id(tx, version), clock.now())


def _begin(db: Database, at: Opened) -> Reading | None:
    now = clock.now()
    until = now + HELD_FOR
    place = at.version.site_id, at.connection_id
    row = {
        "site_id": place[0],
        "connection_id": place[1],
        "position": "",
        "reread": EVERYTHING,
        "next_at": now,
        "problem": "",
    }
    with db.transaction() as tx:
        store.ensure_position(tx, row)
        mine = store.take_position(tx, *place, now, until)
    return Reading(db, at, until) if mine else None


def _read(reading: Reading) -> None:
    """Page after page. A place that the service forgot is begun anew, and everything linked is looked at: what it holds
    now is news, what it held is not."""
    cursor = reading.row.position
    for _ in range(MOST_PAGES):
        try:
            page = reading.at.crm.changes(cursor, limit=A_PAGE)
        except CursorExpired:
            if not cursor:
                raise
            cursor = ""
            reading.keep(position="", reread=EVERYTHING)
            continue
        _keep_failed(reading, coming.take(reading.db, reading.at, page.items))
        cursor = page.cursor
        reading.keep(position=cursor)
        if not page.more:
            return


def _read_anew(reading: Reading) -> None:
    """Everything that is linked, where that has to be: by hundreds, going on where the last time ended."""
    if not reading.at.can(Capability.READ):
        return
    for _ in range(MOST_PAGES):
        kind, _, after = reading.row.reread.partition(":")
        if not kind:
            return
        with reading.db.reading() as tx:
            links = store.links_after(tx, reading.at.connection_id, reading.place[0], kind, after, BATCH)
        whose = [Whose(Ref(Kind(link.record_kind), link.record_id, link.url), link.subject_id, link) for link in links]
        _keep_failed(reading, coming.reread(reading.db, reading.at, whose))
        goes_on = f"{kind}:{links[-1].subject_id}" if len(links) == BATCH else ""
        reading.keep(reread=goes_on or ("lead:" if kind == "account" else ""))


def _keep_failed(reading: Reading, failed: Failed) -> None:
    """What could not be taken over is tried again like a message, and shown to people when that does not help."""
    if failed:
        with reading.db.transaction() as tx:
            connection = connections.get(tx, reading.at.connection_id)
            for ref in failed:
                about = {LOOK: {"kind": ref.kind.value, "id": ref.id, "url": ref.url}}
                connections.keep_message(tx, connection, f"look:{ref.kind}:{ref.id}:{clock.now():%Y%m%d%H%M}", about)


def _do(db: Database, at: Opened, messages: Sequence[Message]) -> None:
    """Those of one connection: what they say, taken over together."""
    if at.connection_id != messages[0].connection.id:
        said = "Another CRM serves this site now."
        _settle(db, messages, {one.id: Permanent(said, user_message=said) for one in messages})
        return
    said_by: dict[str, list[Change]] = {}
    wrong: dict[str, PluginError] = {}
    for one in messages:
        try:
            said_by[one.id] = list(_told(at, one))
        except PluginError as problem:
            _wait_if_away(problem)
            wrong[one.id] = problem
    failed = coming.take(db, at, [change for changes in said_by.values() for change in changes])
    for id, changes in said_by.items():
        trouble = [failed[change.ref] for change in changes if change.ref in failed]
        if trouble:
            wrong[id] = trouble[0]
    _settle(db, messages, wrong)


def _told(at: Opened, message: Message) -> Iterable[Change]:
    look = message.data.get(LOOK)
    if isinstance(look, Mapping):
        ref = Ref(Kind(look["kind"]), str(look["id"]), str(look.get("url") or ""))
        return [Change(ref, message.received_at, {})]
    try:
        return at.crm.told(message.data)
    except PluginError:
        raise
    except Exception as error:
        _log.exception("a message of %s could not be read", at.connection_id)
        said = "This message could not be read."
        raise Transient(type(error).__name__, adapter="crm", operation="told", user_message=said) from error


def _wait_if_away(problem: PluginError) -> None:
    """A service that does not answer says nothing against the message: all wait."""
    if problem.stops or (problem.retry is not Retry.NEVER and problem.adapter != "crm"):
        raise problem


def _settle(db: Database, messages: Sequence[Message], wrong: Mapping[str, PluginError]) -> None:
    with db.transaction() as tx:
        for one in messages:
            connections.settle_message(tx, one, wrong.get(one.id))


def _by_connection(messages: Sequence[Message]) -> list[list[Message]]:
    found: dict[str, list[Message]] = {}
    for one in messages:
        found.setdefault(one.connection.id, []).append(replace(one))
    return list(found.values())


def _connected(db: Database) -> Iterator[str]:
    for site in config.sites(db):
        with db.reading() as tx:
            try:
                version = config.active_of(tx, site.id)
            except NotFound:
                continue
            if serving_id(tx, version) != BUILT_IN:
                yield site.id


def _rest(at: Opened) -> timedelta:
    return timedelta(minutes=at.version.part(Crm).poll_minutes)
