"""Finds known phrases in a line in one walk over its words, however many phrases there are.

Phrases stand in `words/`: "(a/b)" is a choice, "(a/)" may be left out, "_" is any one word. Apostrophes do not count:
"don't" and "dont" are the same word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from plugins.ai.rules.text import LANGUAGES, bare, spellings
from plugins.ai.rules.words import lists

_CHOICE = re.compile(r"\(([^)]*)\)")


class Hit(NamedTuple):
    """A phrase of `key` in `language` from word `start` up to, not including, word `end`."""

    key: str
    language: str
    start: int
    end: int


class _Branch:
    __slots__ = ("ends", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Branch] = {}
        self.ends: list[tuple[str, str]] = []


class Phrasebook:
    """Phrases of all languages of one topic."""

    def __init__(self, entries: Iterable[tuple[str, str, str]]) -> None:
        self._root = _Branch()
        for key, language, phrase in entries:
            for words in _expanded(phrase):
                self._plant(words, key, language)

    def find(self, words: Sequence[str]) -> list[Hit]:
        """Every phrase in the words (as `plain` gives them), overlapping ones too, by place."""
        hits: list[Hit] = []
        first = self._root.next
        for start, word in enumerate(words):
            if word not in first and "_" not in first:
                continue
            branches = [self._root]
            for place in range(start, len(words)):
                branches = [found for branch in branches for found in _step(branch, words[place])]
                if not branches:
                    break
                hits += [Hit(*end, start, place + 1) for branch in branches for end in branch.ends]
        return hits

    def _plant(self, words: Sequence[str], key: str, language: str) -> None:
        branch = self._root
        for word in words:
            branch = branch.next.setdefault(word, _Branch())
        if (key, language) not in branch.ends:
            branch.ends.append((key, language))


def plain(folded: str) -> list[str]:
    """Words without apostrophes: "j'ai" is "jai"."""
    return bare(folded.replace("'", "")).split()


@cache
def book(topic: str) -> Phrasebook:
    """The phrasebook of `words/<topic>.<language>.txt`, read once."""
    return Phrasebook(
        (key, language, phrase)
        for language in LANGUAGES
        for key, phrases in lists(topic, language).items()
        for phrase in phrases
    )


def _step(branch: _Branch, word: str) -> list[_Branch]:
    found = [branch.next[word]] if word in branch.next else []
    if "_" in branch.next:
        found.append(branch.next["_"])
    return found


def _expanded(phrase: str) -> set[tuple[str, ...]]:
    """All ways to say it, as words."""
    pieces = _CHOICE.split(phrase)
    choices = [piece.split("/") if place % 2 else [piece] for place, piece in enumerate(pieces)]
    said: set[tuple[str, ...]] = set()
    for way in product(*choices):
        for spelt in spellings("".join(way).replace("'", "").replace("’", "")):
            said.add(tuple(re.findall(r"_|[^\W_]+", spelt)))
    return said
