"""A stopped Monday morning and short ways to a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from server import clock
from server.db import Database
from tests.playbooks.chat import Chat, applied

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Berlin: open
NIGHT = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)

FLOW = """
priority: 5
audience: {path: [/pricing]}
nodes:
  - {id: hi, say: Hello}
  - {id: size, ask: How many people?, kind: number, save: account.employees, criterion: size}
  - {id: need, ask: What brings you here?, kind: choice, criterion: need,
     options: [{id: a, label: Apples}, {id: buy, label: Buying}]}
  - {id: mail, ask: Your e-mail?, kind: email}
  - {id: bye, end: "Thanks, all {{ account.employees }} of you!"}
"""
BLOG = "priority: 1\nnodes: [{id: hi, say: Welcome to the blog}, {id: q, ask: Anything?}]"


@pytest.fixture
def morning() -> Iterator[clock.StoppedClock]:
    """Monday 2 March 2026, 10:00 in Berlin; the site is open."""
    with clock.stopped_at(MORNING) as stopped:
        yield stopped


@pytest.fixture
def night() -> Iterator[clock.StoppedClock]:
    """The same Monday, 22:00 in Berlin; the site is closed."""
    with clock.stopped_at(NIGHT) as stopped:
        yield stopped


@pytest.fixture
def chat(db: Database, morning: clock.StoppedClock) -> Chat:
    applied(db, pricing=FLOW, blog=BLOG)
    return Chat(db).open()


Opener = Callable[..., Chat]


@pytest.fixture
def opened(sqlite_db: Database, morning: clock.StoppedClock) -> Opener:
    """`opened(nodes, **browser)`: a conversation on a page whose playbook has these nodes."""

    def open_with(nodes: str, **browser: Any) -> Chat:
        applied(sqlite_db, p=f"nodes:\n{_indented(nodes)}")
        return Chat(sqlite_db, **browser).open()

    return open_with


def _indented(nodes: str) -> str:
    return "\n".join(f"  - {line}" for line in nodes.strip().splitlines())
