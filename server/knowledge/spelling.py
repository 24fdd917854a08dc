"""A visitor's typing error and the word of the articles that was meant."""
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

SHORTEST = 4  # letters; shorter words are near to too many
_TRIED = 40


class Speller:
    """Knows the words of a folder by their trigrams."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = frozenset(words)
        self._by_trigram: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.words):
            for trigram in _trigrams(word):
                self._by_trigram[trigram].append(word)

    def nearest(self, word: str) -> str | None:
        """The known word within one error (two from nine letters on), or None. First letters are seldom wrong."""
        if len(word) < SHORTEST or word.isdigit():
            return None
        shared: Counter[str] = Counter()
        for trigram in _trigrams(word):
            shared.update(self._by_trigram.get(trigram, ()))
        likely = sorted(shared, key=lambda known: (-shared[known] / (len(known) + 1), known))[:_TRIED]
        most = 2 if len(word) >= 9 else 1
        near = [(_errors(word, known, most), place, known) for place, known in enumerate(likely)]
        errors, _, known = min(near, default=(most + 1, 0, ""))
        return known if errors <= most else None


def _trigrams(word: str) -> set[str]:
    framed = f"${word}$"
    return {framed[start : start + 3] for start in range(len(word))}


def _errors(word: str, known: str, most: int) -> int:
    """Letters added, left out, changed or swapped with their neighbour; `most` + 1 stands for more."""
    if len(known) < SHORTEST or abs(len(word) - len(known)) > most or word[0] not in known[:2]:
        return most + 1
    before: list[int] = []
    row = list(range(len(known) + 1))
    for i, letter in enumerate(word, 1):
        last, before, row = before, row, [i]
        for j, other in enumerate(known, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and word[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
