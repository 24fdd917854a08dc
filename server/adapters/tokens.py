"""OAuth tokens of one connection in its row: encrypted, renewed by one at a time in all processes."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from plugins.errors import AuthError, Transient
from plugins.tokens import Granted, Renew
from server import clock, ids
from server.adapters import store
from server.adapters.connection import OFF, TOKENS, Connection
from server.db import Database
from server.errors import Unavailable

ASKING = timedelta(seconds=45)
"""How long one may ask for new tokens before another takes over; longer than any call takes."""
REST_SECONDS = 0.1
_KEPT = 1000
_locks: OrderedDict[str, threading.Lock] = OrderedDict()
_locks_lock = threading.Lock()


class RowTokens:
    """plugins.tokens.Tokens in a row of the connections. Refresh tokens may be good for one use only, so whoever wants
    new ones first takes the right to ask, and the others wait for what comes of it."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db, self._connection = db, connection

    def load(self) -> Granted | None:
        sealed = self._sealed()
        return _opened(sealed) if sealed else None

    def renewed(self, seen: Mapping[str, Any] | None, renew: Renew) -> Granted:
        with _single_flight(self._connection.id):
            self._ensure_row()
            deadline = time.monotonic() + ASKING.total_seconds()
            while True:
                sealed = self._sealed()
                kept = _opened(sealed) if sealed else None
                if kept is not None and kept != seen:
                    return kept
                now = clock.now()
                until = now + ASKING
                with self._db.transaction() as tx:
                    mine = store.take_renewal(tx, self._connection.id, sealed, now, until)
                if mine:
                    return self._ask(sealed, until, kept, renew)
                if time.monotonic() > deadline:
                    raise Transient("another process is renewing the tokens and does not come to an end")
                time.sleep(REST_SECONDS)

    def _ask(self, sealed: str, until: Any, kept: Granted | None, renew: Renew) -> Granted:
        """Ask the service, outside of any transaction, and put what it gave into the place of what was there."""
        values: dict[str, Any] = {}
        try:
            fresh = dict(renew(dict(kept or {})))
            values = {"tokens": seal_tokens(fresh)}
        finally:
            with self._db.transaction() as tx:
                won = store.end_renewal(tx, self._connection.id, sealed, until, values)
        if won:
            return fresh
        there = self.load()
        return fresh if there is None else there

    def _sealed(self) -> str:
        """What is kept now. AuthError when it was disconnected meanwhile."""
        with self._db.reading() as tx:
            row = store.get(tx, self._connection.id)
        if row is None and self._connection.from_environment:
            return ""
        if row is None:
            raise AuthError("this was never connected")
        if row.state == OFF:
            raise AuthError("this was disconnected", user_message="This connection was ended. Connect it again.")
        return str(row.tokens)

    def _ensure_row(self) -> None:
        if self._connection.from_environment:
            with self._db.transaction() as tx:
                ensure(tx, self._connection)


def ensure(tx: Any, connection: Connection) -> None:
    """Make the row of a connection that lives in the environment, unless it is there."""
    store.ensure(tx, {**connection.as_row(), "created_at": connection.created_at or clock.now(), "off_at": None})


def seal_tokens(granted: Mapping[str, Any] | None) -> str:
    """Tokens as they are kept; "" for none."""
    return ids.seal(TOKENS, json.dumps(dict(granted))) if granted else ""


def unsealed(connection: Connection) -> Granted | None:
    """The tokens that a connection holds; None for none, and for those whose key is gone."""
    try:
        return _opened(connection.tokens) if connection.tokens else None
    except Unavailable:
        return None


def _opened(sealed: str) -> Granted:
    return dict(json.loads(ids.unseal(TOKENS, sealed)))


def _single_flight(connection_id: str) -> AbstractContextManager[Any]:
    """One at a time in this process."""
    with _locks_lock:
        lock = _locks.setdefault(connection_id, threading.Lock())
        _locks.move_to_end(connection_id)
        while len(_locks) > _KEPT:
            _locks.popitem(last=False)
        return lock
