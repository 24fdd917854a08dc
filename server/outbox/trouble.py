"""What an error means for the delivery that met it: when it is tried again, whom it waits for, or its end. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.errors import AmbiguousOutcome, Conflict, PermissionDenied, PluginError, RateLimited, Retry, Transient

WAITING, PAUSED, DEAD = "waiting", "paused", "dead"
PATIENCE = timedelta(hours=72)
"""So long a service may be unwell before a delivery is given up: a weekend and a bank holiday."""
RESTS_SECONDS = {Retry.LATER: (15, 3600), Retry.SAME_KEY: (30, 3600), Retry.AT: (60, 3600)}
"""First and longest rest by the class of the error, doubled each time: what may have happened gets time to show, and
who asks us to slow down without saying how much gets more."""
REFUSED_REST = timedelta(minutes=15)
"""What lacks permission may be this record alone: others go on, and each that works would have it tried again."""
SHORTEST_LOOK, LONGEST_LOOK = timedelta(seconds=1), timedelta(minutes=10)


class NotYet(PluginError):
    """What this delivery builds on is not delivered yet."""

    code = "not_yet"
    sentence = "It waits for an earlier delivery that it builds on."
    retry = Retry.AT


@dataclass(frozen=True, slots=True)
class Fate:
    """`at`: when it is tried again. `counts`: it was an attempt. `failing_since`: as it is kept with the delivery."""

    state: str
    at: datetime | None = None
    counts: bool = True
    failing_since: datetime | None = None


def fate(
    problem: PluginError,
    attempt: int,
    created_at: datetime,
    failing_since: datetime | None,
    now: datetime,
    *,
    unsure: bool = False,
) -> Fate:
    """Of a delivery queued at `created_at` whose `attempt`, from 1, met `problem`. `unsure`: it may have arrived at an
    earlier one; what would come twice then is tried once more in all.

    What stops the connection until a person acts pauses it. A moment that was named is waited for exactly, and costs
    no attempt when nothing was wrong but the pace. What is unwell is tried for PATIENCE.
    """
    if isinstance(problem, NotYet):
        return Fate(WAITING, look_again(created_at, now), counts=False, failing_since=failing_since)
    if problem.stops and problem.retry_after is None:
        refused = isinstance(problem, PermissionDenied)
        return Fate(PAUSED, now + REFUSED_REST if refused else now, counts=not problem.held)
    if problem.retry is Retry.NEVER or (unsure and isinstance(problem, AmbiguousOutcome) and problem.doubles):
        return Fate(DEAD)
    named = problem.retry_after
    if named is not None and isinstance(problem, RateLimited):
        return Fate(WAITING, named, counts=False, failing_since=failing_since)
    since = failing_since or now
    if now - since >= PATIENCE:
        return Fate(DEAD, failing_since=since)
    if named is not None and problem.held:
        return Fate(WAITING, named, counts=False, failing_since=since)
    rested = now + timedelta(seconds=rest_seconds(attempt, problem.retry))
    return Fate(WAITING, max(rested, named or rested), failing_since=since)


def may_have_arrived(problem: PluginError) -> bool:
    """Whether the outside may have been told, some of it at least, for all that we know: what conflicts may be there
    already, by an earlier try."""
    return problem.may_be_done or (isinstance(problem, AmbiguousOutcome | Conflict) and not problem.held)


def is_unwell(problem: PluginError) -> bool:
    """Whether the service, and not this delivery, is the matter: the next one would meet the same."""
    return isinstance(problem, Transient | AmbiguousOutcome) and not problem.held


def look_again(created_at: datetime, now: datetime) -> datetime:
    """When to look again whether something still holds a delivery back: after as long as it has waited already."""
    return now + min(max(now - created_at, SHORTEST_LOOK), LONGEST_LOOK)


def rest_seconds(attempt: int, retry: Retry = Retry.LATER) -> float:
    """The rest after so many attempts, spread so that those that failed together do not come back together."""
    first, longest = RESTS_SECONDS[retry]
    spread = 0.75 + random.random() / 2  # noqa: S311 (only spreads load)
    return min(first * 2 ** (min(attempt, 20) - 1), longest) * spread
