"""The index of one config version's passages: FTS5 ranks, then each candidate is weighed against the whole question.

Confidence is the share of the question that a passage covers. Every content word weighs between 1 (in every passage)
and 2 (in one), more in none at all: a word that nobody ever wrote counts fully against every passage; words met through
another word of the same meaning or through a corrected error count a little less. One of two words is not enough: a
word that nobody wrote weighs more than the rarest that somebody did, and CAUTION keeps a half below 0.5.
"""
from __future__ import annotations

import math
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from server.knowledge.languages import base
from server.knowledge.passages import Passage
from server.knowledge.spelling import Speller
from server.knowledge.words import content_words, fold, own_words, same_words, soft_words, stem, stems, terms, tokens

CANDIDATES = 30
NOWHERE = 2.3  # weight of a word that is in no passage
SOFT = 0.6  # weight of a word that says little, wherever it is
CAUTION = 1.1  # the share of the question that is covered, to this power, is the confidence
BY_MEANING = 0.9  # worth of a word met through one of the same meaning
BY_SPELLING = 0.9  # … through a corrected error
FOREIGN = 0.95  # worth of a passage in another language than the visitor's

_TABLE = "CREATE VIRTUAL TABLE passages USING fts5(body, head, language UNINDEXED, tokenize = 'unicode61')"
_RANK = """
    SELECT rowid, bm25(passages, 1.0, 2.0) AS rank FROM passages
    WHERE passages MATCH ? AND language = ? ORDER BY rank LIMIT ?
"""


@dataclass(frozen=True)
class Hit:
    """A passage and how much of the question it covers, 0..1; `terms` are the words of the question it was found by."""

    passage: Passage
    confidence: float
    terms: tuple[str, ...]

    @property
    def title(self) -> str:
        return self.passage.title

    @property
    def url(self) -> str:
        return self.passage.url


@dataclass(frozen=True)
class _Word:
    """A content word of the question: its stems with the worth of each, and its weight."""

    text: str
    worth: dict[str, float]
    weight: float

    def covered_by(self, terms: frozenset[str]) -> float:
        return max((worth for one, worth in self.worth.items() if one in terms), default=0.0)


@dataclass
class _Language:
    """What is known of the passages in one language."""

    passages: int = 0
    spread: Counter[str] = field(default_factory=Counter)  # stem → passages it is in
    forms: dict[str, str] = field(default_factory=dict)  # folded word as written → its stem
    same: dict[str, frozenset[str]] = field(default_factory=dict)
    speller: Speller = field(default_factory=lambda: Speller(()))


class Index:
    """Built once, then only read; safe to ask from many threads and greenlets."""

    def __init__(
        self, passages: Sequence[Passage], synonyms: Iterable[Iterable[str]] = (), empty: Iterable[str] = ()
    ) -> None:
        self.passages = list(passages)
        self.empty = frozenset(word for text in empty for word in terms(text, ""))
        self._terms: list[frozenset[str]] = []
        self._languages: dict[str, _Language] = {}
        self._lock = threading.Lock()
        self._table = sqlite3.connect(":memory:", check_same_thread=False)
        self._build([list(group) for group in synonyms])

    @property
    def languages(self) -> list[str]:
        """Those of its passages, most passages first."""
        return sorted(self._languages, key=lambda language: (-self._languages[language].passages, language))

    def search(self, question: str, locale: str, limit: int = 3) -> list[Hit]:
        """The best passages, best first: in the visitor's language, and in others where that one is not sure."""
        own = base(locale)
        hits = self._in_language(question, own, own)
        if not hits or hits[0].confidence < 0.5:
            for other in self.languages:
                if other != own:
                    hits += self._in_language(question, other, own)
        hits.sort(key=lambda hit: -hit.confidence)
        return hits[:limit]

    def _in_language(self, question: str, language: str, own: str) -> list[Hit]:
        known = self._languages.get(language)
        if known is None:
            return []
        asked = content_words(question, (own, language), self.empty)
        words = [_weigh(word, language, known, spell=language == own) for word in asked]
        total = sum(word.weight for word in words)
        wanted = {one for word in words for one in word.worth}
        if not wanted:
            return []
        factor = 1.0 if language == own else FOREIGN
        found = []
        for number, rank in self._candidates(language, wanted):
            covered = [(word, word.covered_by(self._terms[number])) for word in words]
            share = sum(word.weight * worth for word, worth in covered) / total
            met = tuple(word.text for word, worth in covered if worth)
            found.append((Hit(self.passages[number], round(share**CAUTION * factor, 4), met), rank))
        found.sort(key=lambda pair: (-pair[0].confidence, pair[1]))
        return [hit for hit, _ in found]

    def _candidates(self, language: str, wanted: set[str]) -> list[tuple[int, float]]:
        query = " OR ".join(f'"{one}"' for one in sorted(wanted))
        with self._lock:
            return self._table.execute(_RANK, (query, language, CANDIDATES)).fetchall()

    def _build(self, synonyms: list[list[str]]) -> None:
        self._table.execute(_TABLE)
        rows = []
        for number, passage in enumerate(self.passages):
            language = base(passage.locale)
            head = tokens(" ".join((passage.path, *passage.tags)))
            words = head + tokens(passage.text)
            found = stems(words, language)
            self._terms.append(frozenset(found))
            self._learn(language, words, found)
            rows.append((number, " ".join(found[len(head) :]), " ".join(found[: len(head)]), language))
        self._table.executemany("INSERT INTO passages (rowid, body, head, language) VALUES (?, ?, ?, ?)", rows)
        for language, known in self._languages.items():
            known.same = same_words(language, synonyms)
            same = {fold(word): stem(word, language) for word in own_words(language)}
            known.forms = {word: one for word, one in same.items() if _meanings(one, known, 1.0)} | known.forms
            known.speller = Speller(known.forms.keys() | soft_words(language))

    def _learn(self, language: str, words: list[str], found: list[str]) -> None:
        known = self._languages.setdefault(language, _Language())
        known.passages += 1
        known.spread.update(set(found))
        known.forms.update((fold(word), one) for word, one in zip(words, found, strict=True))


def _weigh(word: str, language: str, known: _Language, *, spell: bool) -> _Word:
    folded = fold(word)
    worth = _meanings(stem(word, language), known, 1.0) or _meanings(known.forms.get(folded, ""), known, 1.0)
    if not worth and spell and (meant := known.speller.nearest(folded)):
        folded = meant
        worth = _meanings(known.forms.get(meant, ""), known, BY_SPELLING)
    if folded in soft_words(language):
        return _Word(word, worth, SOFT)
    if not worth:
        return _Word(word, {}, NOWHERE)
    return _Word(word, worth, 1.0 + _rarity(max(known.spread[found] for found in worth), known.passages))


def _meanings(one: str, known: _Language, worth: float) -> dict[str, float]:
    """The stem and those of the same meaning, as far as any passage has them."""
    same = {other: worth * BY_MEANING for other in known.same.get(one, ()) if other in known.spread}
    return same | ({one: worth} if one in known.spread else {})


def _rarity(spread: int, passages: int) -> float:
    """0 for a word in every passage, 1 for one in a single passage or in none: inverse document frequency, scaled."""
    if passages < 2 or spread <= 1:
        return 1.0
    return math.log(passages / spread) / math.log(passages)
