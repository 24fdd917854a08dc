"""What a fake is told to do wrong, and when."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. `done`: the work is done before it fails, and only the answer is bad.

    `status` None leaves the true answer, which `cut` (half of the body, whole by its length), `drop` (the line is cut
    without an answer), `garble` (every match of the expression becomes "soon") or `drip_seconds` (the body comes byte
    by byte over that time) then spoil.
    """

    status: int | None = None
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    done: bool = False
    cut: bool = False
    drop: bool = False
    garble: bytes = b""
    drip_seconds: float = 0.0


class Faults:
    """The script of one fake: what is to happen to the next calls that match, in the order it was written."""

    def __init__(self) -> None:
        self._planned: list[_Plan] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, on: str = "", times: int = 1_000_000, after: int = 0) -> None:
        """From now on calls whose "METHOD /path" matches the expression `on` fail so, `times` times; the first `after`
        of them go well."""
        with self._lock:
            self._planned.append(_Plan(re.compile(on), fault, times, after))

    def clear(self) -> None:
        """The service is well again."""
        with self._lock:
            self._planned.clear()

    def take(self, deed: str) -> Fault | None:
        """The fault for this call, used up once."""
        with self._lock:
            for plan in self._planned:
                if not plan.pattern.search(deed):
                    continue
                if plan.after:
                    plan.after -= 1
                    continue
                plan.times -= 1
                if plan.times <= 0:
                    self._planned.remove(plan)
                return plan.fault
        return None


@dataclass(slots=True, eq=False)
class _Plan:
    pattern: re.Pattern[str]
    fault: Fault
    times: int
    after: int
