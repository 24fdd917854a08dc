"""What a config version says of a pool: its members with their weights, and how it picks."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from sqlalchemy import Connection

from server.config import service as config
from server.config.service import Version
from server.errors import NotFound
from server.routing.membership import exact
from server.routing.pick import Candidate, Policy
from server.routing.schema import Pool, Team


def members(version: Version, pool: str) -> list[str]:
    """The active members of a pool. NotFound for an unknown pool."""
    reps = version.part(Team).reps_by_id
    return [rep for rep in pool_of(version, pool).members if reps[rep].active]


def pool_of(version: Version, pool: str) -> Pool:
    """The pool; NotFound."""
    found = version.part(Team).pools_by_id.get(pool)
    if found is None:
        raise NotFound(f"There is no pool {pool} in team.yml.")
    return found


def in_force(tx: Connection, version: Version, pool: str) -> Version:
    """The version by which turns of this pool are given now: the active one, whatever version a conversation keeps,
    so that who was taken off the team gets no meeting any more. Without the pool there, the conversation's own."""
    try:
        active = config.active_of(tx, version.site_id)
    except NotFound:  # a rehearsal, whose version is nowhere active
        return version
    return active if pool in active.part(Team).pools_by_id else version


def still_members(tx: Connection, version: Version, pool: str) -> list[str]:
    """The active members of a pool who are that in the active version too."""
    now = in_force(tx, version, pool)
    if now.id == version.id:
        return members(version, pool)
    current = set(members(now, pool))
    return [rep for rep in members(version, pool) if rep in current]


def candidates(version: Version, pool: Pool, free_reps: Collection[str]) -> list[Candidate]:
    """The pool's active members with their weights and priorities there."""
    reps = version.part(Team).reps_by_id
    return [
        Candidate(
            rep,
            rep in free_reps,
            weight=exact(pool.weights.get(rep, reps[rep].weight)),
            priority=exact(pool.priorities.get(rep, reps[rep].priority)),
        )
        for rep in members(version, pool.id)
    ]


def policy_of(pool: Pool) -> Policy:
    """How the pool picks."""
    return Policy(pool.policy, None if pool.max_lead is None else Fraction(pool.max_lead))
