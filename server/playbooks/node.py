"""What every node of a playbook is: an id, a successor, and what it does when the conversation comes by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from plugins.ai import Expectation, Understanding
from server.config.schema import Identifier, Part

if TYPE_CHECKING:
    from server.playbooks.memory import Memory
    from server.playbooks.turn import Turn

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Move:
    """Where the conversation goes after a node: to `to` ("" = the next in order), or it `waits` for the visitor, or the
    flow is `over`. `aside`: first do this beside the flow, with `step` for it to remember."""

    to: str = ""
    waits: bool = False
    over: bool = False
    aside: str = ""
    step: Mapping[str, Any] = field(default_factory=dict)


ON = Move()
WAIT = Move(waits=True)
OVER = Move(over=True)


class Node(Part):
    """One step. A node type is one file in nodes/ with one subclass whose `KEY` is the key that names it in the folder.

    A node that waits says what it expects (`expectation`), takes what was understood (`hear`) or a button, slot or form
    (`use`), and repeats its question after an interruption (`ask_again`).
    """

    KEY: ClassVar[str] = ""

    id: Identifier
    next: Identifier | None = Field(None, description="The id of the node to go on with; without it, the next in order")

    def run(self, turn: Turn) -> Move:
        """Do what this node does when the conversation arrives here."""
        raise NotImplementedError

    def expectation(self, memory: Memory, locale: str) -> Expectation:
        """What would be a fitting answer while this node waits. Asked before the transaction, without database."""
        return Expectation()

    def hear(self, turn: Turn) -> Move:
        """The visitor answered in words; `turn.heard.understanding` has what was meant, matched or not."""
        return self.on()

    def use(self, turn: Turn, value: Mapping[str, Any]) -> Move | None:
        """The visitor used a button, slot or form of this node. None when the value does not belong here."""
        return None

    def wants(self, understanding: Understanding) -> bool:
        """Is a message that answers nothing and means something else still for this node, as a wish for a time is?"""
        return False

    def ask_again(self, turn: Turn, *, lost: bool = False) -> None:
        """Say the open question once more, briefly, with its buttons. `lost`: the bot has just said that it does not
        know something, so a person and an e-mail are on offer too."""

    def targets(self) -> Iterator[tuple[Place, str]]:
        """Every node id that this node may go to, with its place in the file below the node."""
        if self.next:
            yield ("next",), self.next

    def on(self) -> Move:
        """Go on as the folder says."""
        return Move(self.next or "")
