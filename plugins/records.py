"""Where the built-in adapters keep things. The server implements `Records` on a table; `MemoryRecords` serves tests."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Record = dict[str, Any]


class Records(Protocol):
    """JSON objects by kind ("crm.person") and id, private to one site and connection.

    Each call is one transaction of its own and safe from several threads and processes. What is returned is a copy.
    """

    def get(self, kind: str, id: str) -> Record | None:
        """The record, or None."""

    def put(self, kind: str, id: str, value: Record, *, expect: Record | None = None, new: bool = False) -> bool:
        """Store under this id and answer True. With `new`, only when the id is free; with `expect`, only when what is
        stored equals it. Otherwise nothing is written and the answer is False: check and take are one step."""

    def delete(self, kind: str, id: str) -> bool:
        """Remove it; False when it was not there."""

    def find(self, kind: str, where: Mapping[str, Any]) -> list[Record]:
        """Records whose top-level values equal all of `where` (text, numbers), in the order they first came."""

    def list(self, kind: str, *, after: str = "", limit: int = 1000) -> list[tuple[str, Record]]:
        """Pairs of id and record whose id is greater than `after`, in order of id by code points."""


class MemoryRecords:
    """Records in a dict, for the conformance kit and for tests of adapters."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Record] = {}
        self._lock = threading.Lock()

    def get(self, kind: str, id: str) -> Record | None:
        with self._lock:
            return copy.deepcopy(self._kept.get((kind, id)))

    def put(self, kind: str, id: str, value: Record, *, expect: Record | None = None, new: bool = False) -> bool:
        value = json.loads(json.dumps(value))
        with self._lock:
            there = self._kept.get((kind, id))
            if (new and there is not None) or (expect is not None and there != expect):
                return False
            self._kept[kind, id] = value
            return True

    def delete(self, kind: str, id: str) -> bool:
        with self._lock:
            return self._kept.pop((kind, id), None) is not None

    def find(self, kind: str, where: Mapping[str, Any]) -> list[Record]:
        return [record for _, record in self._of(kind) if where.items() <= record.items()]

    def list(self, kind: str, *, after: str = "", limit: int = 1000) -> list[tuple[str, Record]]:
        return sorted((id, record) for id, record in self._of(kind) if id > after)[:limit]

    def _of(self, kind: str) -> Iterator[tuple[str, Record]]:
        with self._lock:
            found = [(id, copy.deepcopy(record)) for (k, id), record in self._kept.items() if k == kind]
        return iter(found)


@dataclass(frozen=True, slots=True)
class Step:
    """What `change` did: the record before (None: there was none) and as it is now."""

    before: Record | None
    now: Record


def change(records: Records, kind: str, id: str, step: Callable[[Record | None], Record]) -> Step:
    """Store what `step` makes of the record. When somebody else was faster, `step` is asked again with theirs."""
    while True:
        before = records.get(kind, id)
        now = step(copy.deepcopy(before))
        if now == before or records.put(kind, id, now, expect=before, new=before is None):
            return Step(before, now)


def append(records: Records, kind: str, value: Record) -> str:
    """Add to a numbered list; the id says the place. There are no gaps: who sees an entry sees all before it."""
    last = (records.get(f"{kind}.last", "last") or {"n": 0})["n"]
    while not records.put(kind, f"{last + 1:012d}", value, new=True):
        last += 1
    records.put(f"{kind}.last", "last", {"n": last + 1})
    return f"{last + 1:012d}"
