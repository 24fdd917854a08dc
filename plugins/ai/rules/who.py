"""Who is writing: name and company, when they say so ("I'm Ada from Globex", "wir sind die Initech GmbH")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from plugins.ai.rules.phrasebook import book
from plugins.ai.rules.text import LANGUAGES, Said, fold
from plugins.ai.rules.words import lists, word_set

_INTRODUCTIONS = ("company", "weak", "name", "maybe")
_PIECE = re.compile(r"[^\s,;!?\"()]+")
_CLOCK = re.compile(r"\d{1,2}(?:[:.h]\d{2})?(?:am|pm|h|uhr)?")
_LEGAL = word_set("legal forms")
_PREPOSITIONS = word_set("prepositions")
_NOBLE = word_set("noble particles")
_SMALL = word_set("name particles")


def company(said: Said, *, introduced: bool = False) -> str:
    """The company the visitor says they are with, as typed; "" when none is named. `introduced`: they gave their name,
    so "from Globex" is about them."""
    for key, sure in (("company", True), ("weak", False)):
        for start, place in _intros(said, key):
            if start and not sure and not introduced and said.keys[start] in _PREPOSITIONS:
                continue
            found = _company_at(said, place, sure=sure)
            if found:
                return found
    return ""


def bare_company(said: Said) -> str:
    """The answer to "which company are you with?": what is introduced, or the whole short reply."""
    found = company(said)
    if found:
        return found
    opened = [place for key in ("company", "weak") for start, place in _intros(said, key) if start == 0]
    text = said.original(opened[0], len(said.folded)) if opened and opened[0] < len(said.folded) else said.raw
    text = re.sub(r"^(?:(?:the|die|la|el|l')\s+)(?=\S+\s*$)", "", text.strip(" \t\n.,!?:;\"'*"), flags=re.IGNORECASE)
    words = text.split()
    if words and fold(words[-1]) in _LEGAL and said.raw.rstrip().endswith(f"{words[-1]}."):
        text += "."
    return text if 0 < len(words) <= 7 and len(text) <= 80 and any(c.isalnum() for c in text) else ""


def name(said: Said) -> str:
    """The visitor's name as typed, with capitals mended ("ada lovelace" → "Ada Lovelace"); "" when none is given."""
    for key, sure in (("name", True), ("maybe", False)):
        for _, place in _intros(said, key):
            found = _name_at(said, place, sure=sure)
            if found:
                return found
    return ""


def bare_name(text: str) -> str:
    """A reply that is nothing but a name, else ""."""
    words = re.sub(r"[.,!?]+$", "", text.strip()).split()
    plain = all(re.fullmatch(r"[^\W\d_][\w.'’-]*", word) for word in words)
    known = any(fold(word) in _never() and fold(word) not in _SMALL for word in words)
    return _capitals(words) if 0 < len(words) <= 4 and plain and not known else ""


def _company_at(said: Said, place: int, *, sure: bool) -> str:
    words = _following(said, place, 6)
    taken: list[str] = []
    for word in words:
        folded = fold(word).strip(".")
        capital = word[:1].isupper() or word[:1].isdigit() or folded in _LEGAL
        if not taken and (folded in _never() or _CLOCK.fullmatch(folded) or (not sure and not capital)):
            return ""
        if taken and not capital and not _goes_on(folded, taken, sure=sure):
            break
        taken.append(word)
        if word.endswith(".") and folded not in _LEGAL and len(folded) > 2:
            break
    return _tidy(taken)


def _goes_on(folded: str, taken: list[str], *, sure: bool) -> bool:
    """Whether a small word still belongs to the name: "Marks & Spencer", or all of it typed in lower case."""
    joins = folded in ("&", "+", "und", "and") and taken[0][:1].isupper()
    return joins or (sure and taken[0][:1].islower() and len(taken) < 3 and folded not in _ends())


def _name_at(said: Said, place: int, *, sure: bool) -> str:
    taken: list[str] = []
    for word in _following(said, place, 5):
        folded = fold(word).strip(".'")
        capital = word[:1].isupper()
        letters = re.fullmatch(r"[^\W\d_][\w.'’-]*", word) is not None
        small = folded in (_SMALL if sure else _NOBLE) and bool(taken) and not capital
        if (
            not letters
            or (not small and folded in (_ends() if taken else _never()))
            or (not taken and folded in _ends())
        ):
            break
        if not (capital or small or (sure and len(taken) < 2)) or folded.endswith("ing") and not capital:
            break
        taken.append(word)
        if word.endswith(".") and len(word) > 2:
            break
    while taken and fold(taken[-1]) in _SMALL:
        taken.pop()
    return _capitals([word.rstrip(".") for word in taken])


def _following(said: Said, place: int, count: int) -> list[str]:
    """The next words as typed, up to the end of the sentence part."""
    rest = said.original(place, len(said.folded)) if place < len(said.folded) else ""
    part = re.split(r"[,;!?\n()\"]|\.\s|\s-\s|:\s", rest.strip(), maxsplit=1)[0]
    return [match.group() for match in _PIECE.finditer(part)][:count]


def _tidy(words: list[str]) -> str:
    while words and fold(words[-1]) in ("&", "+", "und", "and", "et", "y"):
        words = words[:-1]
    if not words:
        return ""
    name = " ".join(words)
    return name if fold(words[-1]).strip(".") in _LEGAL else re.sub(r"(?:'s)?[.]*$", "", name)


def _capitals(words: list[str]) -> str:
    return " ".join(
        word if not word.islower() or fold(word) in _SMALL else word[:1].upper() + word[1:] for word in words
    )


def _intros(said: Said, key: str) -> Iterator[tuple[int, int]]:
    """Places in `folded` where what follows an introduction begins; the longest introduction of a place wins."""
    hits = [hit for hit in book("people").find(said.keys) if hit.key in _INTRODUCTIONS]
    for hit in hits:
        longer = any(o.start <= hit.start and hit.end <= o.end and o.end - o.start > hit.end - hit.start for o in hits)
        if hit.key == key and not longer:
            yield hit.start, said.words[hit.end - 1].end


@cache
def _never() -> frozenset[str]:
    return frozenset(fold(word) for language in LANGUAGES for word in lists("people", language)["never"]) | _ends()


@cache
def _ends() -> frozenset[str]:
    return frozenset(fold(word) for language in LANGUAGES for word in lists("people", language)["ends"])
