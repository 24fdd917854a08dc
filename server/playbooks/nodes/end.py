"""`end`: the playbook has said its piece. The visitor may go on asking; the bot still answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from server.expressions import LocaleText
from server.playbooks.node import OVER, Move, Node
from server.playbooks.turn import Turn


class End(Node):
    """Says `end` and ends the flow with an outcome."""

    KEY: ClassVar[str] = "end"

    end: LocaleText
    outcome: Literal["booked", "qualified", "not_a_fit", "nurture", "none"] = "none"

    def run(self, turn: Turn) -> Move:
        turn.say(turn.text(self.end))
        turn.memory.outcome = self.outcome
        return OVER
