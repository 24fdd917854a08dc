"""Busy times as a calendar adapter returns them, and what it asks of the times it is given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

from plugins.calendar import Draft, Window
from plugins.errors import InvalidInput


def merge(times: Iterable[Window], window: Window) -> tuple[Window, ...]:
    """The parts of `times` inside `window`, in UTC and in order, those that overlap or touch made one."""
    merged: list[Window] = []
    clipped = (Window(max(t.start, window.start), min(t.end, window.end)) for t in times)
    for time in sorted((t for t in clipped if t.start < t.end), key=lambda t: t.start):
        if merged and time.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, time.end))
        else:
            merged.append(time)
    return tuple(Window(time.start.astimezone(UTC), time.end.astimezone(UTC)) for time in merged)


def hold_to_times(draft: Draft) -> None:
    """InvalidInput when the event's times have no zone or run backwards."""
    if draft.start.tzinfo is None or draft.end.tzinfo is None:
        raise InvalidInput("times need a zone", field="start")
    if draft.end <= draft.start:
        raise InvalidInput("an event ends after it starts", field="end")
