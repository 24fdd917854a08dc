"""The words of numbers in four languages, folded: what each is worth and how it joins its neighbours."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from plugins.ai.rules.text import spellings
from plugins.ai.rules.words import lists, word_set

_RANK = ("add", "times", "few", "half", "and", "point", "article", "link")
# Also an article or a pronoun: a number only when a multiplier or little else stands beside it.
_WEAK = word_set("also articles")
# Means something else in another language, so a number only for a visitor of its own language.
_ELSEWHERE = word_set("other in other languages")


class Meaning(NamedTuple):
    """`kind` add, times, half, few, and, point, article or link; `weak`: not a number by itself."""

    kind: str
    value: float
    weak: bool


Lexicon = dict[str, Meaning]


@cache
def lexicon(language: str, *, native: bool) -> Lexicon:
    """Folded word → meaning. `native`: it is the visitor's own language."""
    found: Lexicon = {}
    for kind, value, words in reversed(_rows(language)):
        for spelt in (spelt for word in words for spelt in spellings(word)):
            found[spelt] = Meaning(kind, value, spelt in _WEAK or (spelt in _ELSEWHERE and not native))
    return found


@cache
def german_pieces() -> Lexicon:
    """What a long German number word is made of: "zweihundertfuenfzig" → zwei, hundert, fuenfzig; and "und"."""
    return {
        spelt: Meaning(kind, value, weak=False)
        for kind, value, words in _rows("de")
        if kind in ("add", "times", "and")
        for word in words
        if not word.startswith("eine") and not (kind == "times" and word.endswith("e"))
        for spelt in spellings(word)
    }


def _rows(language: str) -> list[tuple[str, float, tuple[str, ...]]]:
    rows = []
    for key, words in lists("numbers", language).items():
        kind, _, value = key.partition(" ")
        rows.append((kind, float(value or 1), words))
    return sorted(rows, key=lambda row: _RANK.index(row[0]))
