"""Texts to terms: tokens, stems, folding; the same way for articles and for questions."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

from server.knowledge.languages import ASKED, OFFERED, SAME, SOFT, STEMMERS, STOP_WORDS, base

_TOKEN = re.compile(r"[^\W\d_]+|\d+")  # SOC2 and SOC 2 are the same
_THOUSANDS = re.compile(r"(?<=\d)[.,'\u00a0\u202f ](?=\d{3}(?!\d))")
_threads = threading.local()  # a stemmer must not be used by two threads at once


def fold(text: str) -> str:
    """Small letters without marks: Rückerstattung is ruckerstattung."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def tokens(text: str) -> list[str]:
    """The words of a text in small letters; 1,900 and 1.900 are 1900."""
    return _TOKEN.findall(_THOUSANDS.sub("", text).casefold())


def stem(word: str, language: str) -> str:
    """The folded stem of one token; as it is where no stemmer knows the language."""
    return stems([word], language)[0]


def terms(text: str, language: str) -> list[str]:
    """The folded stems of a text, in order."""
    return stems(tokens(text), language)


def stems(words: list[str], language: str) -> list[str]:
    """The folded stems of tokens, one for each."""
    stemmer = _stemmer(base(language))
    found = [fold(word) for word in (stemmer.stemWords(words) if stemmer else words)]
    return [_without_ung(one) for one in found] if base(language) == "de" else found


def content_words(question: str, languages: Iterable[str], empty: frozenset[str] = frozenset()) -> list[str]:
    """The tokens of a question that say what it is about, once each; `empty`: further words without content."""
    stop = _without_content(empty, tuple(languages))
    asked = [word for pattern, word in ASKED if pattern.search(question)]
    found = [word for word in tokens(OFFERED.sub(" ", question)) if fold(word) not in stop]
    return list(dict.fromkeys([*found, *asked]))


@lru_cache(64)
def _without_content(empty: frozenset[str], languages: tuple[str, ...]) -> frozenset[str]:
    return empty.union(*(stop_words(base(language)) for language in languages))


@lru_cache(16)
def stop_words(language: str) -> frozenset[str]:
    return frozenset(fold(word) for word in STOP_WORDS.get(language, "").split())


@lru_cache(16)
def soft_words(language: str) -> frozenset[str]:
    """Those that say little, folded."""
    return frozenset(fold(word) for word in SOFT.get(language, "").split())


def own_words(language: str) -> set[str]:
    """Every word of the language's groups."""
    return {word for group in SAME.get(base(language), "").split(";") for word in group.split()}


def same_words(language: str, groups: Iterable[Iterable[str]] = ()) -> dict[str, frozenset[str]]:
    """Stem → stems that mean the same, from the language's own list and a site's `groups`."""
    ours = [group.split() for group in SAME.get(base(language), "").split(";")]
    found: dict[str, frozenset[str]] = {}
    for group in [*ours, *(list(one) for one in groups)]:
        alike = frozenset(stems([word for word in group if len(tokens(word)) == 1], language))
        for one in alike:
            found[one] = found.get(one, frozenset()) | alike
    return found


def _without_ung(one: str) -> str:
    """Ladung and laden, Lieferung and liefern: the German stemmer keeps nouns of deeds apart from their verbs."""
    return one[:-3] if one.endswith("ung") and len(one) >= 6 else one


def _stemmer(language: str) -> Stemmer.Stemmer | None:
    if language not in STEMMERS:
        return None
    kept: dict[str, Stemmer.Stemmer] = _threads.__dict__
    if language not in kept:
        kept[language] = Stemmer.Stemmer(STEMMERS[language])
    return kept[language]
