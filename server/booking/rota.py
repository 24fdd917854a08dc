"""Rota problems as JSON in, the fair pick as JSON out: what `usher pick` shows. Semantics: availability-form.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.booking.availability.problem import Place, moment
from server.routing.pick import (
    BOOKED,
    CANCELLED,
    NO_SHOW,
    REASSIGNED,
    Candidate,
    Given,
    Pick,
    Policy,
    next_picks,
    tally,
)


def solve_pick(problem: Any, following: int = 1) -> Any:
    """`{"pick": id or None, "why": [...]}` of one problem, or a list of them for a list.

    With `following` above 1 also `"next": [ids]`: who would get the next meetings if all stayed as free as they are.
    Raises Invalid, naming the key, for what cannot be read.
    """
    if isinstance(problem, list):
        return [_solve(Place(one, f"[{index}]"), following) for index, one in enumerate(problem)]
    return _solve(Place(problem, ""), following)


def _solve(place: Place, following: int) -> dict[str, Any]:
    place.refuse_near_misses("policy", "period", "reps", "meetings")
    policy, reps = _policy(place.key("policy")), _candidates(place.key("reps"))
    period = place.key("period")
    start, end = moment(period.key("start")), moment(period.key("end"))
    if end < start:
        raise period.wrong("ends before it starts")
    meetings = [_given(meeting) for meeting in place.get("meetings", []).items()]
    standing = tally(policy, start, end, reps, meetings)
    return foretold(next_picks(policy, reps, standing, end, following), following)


def foretold(picks: Sequence[Pick], following: int) -> dict[str, Any]:
    """The first of these picks with its reasons, and with `following` above 1 who gets the others."""
    result: dict[str, Any] = {"pick": picks[0].rep, "why": reasons(picks[0])}
    if following > 1:
        result["next"] = [one.rep for one in picks if one.rep is not None]
    return result


def reasons(pick: Pick) -> list[dict[str, Any]]:
    """The standings as JSON; exact numbers as text such as 3/2."""
    return [
        {
            "rep": standing.rep,
            "picked": standing.picked,
            "count": str(standing.count),
            "shortfall": str(standing.shortfall),
            "because": standing.because,
        }
        for standing in pick.why
    ]


def _policy(place: Place) -> Policy:
    place.refuse_near_misses("kind", "max_lead", "credit_cancelled", "credit_no_show")
    max_lead = place.get("max_lead")
    return Policy(
        kind=place.key("kind").one_of("balanced", "availability", "strict"),
        max_lead=None if max_lead is None else max_lead.number(least=0),
        credit_cancelled=place.get("credit_cancelled", True).flag(),
        credit_no_show=place.get("credit_no_show", True).flag(),
    )


def _candidates(place: Place) -> list[Candidate]:
    found: dict[Any, Candidate] = {}
    for rep in place.items():
        rep.refuse_near_misses("free", "weight", "priority", "calibration")
        candidate = Candidate(
            id=rep.key("id").identifier(),
            free=rep.key("free").flag(),
            weight=rep.get("weight", 100).number(least=0),
            priority=rep.get("priority", 2).number(),
            calibration=rep.get("calibration", 0).number(),
        )
        if candidate.id in found:
            raise place.wrong(f"has two entries with the id {candidate.id!r}")
        found[candidate.id] = candidate
    if len({type(rep_id) for rep_id in found}) > 1:
        raise place.wrong("must have ids that are all texts or all numbers")
    return list(found.values())


def _given(place: Place) -> Given:
    return Given(
        rep=place.key("rep").identifier(),
        assigned_at=moment(place.key("assigned_at")),
        status=place.get("status", BOOKED).one_of(BOOKED, CANCELLED, NO_SHOW, REASSIGNED),
    )
