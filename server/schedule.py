"""What runs every so often. The whole list is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from server.db import Database


@dataclass(frozen=True)
class Job:
    """`do` must be harmless when it runs twice, or in two processes at once."""

    name: str
    every: timedelta
    do: Callable[[Database], None]


TIMETABLE: tuple[Job, ...] = ()
