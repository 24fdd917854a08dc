"""The only clock in the house, so that a test can stop it and move it by days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


class StoppedClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def advance(self, by: timedelta) -> None:
        self.at += by


_stopped: StoppedClock | None = None
_offset = timedelta(0)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _stopped.at if _stopped else datetime.now(UTC) + _offset


def start_at(moment: datetime) -> None:
    """Let this process's clock run on from `moment` instead of the real time (rehearsals and journeys)."""
    global _offset
    _offset = moment - datetime.now(UTC)


@contextmanager
def stopped_at(moment: datetime) -> Iterator[StoppedClock]:
    """Stop the clock for the duration of a block. Not for servers: it holds for the whole process."""
    global _stopped
    before, _stopped = _stopped, StoppedClock(moment.astimezone(UTC))
    try:
        yield _stopped
    finally:
        _stopped = before
