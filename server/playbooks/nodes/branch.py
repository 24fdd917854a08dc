"""`branch`: the first arm whose condition is yes. What is not known is not no (product.md, invariant 11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, model_validator

from server.config.schema import Identifier, Part
from server.expressions import Expression
from server.playbooks.node import Move, Node, Place
from server.playbooks.turn import Turn


class Arm(Part):
    """Without `when`, the arm for everybody else."""

    when: Expression | None = None
    next: Identifier


class Branch(Node):
    """Goes to the first arm that is yes; when none is and one is unknown, to `unknown` if that is given; else to the
    arm without `when`, or on."""

    KEY: ClassVar[str] = "branch"

    branch: list[Arm] = Field(min_length=1)
    unknown: Identifier | None = Field(None, description="Where to go when no arm is yes and one cannot be told")

    @model_validator(mode="after")
    def _only_the_last_for_everybody(self) -> Branch:
        if any(arm.when is None for arm in self.branch[:-1]):
            raise ValueError("found an arm without `when` before the last, allowed only as the last one")
        return self

    def run(self, turn: Turn) -> Move:
        seen = set()
        for arm in self.branch:
            if arm.when is not None:
                seen.add(turn.judge(arm.when))
                if "yes" in seen:
                    return Move(arm.next)
        if self.unknown and "unknown" in seen:
            return Move(self.unknown)
        last = self.branch[-1]
        return Move(last.next) if last.when is None else self.on()

    def targets(self) -> Iterator[tuple[Place, str]]:
        yield from super().targets()
        if self.unknown:
            yield ("unknown",), self.unknown
        for number, arm in enumerate(self.branch):
            yield ("branch", number, "next"), arm.next
