"""Whose turn it is in a pool: given under the account's lock, foretold without writing, and how everybody stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from server import clock, events
from server.config.service import Version
from server.events import Actor
from server.routing import ledger, membership
from server.routing.pick import Pick, Tally, choose, eligible, next_picks
from server.routing.pools import candidates, in_force, members, policy_of, pool_of, still_members
from server.routing.schema import Pool, Team


@dataclass(frozen=True)
class Share:
    """How a member stands in the present period. `count`: turns had, with `calibration` (given by hand) and `start`
    (what a newcomer began with) in it. `ideal`: the share of all counts; `lead`: ahead of the smallest count."""

    rep: str
    weight: Fraction
    part: Fraction
    count: Fraction
    ideal: Fraction
    lead: Fraction
    calibration: Fraction
    start: Fraction
    last_at: datetime | None


@dataclass(frozen=True)
class Rotation:
    """A pool's account as it is now: since when its period counts, everybody's share, and who would get the next."""

    pool: Pool
    since: datetime
    shares: list[Share]
    following: list[Pick]


def pick(tx: Connection, version: Version, pool: str, free_reps: Collection[str]) -> Pick:
    """Whose turn it is among those who are free. Locks the pool's account, so that two picks see each other."""
    return picks(tx, version, pool, free_reps, 1)[0]


def picks(tx: Connection, version: Version, pool: str, free_reps: Collection[str], how_many: int) -> list[Pick]:
    """As `pick`, for several different hosts of one meeting."""
    now = in_force(tx, version, pool)
    of, at = pool_of(now, pool), clock.now()
    rev = ledger.lock(tx, version.site_id, of)
    membership.admit(tx, version.site_id, of, membership.roster(now.part(Team), of.account), at, rev)
    standing = ledger.tally(tx, version.site_id, of, at, placed=True)
    left = list(free_reps)
    found: list[Pick] = []
    while len(found) < how_many:
        picked = choose(policy_of(of), candidates(now, of, left), standing)
        seen = {"version": now.id, "account": of.account, "rev": rev, "at": at.isoformat(), "free": list(left)}
        seen |= _rules(of, at)
        found.append(replace(picked, seen=seen))
        left = [rep for rep in left if rep != picked.rep]
    return found


def who_may(tx: Connection, version: Version, pool: str) -> list[str]:
    """Members who may be picked now if they are free: not too far ahead; in a strict pool, only the next in turn."""
    now = in_force(tx, version, pool)
    of, everybody = pool_of(now, pool), still_members(tx, version, pool)
    if of.policy != "strict" and of.max_lead is None:
        return everybody
    may = eligible(policy_of(of), candidates(now, of, everybody), _standing(tx, now, of, clock.now()))
    return [rep for rep in everybody if rep in may]


def simulate(tx: Connection, version: Version, pool: str, free_reps: Collection[str], how_many: int) -> list[Pick]:
    """Who would get the next turns if everybody stayed as free as now; writes nothing."""
    of, at = pool_of(version, pool), clock.now()
    standing = _standing(tx, version, of, at)
    return next_picks(policy_of(of), candidates(version, of, free_reps), standing, at, how_many)


def rotation(tx: Connection, version: Version, pool: str, how_many: int = 20) -> Rotation:
    """How everybody stands, and who would get the next turns if all were free; writes nothing."""
    of, at = pool_of(version, pool), clock.now()
    standing = _standing(tx, version, of, at)
    since = ledger.period_start(of, at)
    following = next_picks(policy_of(of), candidates(version, of, members(version, pool)), standing, at, how_many)
    return Rotation(of, since, _shares(tx, version, of, standing, since, at), following)


def calibrate(tx: Connection, version: Version, pool: str, rep: str, amount: str, *, by: Actor, reason: str) -> None:
    """Add to (or take from) what a rep has had in the present period, for all to see. `amount`: 2, -1, 1/2 …"""
    of, at = pool_of(version, pool), clock.now()
    rev = ledger.lock(tx, version.site_id, of)
    membership.admit(tx, version.site_id, of, membership.roster(version.part(Team), of.account), at, rev)
    exact = ledger.calibrate(tx, version.site_id, of, rep, amount, by=by, reason=reason)
    events.record(
        tx,
        events.ROTATION_CALIBRATED,
        site_id=version.site_id,
        subject=("pool", pool),
        actor=by,
        reason=reason.strip(),
        version_id=version.id,
        data={"rep": rep, "amount": str(exact), "account": of.account},
    )


def pick_trace(pool: str, picked: Pick, why_not: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A pick as a decision trace: everybody's standing, and why or why not; `why_not`: of those who are not free."""
    kept = why_not or {}
    looked_at = [
        {
            "name": one.rep,
            "answer": "yes" if one.picked else "no",
            "because": f"not free: {kept[one.rep]}" if one.because == "not free" and one.rep in kept else one.because,
            "saw": {"count": str(one.count), "shortfall": str(one.shortfall)},
        }
        for one in picked.why
    ]
    return {"decision": "pick", "chosen": picked.rep, "pool": pool, "looked_at": looked_at, **picked.seen}


def _standing(tx: Connection, version: Version, of: Pool, at: datetime) -> Tally:
    return membership.standing(tx, version.site_id, of, membership.roster(version.part(Team), of.account), at)


def _rules(of: Pool, at: datetime) -> dict[str, Any]:
    """By what the pool picked, for whoever reads the trace."""
    since = ledger.period_start(of, at).isoformat()
    return {"policy": of.policy, "max_lead": of.max_lead, "period": of.period, "since": since}


def _shares(tx: Connection, version: Version, of: Pool, standing: Tally, since: datetime, at: datetime) -> list[Share]:
    reps = candidates(version, of, ())
    by_hand: dict[tuple[str, str], Fraction] = {}
    for row in ledger.entries_of_kinds(tx, version.site_id, of, (ledger.CALIBRATION, ledger.JOINED), since):
        by_hand[row.rep, row.kind] = by_hand.get((row.rep, row.kind), Fraction(0)) + Fraction(row.amount)
    counts = {rep.id: standing.counts.get(rep.id, Fraction(0)) for rep in reps}
    total, weights = sum(counts.values(), Fraction(0)), sum((rep.weight for rep in reps), Fraction(0))
    return [
        Share(
            rep=rep.id,
            weight=rep.weight,
            part=rep.weight / weights if weights else Fraction(0),
            count=counts[rep.id],
            ideal=rep.weight * total / weights if weights else Fraction(0),
            lead=counts[rep.id] - min(counts.values()),
            calibration=by_hand.get((rep.id, ledger.CALIBRATION), Fraction(0)),
            start=by_hand.get((rep.id, ledger.JOINED), Fraction(0)),
            last_at=standing.last_at.get(rep.id),
        )
        for rep in reps
    ]
