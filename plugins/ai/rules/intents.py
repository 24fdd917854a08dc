"""What a visitor is doing: asking, objecting, wanting a person, booking, greeting. Read clause by clause."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from plugins.ai import Intent, Option
from plugins.ai.rules.options import plainly
from plugins.ai.rules.phrasebook import Hit, Phrasebook, book, plain
from plugins.ai.rules.text import Said, fold
from plugins.ai.rules.words import word_set

_CLAUSE = re.compile(r"[^.!?;,\n]+(?:[.,]\d+[^.!?;,\n]*)*[.!?;,\n]*")
_SMALL = word_set("small talk")
_OPENERS = word_set("openers")
# Question words in Spanish and French that without accent are other words: "como 50", "ou bien".
_ACCENTED = {
    "que": "qué",
    "como": "cómo",
    "cuando": "cuándo",
    "donde": "dónde",
    "quien": "quién",
    "ou": "où",
    "cual": "cuál",
}
_CONTROLS = {
    "person": Intent.PERSON,
    "reschedule": Intent.RESCHEDULE,
    "cancel": Intent.CANCEL,
    "book": Intent.BOOK,
}
_RETRACES = {"restart": Intent.RESTART, "back": Intent.BACK}
_SOCIAL = {"thanks": Intent.THANKS, "bye": Intent.BYE, "greeting": Intent.GREETING}


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of the folded text and whether it reads as a question."""

    start: int
    end: int
    question: bool


@dataclass
class Signals:
    """Everything a line says about what its writer is doing."""

    said: Said
    hits: list[Hit] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)

    @cached_property
    def question(self) -> bool:
        return any(clause.question for clause in self.clauses)

    @cached_property
    def statement(self) -> str:
        """The folded text with its questions blanked out; places stay the same."""
        text = self.said.folded
        for clause in self.clauses:
            if clause.question:
                text = text[: clause.start] + " " * (clause.end - clause.start) + text[clause.end :]
        return text

    @cached_property
    def control(self) -> Intent | None:
        """PERSON, RESCHEDULE, CANCEL or BOOK, when it is asked for and not denied."""
        for key, intent in _CONTROLS.items():
            if any(hit.key == key and self._meant(hit) for hit in self.hits):
                return intent
        return None

    @cached_property
    def social(self) -> Intent | None:
        """GREETING, THANKS or BYE, when the line says nothing else."""
        count = len(self.said.words)
        for key, intent in _SOCIAL.items():
            if self._cover(key, "greeting", "thanks", "polite") >= count - (1 if count > 3 else 0) and self._cover(key):
                return intent
        return None

    @cached_property
    def retrace(self) -> Intent | None:
        """BACK or RESTART, when the line says little else."""
        count = len(self.said.words)
        for key, intent in _RETRACES.items():
            if self._cover(key) and self._cover(key, "polite", "greeting") >= count - (1 if count > 2 else 0):
                return intent
        return None

    @cached_property
    def corrects(self) -> bool:
        """ "Sorry, I meant 50": what was said before is taken back."""
        return self._cover("wrong") > 0

    @cached_property
    def skip(self) -> bool:
        """ "I'd rather not say": a refusal that is most of the line."""
        count = len(self.said.words)
        covered = self._cover("skip")
        return bool(covered) and (covered * 2 >= count or (count <= 7 and covered >= 2))

    @cached_property
    def objection(self) -> bool:
        """A common objection, whether the playbook knows it or not."""
        return self._cover("objection") > 0

    @cached_property
    def unsure(self) -> bool:
        """Opens like an estimate: "maybe 50?"."""
        return any(hit.key == "unsure" and hit.start == 0 for hit in self.hits)

    def _cover(self, *keys: str) -> int:
        return len({place for hit in self.hits if hit.key in keys for place in range(hit.start, hit.end)})

    def _meant(self, hit: Hit) -> bool:
        """Not denied ("don't cancel"), and more than one word when asked about ("can I cancel any time?")."""
        if any(other.key == "not" and 0 <= hit.start - other.end <= 1 for other in self.hits):
            return False
        if hit.end - hit.start > 1:
            return True
        return len(self.said.words) <= (4 if self.question else 6)


def signals(said: Said) -> Signals:
    """Reads a line."""
    hits = book("intents").find(said.keys)
    clauses = [_clause(match, said, hits) for match in _CLAUSE.finditer(said.folded)]
    if len(said.words) <= 5 and plainly(said.keys):
        clauses = [Clause(clause.start, clause.end, question=False) for clause in clauses]
    return Signals(said, hits, clauses)


def objection_raised(said: Said, objections: Sequence[Option]) -> str:
    """The id of the playbook's objection whose words stand in the line, the longest first; "" when none do."""
    if not objections:
        return ""
    hits = _words_of(tuple(objections)).find(plain(said.folded))
    return max(hits, key=lambda hit: hit.end - hit.start).key if hits else ""


@lru_cache(maxsize=256)
def _words_of(objections: tuple[Option, ...]) -> Phrasebook:
    return Phrasebook((one.id, "", text) for one in objections for text in (*one.says, one.label) if text.strip())


def _clause(match: re.Match[str], said: Said, hits: list[Hit]) -> Clause:
    first = bisect_left(said.words, match.start(), key=lambda word: word.start)
    last = bisect_right(said.words, match.end(), key=lambda word: word.end) - 1
    own = [hit for hit in hits if first <= hit.start and hit.end <= last + 1]
    marked = "?" in match.group() or "¿" in said.original(match.start(), match.end())
    return Clause(match.start(), match.end(), last >= first and _asks(said, own, first, last, marked=marked))


def _asks(said: Said, own: list[Hit], first: int, last: int, *, marked: bool) -> bool:
    if not marked and any(hit.key == "statement" and hit.start <= first + 1 for hit in own):
        return False
    start = first
    while start < last and fold(said.words[start].text) in _OPENERS:
        start += 1
    opens = any(hit.key == "ask" and hit.start in (first, start) and _accented(said, hit, marked) for hit in own)
    if opens or any(hit.key == "asking" for hit in own):
        return True
    estimate = any(hit.key == "unsure" for hit in own)
    told = last - start >= (1 if said.words[start].text in _SMALL else 2)
    return marked and told and not estimate and not _only_numbers(said, start, last)


def _accented(said: Said, hit: Hit, marked: bool) -> bool:
    word = said.words[hit.start]
    if marked or hit.end - hit.start > 1 or word.text not in _ACCENTED:
        return True
    return said.original(word.start, word.end).lower() == _ACCENTED[word.text]


def _only_numbers(said: Said, first: int, last: int) -> bool:
    """ "50 to 60?" asks nothing."""
    return sum(word.text.isdigit() for word in said.words[first : last + 1]) * 2 >= last - first + 1
