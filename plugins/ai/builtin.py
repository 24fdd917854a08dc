"""The built-in understanding: rules for English, German, French and Spanish; nothing leaves the machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from plugins.ai import AI, Answer, Expect, Expectation, Passage, Understanding
from plugins.ai.rules import answering
from plugins.ai.rules.expected import take
from plugins.ai.rules.heard import Heard
from plugins.ai.rules.text import LANGUAGES
from plugins.ai.rules.verdict import judged

_LONGEST = 600
_SPACES = re.compile(r"[^\S\n]{2,}")


class BuiltinAI(AI):
    """Pure and deterministic: the same line in the same moment is always understood the same way.

    Of lines longer than 600 characters the beginning is read, so that nobody can keep the server busy with one message;
    TEXT answers keep the whole.
    """

    name = "builtin"
    title = "Built-in understanding"
    about = "Reads answers, questions and times in English, German, French and Spanish by rules, without any service."

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        _read_words()

    def understand(
        self, text: str, expectation: Expectation, *, locale: str, now: datetime, zone: str
    ) -> Understanding:
        heard = Heard(_SPACES.sub(" ", text[: 10 * _LONGEST])[:_LONGEST], expectation, locale, now, zone)
        understanding = judged(heard, take(heard))
        if expectation.kind is Expect.TEXT and understanding.matched:
            return replace(understanding, value=text.strip())
        return understanding

    def answer(self, question: str, passages: Sequence[Passage], *, locale: str) -> Answer | None:
        return answering.answer(question, passages, locale)


@cache
def _read_words() -> None:
    """Reads all word lists before the first visitor waits for them (half a second, once a process)."""
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for locale in LANGUAGES:
        heard = Heard("Ada, 0171 2345678, two or 3 hundred", Expectation(Expect.SLOT), locale, moment, "Europe/Berlin")
        judged(heard, take(heard))
    answering.answer("price", [Passage("", "", "", "price")], "en")
