"""So many at a time, in the order in which they came: who comes again at once does not overtake those who wait."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """A semaphore that is fair. Pools and locks are not: whoever gives back is the first to take again."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return len(self._waiting)

    def take(self, seconds: float) -> bool:
        """Wait for a turn; False when none has come in so many seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        try:
            return mine.wait(seconds) or not self._leave(mine)
        except BaseException:  # a greenlet that is ended while it waits
            if not self._leave(mine):
                self.give_back()
            raise

    def give_back(self) -> None:
        """The turn goes to whoever has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _leave(self, mine: threading.Event) -> bool:
        """Wait no longer; False when the turn has come meanwhile."""
        with self._lock:
            if mine.is_set():
                return False
            self._waiting.remove(mine)
            return True
