"""Asks the adapters of connections about several calendars at once, so that one that hangs holds up no other."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Generic, TypeVar

from plugins.calendar import Calendar
from plugins.errors import Permanent, PluginError, Transient, broke
from server.adapters import connections
from server.adapters.connections import Connection
from server.booking.connected.sources import Key

MOST_AT_ONCE = 16
Answer = TypeVar("Answer")
Question = Callable[[Calendar, str, Sequence[str]], Mapping[str, Answer]]
"""Of an adapter, the id of its connection, and names of calendars."""
Opener = Callable[[Connection], Calendar]
"""Opens the adapter of a connection."""
_log = logging.getLogger("usher.booking")


def ask(
    open_calendar: Opener,
    about: Sequence[tuple[Connection, Sequence[str]]],
    question: Question[Answer],
    seconds: float,
    *,
    size: Callable[[Calendar], int] = lambda _: 1,
) -> dict[Key, Answer | PluginError]:
    """What each connection says about each of its calendars, or why it says nothing, after `seconds` at the latest.

    `question` gets as many of them at a time as `size` says, in threads of their own (under gevent: greenlets), the
    connections in turn. Whose turn has not come by then is left out of the answer. A connection that is broken until
    somebody mends it is not asked. Never inside a transaction.
    """
    found: dict[Key, Answer | PluginError] = {}
    asked: list[list[_Group]] = []
    for connection, names in about:
        try:
            if refusal := connections.refusal(connection):
                raise refusal
            calendar = open_calendar(connection)
        except PluginError as problem:
            found |= {(connection.id, name): problem for name in names}
            continue
        step = max(1, size(calendar))
        parts = [names[first : first + step] for first in range(0, len(names), step)]
        shared = _Opened(connection.id, calendar, len(parts))
        asked.append([_Group(shared, part) for part in parts])
    in_turn = [group for groups in zip_longest(*asked) for group in groups if group is not None]
    return {**found, **(_Asking(question, in_turn).answers(seconds) if in_turn else {})}


class _Opened:
    """An adapter in use by several groups; closed by the last."""

    def __init__(self, connection_id: str, calendar: Calendar, groups: int) -> None:
        self.connection_id, self.calendar, self.left = connection_id, calendar, groups


class _Group:
    """Calendars that are asked about in one go."""

    def __init__(self, opened: _Opened, names: Sequence[str]) -> None:
        self.opened, self.names = opened, names

    @property
    def keys(self) -> list[Key]:
        return [(self.opened.connection_id, name) for name in self.names]


class _Asking(Generic[Answer]):
    def __init__(self, question: Question[Answer], groups: Sequence[_Group]) -> None:
        self._question = question
        self._left = deque(groups)
        self._found: dict[Key, Answer | PluginError] = {}
        self._asked: list[Key] = []
        self._working = min(MOST_AT_ONCE, len(groups))
        self._lock, self._all_done = threading.Lock(), threading.Event()

    def answers(self, seconds: float) -> dict[Key, Answer | PluginError]:
        for _ in range(self._working):
            threading.Thread(target=self._work, name="usher-calendar", daemon=True).start()
        self._all_done.wait(seconds)
        with self._lock:
            forgotten = [group.opened for group in self._left]
            self._left.clear()
            late = Transient(f"no answer in {seconds:.1f} s", user_message="The calendar did not answer in time.")
            answers = dict.fromkeys(self._asked, late) | self._found
        for opened in forgotten:
            self._let_go(opened)
        return answers

    def _work(self) -> None:
        while group := self._next():
            found = self._answer(group)
            with self._lock:
                self._found |= found
            self._let_go(group.opened)
        with self._lock:
            self._working -= 1
            last = not self._working
        if last:
            self._all_done.set()

    def _next(self) -> _Group | None:
        with self._lock:
            group = self._left.popleft() if self._left else None
            self._asked += group.keys if group else ()
        return group

    def _let_go(self, opened: _Opened) -> None:
        with self._lock:
            opened.left -= 1
            last = not opened.left
        if last:
            opened.calendar.close()

    def _answer(self, group: _Group) -> dict[Key, Answer | PluginError]:
        calendar = group.opened.calendar
        try:
            found = self._question(calendar, group.opened.connection_id, group.names)
        except PluginError as problem:
            return dict.fromkeys(group.keys, problem)
        except Exception as fault:  # noqa: BLE001 - an adapter from outside may raise anything; its calendar is silent then
            _log.exception("the calendar adapter %s broke", calendar.name)
            return dict.fromkeys(group.keys, broke(fault))
        nothing = Permanent("not a word", user_message="The calendar service said nothing about this calendar.")
        return {(group.opened.connection_id, name): found.get(name, nothing) for name in group.names}
