"""Rewrites rows of time symbols by rules: a pattern over their letters, and what its tokens become."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from plugins.ai.rules.time_words import Token

# Letters that rules add: C clock time · t window of clock times · 0 stretch of days.
ALPHABET = "DMNOyHcCRXYxTLUWwPIig+EBJvFKAVQSGZohqpt&n!|la;.0uz"


@dataclass(frozen=True, slots=True)
class Frame:
    """What words are relative to: the visitor's local time, and whether "3/12" begins with the day."""

    now: datetime
    day_first: bool = True

    @property
    def today(self) -> date:
        return self.now.date()


Make = Callable[[Sequence[Token], Frame], Token | None]


class Grammar:
    """Rules `(letters, make)` in order of preference. `make` may return None: "not this after all"."""

    def __init__(self, *rules: tuple[str, Make]) -> None:
        self._rules = rules

    @cached_property
    def _starts(self) -> dict[str, list[tuple[re.Pattern[str], Make]]]:
        return {
            letter: [(re.compile(letters), make) for letters, make in self._rules if _may_start(letters, letter)]
            for letter in ALPHABET
        }

    def rewrite(self, tokens: Sequence[Token], frame: Frame) -> list[Token]:
        """One pass from the left; what no rule takes stays as it is."""
        letters = "".join(token.letter for token in tokens)
        result: list[Token] = []
        place = 0
        while place < len(tokens):
            made, size = self._first(tokens, letters, place, frame)
            result.append(made or tokens[place])
            place += size
        return result

    def _first(self, tokens: Sequence[Token], letters: str, place: int, frame: Frame) -> tuple[Token | None, int]:
        for compiled, make in self._starts.get(letters[place], ()):
            match = compiled.match(letters, place)
            if match and match.end() > place:
                made = make(tokens[place : match.end()], frame)
                if made is not None:
                    return made, match.end() - place
        return None, 1


def _may_start(letters: str, letter: str) -> bool:
    """Whether a row that begins with `letter` can meet the rule: a first atom, up to one that must be there."""
    for atom, optional in re.findall(r"(\[[^\]]*\]|\\?.)(\??)", letters):
        if letter in atom.strip("[]\\"):
            return True
        if not optional:
            return False
    return False
