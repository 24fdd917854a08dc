"""`say`: a message."""

from __future__ import annotations

from typing import ClassVar

from server.expressions import LocaleText
from server.playbooks.node import Move, Node
from server.playbooks.turn import Turn


class Say(Node):
    """Says `say` and goes on."""

    KEY: ClassVar[str] = "say"

    say: LocaleText

    def run(self, turn: Turn) -> Move:
        turn.say(turn.text(self.say))
        return self.on()
