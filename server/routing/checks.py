"""What team.yml, segments.yml and routing.yml say of each other must exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from server.config.problems import Problem, unknown_name
from server.config.version import Version
from server.routing.schema import Routing, Rule, Segments, Target, Team

Loc = tuple[int | str, ...]
_ONE_PERSON = ("csm", "owner", "rep")


def check_team(version: Version) -> list[Problem]:
    """Members of pools and queues are reps; weights and priorities are of members; one counter, one way to count."""
    team = version.part(Team)
    problems: list[Problem] = []
    lists = [("pools", [pool.members for pool in team.pools]), ("queues", [queue.members for queue in team.queues])]
    for kind, entries in lists:
        for number, members in enumerate(entries):
            problems += _unknown(version, Team.FILE, (kind, number, "members"), members, team.reps_by_id, "a rep")
    for number, pool in enumerate(team.pools):
        for key in ("weights", "priorities"):
            for name in getattr(pool, key):
                if name not in pool.members:
                    wrong = unknown_name(name, pool.members, "a member of this pool")
                    problems.append(version.problem(Team.FILE, ("pools", number, key, name), wrong))
        if pool.counter and not _same_period(team, pool.counter):
            wrong = f'found pools with the counter "{pool.counter}" and other periods, allowed one period and zone'
            problems.append(version.problem(Team.FILE, ("pools", number, "counter"), wrong))
    return problems


def check_segments(version: Version) -> list[Problem]:
    """Owners and customer success people are reps; criteria are those of the framework."""
    segments, reps = version.part(Segments), version.part(Team).reps_by_id
    criteria = [criterion.id for criterion in segments.criteria]
    problems: list[Problem] = []
    for number, segment in enumerate(segments.segments):
        where: Loc = ("segments", number, "criteria")
        problems += _unknown(version, Segments.FILE, where, segment.criteria, criteria, "a criterion of the framework")
    for number, target in enumerate(segments.targets):
        if target.owner and target.owner not in reps:
            where = ("targets", number, "owner")
            problems.append(version.problem(Segments.FILE, where, unknown_name(target.owner, reps, "a rep")))
    for number, customer in enumerate(segments.customers):
        if customer.csm and customer.csm not in reps:
            where = ("customers", number, "csm")
            problems.append(version.problem(Segments.FILE, where, unknown_name(customer.csm, reps, "a rep")))
    return problems


def check_routing(version: Version) -> list[Problem]:
    """Targets exist; a rule that falls through says to whom; only the last rule may match everybody, or the rules
    behind it never get their turn."""
    rules = version.part(Routing).rules
    problems: list[Problem] = []
    for number, rule in enumerate(rules):
        for key, target in (("to", rule.to), ("else_to", rule.else_to)):
            if target is not None:
                problems += _lost_target(version, ("rules", number, key), target)
        if wrong := _no_fall_through(rule):
            problems.append(version.problem(Routing.FILE, ("rules", number, "within_hours"), wrong))
        if rule.when is None and number < len(rules) - 1 and rule.to.kind not in ("csm", "owner"):
            wrong = f'found no condition, so the rules after "{rule.id}" are never asked; allowed in the last rule only'
            problems.append(version.problem(Routing.FILE, ("rules", number), wrong))
    return problems


def _no_fall_through(rule: Rule) -> str:
    """What is wrong with `within_hours`: it is about one person, and somebody else has to be named."""
    if rule.within_hours is None:
        return ""
    if rule.to.kind not in _ONE_PERSON:
        return f"found it for a {rule.to.kind}, allowed where `to` is one person: csm, owner or rep"
    if rule.else_to is None or rule.else_to.kind not in (*_ONE_PERSON, "pool"):
        return "found nobody to fall back on, allowed with `else_to` a pool, csm, owner or rep"
    return ""


def _lost_target(version: Version, where: Loc, target: Target) -> list[Problem]:
    team = version.part(Team)
    for kind, known in (("rep", team.reps_by_id), ("pool", team.pools_by_id), ("queue", team.queues_by_id)):
        name = getattr(target, kind)
        if name is not None and name not in known:
            return [version.problem(Routing.FILE, (*where, kind), unknown_name(name, known, f"a {kind}"))]
    return []


def _unknown(
    version: Version, file: str, where: Loc, names: Sequence[str], known: Iterable[str], kind: str
) -> list[Problem]:
    known = list(known)
    return [
        version.problem(file, (*where, number), unknown_name(name, known, kind))
        for number, name in enumerate(names)
        if name not in known
    ]


def _same_period(team: Team, counter: str) -> bool:
    sharing = [pool for pool in team.pools if pool.account == counter]
    return len({(pool.period, pool.rolling_days, pool.zone) for pool in sharing}) == 1
