"""Whether what the environment sets up still leads to the account it led to: nobody presses a button when an operator
puts another key there, and ids of records are somebody else's in another account."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection as Transaction

from server import clock, events, ids
from server.adapters import checking, health, opening, store
from server.adapters.connection import BROKEN, OFF, WORKING, Connection, account_of, shaped
from server.adapters.tokens import ensure
from server.db import Database
from server.events import SYSTEM


def confirm(db: Database, connection: Connection, leave: Callable[[Transaction, str, str], None]) -> None:
    """Ask the service who we are when the settings have changed since they were last confirmed. When it is another
    account, what was known goes to an ended connection: `leave(tx, from id, to id)`, in the transaction that notes the
    account. Raises what the service raises: nothing may be told to an account that nobody knows."""
    if not connection.from_environment:
        return
    given = json.dumps(opening.settings_of(db, connection), sort_keys=True, default=str)
    tried = ids.keyed_digest("connection settings", given)
    if connection.tried == tried:
        return
    told = checking.asked(db, connection)
    with db.transaction() as tx:
        ensure(tx, connection)
        there = shaped(store.get(tx, connection.id))
        another = bool(there.account) and there.account != account_of(told)
        noted = {"tried": tried, "account": account_of(told), "label": (told.account or there.label)[:200]}
        store.change(tx, connection.id, noted, (WORKING, BROKEN))
        if another:
            ended = _ended(there)
            store.add(tx, ended.as_row())
            leave(tx, connection.id, ended.id)
            health.record(tx, events.CONNECTION_CHANGED, shaped(store.get(tx, connection.id)), SYSTEM, another=True)


def _ended(there: Connection) -> Connection:
    """What it was until now, as a connection that has ended."""
    return replace(
        there, id=ids.new_id("connection"), state=OFF, off_at=clock.now(), sealed="", tokens="", hook_secret=""
    )
