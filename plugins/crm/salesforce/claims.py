"""Who may make a record just now, where Salesforce has no field that keeps it one: a claim in our own records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from plugins.errors import AmbiguousOutcome, Transient
from plugins.records import Records

LONGEST_CALL = timedelta(minutes=11)
"""Salesforce ends a call after ten minutes; what was sent before that is through, or never will be."""
CLAIM = "salesforce.claim"


class Claims:
    """One maker at a time for each record, over all processes. `now` is the clock."""

    def __init__(self, records: Records, now: Callable[[], datetime]) -> None:
        self._records, self._now = records, now

    @contextmanager
    def holding(self, sobject: str, mark: str) -> Iterator[None]:
        """Make it inside; look for it first. Transient while somebody else does, or while what we sent without an
        answer may still be on its way: when that is over, a look tells."""
        id, now = f"{sobject}:{mark}", self._now()
        mine = {"until": (now + LONGEST_CALL).isoformat()}
        there = self._records.get(CLAIM, id)
        if there is not None and datetime.fromisoformat(there["until"]) > now:
            raise self._busy(sobject)
        taken = self._records.put(CLAIM, id, mine, new=True) if there is None else self._took(id, mine, there)
        if not taken:
            raise self._busy(sobject)
        unanswered = False
        try:
            yield
        except AmbiguousOutcome:
            unanswered = True
            raise
        finally:
            if not unanswered:
                self._records.delete(CLAIM, id)

    def _took(self, id: str, mine: dict[str, str], there: dict[str, str]) -> bool:
        return self._records.put(CLAIM, id, mine, expect=there)

    def _busy(self, sobject: str) -> Transient:
        return Transient(f"somebody is making this {sobject}, or may be: looked for again later")
