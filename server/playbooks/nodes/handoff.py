"""`handoff`: get a person into the chat, or say honestly that nobody is there."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from server.config.schema import Identifier
from server.expressions import LocaleText
from server.playbooks import people
from server.playbooks.node import Move, Node
from server.playbooks.turn import Turn


class Handoff(Node):
    """Hands the conversation to a queue; `routed` means whoever routing chose. The flow rests then; with `next` it
    goes on while the visitor waits, until a person takes over."""

    KEY: ClassVar[str] = "handoff"

    handoff: Identifier = Field(description="A queue of team.yml, or routed")
    text: LocaleText | None = None

    def run(self, turn: Turn) -> Move:
        to = people.somebody(turn, self.handoff)
        move = people.hand_over(turn, to, turn.text(self.text) if self.text else "")
        return replace(move, to=self.next or "", over=not self.next)
