"""playbooks/*.yml: who a playbook is for, how it shows itself, and its nodes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from server.config.problems import shown, unknown_name
from server.config.schema import FolderPart, Part
from server.playbooks.audience import Audience
from server.playbooks.node import Node, Place
from server.playbooks.nodes import AnyNode

Goal = Literal["book", "handoff", "route", "enrol", "offer", "none"]


class Display(Part):
    """When the chat shows itself, and how."""

    after_seconds: int | None = Field(None, ge=0, description="Show after this many seconds on the page")
    scroll_percent: int | None = Field(None, ge=0, le=100)
    exit_intent: bool = False
    on_click: bool = Field(True, description="An element with data-usher-open opens it")
    hours: Literal["any", "open", "closed"] = Field("any", description="Only during, or only outside, opening hours")
    show: Literal["open", "teaser", "quiet"] = Field("teaser", description="Open the panel, show a teaser, or nothing")


class Playbook(FolderPart):
    """One file of playbooks/; its name is the file's."""

    FOLDER: ClassVar[str] = "playbooks"

    title: str = Field("", max_length=120)
    priority: int = Field(0, description="The highest one whose audience fits is chosen")
    traffic_percent: int = Field(
        100, ge=0, le=100, description="For this share of visitors; a visitor keeps their side"
    )
    audience: Audience = Audience()
    display: Display = Display()
    goal: Goal = "none"
    nodes: list[Annotated[Node, AnyNode]] = Field(min_length=1)

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """The nodes by their ids."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def after(self) -> dict[str, str]:
        """The id of the node that stands behind each one; "" behind the last."""
        ids = [node.id for node in self.nodes]
        return dict(zip(ids, [*ids[1:], ""], strict=True))

    @model_validator(mode="after")
    def _ids_hold_together(self) -> Playbook:
        faults = [*self._doubles(), *self._lost_targets()]
        if faults:
            raise ValidationError.from_exception_data("Playbook", faults)
        return self

    def _doubles(self) -> Iterator[InitErrorDetails]:
        seen: set[str] = set()
        for number, node in enumerate(self.nodes):
            if node.id in seen:
                yield _fault(("nodes", number, "id"), node.id, f"found {shown(node.id)} twice, allowed every id once")
            seen.add(node.id)

    def _lost_targets(self) -> Iterator[InitErrorDetails]:
        for number, node in enumerate(self.nodes):
            for place, target in node.targets():
                if target not in self.by_id:
                    reason = unknown_name(target, self.by_id, "a node of this playbook")
                    yield _fault(("nodes", number, *place), target, reason)


def _fault(place: Place, found: str, reason: str) -> InitErrorDetails:
    fault = PydanticCustomError("value_error", "{reason}", {"reason": reason})
    return InitErrorDetails(type=fault, loc=place, input=found)
