"""Who gets this visitor (rules), and whose turn it is in a pool (fair pick). Decisions keep what they looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server import clock, events
from server.config import hours
from server.config.service import Version
from server.routing.pick import Pick
from server.routing.pools import candidates, in_force, members, policy_of, pool_of, still_members
from server.routing.replay import Replayed, replay, replay_all
from server.routing.schema import Routing, Rule, Target, Team
from server.routing.turns import (
    Rotation,
    Share,
    calibrate,
    pick,
    pick_trace,
    picks,
    rotation,
    simulate,
    who_may,
)

__all__ = [
    "BOOKING_ONLY", "NOBODY", "POOL", "QUEUE", "REP", "RESOURCE", "Decision", "Pick", "Replayed", "Rotation", "Share",
    "calibrate", "candidates", "decide", "in_force", "judge", "members", "pick", "pick_trace", "picks", "policy_of",
    "pool_of", "replay", "replay_all", "rotation", "simulate", "still_members", "who_may",
]  # fmt: skip

REP, POOL, QUEUE, RESOURCE, BOOKING_ONLY, NOBODY = "rep", "pool", "queue", "resource", "booking_only", "nobody"


@dataclass(frozen=True)
class Decision:
    """Where a visitor goes. `kind`: rep | pool | queue | resource | booking_only | nobody.

    `target` is the id of the rep, pool or queue, or the address of the resource. booking_only: the site is closed, so
    times are offered instead of the queue `target`. nobody: no rule matched. `rule` "" then.
    `otherwise`: kind and target of who meets the visitor when the rep `target` cannot, or has no time `within_hours`.
    """

    kind: str
    target: str
    reason: str
    rule: str = ""
    trace: Mapping[str, Any] = field(default_factory=dict)
    otherwise: tuple[str, str] | None = None
    within_hours: int | None = None


def decide(
    tx: Connection,
    version: Version,
    values: Mapping[str, Any],
    *,
    conversation_id: str | None,
    actor: events.Actor = events.BOT,
) -> Decision:
    """Ask the rules and record the decision with its trace."""
    decision = judge(version, values, clock.now())
    events.record(
        tx,
        events.LEAD_ROUTED,
        site_id=version.site_id,
        subject=("conversation", conversation_id or ""),
        actor=actor,
        trigger=decision.rule,
        reason=decision.reason,
        version_id=version.id,
        conversation_id=conversation_id,
        data={"kind": decision.kind, "target": decision.target},
        trace=decision.trace,
    )
    return decision


def judge(version: Version, values: Mapping[str, Any], at: datetime) -> Decision:
    """Ask the rules from the top, writing nothing: the first that says yes and leads to somebody decides."""
    looked_at: list[dict[str, Any]] = []
    for rule in version.part(Routing).rules:
        found = _asked(version, rule, values, looked_at)
        if found is not None:
            kind, target = _by_the_clock(version, *found, at, looked_at)
            trace = {"decision": "routing", "chosen": f"{rule.id}: {kind} {target}", "looked_at": looked_at}
            decision = Decision(kind, target, rule.reason or f"rule {rule.id}", rule.id, trace)
            return _with_otherwise(version, decision, rule, values)
    trace = {"decision": "routing", "chosen": NOBODY, "looked_at": looked_at}
    return Decision(NOBODY, "", "no rule of routing.yml matched", "", trace)


def _asked(
    version: Version, rule: Rule, values: Mapping[str, Any], looked_at: list[dict[str, Any]]
) -> tuple[str, str] | None:
    """The rule's target when it says yes and leads to somebody; what it saw goes into `looked_at`."""
    verdict = rule.when.judge(values) if rule.when else None
    answer, saw = (verdict.answer, verdict.saw) if verdict else ("yes", {})
    because = rule.when.text if rule.when else "always"
    looked_at.append({"name": rule.id, "answer": answer, "because": because, "saw": dict(saw)})
    if answer != "yes":
        return None
    for target in (rule.to, rule.else_to):
        found = _resolved(version, target, values) if target else None
        if found:
            return found
        if target:
            looked_at.append({"name": f"{rule.id}: {target.kind}", "answer": "no", "because": "nobody", "saw": {}})
    return None


def _with_otherwise(version: Version, decision: Decision, rule: Rule, values: Mapping[str, Any]) -> Decision:
    """A rep may have no time; who else meets the visitor then is known beforehand."""
    found = _resolved(version, rule.else_to, values) if rule.else_to and decision.kind == REP else None
    if found is None or found[0] not in (REP, POOL) or found == (decision.kind, decision.target):
        return decision
    return replace(decision, otherwise=found, within_hours=rule.within_hours)


def _resolved(version: Version, target: Target, values: Mapping[str, Any]) -> tuple[str, str] | None:
    team = version.part(Team)
    if target.kind == "csm":
        rep = team.rep_named(_get(values, "account", "csm"))
    elif target.owner:
        rep = team.rep_named(_get(values, target.owner, "owner"))
    elif target.rep:
        rep = team.rep_named(target.rep)
    else:
        return target.kind, getattr(target, target.kind)
    return (REP, rep.id) if rep else None


def _by_the_clock(
    version: Version, kind: str, target: str, at: datetime, looked_at: list[dict[str, Any]]
) -> tuple[str, str]:
    """After hours a queue means booking instead, where routing.yml (or the queue) says so."""
    if kind != QUEUE:
        return kind, target
    is_open = hours.is_open(version.site, at)
    after_hours = version.part(Team).queues_by_id[target].after_hours or version.part(Routing).after_hours
    looked_at.append(
        {
            "name": "opening hours",
            "answer": "yes" if is_open else "no",
            "because": f"after hours: {after_hours}",
            "saw": {},
        }
    )
    return (kind, target) if is_open or after_hours == "queue" else (BOOKING_ONLY, target)


def _get(values: Mapping[str, Any], *path: str) -> Any:
    found: Any = values
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
