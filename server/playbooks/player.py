"""Plays one conversation of tests/*.yml the way a browser would, through the service that real visitors talk to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from server.conversations import service as conversations
from server.db import Database
from server.errors import UsherError
from server.playbooks import service as playbooks
from server.playbooks.memory import Memory
from server.playbooks.service import Hello
from server.playbooks.stories import Reply, Step, Story
from server.visitors.service import Arrival

SEED = "rehearsal"
_ZONE = "Europe/Berlin"


class Unexpected(Exception):
    """The story went another way; `where` is the place of the step below its story."""

    def __init__(self, where: tuple[int | str, ...], message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


@dataclass
class Player:
    """Plays one story on an empty stage."""

    db: Database
    site: str
    story: Story
    conversation_id: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)  # what the bot said, in order
    unread: list[dict[str, Any]] = field(default_factory=list)  # of these, what no step has looked at yet
    transcript: list[str] = field(default_factory=list)

    def play(self) -> None:
        """Raises Unexpected at the first step that does not go as written."""
        self._arrive()
        for number, step in enumerate(self.story.steps):
            if step.bot is not None:
                self._listen(step, number)
            elif step.visitor is not None:
                self._say(step.visitor, number)
        self._look_back()

    def _arrive(self) -> None:
        story, page = self.story, self.story.page
        url = f"https://{self.site}.example{page.path}"
        arrival = Arrival(
            device=story.device,
            locale=story.locale or "",
            zone=story.zone or _ZONE,
            seed=SEED,
            page={"url": url, **page.model_dump()},
            visit={"count": story.visits, "pages": []},
            data=story.data,
        )
        opened = playbooks.open(self.db, Hello(self.site, arrival, known=story.given))
        self.conversation_id = opened.conversation_id
        self._hear(opened.messages)

    def _hear(self, messages: list[dict[str, Any]]) -> None:
        said = [message for message in messages if message["author"] == "bot"]
        self.heard += said
        self.unread = said
        self.transcript += [f"bot: {_readable(message)}" for message in said]

    def _listen(self, step: Step, number: int) -> None:
        """One of the unread messages must hold what is expected; those before it count as read."""
        for at, message in enumerate(self.unread):
            if _holds(_readable(message), step.bot or ""):
                self.unread = self.unread[at + 1 :]
                return
        self._fail(("steps", number, "bot"), f'the bot should have said "{step.bot}"')

    def _say(self, said: str | Reply, number: int) -> None:
        where = ("steps", number, "visitor")
        text, value = (said, None) if isinstance(said, str) else self._reply(said, where)
        self.transcript.append(f"visitor: {text}")
        try:
            outcome = playbooks.hear(self.db, self.conversation_id, f"step-{number}", text, value)
        except UsherError as refused:
            self._fail(where, f"the message was refused: {refused.message}")
        self.conversation_id = outcome.conversation_id
        self._hear([frame["message"] for frame in outcome.frames if frame["t"] == "message"])

    def _reply(self, reply: Reply, where: tuple[int | str, ...]) -> tuple[str, dict[str, Any]]:
        if reply.slot is not None:
            return self._choose_slot(reply.slot, where)
        if reply.form is not None:
            return ", ".join(reply.form.values()), {"form": reply.form}
        if reply.action is not None:
            return reply.action, {"action": reply.action}
        chosen = [reply.option] if reply.option is not None else reply.options or []
        labels = {one["id"]: one["label"] for one in (self._part("choices", where).get("options") or ())}
        text = ", ".join(labels.get(one, one) for one in chosen)
        return text, {"option": chosen[0]} if reply.option is not None else {"options": chosen}

    def _choose_slot(self, number: int, where: tuple[int | str, ...]) -> tuple[str, dict[str, Any]]:
        part = self._part("slots", where)
        of_days = [start for day in part["days"] for start in day["slots"]]
        offered = list(dict.fromkeys([*part["suggested"], *of_days]))
        if number > len(offered):
            self._fail(where, f"only {len(offered)} times were offered")
        return offered[number - 1], {"slot": offered[number - 1], "meeting": part["meeting"]}

    def _part(self, kind: str, where: tuple[int | str, ...]) -> Mapping[str, Any]:
        """The newest part of this kind that the bot has shown."""
        parts = [message["part"] for message in self.heard if (message["part"] or {}).get("kind") == kind]
        if not parts:
            self._fail(where, f"the bot has shown no {kind}")
        return dict(parts[-1])

    def _look_back(self) -> None:
        """Goal, queue, playbook and answers, as they are at the end."""
        with self.db.reading() as tx:
            row = conversations.get(tx, self.conversation_id)
            answers = {one.criterion: one.status for one in conversations.answers_of(tx, row.id)}
        memory, story = Memory.of(row.engine), self.story
        reached = [*memory.reached, memory.outcome or "none"]
        routed = row.queue or playbooks.where_to(self.db, row.id).target
        if story.playbook and row.playbook != story.playbook:
            self._fail(("playbook",), f'expected "{story.playbook}", got "{row.playbook or "none"}"')
        if story.goal and story.goal not in reached:
            self._fail(("goal",), f'expected "{story.goal}", reached: {", ".join(reached)}')
        if story.queue and story.queue != routed:
            self._fail(("queue",), f'expected "{story.queue}", got "{routed or "nobody"}"')
        for criterion, status in story.answers.items():
            if answers.get(criterion, "unknown") != status:
                got = answers.get(criterion, "not asked")
                self._fail(("answers", criterion), f'expected "{status}", got "{got}"')

    def _fail(self, where: tuple[int | str, ...], message: str) -> NoReturn:
        raise Unexpected(where, "\n    ".join([message, *self.transcript]))


def _readable(message: Mapping[str, Any]) -> str:
    """A message as a person sees it: its words, then what is on its buttons and cards."""
    part = message["part"] or {}
    labels = [one["label"] for one in part.get("options", ()) if part.get("kind") == "choices"]
    shown = [str(part["title"])] if part.get("kind") == "offer" and part["title"] not in message["text"] else []
    return " | ".join([" ".join(str(message["text"]).split()), *shown, *labels])


def _holds(said: str, expected: str) -> bool:
    """Part of what was said, or a /regular expression/; upper and lower case are the same."""
    if len(expected) > 2 and expected.startswith("/") and expected.endswith("/"):
        return re.search(expected[1:-1], said, re.IGNORECASE) is not None
    return " ".join(expected.split()).casefold() in said.casefold()
