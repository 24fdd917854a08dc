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
    by byte over that time) then spoil. With `endless`, `body` stands on the line in place of the answer, and then these
    bytes again and again until the caller leaves: at once, or one by one every `drip_seconds`.
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
    endless: bytes = b""


_OK, _CHUNKED = b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
_PACKED = bytes.fromhex("1f8b0800000000000003")  # the head of gzip, and then blocks with nothing inside
ENDLESS: Mapping[str, Fault] = {
    "status": Fault(body=b"HTTP/1.1 200 ", endless=b"O"),
    "answers before the answer": Fault(endless=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "header": Fault(body=_OK + b"X-A: ", endless=b"a"),
    "headers before the answer": Fault(body=b"HTTP/1.1 100 Continue\r\n", endless=b"X-A: a\r\n"),
    "chunk": Fault(body=_OK + _CHUNKED + b"2;", endless=b"a"),
    "trailers": Fault(body=_OK + _CHUNKED + b"0\r\n", endless=b"X-A: a\r\n"),
    "nothing, packed": Fault(body=_OK + b"Content-Encoding: gzip\r\n\r\n" + _PACKED, endless=b"\0\0\0\xff\xff"),
    "body": Fault(body=_OK + b"\r\n", endless=b" "),
}
"""Answers without end, by what of them has none."""


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
