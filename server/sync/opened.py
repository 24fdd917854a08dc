"""The CRM that serves a site, opened for a while, with the fields it has."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from plugins.crm import CRM, Capability, Kind, RemoteField
from server import clock
from server.adapters import connections
from server.config import service as config
from server.config.service import Version
from server.db import Database
from server.sync import store
from server.sync.ours import COMPANIES, PEOPLE
from server.sync.schema import Crm

BUILT_IN = "builtin"
KINDS = {PEOPLE: Kind.PERSON, COMPANIES: Kind.COMPANY}
FIELDS_KEPT = timedelta(minutes=10)
_fields: dict[tuple[str, str, Kind], tuple[datetime, list[RemoteField]]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Opened:
    """One CRM for one site. `connection_id` is BUILT_IN for the built-in one."""

    version: Version
    connection_id: str
    crm: CRM
    mapping: Crm

    def can(self, capability: Capability) -> bool:
        return capability in self.crm.capabilities

    def fields(self, on: str, *, fresh: bool = False) -> list[RemoteField] | None:
        """The fields of people or companies there, asked for every ten minutes; None when the CRM cannot say."""
        if not self.can(Capability.FIELDS):
            return None
        key, now = (self.version.site_id, self.connection_id, KINDS[on]), clock.now()
        with _lock:
            kept = _fields.get(key)
        if fresh or kept is None or now - kept[0] > FIELDS_KEPT or kept[0] > now:
            kept = (now, self.crm.fields_of(KINDS[on]))
            with _lock:
                _fields[key] = kept
        return kept[1]

    def look_again(self) -> None:
        """Ask for the fields anew: somebody who looks at the page may have added one a minute ago."""
        for on in KINDS:
            self.fields(on, fresh=True)

    def by_name(self, on: str) -> Mapping[str, RemoteField] | None:
        """The same by their names, and standing ones by ours too."""
        found = self.fields(on)
        if found is None:
            return None
        return {field.name: field for field in found} | {field.ours: field for field in found if field.ours}


@contextmanager
def opened(db: Database, site_id: str, *, seconds: float | None = None) -> Iterator[Opened]:
    """The site's CRM; how calls inside go is noted with its connection. Raises plugins.errors; calls nobody itself, but
    when the environment's settings for it are new."""
    with db.reading() as tx:
        version = config.active_of(tx, site_id)
        connection = connections.serving(tx, version, "crm")
    with connections.watched(db, connection) if connection else nullcontext():
        if connection is None:
            adapter = connections.open_built_in(db, site_id, "crm")
        else:
            _confirm(db, connection)
            adapter = connections.open(db, connection, seconds=seconds)
        with adapter.in_use():
            yield Opened(version, connection.id if connection else BUILT_IN, adapter, version.part(Crm))


def confirm(db: Database, site_id: str) -> None:
    """Know the account: nothing is said of records by their ids in another one. Raises plugins.errors."""
    with db.reading() as tx:
        connection = connections.serving(tx, config.active_of(tx, site_id), "crm")
    if connection is not None:
        with connections.watched(db, connection):
            _confirm(db, connection)


def _confirm(db: Database, connection: connections.Connection) -> None:
    connections.confirm(db, connection, store.leave)


def serving_id(tx: Connection, version: Version) -> str:
    """The id of the connection that serves now."""
    connection = connections.serving(tx, version, "crm")
    return connection.id if connection else BUILT_IN


def serving_name(tx: Connection, version: Version) -> str:
    """The adapter that serves now."""
    connection = connections.serving(tx, version, "crm")
    return connection.name if connection else BUILT_IN
