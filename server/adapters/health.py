"""How a connection stands: what failed last, whether a person has to act, and that it works again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Transaction

from plugins.errors import AuthError, ConfigError, PluginError, QuotaExhausted, Transient
from server import clock, events
from server.adapters import found, store
from server.adapters.connection import BROKEN, OFF, WORKING, Connection
from server.adapters.tokens import ensure
from server.db import Database
from server.errors import NotFound
from server.events import SYSTEM, Actor
from server.outbox import service as outbox

AGAIN = "Please try again in a minute."
NOTED_EVERY = timedelta(minutes=1)
"""How exactly "last worked" is kept."""


def failed(tx: Transaction, connection_id: str, problem: PluginError) -> None:
    """Note what failed. An error that stops the connection until a person acts makes it broken, and the diary says so
    once. What is off stays off, and a call that was held back says nothing of the service."""
    connection = None if problem.held else _kept(tx, connection_id)
    if connection is None:
        return
    said = sentence(problem)
    noted = {"failed_at": clock.now(), "problem_class": type(problem).__name__, "problem": said}
    if not stops(problem):
        store.change(tx, connection.id, noted, (WORKING,))
    elif store.change(tx, connection.id, {**noted, "state": BROKEN}, (WORKING,)):
        record(tx, events.CONNECTION_BROKEN, connection, SYSTEM, reason=said)
    else:
        store.change(tx, connection.id, noted, (BROKEN,))


def worked(tx: Transaction, connection_id: str) -> None:
    """Note that it works: the last failure is over, and what was paused for it goes out."""
    connection = _kept(tx, connection_id)
    if connection is None:
        return
    well = {"worked_at": clock.now(), "problem_class": "", "problem": "", "failed_at": None}
    if store.change(tx, connection.id, {**well, "state": WORKING}, (BROKEN,)):
        record(tx, events.CONNECTION_WORKING, connection, SYSTEM)
        outbox.resume(tx, connection.id)
    else:
        store.change(tx, connection.id, well, (WORKING,))


@contextmanager
def watched(db: Database, connection: Connection) -> Iterator[None]:
    """What is done inside goes through this connection: how it goes is noted, and errors carry its id.

    Who was disconnected, or connected anew, meanwhile did not fail: that is Transient, for whoever serves now. One
    whose sign-in or settings are broken is not asked again and again: the same is raised until somebody mends it.
    """
    _refuse_broken(connection)
    try:
        yield
    except PluginError as problem:
        problem.connection_id = connection.id
        if problem.held:
            raise
        with db.transaction() as tx:
            changed = _is_another(store.get(tx, connection.id), connection)
            if not changed:
                failed(tx, connection.id, problem)
        if changed and problem.stops:
            raise Transient("the connection was changed meanwhile").at(problem.adapter, problem.operation) from problem
        raise
    if is_news(connection, clock.now()):
        with db.transaction() as tx:
            worked(tx, connection.id)


def _is_another(there: Any, connection: Connection) -> bool:
    """Whether it was ended, or a person has found it good, since it was opened."""
    if there is None:
        return False
    mended = there.state == WORKING and there.checked_at != connection.checked_at
    return bool(there.state == OFF or mended)


_USELESS = {kind.__name__: kind for kind in (AuthError, ConfigError, QuotaExhausted)}
"""What no call can get around. Where only permission is lacking, others may be allowed."""


def refusal(connection: Connection) -> PluginError | None:
    """Why it is not asked at all: nobody has mended it yet. None when it may be asked."""
    kind = _USELESS.get(connection.problem_class) if connection.state == BROKEN else None
    if kind is None:
        return None
    error = kind(connection.problem, adapter=connection.adapter, user_message=connection.problem)
    error.connection_id, error.held = connection.id, "broken"
    return error


def _refuse_broken(connection: Connection) -> None:
    if error := refusal(connection):
        raise error


def is_news(connection: Connection, now: datetime) -> bool:
    """Whether that it worked is worth a write."""
    last = connection.worked_at
    return connection.state == BROKEN or bool(connection.problem) or last is None or now - last >= NOTED_EVERY


def stops(problem: PluginError) -> bool:
    """Whether the connection is of no use until a person acts, or a moment unknown."""
    return problem.stops and problem.retry_after is None


def sentence(problem: PluginError) -> str:
    """What went wrong, for people; wrong settings are named."""
    wrong = "; ".join(f"{field} {why}" for field, why in getattr(problem, "problems", ()))
    if isinstance(problem, ConfigError) and wrong and problem.user_message == problem.sentence:
        return f"{problem.user_message} {wrong[:1].upper()}{wrong[1:]}."
    return problem.user_message


def to_asker(said: str, *, first: bool = False) -> str:
    """The same for who asked and waits for it: nobody tries again for them. `first`: it has never worked so far."""
    if first and said == AuthError.sentence:
        return "The service does not accept these credentials."
    return said.replace("We will try again.", AGAIN).replace("We will check before we try again.", AGAIN)


def record(
    tx: Transaction, name: str, connection: Connection, actor: Actor, *, reason: str = "", another: bool = False
) -> None:
    """One line of the diary about it. `another`: it leads to another account than before."""
    about = {name: getattr(connection, name) for name in ("kind", "name", "rep", "label")}
    events.record(
        tx,
        name,
        site_id=connection.site_id,
        subject=("connection", connection.id),
        actor=actor,
        reason=reason,
        data={**about, "another": another},
    )


def _kept(tx: Transaction, connection_id: str) -> Connection | None:
    """The connection with its row; None when there is none any more."""
    try:
        connection = found.get(tx, connection_id)
    except NotFound:
        return None
    if connection.from_environment:
        ensure(tx, connection)
    return connection
