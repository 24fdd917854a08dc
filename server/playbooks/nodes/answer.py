"""`answer`: says what the knowledge folder says about a question, with its source."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from server.expressions import LocaleText
from server.playbooks.node import Move, Node
from server.playbooks.turn import Turn


class Answer(Node):
    """Says the answer to the question `answer`; nothing when the folder holds none: it never makes one up."""

    KEY: ClassVar[str] = "answer"

    answer: LocaleText

    @model_validator(mode="after")
    def _the_same_for_everybody(self) -> Answer:
        if any(text.names() for text in self.answer.texts.values()):
            raise ValueError("found {{ … }} in the question of an answer, allowed a plain question")
        return self

    def question(self, locale: str, fallback: str) -> str:
        """The question in the visitor's language."""
        return self.answer.in_locale(locale, fallback).render({}).strip()

    def run(self, turn: Turn) -> Move:
        turn.tell(self.question(turn.locale, turn.version.site.locale))
        return self.on()
