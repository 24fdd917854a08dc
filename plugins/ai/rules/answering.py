"""Answers from passages: the sentences that say it, word for word, with where they stand; never a word more."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import Stemmer

from plugins.ai import Answer, Passage
from plugins.ai.rules.spelling import near
from plugins.ai.rules.text import LANGUAGES, fold
from plugins.ai.rules.words import lists

_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?!\s|$|[\"')»”])[^\n.!?]*)*[.!?]*[\"')»”]*")
_WORD = re.compile(r"[^\W_]+")
_STEMMERS = {"en": "english", "de": "german", "fr": "french", "es": "spanish"}
_ENOUGH = 0.5
_LONGEST = 420


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence as it stands in a passage: `passage.text[start:end]`."""

    passage: Passage
    start: int
    end: int
    covered: float

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


def answer(question: str, passages: Sequence[Passage], locale: str) -> Answer | None:
    """One to three sentences of the passages that cover the question, or None."""
    chosen = quotes(question, passages, locale)
    if not chosen:
        return None
    text = " ".join(" ".join(quote.text.split()) for quote in chosen)
    sources = tuple(dict.fromkeys(quote.passage.id for quote in chosen))
    return Answer(text, sources, round(min(1.0, chosen[0].covered), 3))


def quotes(question: str, passages: Sequence[Passage], locale: str) -> list[Quote]:
    """The sentences of an answer in reading order, each with its place; [] when the question is not covered."""
    wanted = _stems(question, locale)
    if not wanted or not passages:
        return []
    rows = [(passage, start, end) for passage in passages for start, end in sentences(passage.text)]
    stems = [_stems(passage.text[start:end], locale) for passage, start, end in rows]
    weights = _weights(wanted, stems)
    scored = [
        Quote(passage, start, end, _covered(wanted, have, _stems(passage.title, locale), weights))
        for (passage, start, end), have in zip(rows, stems, strict=True)
    ]
    best = max(scored, key=lambda quote: (quote.covered, quote.passage.score), default=None)
    if best is None or best.covered < _ENOUGH:
        return []
    return _with_neighbours(best, scored, wanted, stems, weights)


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a text begins and ends; headings and list items count as sentences."""
    found = []
    for match in _SENTENCE.finditer(text):
        piece = match.group()
        start = match.start() + len(piece) - len(piece.lstrip(" \t#*->•"))
        end = match.end() - (len(piece) - len(piece.rstrip()))
        if end - start > 1 and any(character.isalnum() for character in text[start:end]):
            found.append((start, end))
    return found


def _weights(wanted: frozenset[str], stems: list[frozenset[str]]) -> dict[str, float]:
    """Rare words tell more than those in every sentence."""
    there = Counter(word for have in stems for word in wanted if word in have)
    return {word: 1 + math.log((len(stems) + 1) / (there[word] + 1)) / 3 for word in wanted}


def _covered(wanted: frozenset[str], have: frozenset[str], title: frozenset[str], weights: dict[str, float]) -> float:
    """Share of the question's words in the sentence; a word that only the title has counts half."""
    total = sum(weights.values())
    got = sum(weights[word] for word in wanted if _has(word, have))
    titled = sum(weights[word] / 2 for word in wanted if not _has(word, have) and _has(word, title))
    return (got + titled) / total if got else 0.0


def _has(word: str, have: frozenset[str]) -> bool:
    return word in have or (len(word) > 4 and any(word[0] == other[0] and near(word, other) for other in have))


def _with_neighbours(
    best: Quote, scored: list[Quote], wanted: frozenset[str], stems: list[frozenset[str]], weights: dict[str, float]
) -> list[Quote]:
    """The best sentence, and up to two more that say what it leaves open, in reading order."""
    chosen = [best]
    missing = {word for word in wanted if not _has(word, stems[scored.index(best)])}
    ranked = sorted(range(len(scored)), key=lambda place: -scored[place].covered)
    for place in ranked:
        quote = scored[place]
        adds = sum(weights[word] for word in missing if _has(word, stems[place]))
        size = sum(len(one.text) for one in chosen)
        if quote is best or len(chosen) > 2 or size + len(quote.text) > _LONGEST:
            continue
        if adds and quote.covered >= 0.3 or (quote.covered > 0.8 * best.covered and quote.passage is best.passage):
            chosen.append(quote)
            missing -= stems[place]
    order = {id(quote): place for place, quote in enumerate(scored)}
    return sorted(chosen, key=lambda quote: order[id(quote)])


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(_STEMMERS[language])


@lru_cache(maxsize=4096)  # the sentences of articles are asked for again and again
def _stems(text: str, locale: str) -> frozenset[str]:
    language = locale[:2] if locale[:2] in _STEMMERS else "en"
    words = [word for word in _WORD.findall(fold(text)) if word not in _empty() and (len(word) > 1 or word.isdigit())]
    alike = _synonyms()
    return frozenset(alike.get(stem, stem) for stem in _stemmer(language).stemWords(words))


@cache
def _empty() -> frozenset[str]:
    """Words that say nothing by themselves, in all languages."""
    return frozenset(fold(word) for language in LANGUAGES for word in lists("knowledge", language)["empty"])


@cache
def _synonyms() -> dict[str, str]:
    """Stem → the stem that stands for its group: "cost", "price" and "pricing" are one."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for key, group in lists("knowledge", language).items():
            if key != "empty":
                stems = _stemmer(language).stemWords([fold(word) for word in group])
                found.update(dict.fromkeys(stems, f"={key}"))
    return found
