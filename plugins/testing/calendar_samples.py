"""The events that the kit writes into a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugins.calendar import Draft, Guest, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
DEMO = Draft(
    uid="mtg_1@usher",
    start=NOON,
    end=NOON + timedelta(minutes=30),
    zone="Europe/Berlin",
    title="Product demo",
    description="Grüße & <tags>",
    guests=(Guest("ada@globex.example", "Ada Lovelace"),),
)


def at(hour: float, minutes: int = 30, **other: Any) -> Draft:
    """A demo that day, starting at this UTC hour."""
    start = DAY.start + timedelta(hours=hour)
    return replace(DEMO, uid=f"mtg_{hour}@usher", start=start, end=start + timedelta(minutes=minutes), **other)


def on_day(n: int) -> Draft:
    """A demo at noon, n days later."""
    start = NOON + timedelta(days=n)
    return replace(DEMO, uid=f"mtg_day_{n}@usher", start=start, end=start + timedelta(minutes=30))
