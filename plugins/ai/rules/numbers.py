"""Numbers anywhere in a line, in digits and in words: "12k", "two hundred and fifty", "une trentaine"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.ai.rules import digits
from plugins.ai.rules.number_words import Lexicon, german_pieces, lexicon
from plugins.ai.rules.words import word_set

_WORD = re.compile(r"[^\W\d_]+")
_JOIN = re.compile(r"[\s-]*")
_MAX = 1e15
_VAGUE = word_set("vague")


@dataclass(frozen=True, slots=True)
class Number:
    """A number and its place in the folded text. `weak`: a word that is more often no number ("one", "un", "ein").

    `scale`: the multiplier it ends with, which a number before may share ("2 or 3 hundred").
    """

    value: float
    start: int
    end: int
    weak: bool = False
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: float
    start: int
    end: int
    weak: bool = False


def numbers(folded: str, order: tuple[str, ...]) -> list[Number]:
    """All numbers in order of appearance, words read in the language of `order` that explains most."""
    best: list[Number] = list(_runs(folded, {}))
    for language in order:
        words = lexicon(language, native=language == order[0])
        found = list(_runs(folded, words, german=language == "de"))
        if _weight(found) > _weight(best) or (found and not best):
            best = found
    return best


def _weight(found: list[Number]) -> int:
    """Letters explained: a longer reading ("20 mille" over "20") is the better one; articles explain nothing."""
    return sum(number.end - number.start for number in found if not number.weak)


def _runs(folded: str, words: Lexicon, german: bool = False) -> Iterator[Number]:
    tokens = list(_tokens(folded, words, german))
    place = 0
    while place < len(tokens):
        run = _Run(folded, tokens, place)
        place = max(run.read(), place + 1)
        if run.number is not None and run.number.value < _MAX and not _vague(folded, run.number):
            yield run.number


def _vague(folded: str, number: Number) -> bool:
    """ "hundreds", "Tausende", "miles": many, but no number."""
    return folded[number.start : number.end] in _VAGUE


def _tokens(folded: str, words: Lexicon, german: bool) -> Iterator[_Token]:
    found = [
        _Token("digits", digits.value(match), match.start(), match.end()) for match in digits.DIGITS.finditer(folded)
    ]
    if words:
        for match in _WORD.finditer(folded):
            found.extend(_word_tokens(match, words, german))
        found.sort(key=lambda token: token.start)
    yield from found


def _word_tokens(match: re.Match[str], words: Lexicon, german: bool) -> list[_Token]:
    word, start = match.group(), match.start()
    if word in words:
        return [_Token(words[word].kind, words[word].value, start, match.end(), words[word].weak)]
    if not german or len(word) < 7:
        return []
    pieces = german_pieces()
    tokens: list[_Token] = []
    place = 0
    while place < len(word):
        size = next((size for size in range(len(word) - place, 2, -1) if word[place : place + size] in pieces), 0)
        if not size:
            return []
        piece = pieces[word[place : place + size]]
        tokens.append(_Token(piece.kind, piece.value, start + place, start + place + size))
        place += size
    return tokens


class _Run:
    """Reads one number from tokens that stand next to each other."""

    def __init__(self, folded: str, tokens: list[_Token], place: int) -> None:
        self.folded, self.tokens, self.first, self.place = folded, tokens, place, place
        self.total, self.current, self.scale = 0.0, None, 1.0  # type: float, float | None, float
        self.number: Number | None = None

    def read(self) -> int:
        """Takes what belongs together; returns the place of the first token not taken."""
        taken = self.first
        while (token := self._next()) is not None and self._take(token):
            self.place += 1
            if token.kind in ("digits", "add", "times") or (token.kind == "half" and taken > self.first):
                taken = self.place
                self._keep(token)
        return max(taken, self.first + 1)

    def _next(self) -> _Token | None:
        if self.place >= len(self.tokens):
            return None
        token = self.tokens[self.place]
        if self.place > self.first:
            gap = self.folded[self.tokens[self.place - 1].end : token.start]
            if not _JOIN.fullmatch(gap) or (token.kind == "digits" and gap and not self._after("and")):
                return None
        return token

    def _keep(self, last: _Token) -> None:
        value = self.total + (self.current or 0)
        start = self.tokens[self.first]
        scale = last.value if last.kind == "times" else digits.scale(self.folded[last.start : last.end])
        self.number = Number(value, start.start, last.end, start.weak and last is start, scale)

    def _take(self, token: _Token) -> bool:
        take = getattr(self, f"_{token.kind}")
        return bool(take(token))

    def _digits(self, token: _Token) -> bool:
        if self._after("and") and (self.current or self.total) and (self.current or 0) % 100 == 0 and token.value < 100:
            self.current = (self.current or 0) + token.value
            return True
        if self.place > self.first:
            return False
        self.current = token.value
        return True

    def _add(self, token: _Token) -> bool:
        joined = _sum(self.current, token.value, self._after("and"), self._after("point"))
        if joined is None or (self.place > self.first and self.tokens[self.first].kind == "digits" and not self.total):
            return False
        self.current = joined
        return True

    def _times(self, token: _Token) -> bool:
        if self._after("and"):
            return False
        if self.total and self.current is None and token.value > self.scale:
            self.total *= token.value  # dos mil millones
        elif token.value >= 1000:
            self.total += (self.current or 1.0) * token.value
            self.current = None
        else:
            self.current = (self.current or 1.0) * token.value
        self.scale = token.value
        return True

    def _few(self, token: _Token) -> bool:
        self.current = token.value
        return self._coming("times") or (self._coming("link") and self._coming("times", 2))

    def _half(self, token: _Token) -> bool:
        if self.place == self.first or (self._after("article") and self.place == self.first + 1):
            self.current = 0.5
            return self._coming("times") or self._coming("times", 2)
        if not self._after("and") and not self._after("article"):
            return False
        if self.total and self.current is None:
            self.total += self.scale / 2
        else:
            self.current = (self.current or 0) + (self.scale / 2 if self.scale > 1 else 0.5)
        return True

    def _and(self, _: _Token) -> bool:
        return self.place > self.first

    def _point(self, _: _Token) -> bool:
        return self.current is not None and self._coming("add")

    def _article(self, _: _Token) -> bool:
        return self.place == self.first or self._after("and") or self._after("half")

    def _link(self, _: _Token) -> bool:
        return self._after("few") or self._after("half")

    def _after(self, kind: str) -> bool:
        return self.place > self.first and self.tokens[self.place - 1].kind == kind

    def _coming(self, kind: str, steps: int = 1) -> bool:
        ahead = self.place + steps
        return ahead < len(self.tokens) and self.tokens[ahead].kind == kind


def _sum(before: float | None, value: float, after_and: bool, after_point: bool) -> float | None:
    """The two as one number, or None when they are two numbers ("five six")."""
    if before is None:
        return value
    if after_point:
        return before + value / (10 if value < 10 else 100) if value < 100 else None
    if before % 100 == 4 and value == 20:
        return before + 76  # quatre-vingt
    if after_and and before % 100 < 10 and value in range(20, 100, 10):
        return before + value  # ein und zwanzig
    low, high = _room(before)
    return before + value if low <= value < high else None


def _room(before: float) -> tuple[int, int]:
    """What may still be added: under 100 to hundreds, under 10 to tens; French goes on to 19 after 60 and 80."""
    rest = before % 100
    if before >= 100 and rest == 0:
        return 1, 100
    if rest in (60, 80):
        return 1, 20
    if rest == 10:
        return 7, 10
    return (1, 10) if rest >= 20 and rest % 10 == 0 else (0, 0)
