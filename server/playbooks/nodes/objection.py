"""`objection`: from here on, what to reply when the visitor raises one of these."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from server.config.schema import Identifier, Part
from server.expressions import LocaleText
from server.playbooks.node import Move, Node
from server.playbooks.turn import Turn


class Rebuttal(Part):
    """`says`: words that show the objection, in any language."""

    says: list[str] = Field(min_length=1)
    reply: LocaleText


class Objection(Node):
    """Keeps its objections in mind; the conversation replies to them whenever they come up and goes on where it was."""

    KEY: ClassVar[str] = "objection"

    objection: dict[Identifier, Rebuttal] = Field(min_length=1)

    def run(self, turn: Turn) -> Move:
        if self.id not in turn.memory.objections:
            turn.memory.objections.append(self.id)
        return self.on()
