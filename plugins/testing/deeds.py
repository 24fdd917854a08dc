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
    of these. Where two may look like one, `undo(adapter, result, key)` takes the one that is known away."""

    name: str
    run: Callable[[Any, int, str], Any]
    count: Callable[[Any, int], int]
    undo: Callable[[Any, Any, str], Any] | None = None

    def check_once(self, adapter: Any, n: int, before: int, result: Any, *, most: int = 1) -> None:
        """Fail unless the service holds one more than `before`, or up to `most` where that is all it can promise."""
        assert 1 <= self.count(adapter, n) - before <= most
        if self.undo:
            self.undo(adapter, result, f"undo {n}")
            assert self.count(adapter, n) == before, "there were two"


def fresh() -> int:
    """A number for a writing that no other test uses, so that a fake may serve a whole class."""
    return next(_numbers)
