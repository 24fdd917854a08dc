"""The diary as the pages show it: a line for each thing that happened, with what changed; changes that follow one
another are one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from server import events
from server.console import words
from server.events import Event


@dataclass(frozen=True)
class Line:
    """The latest event of a line, and what is said of it."""

    event: Event
    said: str


def lines(found: Sequence[Event]) -> list[Line]:
    """The newest first."""
    together = [list(some) for _, some in groupby(enumerate(found), _alike)]
    return [_line([event for _, event in some]) for some in reversed(together)]


def _alike(numbered: tuple[int, Event]) -> tuple[Any, ...]:
    """Equal for changes of a lead by the same one, and different for all else."""
    number, event = numbered
    is_change = event.name == events.LEAD_CHANGED and not event.reason
    return (event.actor_kind, event.actor_name) if is_change else (number,)


def _line(some: Sequence[Event]) -> Line:
    said, fields = words.event(some[-1].name), {name: None for event in some for name in _changed(event)}
    return Line(some[-1], f"{said}: {', '.join(_field(name) for name in fields)}" if fields else said)


def _changed(event: Event) -> Iterable[str]:
    return (event.data or {}).get("learnt", ()) if event.name == events.LEAD_CHANGED else ()


def _field(name: str) -> str:
    of_company = name.startswith("account.")
    said = words.field(name.removeprefix("account.")).lower()
    return f"{said} of the company" if of_company else said
