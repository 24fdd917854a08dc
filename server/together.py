"""Lets callers that come at the same time have their work done in one go, by one of them (a group commit)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(eq=False)
class _Waiting(Generic[Job, Result]):
    job: Job
    result: Result | None = None
    done: bool = False


class Together(Generic[Job, Result]):
    """`work` gets up to `most` jobs in the order they came and returns a result for each; it must not fail.

    Whoever has the lock works for all who wait for it. Nobody waits for company: alone is a group of one.
    """

    def __init__(self, work: Callable[[Sequence[Job]], Sequence[Result]], most: int = 64) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[_Waiting[Job, Result]] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many wait for the present group to be done."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Is a group being served?"""
        return self._lock.locked()

    def do(self, job: Job) -> Result:
        """Have the job done and wait for its result."""
        mine: _Waiting[Job, Result] = _Waiting(job)
        self._waiting.append(mine)
        with self._lock:
            while not mine.done:
                self._do_some()
        return cast(Result, mine.result)

    def _do_some(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            results = self._work([one.job for one in group])
        except BaseException:  # the worker itself is being ended: somebody else will do it
            self._waiting.extendleft(reversed(group))
            raise
        for one, result in zip(group, results, strict=True):
            one.result, one.done = result, True
