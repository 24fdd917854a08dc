"""Reads the word lists of this folder: `<topic>.<language>.txt`, lines of `key: phrase | phrase`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from plugins.ai.rules.text import fold

_FOLDER = Path(__file__).parent


@cache
def lists(topic: str, language: str) -> dict[str, tuple[str, ...]]:
    """Key → phrases as written in the file, in the file's order; a key may stand on several lines."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (_FOLDER / f"{topic}.{language}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, _, phrases = line.partition(": ")
            found[key] = found.get(key, ()) + tuple(phrase.strip() for phrase in phrases.split(" | "))
    return found


def word_set(key: str) -> frozenset[str]:
    """A set of single words, folded, from `sets.all.txt`."""
    return frozenset(fold(word) for word in lists("sets", "all")[key])
