"""How much one visitor or address may ask: token buckets in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """`burst` at once, then `per_second` on average."""

    burst: int
    per_second: float


FRAMES = {
    "say": Rate(12, 1.0),
    "page": Rate(20, 2.0),
    "identify": Rate(10, 0.2),
    "track": Rate(20, 2.0),
    "typing": Rate(10, 1.0),
    "seen": Rate(20, 2.0),
    "ping": Rate(10, 0.5),
    "hello": Rate(3, 0.1),
}
HELLOS_OF_ADDRESS = Rate(60, 2.0)
MOST_BUCKETS = 50_000


class Buckets:
    """Buckets by key. Full buckets are forgotten when there are too many."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._levels: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, kind: str, key: str, rate: Rate) -> float:
        """Take one token: 0.0 when there was one, else the seconds until there is."""
        now = self._seconds()
        level, at = self._levels.get((kind, key), (float(rate.burst), now))
        level = min(rate.burst, level + (now - at) * rate.per_second)
        if level < 1:
            return (1 - level) / rate.per_second
        if len(self._levels) >= MOST_BUCKETS:
            self._levels.clear()
        self._levels[kind, key] = (level - 1, now)
        return 0.0
