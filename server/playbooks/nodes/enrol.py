"""`enrol`: put the lead on a nurture stream."""

from __future__ import annotations

from typing import ClassVar

from server.config.schema import Identifier
from server.playbooks import contacts
from server.playbooks.node import Move, Node
from server.playbooks.turn import Turn


class Enrol(Node):
    """Enrols the lead; while nobody knows who the visitor is, as soon as an e-mail address or phone number is told."""

    KEY: ClassVar[str] = "enrol"

    enrol: Identifier

    def run(self, turn: Turn) -> Move:
        contacts.enrol(turn, self.enrol)
        turn.reach("enrol")
        return self.on()
