"""Which reps take a meeting, and blocking their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from server.booking import offers, store
from server.booking.availability.explain import FREE, Verdict
from server.booking.offers import Asked
from server.booking.schema import MeetingType
from server.config.service import Version
from server.routing import service as routing
from server.routing.schema import Team

CELL_SECONDS = 300


def under_the_lock(tx: Connection, version: Version, asked: Asked) -> Asked:
    """Who may take it, asked again when the pool's account is locked: while we waited for it, somebody else may have
    become the next in turn, or the one too far ahead."""
    if not asked.pool or asked.type.assignment == "collective":
        return asked
    return replace(asked, reps=tuple(routing.who_may(tx, version, asked.pool)))


def chosen(
    tx: Connection,
    version: Version,
    asked: Asked,
    free: Sequence[str],
    *,
    preferred: str = "",
    at: datetime | None = None,
    moving: str | None = None,
) -> tuple[list[str], dict[str, Any]]:
    """Who takes it, the organizer first, and the trace of the choice; nobody when there are too few.

    `at`: the start, so that the trace says of those who are not free why not; `moving`: a meeting that does not stand
    in its own way. The picks of further hosts are in the trace under "also".
    """
    if len(free) < asked.needed:
        return [], {}
    if not asked.pool or preferred in free:
        first = preferred if preferred in free else free[0]
        because = "had the meeting before" if preferred in free else "asked for by name"
        looked_at = [{"name": first, "answer": "yes", "because": because, "saw": {}}]
        trace = {"decision": "pick", "chosen": first, "pool": asked.pool, "looked_at": looked_at}
        hosts = [first]
    else:
        wanted = 1 if asked.needed == len(free) else asked.needed
        picked = routing.picks(tx, version, asked.pool, free, wanted)
        hosts = [one.rep for one in picked if one.rep is not None]
        if not hosts:
            return [], {}
        why = _why_not(tx, version, asked, free, at, moving)
        trace, *also = [routing.pick_trace(asked.pool, one, why) for one in picked if one.rep is not None]
        trace |= {"also": also} if also else {}
    return _filled(tx, version, asked, free, hosts), trace


def _filled(tx: Connection, version: Version, asked: Asked, free: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """The hosts, and as many more as are needed: by turn where there is a choice, else whoever is left."""
    left = [rep for rep in free if rep not in hosts]
    missing = asked.needed - len(hosts)
    if asked.pool and 0 < missing < len(left):
        turn = [one.rep for one in routing.picks(tx, version, asked.pool, left, missing)]
        left = [*(rep for rep in turn if rep is not None), *(rep for rep in left if rep not in turn)]
    return [*hosts, *left[:missing]]


def _why_not(
    tx: Connection, version: Version, asked: Asked, free: Sequence[str], at: datetime | None, moving: str | None
) -> dict[str, str]:
    """In words why each of those who are not free is not: by the rules that also make the list of open times."""
    busy = tuple(rep for rep in asked.reps if rep not in free)
    if at is None or not busy:
        return {}
    told = offers.why_not(tx, version, replace(asked, reps=busy, needed=1), at, moving)
    return {rep: _in_words(one) for rep, one in told.items() if one.answer != FREE}


def _in_words(verdict: Verdict) -> str:
    """What colleagues may read: by what somebody is busy, but not what they wrote into their own calendar."""
    if verdict.answer not in ("busy", "buffer"):
        return verdict.because
    what, _, span = verdict.because.rpartition(", ")
    what = what.removeprefix("the buffer meets ")
    known = next(
        (one for one in ("out of office", "the calendar has not been read that far") if what.startswith(one)), ""
    )
    if not known:
        known = (
            what if what.startswith("meeting ") else "the calendar" if what == "the calendar" else "time of their own"
        )
    return f"{'the buffer meets ' if verdict.answer == 'buffer' else ''}{known}, {span}"


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
