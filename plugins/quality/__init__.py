"""How well an adapter is proven: what the conformance kit found, kept as a file in the package that has the adapter.

Ours lie in this folder, one for each adapter; a package of somebody else's has them in its own folder `quality`.
`python -m plugins.testing.quality` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class Tier(StrEnum):
    """GOLD: all that applies to the adapter was held. SILVER: its author left something out. BRONZE: something is known
    to fail. UNPROVEN: there is no report, or it is one of another kit."""

    GOLD = "gold"
    SILVER = "silver"
    BRONZE = "bronze"
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class Quality:
    """What was held of an adapter, rule by rule, all runs of the kit together; reasons by rule. `said`: what its author
    says is special about the service. `rules` are all rules there were."""

    done: tuple[str, ...] = ()
    exempt: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    failing: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def tier(self) -> Tier:
        if not self.done:
            return Tier.UNPROVEN
        if self.failing:
            return Tier.BRONZE
        return Tier.SILVER if self.left_out else Tier.GOLD

    @property
    def rules(self) -> frozenset[str]:
        return frozenset((*self.done, *self.exempt, *self.left_out, *self.failing))


STATES = ("failing", "done", "left_out", "exempt")
"""How one rule may stand, the one that counts first: a rule held in one run is held, one that fails somewhere fails."""


def read(kind: str, name: str, target: str) -> Quality:
    """The quality of the adapter at `target` ("module:Class"), without importing it; empty without a report."""
    try:
        file = place(kind, name, target)
        return merged(json.loads(file.read_text()) if file else {})
    except (OSError, ValueError, TypeError, AttributeError):
        return Quality()


def place(kind: str, name: str, target: str) -> Path | None:
    """Where the report lies or would lie; None for a module that is no part of a package."""
    package = target.partition(":")[0].partition(".")[0]
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "quality" / f"{kind}.{name}.json"


def merged(report: Mapping[str, Mapping[str, Any]]) -> Quality:
    """All runs of a report as one."""
    runs = list(report.values())
    reasons: dict[str, dict[str, str]] = {state: {} for state in STATES}
    for rule in sorted({rule for run in runs for state in STATES for rule in _rules(run, state)}):
        state = next(state for state in STATES if any(rule in _rules(run, state) for run in runs))
        given = [run[state] for run in runs if rule in _rules(run, state)]
        reasons[state][rule] = next((str(one[rule]) for one in given if isinstance(one, dict)), "")
    said = {name: str(why) for run in runs for name, why in run.get("said", {}).items()}
    done = tuple(reasons.pop("done"))
    return Quality(done=done, said=said, **reasons)


def _rules(run: Mapping[str, Any], state: str) -> Iterable[str]:
    return run.get(state, ())
