"""The built-in rules of understanding, which need nobody and may be asked anywhere, also inside a transaction."""

from __future__ import annotations

from functools import lru_cache

from plugins import registry
from plugins.ai import AI, Expect, Expectation, Option
from plugins.records import MemoryRecords
from server import clock


@lru_cache(maxsize=1)
def builtin() -> AI:
    """The rules, opened once."""
    ai: AI = registry.open("ai", "builtin", {}, records=MemoryRecords())
    return ai


def agrees(text: str, locale: str, zone: str) -> bool:
    """Is it a yes, whatever else is said?"""
    meant = builtin().understand(text, _YES_OR_NO, locale=locale, now=clock.now(), zone=zone)
    return meant.matched and meant.value == "yes"


_YES_OR_NO = Expectation(
    Expect.CHOICE, (Option("yes", "yes", ("ja", "oui", "sí")), Option("no", "no", ("nein", "non")))
)
