"""Which reps take a meeting, and blocking their time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from server.booking import store
from server.booking.offers import Asked
from server.booking.schema import MeetingType
from server.config.service import Version
from server.routing import service as routing
from server.routing.schema import Team

CELL_SECONDS = 300


def chosen(
    tx: Connection, version: Version, asked: Asked, free: Sequence[str], *, preferred: str = ""
) -> tuple[list[str], dict[str, Any]]:
    """Who takes it, the organizer first, and the trace of the choice; nobody when there are too few."""
    if len(free) < asked.needed:
        return [], {}
    if not asked.pool or preferred in free:
        first = preferred if preferred in free else free[0]
        because = "had the meeting before" if preferred in free else "asked for by name"
        looked_at = [{"name": first, "answer": "yes", "because": because, "saw": {}}]
        trace = {"decision": "pick", "chosen": first, "pool": asked.pool, "looked_at": looked_at}
    else:
        picked = routing.pick(tx, version, asked.pool, free)
        if picked.rep is None:
            return [], {}
        first, trace = picked.rep, routing.pick_trace(asked.pool, picked)
    hosts = [first]
    while len(hosts) < asked.needed:
        left = [rep for rep in free if rep not in hosts]
        hosts.append((asked.pool and routing.pick(tx, version, asked.pool, left).rep) or left[0])
    return hosts, trace


def occupy(
    tx: Connection, version: Version, of: MeetingType, meeting_id: str, hosts: Sequence[str], start: datetime
) -> None:
    """Block the hosts' time with the buffers around it. IntegrityError when another meeting has any of it."""
    end = start + timedelta(minutes=of.duration_minutes)
    host_rows, cell_rows = [], []
    for rep in hosts:
        own = version.part(Team).reps_by_id[rep]
        before, after = own.buffer_before_minutes, own.buffer_after_minutes
        busy_from = start - timedelta(minutes=of.buffer_before_minutes if before is None else before)
        busy_until = end + timedelta(minutes=of.buffer_after_minutes if after is None else after)
        here = {"site_id": version.site_id, "rep": rep, "meeting_id": meeting_id}
        host_rows.append({**here, "busy_from": busy_from, "busy_until": busy_until, "blocks": True})
        first, last = int(busy_from.timestamp()) // CELL_SECONDS, -(-int(busy_until.timestamp()) // CELL_SECONDS)
        cell_rows += [{**here, "cell": cell} for cell in range(first, last)]
    store.add_hosts(tx, host_rows)
    store.add_cells(tx, sorted(cell_rows, key=lambda row: (row["rep"], row["cell"])))
    store.touch(tx, version.site_id, hosts)
