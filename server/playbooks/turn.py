"""One turn of a conversation: what a node may see and do. Everything happens in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from plugins.ai import Understanding
from server import events
from server.config.version import Version
from server.conversations.service import Draft, Kept
from server.events import Actor
from server.expressions import Condition, LocaleText
from server.playbooks import contacts, questions
from server.playbooks.memory import Memory
from server.playbooks.questions import Found
from server.playbooks.rereading import Refused
from server.playbooks.values import Values, gather
from server.playbooks.words import word
from server.visitors import service as visitors
from server.visitors.service import Visitor


@dataclass(frozen=True)
class Heard:
    """What the visitor said: the number it is stored under, what it means, what the knowledge folder says to it."""

    seq: int = 0
    text: str = ""
    value: Mapping[str, Any] | None = None
    understanding: Understanding = field(default_factory=Understanding)
    answer: Found | None = None


class WantsToBeAlone(Exception):  # noqa: N818 - no error: the turn is taken again by itself
    """This turn changes more than its own conversation."""


class Turn:
    """What is said is collected in `drafts`, what changes on the conversation's row in `changes`, its qualification
    answers in `kept`, lines for the diary in `lines`, what the page is told in `announced`; whoever takes the turn
    writes them."""

    def __init__(
        self, tx: Connection, version: Version, conversation: Any, memory: Memory, *, in_company: bool = False
    ) -> None:
        self.look = tx  # for reading
        self.in_company = in_company  # other turns share the transaction
        self.version = version
        self.conversation = conversation
        self.memory = memory
        self.heard = Heard()
        self.lead_id: str | None = conversation.lead_id
        self.drafts: list[Draft] = []
        self.changes: dict[str, Any] = {}
        self.kept: list[Kept] = []
        self.lines: list[Mapping[str, Any]] = []
        self.announced: list[Mapping[str, Any]] = []
        self.anew = ""  # the question that is asked again although its answer is known
        self.learned = False  # something was told in this turn
        self.refused = Refused()  # holds that a look into the calendars has cost
        self.prepared: Mapping[str, Found] = {}  # answers to the playbook's own questions, looked up beforehand
        self.values: Values = gather(self)

    @property
    def tx(self) -> Connection:
        """The transaction, to change other rooms' things in. A turn in company has to be taken again, alone, for that:
        what fails there must not touch its neighbours, nor wait for rows while it holds theirs."""
        if self.in_company:
            raise WantsToBeAlone
        return self.look

    @cached_property
    def visitor(self) -> Visitor:
        """Whose browser it is; read only when somebody asks."""
        return visitors.get(self.look, self.conversation.visitor_id)

    @property
    def playbook_id(self) -> str:
        """The name of the playbook, "" when none fitted."""
        return str(self.changes.get("playbook", self.conversation.playbook))

    @property
    def locale(self) -> str:
        return str(self.conversation.locale)

    @property
    def zone(self) -> str:
        """The visitor's own time zone, the site's where the browser told none."""
        return str(self.changes.get("zone", self.conversation.zone)) or self.version.site.zone

    @property
    def visitor_actor(self) -> Actor:
        return Actor("visitor", self.conversation.visitor_id)

    @property
    def state(self) -> str:
        """bot, waiting_rep, rep or closed, as this turn leaves it."""
        return str(self.changes.get("state", self.conversation.state))

    def text(self, text: LocaleText) -> str:
        """A text of the folder in the visitor's language, its tokens filled in."""
        return text.in_locale(self.locale, self.version.site.locale).render(self.values).strip()

    def word(self, name: str, /, **values: str) -> str:
        """One of the bot's own sentences in the visitor's language."""
        spoken = (
            self.locale if self.locale.split("-")[0] in _base(self.version.site.languages) else self.version.site.locale
        )
        return word(name, spoken, **values)

    def say(
        self, text: str, *, part: Mapping[str, Any] | None = None, citations: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """Say something, with what is shown below it."""
        if text or part:
            name = self.version.site.brand.agent_name
            self.drafts.append(
                Draft(
                    "bot",
                    text,
                    name=name,
                    node=self.memory.node,
                    citations=citations,
                    part=dict(part) if part else None,
                )
            )

    def note(self, event: str, *, actor: Actor, **about: Any) -> None:
        """A line about this conversation for the diary."""
        of = self.conversation
        line = events.line(
            event,
            site_id=of.site_id,
            subject=("conversation", of.id),
            conversation_id=of.id,
            version_id=of.version_id,
            actor=actor,
            **about,
        )
        self.lines.append(line)

    def announce(self, name: str, **data: Any) -> None:
        """Tell the page that something happened (`event` of docs/protocol.md); it is told once, after the commit."""
        self.announced.append({"t": "event", "name": name, "data": data})

    def tell(self, question: str) -> bool:
        """Say what the knowledge folder says to a question, with its source; False when it says nothing."""
        return questions.tell(self, question)

    def judge(self, condition: Condition) -> str:
        """yes, no or unknown."""
        return condition.judge(self.values).answer

    def known(self, place: str) -> Any:
        """What is known under a place such as `account.employees`, from whomever; None when it is unknown."""
        value: Any = self.values
        for name in place.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return None if value == "" else value

    def save(self, place: str, value: Any, *, source: str, origin: str = "conversation") -> None:
        """Keep what the visitor told; a lead is met as soon as there is a way to reach them."""
        contacts.keep(self, {place: value}, source=source, origin=origin)

    def reach(self, goal: str) -> None:
        """One of the goals of a playbook has been reached."""
        if goal not in self.memory.reached:
            self.memory.reached.append(goal)


def _base(locales: Sequence[str]) -> set[str]:
    return {one.split("-")[0] for one in locales}
