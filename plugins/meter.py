"""Counts what adapters do, for the operator: in memory, until somebody takes it away to where it is added up."""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple, Protocol

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
"""Seconds; upper bounds of the histogram's buckets. What took longer is in the last, "+Inf"."""
OK = "ok"
CALLS, BUCKETS, SECONDS, HELD, TRIES, OPENED = "calls", "buckets", "seconds", "held", "tries", "opened"


class Count(NamedTuple):
    """What is counted: `what` of the constants above, of which adapter and operation, and its label."""

    what: str
    adapter: str
    operation: str
    label: str = ""


class Metering(Protocol):
    """What `plugins.http` and the outbox tell."""

    def called(self, adapter: str, operation: str, outcome: str, seconds: float) -> None:
        """One call went out and came back as "ok" or an error's code."""

    def held(self, adapter: str, operation: str, reason: str) -> None:
        """One call was held back by rate, pause or breaker."""

    def tried(self, kind: str, operation: str, outcome: str) -> None:
        """One delivery was tried: done, again, waits, paused or dead."""

    def opened(self, adapter: str) -> None:
        """A breaker opened."""


class Meter:
    """Adds up since it was last emptied. Safe in threads and greenlets."""

    def __init__(self) -> None:
        self._counts: Counter[Count] = Counter()
        self._lock = threading.Lock()

    def called(self, adapter: str, operation: str, outcome: str, seconds: float) -> None:
        bound = next((str(bound) for bound in BOUNDS if seconds <= bound), "+Inf")
        with self._lock:
            self._counts[Count(CALLS, adapter, operation, outcome)] += 1
            self._counts[Count(BUCKETS, adapter, operation, bound)] += 1
            self._counts[Count(SECONDS, adapter, operation)] += seconds  # type: ignore[assignment]

    def held(self, adapter: str, operation: str, reason: str) -> None:
        self._add(Count(HELD, adapter, operation, reason))

    def tried(self, kind: str, operation: str, outcome: str) -> None:
        self._add(Count(TRIES, kind, operation, outcome))

    def opened(self, adapter: str) -> None:
        self._add(Count(OPENED, adapter, ""))

    def take(self) -> dict[Count, float]:
        """All that was counted since the last time."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return dict(taken)

    def put_back(self, counts: dict[Count, float]) -> None:
        """What could not be noted where it was taken to."""
        with self._lock:
            for count, value in counts.items():
                self._counts[count] += value  # type: ignore[assignment]

    def _add(self, count: Count) -> None:
        with self._lock:
            self._counts[count] += 1


here = Meter()
"""That of this process."""
