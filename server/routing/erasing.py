"""The ledger of turns stays as it is, so that shares stay fair; what people wrote in it goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from server.db.scrubbing import Wipe, scrub
from server.routing.tables import credit_ledger


def held(tx: Connection, meeting_ids: Collection[str]) -> dict[str, Sequence[Row[Any]]]:
    """Whose turn these meetings were."""
    return {"credit_ledger": tx.execute(select(credit_ledger).where(credit_ledger.c.meeting_id.in_(meeting_ids))).all()}


def erase(tx: Connection, meeting_ids: Collection[str]) -> None:
    """No reason that somebody wrote, and nobody but reps is named any more."""
    here = credit_ledger.c.meeting_id.in_(meeting_ids)
    tx.execute(update(credit_ledger).where(here).values(reason=""))
    tx.execute(update(credit_ledger).where(here, credit_ledger.c.by_kind == "visitor").values(by_id=""))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from what was written about others' turns."""
    return scrub(tx, credit_ledger, wipe, credit_ledger.c.site_id == site_id)
