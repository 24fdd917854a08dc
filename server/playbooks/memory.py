"""What a playbook remembers of one conversation: small JSON on its row, so that any process can go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.playbooks.page import page_of


@dataclass
class Memory:
    """Where the conversation is and what was told in it.

    `node`: id of the node that waits or comes next ("": the flow is over; "~…": an aside); `step`: what that node keeps
    for itself; `back`: where to go on after the aside; `values`: what this conversation told, by place ("lead.email").
    """

    node: str = ""
    waiting: bool = False
    tries: int = 0
    step: dict[str, Any] = field(default_factory=dict)
    back: dict[str, Any] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    criteria: dict[str, str] = field(default_factory=dict)  # criterion → met | not_met | unknown
    objections: list[str] = field(default_factory=list)
    account: str | None = None  # id of the company they say they are from
    company: dict[str, Any] = field(default_factory=dict)  # whose network they come from (server/playbooks/company.py)
    streams: list[str] = field(default_factory=list)  # to enrol in once we know who it is
    asked: list[str] = field(default_factory=list)  # questions that were answered, in order
    wishes: list[dict[str, Any]] = field(default_factory=list)  # for a time, said before times were on offer
    routed: dict[str, Any] | None = None
    whose: list[Any] = field(default_factory=list)  # what was known of the company when that was decided
    hold: str = ""
    meeting: str = ""
    reached: list[str] = field(default_factory=list)
    outcome: str = ""
    spoke: bool = False  # the visitor has said something
    met: list[str] = field(default_factory=list)  # playbooks that opened this conversation
    lead_is_theirs: bool = False  # the lead was first met through this visitor, so what it holds may be said to them
    page: dict[str, Any] = field(default_factory=dict)
    visit: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, engine: Mapping[str, Any]) -> Memory:
        """A copy from the row, so that what changes can be told; keys of other releases are passed over."""
        return cls(**{name: _copy(value) for name, value in engine.items() if name in _FRESH})

    def as_json(self) -> dict[str, Any]:
        """What goes on the row: nothing that is still as it was at the beginning."""
        return {name: value for name, value in self.__dict__.items() if value != _FRESH[name]}

    def company_values(self, least: int) -> dict[str, Any]:
        """What the company whose network they come from is taken to be: values that are `least` percent sure."""
        told = self.company.get("facts", {})
        return {name: value for name, (value, _, percent) in told.items() if percent >= least}

    def company_account(self, least: int) -> str | None:
        """Id of that company's account, if it is sure enough which company it is."""
        return (self.company.get("account") or None) if "domain" in self.company_values(least) else None

    def go_to(self, node: str) -> None:
        """The next node to run."""
        self.node, self.waiting, self.tries, self.step = node, False, 0, {}

    def step_aside(self, aside: str, **step: Any) -> None:
        """Do something beside the flow and come back to where it was. An aside within an aside takes its place."""
        if self.back is None:
            self.back = {"node": self.node, "waiting": self.waiting, "tries": self.tries, "step": self.step}
        self.go_to(aside)
        self.step = step

    def step_back(self) -> None:
        """The aside is over: be where the flow was."""
        back, self.back = self.back or {}, None
        self.node, self.waiting = back.get("node", ""), back.get("waiting", False)
        self.tries, self.step = back.get("tries", 0), back.get("step", {})

    def look_at(self, page: Mapping[str, Any]) -> None:
        """The page the visitor is on now."""
        self.page = page_of(page)


def _copy(value: Any) -> Any:
    """A copy of JSON; a tenth of what copy.deepcopy costs, and this is done for every message."""
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


_FRESH: dict[str, Any] = dict(Memory().__dict__)
