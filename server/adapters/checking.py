"""Look again whether connections work: at a person's wish, and every so often those that are broken."""

from __future__ import annotations

import logging

from plugins.adapter import CheckResult
from plugins.errors import AuthError, ConfigError, PluginError
from server import clock, ids
from server.adapters import found, health, opening, store
from server.adapters.connection import BROKEN, HOOK, OFF, SECRETS, TOKENS, WORKING, Connection, account_of, shaped
from server.adapters.tokens import ensure
from server.db import Database
from server.errors import Conflict, NotFound, Unavailable
from server.outbox import service as outbox

_log = logging.getLogger("usher.connections")


def check(db: Database, connection_id: str) -> CheckResult:
    """Ask the service whether it works, and note what it says: the account, permissions, and how the connection stands.
    The answer says what was found now, also where it failed. NotFound; Conflict for what is not connected."""
    with db.reading() as tx:
        connection = found.get(tx, connection_id)
    if not connection.serves:
        raise Conflict("This is not connected; connect it first.")
    try:
        told = asked(db, connection)
    except PluginError as problem:
        with db.transaction() as tx:
            health.failed(tx, connection.id, problem)
            store.change(tx, connection.id, {"checked_at": clock.now()}, (WORKING, BROKEN))
        return CheckResult(ok=False, message=health.to_asker(health.sentence(problem)))
    noted = {
        "checked_at": clock.now(),
        "label": (told.account or connection.label)[:200],
        "account": connection.account or account_of(told),
        "granted": list(told.granted),
        "missing": list(told.missing),
    }
    with db.transaction() as tx:
        if connection.from_environment:
            ensure(tx, connection)
        store.change(tx, connection.id, noted, (WORKING, BROKEN))
        health.worked(tx, connection.id)
        outbox.resume(tx, connection.id)
    return told


def check_broken(db: Database) -> None:
    """Connections that are broken are tried again; what was paused for one that has ended goes to who serves now."""
    with db.reading() as tx:
        broken = [row.id for row in store.in_state(tx, BROKEN)]
        ended = [row.id for row in store.in_state(tx, OFF)]
    with db.transaction() as tx:
        for connection_id in ended:
            outbox.resume(tx, connection_id)
    for connection_id in broken:
        try:
            check(db, connection_id)
        except (NotFound, Conflict):
            continue


def any_broken(db: Database) -> bool:
    """Whether there is anything to look at."""
    with db.reading() as tx:
        return bool(store.in_state(tx, BROKEN) or store.in_state(tx, OFF))


def reseal(db: Database) -> int:
    """Seal under the present key what lies under an earlier one; how many connections that were."""
    with db.reading() as tx:
        rows = [shaped(row) for row in store.everything(tx)]
    return sum(_resealed(db, one) for one in rows)


def _resealed(db: Database, connection: Connection) -> bool:
    purposes = {"sealed": SECRETS, "tokens": TOKENS, "hook_secret": HOOK}
    kept = {column: getattr(connection, column) for column in purposes if getattr(connection, column)}
    try:
        fresh = {column: ids.resealed(purposes[column], text) for column, text in kept.items()}
    except Unavailable as problem:
        _log.warning("%s: %s", connection.id, problem.message)
        said = f"{problem.message} Enter the secrets again."
        with db.transaction() as tx:
            health.failed(tx, connection.id, ConfigError(said, adapter=connection.adapter, user_message=said))
        return False
    changed = {column: text for column, text in fresh.items() if text is not None}
    if not changed:
        return False
    with db.transaction() as tx:
        return store.replace(tx, connection.id, {column: kept[column] for column in changed}, changed)


def asked(db: Database, connection: Connection) -> CheckResult:
    """What the service says; raises when it says no."""
    adapter = opening.open(db, connection, trying=True)
    try:
        told: CheckResult = adapter.check()
    finally:
        adapter.close()
    if not told.ok:
        said = told.message or "The service does not accept these settings."
        raise AuthError(said, adapter=connection.adapter, operation="check", user_message=said)
    return told
