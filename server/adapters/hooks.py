"""What services call to say: verified and kept at once, done when there is time. The same message is kept once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Transaction

from plugins.errors import InvalidInput, PermissionDenied, PluginError, Retry
from plugins.hooks import Heard, HookCall, HookMessage
from server import clock, ids, settings
from server.adapters import found, opening, store
from server.adapters.connection import HOOK, OFF, Connection
from server.adapters.tokens import ensure
from server.db import Database
from server.db.storing import storable
from server.errors import NotFound, Unavailable

MOST_TRIES = 10
FIRST_REST, LONGEST_REST = timedelta(seconds=15), timedelta(hours=1)
KEPT_FOR = timedelta(days=30)
"""How long a message that was done is known, so that it is not done again; services repeat for days at most."""
_LONGEST_ID = 200


@dataclass(frozen=True)
class Message:
    """One thing a service told; `data` is for the adapter's `told`."""

    connection: Connection
    id: str
    data: Mapping[str, Any] = field(repr=False)
    received_at: datetime
    attempts: int


def address_of(connection: Connection) -> str:
    """What the service is told to call."""
    return f"{settings.get().public_url.rstrip('/')}/v1/hooks/{connection.id}"


def secret_of(db: Database, connection: Connection) -> str:
    """What the service is given to sign with, or says back; made at its first use. NotFound for a connection that has
    ended meanwhile."""
    with db.transaction() as tx:
        if connection.from_environment:
            ensure(tx, connection)
        store.replace(tx, connection.id, {"hook_secret": ""}, {"hook_secret": ids.seal(HOOK, ids.new_token())})
        row = store.get(tx, connection.id)
    if row is None or row.state == OFF:
        raise NotFound("This connection has ended.")
    return ids.unseal(HOOK, row.hook_secret)


def hear(
    db: Database, connection_id: str, *, method: str, query: str, headers: Mapping[str, str], body: bytes
) -> Heard:
    """Let the adapter read a call, keep what it tells, and return the answer for the service. Nobody is called back.

    NotFound for an unknown connection, or one that is off; plugins.errors for a call that is not signed as it must be,
    is too old, or that nobody can read.
    """
    with db.reading() as tx:
        connection = found.get(tx, connection_id)
    if not connection.serves:
        raise NotFound("There is no such connection.")
    url = address_of(connection) + (f"?{query}" if query else "")
    call = HookCall(method, url, Headers(headers), body, clock.now(), _secret(connection))
    adapter = opening.open(db, connection)
    try:
        told: Heard = adapter.hear(call)
        if not all(storable([one.id, one.data]) for one in told.messages):
            raise InvalidInput("the call holds a sign that cannot be stored")
    except PluginError:
        raise
    except Exception as fault:  # a stranger's bytes may break any reader, before anything of them is believed
        raise InvalidInput(f"{type(fault).__name__} while the call was read") from fault
    finally:
        adapter.close()
    if told.messages:
        with db.transaction() as tx:
            _keep(tx, connection, told)
    return told


def messages_waiting(tx: Transaction, kind: str, most: int = 100) -> list[Message]:
    """What was told by services of this kind and is due, oldest first. Those of connections that have ended are given
    up."""
    due = []
    for row in store.messages_due(tx, kind, clock.now(), most):
        there = store.get(tx, row.connection_id)
        if there is None or there.state == OFF:
            _settle(tx, row.connection_id, row.id, {"state": "dead", "problem": "The connection has ended."})
            continue
        about = found.get(tx, row.connection_id)
        due.append(Message(about, row.id, row.payload, row.received_at, row.attempts))
    return due


def has_messages(tx: Transaction, kind: str) -> bool:
    """Whether anything that services of this kind told is due."""
    return bool(store.messages_due(tx, kind, clock.now(), 1))


def claim_message(tx: Transaction, message: Message, until: datetime) -> bool:
    """Whether it is ours to do: nobody else gets it before `until`, nor we ourselves."""
    return store.claim_message(tx, message.connection.id, message.id, clock.now(), until)


def keep_message(tx: Transaction, connection: Connection, id: str, data: Mapping[str, Any]) -> None:
    """Something to be done like a message; known already, it changes nothing."""
    _keep(tx, connection, Heard((HookMessage(id, data),)))


def unsettled_messages(tx: Transaction, site_id: str, kind: str, most: int = 100) -> Sequence[Any]:
    """Rows of messages that wait or were given up, the newest first."""
    return store.messages_unsettled(tx, site_id, kind, most)


def retry_messages(tx: Transaction, site_id: str, kind: str) -> int:
    """Those that were given up are tried again; how many."""
    return store.revive_messages(tx, site_id, kind, clock.now())


def settle_message(tx: Transaction, message: Message, problem: PluginError | None = None) -> None:
    """It is done, and what it said is forgotten; or it failed: then it waits for another try if that can help, or for a
    person."""
    if problem is None:
        _settle(tx, message.connection.id, message.id, {"state": "done", "payload": {}, "problem": ""})
        return
    tries = message.attempts + 1
    values: dict[str, Any] = {"attempts": tries, "problem": problem.user_message}
    if (problem.retry is Retry.NEVER and not problem.stops) or tries >= MOST_TRIES:
        _settle(tx, message.connection.id, message.id, {**values, "state": "dead"})
        return
    rested = clock.now() + min(FIRST_REST * 2 ** (tries - 1), LONGEST_REST)
    again = max(rested, problem.retry_after or rested)
    store.change_message(tx, message.connection.id, message.id, {**values, "not_before": again})


def forget_old(db: Database) -> None:
    """What was done long ago need not be known any more, nor agreements that were never finished."""
    with db.transaction() as tx:
        store.forget_messages(tx, clock.now() - KEPT_FOR)
        store.forget_agreements(tx, clock.now())


class Headers(Mapping[str, str]):
    """Headers of a call, found without regard to case; of several lines the first."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._lines: dict[str, tuple[str, str]] = {}
        for name, value in given.items():
            self._lines.setdefault(name.lower(), (name, value))

    def __getitem__(self, name: str) -> str:
        return self._lines[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._lines.values())

    def __len__(self) -> int:
        return len(self._lines)


def _secret(connection: Connection) -> str:
    try:
        return ids.unseal(HOOK, connection.hook_secret) if connection.hook_secret else ""
    except Unavailable as problem:
        raise PermissionDenied(problem.message, adapter=connection.adapter, operation="hear") from None


def _keep(tx: Transaction, connection: Connection, told: Heard) -> None:
    now = clock.now()
    rows: Sequence[dict[str, Any]] = [
        {
            "connection_id": connection.id,
            "id": one.id if len(one.id) <= _LONGEST_ID else hashlib.sha256(one.id.encode()).hexdigest(),
            "site_id": connection.site_id,
            "kind": connection.kind,
            "payload": dict(one.data),
            "state": "waiting",
            "received_at": now,
            "not_before": now,
            "attempts": 0,
            "problem": "",
        }
        for one in told.messages
    ]
    if connection.from_environment:
        ensure(tx, connection)
    store.add_messages(tx, rows)


def _settle(tx: Transaction, connection_id: str, message_id: str, values: Mapping[str, Any]) -> None:
    store.change_message(tx, connection_id, message_id, {**values, "settled_at": clock.now()})
