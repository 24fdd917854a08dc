"""Texts to terms: tokens, stems, folding; the same way for articles and for questions."""
from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

from server.knowledge.languages import ASKED, EMPTY, OFFERED, SAME, STEMMERS, STOP_WORDS, base

_TOKEN = re.compile(r"[^\W\d_]+|\d+")  # SOC2 and SOC 2 are the same
_THOUSANDS = re.compile(r"(?<=\d)[.,'\u00a0\u202f ](?=\d{3}(?!\d))")
_threads = threading.local()  # a stemmer must not be used by two threads at once


def fold(text: str) -> str:
    """Small letters without marks: Rückerstattung is ruckerstattung."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def tokens(text: str) -> list[str]:
    """The words of a text in small letters; 1,900 and 1.900 are 1900."""
    return _TOKEN.findall(_THOUSANDS.sub("", text).casefold())


def stem(word: str, language: str) -> str:
    """The folded stem of one token; as it is where no stemmer knows the language."""
    stemmer = _stemmer(base(language))
    return fold(stemmer.stemWord(word) if stemmer else word)


def terms(text: str, language: str) -> list[str]:
    """The folded stems of a text, in order."""
    stemmer = _stemmer(base(language))
    found = tokens(text)
    return [fold(word) for word in (stemmer.stemWords(found) if stemmer else found)]


def content_words(question: str, languages: Iterable[str], empty: frozenset[str] = frozenset()) -> list[str]:
    """The tokens of a question that say what it is about, once each; `empty`: further words without content."""
    stop = empty.union(*(stop_words(base(language)) for language in languages))
    asked = [word for pattern, word in ASKED if pattern.search(question)]
    found = [word for word in tokens(OFFERED.sub(" ", question)) if fold(word) not in stop]
    return list(dict.fromkeys([*found, *asked]))


@lru_cache(16)
def stop_words(language: str) -> frozenset[str]:
    return frozenset(fold(word) for word in STOP_WORDS.get(language, "").split()) | empty_words(language)


@lru_cache(16)
def empty_words(language: str) -> frozenset[str]:
    return frozenset(fold(word) for word in EMPTY.get(language, "").split())


def own_words(language: str) -> set[str]:
    """Every word of the language's groups."""
    return {word for group in SAME.get(base(language), "").split(";") for word in group.split()}


def same_words(language: str, groups: Iterable[Iterable[str]] = ()) -> dict[str, frozenset[str]]:
    """Stem → stems that mean the same, from the language's own list and a site's `groups`."""
    ours = [group.split() for group in SAME.get(base(language), "").split(";")]
    found: dict[str, frozenset[str]] = {}
    for group in [*ours, *(list(one) for one in groups)]:
        stems = frozenset(stem(word, language) for word in group if len(tokens(word)) == 1)
        for one in stems:
            found[one] = found.get(one, frozenset()) | stems
    return found


def _stemmer(language: str) -> Stemmer.Stemmer | None:
    if language not in STEMMERS:
        return None
    kept: dict[str, Stemmer.Stemmer] = _threads.__dict__
    if language not in kept:
        kept[language] = Stemmer.Stemmer(STEMMERS[language])
    return kept[language]
