"""Give a booked meeting to a colleague at the same time: who could take it, whose turn it is, and the deed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from server import clock, events
from server.booking import calendars, changes, offers, store
from server.booking.availability.explain import FREE, Verdict, explain
from server.booking.availability.question import Crew, Question
from server.booking.holds import hosts_of_holds, in_the_way, release
from server.booking.invitations import links, messages
from server.booking.schema import MeetingType
from server.booking.store import Meeting
from server.config.service import Version
from server.errors import Conflict, Invalid
from server.events import Actor
from server.routing import ledger, turns
from server.routing.pick import Pick
from server.routing.schema import Pool, Team

_FINEST = 300
_NOT_FREE = "not_free"


@dataclass(frozen=True)
class Colleague:
    """Somebody who might take a meeting: `verdict` says whether they are free then, and why not."""

    rep: str
    name: str
    in_pool: bool
    verdict: Verdict

    @property
    def free(self) -> bool:
        return self.verdict.answer == FREE


def colleagues(tx: Connection, version: Version, meeting: Meeting) -> list[Colleague]:
    """Every active rep who does not host the meeting, those of its pool first, the free ones before the others."""
    hosts, pool = changes.hosts_of(tx, meeting), _pool(version, meeting)
    others = [rep for rep in version.part(Team).reps if rep.active and rep.id not in hosts]
    told = _verdicts(tx, version, meeting, [rep.id for rep in others])
    members = pool.members if pool else ()
    found = [Colleague(rep.id, rep.name, rep.id in members, told[rep.id]) for rep in others]
    return sorted(found, key=lambda one: (not one.in_pool, not one.free, one.name))


def next_in_turn(tx: Connection, version: Version, meeting: Meeting) -> Pick | None:
    """Whom the pool's balance would give it to now, with everybody's standing; None without a pool. Writes nothing."""
    pool = _pool(version, meeting)
    if pool is None:
        return None
    free = [one.rep for one in colleagues(tx, version, meeting) if one.in_pool and one.free]
    return turns.simulate(tx, version, pool.id, free, 1)[0]


def reassign(
    tx: Connection,
    version: Version,
    meeting_id: str,
    rep: str | None,
    *,
    by: Actor,
    reason: str = "",
    leaving: str = "",
    seen: int | None = None,
) -> Meeting:
    """Give a meeting to this colleague, or (None) to the next in turn who is free, at the same time.

    `leaving`: which of several hosts it is taken from; left out: the organizer. What was done already (the same form,
    sent twice) is not done again. Invalid for somebody who is not on the team; Conflict when they are not free,
    nobody is, or the meeting is no longer the one `seen`; Gone when it has begun or was cancelled.
    """
    meeting = changes.ahead(tx, version, meeting_id)
    leaving, hosts = leaving or meeting.rep, changes.hosts_of(tx, meeting)
    if rep in hosts or (rep is None and leaving not in hosts):
        return meeting
    changes.expect(meeting, seen)
    if leaving not in hosts:
        raise changes.changed_meanwhile()
    of, pool = _as_it_is(version, meeting), _pool(version, meeting)
    if of.assignment == "collective":
        raise Conflict("Everybody of the pool takes part in this meeting, so nobody can hand it over.")
    takers = _takers(version, meeting, pool, rep, hosts)
    stale = in_the_way(tx, version.site_id, takers)
    if pool:
        ledger.lock(tx, version.site_id, pool)
    changes.lock(tx, meeting, [*takers, *hosts_of_holds(tx, stale)])
    for held in stale:
        release(tx, held, reason="the hold expired", actor=by)
    taker, trace = _taker(tx, version, meeting, pool, rep, takers)
    new = [taker if host == leaving else host for host in hosts]
    return _give(tx, version, meeting, of, pool, hosts, new, (by, reason, trace))


def _give(
    tx: Connection,
    version: Version,
    meeting: Meeting,
    of: MeetingType,
    pool: Pool | None,
    hosts: Sequence[str],
    new: Sequence[str],
    why: tuple[Actor, str, dict[str, Any]],
) -> Meeting:
    by, reason, trace = why
    try:
        changes.put(tx, version, meeting, of, new, meeting.start_at)
    except IntegrityError:
        raise Conflict("This time has just been taken; choose somebody else.", code=_NOT_FREE) from None
    store.touch(tx, version.site_id, hosts)
    because = reason or "given to a colleague"
    if pool and meeting.pool:
        ledger.move(tx, version.site_id, pool, meeting.id, new, by=by, reason=because, trace=trace)
    else:
        ledger.credit(tx, meeting.id, ledger.REASSIGNED_AWAY, by=by, reason=because)
    after = changes.get(tx, meeting.id)
    messages.moved(tx, version, after, meeting, list(hosts))
    gone = sorted(set(hosts) - set(new))
    changes.record(tx, events.MEETING_REASSIGNED, after, by, reason, {"rep_was": meeting.rep, "from": gone}, trace)
    return after


def _takers(version: Version, meeting: Meeting, pool: Pool | None, rep: str | None, hosts: Sequence[str]) -> list[str]:
    """Among whom it is decided: the one who was named, or the pool."""
    team = version.part(Team).reps_by_id
    if rep is not None:
        if rep not in team or not team[rep].active:
            raise Invalid(f"There is no active rep {rep} in team.yml.", field="rep")
        return [rep]
    if pool is None:
        raise Invalid("This meeting was booked with one person, not a pool; name who takes it.", field="rep")
    return [one for one in pool.members if team[one].active and one not in hosts]


def _taker(
    tx: Connection, version: Version, meeting: Meeting, pool: Pool | None, rep: str | None, takers: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    told = _verdicts(tx, version, meeting, takers)
    if rep is not None:
        if told[rep].answer != FREE:
            name = version.part(Team).reps_by_id[rep].name
            raise Conflict(f"{name} cannot take it: {told[rep].because}.", code=_NOT_FREE)
        looked_at = [{"name": rep, "answer": "yes", "because": "named", "saw": {}}]
        return rep, {"decision": "pick", "chosen": rep, "pool": meeting.pool, "looked_at": looked_at}
    assert pool is not None  # see _takers
    picked = turns.pick(tx, version, pool.id, [one for one in takers if told[one].answer == FREE])
    if picked.rep is None:
        raise Conflict("Nobody of the pool is free at this time; choose another time instead.", code=_NOT_FREE)
    return picked.rep, turns.pick_trace(pool.id, picked)


def _verdicts(tx: Connection, version: Version, meeting: Meeting, reps: Sequence[str]) -> dict[str, Verdict]:
    """Whether each could take the meeting as it stands. What only concerns what is offered (notice, the dates that can
    be booked, where starts lie) is no reason against a meeting that is booked already."""
    roster = calendars.load(tx, version, reps, meeting.start_at, without=meeting.id)
    patient = Crew(replace(rep, notice=0, memo={}) for rep in roster.calendars)
    start = int(meeting.start_at.timestamp())
    shape = replace(offers.shape_of(_as_it_is(version, meeting)), step=_FINEST, notice=0)
    limits = offers.limits_of(links.type_of(version, meeting))
    asked = Question(now=_earlier(meeting), start=start, end=start + 1, shape=shape, reps=patient, limits=limits)
    told = explain(asked, start)
    return told | {rep: Verdict("calendar", problem) for rep, problem in roster.silent.items()}


def _earlier(meeting: Meeting) -> datetime:
    return min(clock.now(), meeting.start_at)


def _as_it_is(version: Version, meeting: Meeting) -> MeetingType:
    """The meeting's type, as long as the meeting really is: its length in meetings.yml may have changed since."""
    minutes = int((meeting.end_at - meeting.start_at).total_seconds()) // 60
    return links.type_of(version, meeting).model_copy(update={"duration_minutes": minutes})


def _pool(version: Version, meeting: Meeting) -> Pool | None:
    """The pool it was picked from, if team.yml still has it; else that of its type."""
    pools = version.part(Team).pools_by_id
    return pools.get(meeting.pool) or pools.get(links.type_of(version, meeting).pool or "")
