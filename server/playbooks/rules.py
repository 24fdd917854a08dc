"""The built-in rules of understanding, which need nobody and may be asked anywhere, also inside a transaction."""

from __future__ import annotations

from functools import lru_cache

from plugins import registry
from plugins.ai import AI
from plugins.records import MemoryRecords


@lru_cache(maxsize=1)
def builtin() -> AI:
    """The rules, opened once."""
    ai: AI = registry.open("ai", "builtin", {}, records=MemoryRecords())
    return ai
