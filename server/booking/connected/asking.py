"""Asks a site's calendar adapter about several calendars at once, so that one that hangs holds up no other."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from plugins.calendar import Calendar
from plugins.errors import Permanent, PluginError, Transient

MOST_AT_ONCE = 16
Answer = TypeVar("Answer")
Question = Callable[[Calendar, Sequence[str]], Mapping[str, Answer]]
_log = logging.getLogger("usher.booking")


def ask(
    open_calendar: Callable[[], Calendar],
    about: Sequence[str],
    question: Question[Answer],
    seconds: float,
    *,
    size: Callable[[Calendar], int] = lambda _: 1,
) -> dict[str, Answer | PluginError]:
    """What the adapter says about each of `about`, or why it says nothing, after `seconds` at the latest.

    `question` gets as many of them at a time as `size` says, in threads of their own (under gevent: greenlets). Whose
    turn has not come by then is left out of the answer. Never inside a transaction.
    """
    if not about:
        return {}
    try:
        calendar = open_calendar()
    except PluginError as problem:
        return dict.fromkeys(about, problem)
    step = max(1, size(calendar))
    groups = [about[first : first + step] for first in range(0, len(about), step)]
    return _Asking(calendar, question, groups).answers(seconds)


class _Asking(Generic[Answer]):
    def __init__(self, calendar: Calendar, question: Question[Answer], groups: Sequence[Sequence[str]]) -> None:
        self._calendar, self._question = calendar, question
        self._left = deque(groups)
        self._found: dict[str, Answer | PluginError] = {}
        self._asked: list[str] = []
        self._working = min(MOST_AT_ONCE, len(groups))
        self._lock, self._all_done = threading.Lock(), threading.Event()

    def answers(self, seconds: float) -> dict[str, Answer | PluginError]:
        for _ in range(self._working):
            threading.Thread(target=self._work, name="usher-calendar", daemon=True).start()
        self._all_done.wait(seconds)
        with self._lock:
            self._left.clear()
            late = Transient(f"no answer in {seconds:.1f} s", user_message="The calendar did not answer in time.")
            return dict.fromkeys(self._asked, late) | self._found

    def _work(self) -> None:
        while names := self._next():
            found = self._answer(names)
            with self._lock:
                self._found |= found
        with self._lock:
            self._working -= 1
            last = not self._working
        if last:
            self._calendar.close()
            self._all_done.set()

    def _next(self) -> Sequence[str]:
        with self._lock:
            names = self._left.popleft() if self._left else ()
            self._asked += names
        return names

    def _answer(self, names: Sequence[str]) -> dict[str, Answer | PluginError]:
        try:
            found = self._question(self._calendar, names)
        except PluginError as problem:
            return dict.fromkeys(names, problem)
        except Exception as fault:  # noqa: BLE001 - an adapter from outside may raise anything; its calendar is silent then
            _log.exception("the calendar adapter %s broke", self._calendar.name)
            return dict.fromkeys(names, Permanent(f"{type(fault).__name__} in the adapter"))
        nothing = Permanent("not a word", user_message="The calendar service said nothing about this calendar.")
        return {name: found.get(name, nothing) for name in names}
