"""Whether anything that decides over open times has changed since they were listed: cheaper than listing them again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection

from server.booking import offers, store
from server.config.service import Version


def fingerprint(
    tx: Connection, version: Version, *, meeting: str, pool: str | None = None, reps: Sequence[str] | None = None
) -> str:
    """A text that stays the same while the same reps may take this meeting and no calendar of theirs has changed.

    It does not know of the clock: notice runs on, and a hold that expires makes a time free. NotFound and Invalid as
    `offers.ask` raises them.
    """
    asked = offers.ask(tx, version, meeting, pool, reps)
    stamps = store.stamps(tx, version.site_id, asked.reps)
    told = repr([version.id, meeting, asked.needed, [(rep, stamps.get(rep, 0)) for rep in asked.reps]])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
