"""What the visitor typed, folded for comparing (lower case, no accents); every place leads back to the original."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

LANGUAGES = ("en", "de", "fr", "es")

_SAME = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "`": "'",
        "´": "'",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "−": "-",
        "œ": "oe",
        "Œ": "oe",
        "æ": "ae",
    }
)
_GESTURES = {"👍": " yes ", "👌": " yes ", "✅": " yes ", "✔": " yes ", "👎": " no ", "❌": " no ", "🚫": " no "}
_WORD = re.compile(r"[^\W_]+(?:'[^\W\d_]+)*")
_GERMAN = str.maketrans({"ä": "ae?", "ö": "oe?", "ü": "ue?", "ß": "ss?"})


@dataclass(frozen=True)
class Word:
    """One folded word with its place in the original text."""

    text: str
    start: int
    end: int


class Said:
    """A visitor's line: `raw` as typed, `folded` for comparing; `span` and `original` lead back to what was typed."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        if raw.isascii():
            self.folded, self._places = raw.lower(), None
        else:
            pieces = [_fold_character(character) for character in raw]
            self.folded = "".join(pieces)
            self._places = [place for place, piece in enumerate(pieces) for _ in piece]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Places in `raw` of a stretch of `folded`."""
        if self._places is None or start >= end:
            return start, end
        return self._places[start], self._places[end - 1] + 1

    def original(self, start: int, end: int) -> str:
        """The words as the visitor typed them, for a stretch of `folded`."""
        first, last = self.span(start, end)
        return self.raw[first:last]

    @cached_property
    def words(self) -> tuple[Word, ...]:
        return tuple(Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(self.folded))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The words as phrasebooks know them, without apostrophes: "j'ai" is "jai"."""
        return tuple(word.text.replace("'", "") for word in self.words)

    @cached_property
    def bare(self) -> str:
        """Only the folded words, one space between: "¡Sí, claro!" is "si claro"."""
        return " ".join(word.text for word in self.words)


def fold(text: str) -> str:
    """Lower case, no accents, plain quotes and dashes; "Größe" is "grosse"."""
    return text.lower() if text.isascii() else "".join(map(_fold_character, text))


def bare(text: str) -> str:
    """The folded words of a text, one space between."""
    return " ".join(_WORD.findall(fold(text)))


def pattern(source: str) -> re.Pattern[str]:
    """An expression for folded text, in real spelling: "ü" meets "u" and "ue", "é" meets "e", a space any spaces."""
    loose = source.translate(_GERMAN)
    kept = "".join(c if c.isascii() else _fold_character(c) for c in loose)
    return re.compile(kept.replace(" ?", r"\s*").replace(" ", r"\s+"))


def phrases(lines: Iterable[str]) -> re.Pattern[str]:
    """One expression that finds any of the phrases as whole words; each line may use regular expression syntax."""
    return pattern(r"(?<![^\W_])(?:" + "|".join(lines) + r")(?![^\W_])")


def spellings(phrase: str) -> tuple[str, ...]:
    """A phrase folded, and with German umlauts typed as two letters: "fünf" gives "funf", "fuenf"."""
    typed = phrase.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return tuple(dict.fromkeys((fold(phrase), fold(typed))))


def languages(locale: str) -> tuple[str, ...]:
    """The visitor's language first, then the others: "de-AT" gives ("de", "en", "fr", "es")."""
    own = locale[:2].lower()
    return (own, *(one for one in LANGUAGES if one != own)) if own in LANGUAGES else LANGUAGES


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in _GESTURES:
        return _GESTURES[character]
    plain = character.translate(_SAME)
    if plain.isascii():
        return plain.lower()
    kept = "".join(c for c in unicodedata.normalize("NFKD", plain.casefold()) if not unicodedata.combining(c))
    return kept or ("" if unicodedata.combining(character) else " ")
