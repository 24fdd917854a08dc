"""The keys a site signs its tokens with: made, listed, revoked. Two at once make a rotation. Secrets are sealed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from server import clock, events, ids
from server.db import Database
from server.errors import Conflict, NotFound, Unavailable
from server.events import Actor
from server.visitors import store

PURPOSE = "identity key"
MOST_VALID = 4
USED_REST = timedelta(minutes=10)  # how exactly "last used" is kept
_log = logging.getLogger("usher.identity")


@dataclass(frozen=True)
class Key:
    """A signing key without its secret. `id` is the `kid` of a token's header."""

    id: str
    site_id: str
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


def add(db: Database, site_id: str, actor: Actor) -> tuple[Key, str]:
    """A new key and its secret, which is never shown again. Conflict when too many are valid already."""
    key_id, secret = ids.new_id("identity_key"), ids.new_token()
    row = {
        "id": key_id,
        "site_id": site_id,
        "sealed": ids.seal(PURPOSE, secret),
        "created_at": clock.now(),
        "created_by": actor.name[:200],
    }
    with db.transaction() as tx:
        if sum(key.revoked_at is None for key in listed(tx, site_id)) >= MOST_VALID:
            raise Conflict(f"There are {MOST_VALID} valid keys already; revoke one that is no longer used.")
        store.add_key(tx, row)
        _record(tx, events.IDENTITY_KEY_ADDED, site_id, key_id, actor)
        return _get(tx, key_id), secret


def revoke(db: Database, key_id: str, actor: Actor) -> Key:
    """End a key: what was signed with it opens nothing from now on. NotFound; Conflict when it has ended before."""
    with db.transaction() as tx:
        key = _get(tx, key_id)
        if not store.revoke_key(tx, key_id, clock.now()):
            raise Conflict("This key has been revoked before.")
        _record(tx, events.IDENTITY_KEY_REVOKED, key.site_id, key_id, actor)
        return _get(tx, key_id)


def listed(tx: Connection, site_id: str) -> Sequence[Key]:
    """All keys of a site, the newest first."""
    return [_shaped(row) for row in store.keys_of(tx, site_id)]


def valid(tx: Connection, site_id: str) -> dict[str, bytes]:
    """`kid` → secret of the keys that may be used now. A key that cannot be unsealed is left out, with a log line."""
    found = {}
    for row in store.keys_of(tx, site_id):
        if row.revoked_at is None:
            try:
                found[row.id] = ids.unseal(PURPOSE, row.sealed).encode()
            except Unavailable:
                _log.warning("identity key %s was stored under another USHER_SECRET_KEY; make a new one", row.id)
    return found


def reseal(db: Database) -> int:
    """Seal under the present key what lies under an earlier one; how many keys that were."""
    with db.reading() as tx:
        rows = store.all_keys(tx)
    count = 0
    for row in rows:
        try:
            fresh = ids.resealed(PURPOSE, row.sealed)
        except Unavailable:
            continue
        if fresh is not None:
            with db.transaction() as tx:
                count += store.reseal_key(tx, row.id, row.sealed, fresh)
    return count


def is_valid(tx: Connection, site_id: str, key_id: str) -> bool:
    """Whether this key may still be used."""
    return any(row.id == key_id and row.revoked_at is None for row in store.keys_of(tx, site_id))


def used(tx: Connection, key_id: str) -> None:
    """Note that a token of this key was taken."""
    store.key_used(tx, key_id, clock.now(), clock.now() - USED_REST)


def _get(tx: Connection, key_id: str) -> Key:
    row = store.key(tx, key_id)
    if row is None:
        raise NotFound("There is no such key.")
    return _shaped(row)


def _shaped(row: Any) -> Key:
    return Key(row.id, row.site_id, row.created_at, row.created_by, row.last_used_at, row.revoked_at)


def _record(tx: Connection, name: str, site_id: str, key_id: str, actor: Actor) -> None:
    events.record(tx, name, site_id=site_id, subject=("identity_key", key_id), actor=actor, data={"kid": key_id})
