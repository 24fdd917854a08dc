"""`route`: ask routing.yml who should take this visitor; book and handoff use the decision."""

from __future__ import annotations

from typing import ClassVar, Literal

from server.playbooks import routes
from server.playbooks.node import Move, Node
from server.playbooks.turn import Turn


class Route(Node):
    """Decides now, with what is known now, and keeps the decision with its trace."""

    KEY: ClassVar[str] = "route"

    route: Literal["default"]

    def run(self, turn: Turn) -> Move:
        routes.decide(turn)
        turn.reach("route")
        return self.on()
