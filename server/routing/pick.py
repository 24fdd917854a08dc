"""Whose turn it is: the fair pick in exact arithmetic, with the reason for every rep. Rules: availability-form.md."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

BOOKED, CANCELLED, NO_SHOW, REASSIGNED = "booked", "cancelled", "no_show", "reassigned"


@dataclass(frozen=True)
class Candidate:
    """A member of the pool. A larger priority is preferred; `calibration` is added to the count."""

    id: str
    free: bool
    weight: Fraction = Fraction(100)
    priority: Fraction = Fraction(2)
    calibration: Fraction = Fraction(0)


@dataclass(frozen=True)
class Given:
    """A meeting once given to a rep. `status`: booked, cancelled, no_show, or reassigned (to another rep since)."""

    rep: str
    assigned_at: datetime
    status: str = BOOKED


@dataclass(frozen=True)
class Policy:
    """`kind`: balanced, availability, or strict (balanced, but only the one next in turn)."""

    kind: str = "balanced"
    max_lead: Fraction | None = None
    credit_cancelled: bool = True
    credit_no_show: bool = True


@dataclass(frozen=True)
class Tally:
    """What the reps have had: exact counts in the period, and when each was last given a meeting (any time)."""

    counts: Mapping[str, Fraction]
    last_at: Mapping[str, datetime] = field(default_factory=dict)

    def plus(self, rep: str, at: datetime) -> Tally:
        """The tally after one meeting more for this rep."""
        counts = {**self.counts, rep: self.counts.get(rep, Fraction(0)) + 1}
        return Tally(counts, {**self.last_at, rep: max(at, self.last_at.get(rep, at))})


@dataclass(frozen=True)
class Standing:
    """How one rep stood: his count, his exact shortfall, whether he was picked, and a sentence why or why not."""

    rep: str
    count: Fraction
    shortfall: Fraction
    picked: bool
    because: str


@dataclass(frozen=True)
class Pick:
    """The rep, or None when nobody is free and eligible; and the standing of everybody, in the order asked.

    `seen`: by what it was made, so that it can be made again (replay.py); empty when it was only foretold.
    """

    rep: str | None
    why: Sequence[Standing]
    seen: Mapping[str, Any] = field(default_factory=dict)


def tally(
    policy: Policy, start: datetime, end: datetime, reps: Iterable[Candidate], meetings: Iterable[Given]
) -> Tally:
    """Count the meetings assigned in [start, end), less the credited ones, plus calibration."""
    counts = {rep.id: rep.calibration for rep in reps}
    last_at: dict[str, datetime] = {}
    uncounted = {REASSIGNED}
    if policy.credit_cancelled:
        uncounted.add(CANCELLED)
    if policy.credit_no_show:
        uncounted.add(NO_SHOW)
    for meeting in meetings:
        if meeting.rep in counts:
            last_at[meeting.rep] = max(meeting.assigned_at, last_at.get(meeting.rep, meeting.assigned_at))
            if start <= meeting.assigned_at < end and meeting.status not in uncounted:
                counts[meeting.rep] += 1
    return Tally(counts, last_at)


def choose(policy: Policy, reps: Sequence[Candidate], standing: Tally) -> Pick:
    """The fair pick among the free reps.

    balanced: largest shortfall = weight / all weights * all counts - count; ties by weight, priority, least recently
    assigned, smallest id. availability: priority, least recently assigned, smallest id. A rep whose count is `max_lead`
    or more above the smallest is passed over.
    """
    counts = _counts(reps, standing)
    shortfalls = _shortfalls(reps, counts)
    asked = _asked(policy, reps, standing)
    turn = {rep.id for rep in asked}
    first = next((rep for rep in asked if rep.free), None)
    least = min(counts.values(), default=Fraction(0))
    why = []
    for rep in reps:
        ahead = _is_ahead(policy, counts[rep.id] - least)
        because = _ahead(policy, counts[rep.id] - least) if ahead else _because(policy, rep, first, shortfalls, turn)
        why.append(Standing(rep.id, counts[rep.id], shortfalls[rep.id], rep is first, because))
    return Pick(first.id if first else None, why)


def eligible(policy: Policy, reps: Sequence[Candidate], standing: Tally) -> list[str]:
    """Reps who may be picked if they are free: not too far ahead; with strict, only the next in turn."""
    if policy.kind == "strict":
        return [rep.id for rep in _asked(policy, reps, standing)]
    counts = _counts(reps, standing)
    least = min(counts.values(), default=Fraction(0))
    return [rep.id for rep in reps if not _is_ahead(policy, counts[rep.id] - least)]


def next_picks(policy: Policy, reps: Sequence[Candidate], standing: Tally, now: datetime, how_many: int) -> list[Pick]:
    """Who would get the next meetings if all stayed as free as they are."""
    picks: list[Pick] = []
    while len(picks) < how_many:
        picks.append(choose(policy, reps, standing))
        if (rep := picks[-1].rep) is None:
            break
        standing = standing.plus(rep, now)
    return picks


def _asked(policy: Policy, reps: Sequence[Candidate], standing: Tally) -> list[Candidate]:
    """Those who may be picked, the next in turn first."""
    counts = _counts(reps, standing)
    shortfalls = _shortfalls(reps, counts)
    least = min(counts.values(), default=Fraction(0))
    turn = sorted(
        (rep for rep in reps if not _is_ahead(policy, counts[rep.id] - least)),
        key=lambda rep: _rank(policy, rep, shortfalls[rep.id], standing.last_at.get(rep.id)),
    )
    return turn[:1] if policy.kind == "strict" else turn


def _counts(reps: Sequence[Candidate], standing: Tally) -> dict[str, Fraction]:
    return {rep.id: standing.counts.get(rep.id, Fraction(0)) for rep in reps}


def _shortfalls(reps: Sequence[Candidate], counts: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """How much each is short of his share. Reps without any weight share nothing."""
    weights = sum((rep.weight for rep in reps), Fraction(0))
    each = sum(counts.values(), Fraction(0)) / weights if weights else Fraction(0)
    shares = {weight: weight * each for weight in {rep.weight for rep in reps}}
    return {rep.id: shares[rep.weight] - counts[rep.id] for rep in reps}


def _rank(policy: Policy, rep: Candidate, shortfall: Fraction, last_at: datetime | None) -> tuple[object, ...]:
    """Smaller is sooner."""
    recent = (last_at is not None, last_at)
    if policy.kind == "availability":
        return (-rep.priority, *recent, rep.id)
    return (-shortfall, -rep.weight, -rep.priority, *recent, rep.id)


def _is_ahead(policy: Policy, lead: Fraction) -> bool:
    return policy.max_lead is not None and lead >= policy.max_lead


def _ahead(policy: Policy, lead: Fraction) -> str:
    return f"{lead} ahead of the smallest count, {policy.max_lead} is too many"


def _because(
    policy: Policy,
    rep: Candidate,
    first: Candidate | None,
    shortfalls: Mapping[str, Fraction],
    turn: Collection[str],
) -> str:
    if rep.id not in turn:
        return "not next in turn, and only the next in turn is asked"
    if not rep.free or first is None:
        return "not free"
    if rep is first:
        return "priority and turn" if policy.kind == "availability" else "furthest below the fair share"
    if policy.kind == "availability":
        return f"{first.id} has a higher priority or waited longer"
    if shortfalls[rep.id] == shortfalls[first.id]:
        return f"as far below the fair share as {first.id}, who has more weight or priority, or waited longer"
    return f"{first.id} is further below the fair share"
