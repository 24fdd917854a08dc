"""Adds what this process has counted to what all have, so that each of several says the same and a restart sets nothing
to zero. A process that is killed loses what it has counted since the last time, some seconds."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from plugins.meter import Count, Meter, here
from server.db import Database
from server.meters.tables import meters as t

_KEYS = ["what", "adapter", "operation", "label"]


def keep(db: Database, meter: Meter = here) -> None:
    """Add what was counted since the last time; what cannot be added stays for the next."""
    counts = meter.take()
    if not counts:
        return
    try:
        with db.transaction() as tx:
            _add(tx, counts)
    except BaseException:
        meter.put_back(counts)
        raise


def all_of(tx: Connection) -> dict[Count, float]:
    """Everything that was kept, in order."""
    found = tx.execute(select(t).order_by(t.c.what, t.c.adapter, t.c.operation, t.c.label))
    return {Count(row.what, row.adapter, row.operation, row.label): row.value for row in found}


def _add(tx: Connection, counts: dict[Count, float]) -> None:
    """In one order, so that two processes at once do not wait for each other."""
    rows = [{**_short(count), "value": value} for count, value in sorted(counts.items())]
    new = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(t)
    added = new.on_conflict_do_update(index_elements=_KEYS, set_={"value": t.c.value + new.excluded.value})
    for row in rows:
        tx.execute(added, row)


def _short(count: Count) -> dict[str, str]:
    lengths = {name: t.c[name].type.length for name in _KEYS}  # type: ignore[attr-defined]
    return {name: value[: lengths[name]] for name, value in count._asdict().items()}
