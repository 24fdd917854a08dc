"""What the kit does with an adapter while its service fails: one reading and one writing for each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Reading:
    """`run(adapter)`; `name` is the method of the contract. `may_be_nothing`: 404 may be told as an empty result."""

    name: str
    run: Callable[[Any], Any]
    may_be_nothing: bool = True


@dataclass(frozen=True, slots=True)
class Writing:
    """`run(adapter, n, key)` writes a thing that differs with `n`; `count(adapter, n)` says how many the service holds
    of these. Where two may look like one, `undo(adapter, result, key)` takes the one that is known away. What
    `prepare(adapter, n)` makes, while the service is well, `run` gets in the place of n."""

    name: str
    run: Callable[[Any, Any, str], Any]
    count: Callable[[Any, int], int]
    undo: Callable[[Any, Any, str], Any] | None = None
    prepare: Callable[[Any, int], Any] | None = None

    def ready(self, adapter: Any, n: int) -> Callable[[str], Any]:
        """The writing of number n, with all it needs made; it takes the key."""
        given = self.prepare(adapter, n) if self.prepare else n
        return lambda key: self.run(adapter, given, key)

    def check_done(self, adapter: Any, n: int, before: int, what: object) -> None:
        """Fail unless the service holds more than `before`: the adapter said that it is done."""
        assert self.count(adapter, n) > before, f"{self.name} at {what} raised nothing, and nothing was done"

    def check_once(self, adapter: Any, n: int, before: int, result: Any, *, most: int = 1) -> None:
        """Fail unless the service holds one more than `before`, or up to `most` where that is all it can promise."""
        assert 1 <= self.count(adapter, n) - before <= most
        if self.undo:
            self.undo(adapter, result, f"undo {n}")
            assert self.count(adapter, n) == before, "there were two"


def fresh() -> int:
    """A number for a writing that no other test uses, so that a fake may serve a whole class."""
    return next(_numbers)
