"""`set`: keep values that the playbook knows without asking."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from server.expressions import Template
from server.playbooks.node import Move, Node
from server.playbooks.places import checked, full
from server.playbooks.turn import Turn

Value = bool | int | float | Template | list[str]


class Set(Node):
    """Keeps each value under its name; texts may hold {{ tokens }}. An empty text keeps nothing."""

    KEY: ClassVar[str] = "set"

    set: dict[Annotated[str, AfterValidator(checked)], Value] = Field(min_length=1)

    def run(self, turn: Turn) -> Move:
        for place, value in self.set.items():
            told = value.render(turn.values) if isinstance(value, Template) else value
            if told != "":
                turn.save(full(place), told, source=f"playbook {turn.playbook_id}")
        return self.on()
