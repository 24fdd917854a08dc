"""One built-in AI for all tests of this folder, and how they ask it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from plugins.ai import Expectation, Understanding
from plugins.ai.builtin import BuiltinAI
from plugins.config import Config
from plugins.records import MemoryRecords

TUESDAY = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
Hear = Callable[..., Understanding]


@pytest.fixture(scope="session")
def ai() -> BuiltinAI:
    return BuiltinAI(Config({}), records=MemoryRecords())


@pytest.fixture(scope="session")
def hear(ai: BuiltinAI) -> Hear:
    """What is understood on Tuesday, 3 March 2026, 10:00 in Berlin."""

    def understand(
        text: str, expectation: Expectation | None = None, locale: str = "en", zone: str = "Europe/Berlin"
    ) -> Understanding:
        return ai.understand(text, expectation or Expectation(), locale=locale, now=TUESDAY, zone=zone)

    return understand
