"""How much of a calendar is read: how deep it may nest and how many steps all its events may take together. Whoever
writes a calendar could otherwise keep us busy for hours."""

from __future__ import annotations

import re
import time

MOST = 5_000_000
"""Steps of one calendar, a second or two for each million: twenty thousand events, or some hundred daily series."""
DEEP = 8
"""Of components inside each other."""
ZONES = 200
ZONE_BYTES = 20_000
"""Of the zones that a calendar defines itself, and of the definition of one."""
_TURN, _PAUSE_SECONDS = 5_000, 0.000_001


class Unreadable(ValueError):
    """iCalendar text that we cannot make sense of."""


class TooMuch(Unreadable):
    """A calendar that would take too long to read."""

    said = "This calendar is too large to be read, or its events repeat too often."


class Steps:
    """What is left of the steps of one calendar. Others have a turn in between: in a pause of 0 gevent looks at no
    sockets and clocks."""

    def __init__(self, most: int = MOST) -> None:
        self._left, self._turn = most, most - _TURN

    def spend(self, steps: int) -> None:
        """TooMuch when there are not so many left."""
        self._left -= steps
        if self._left < 0:
            raise TooMuch("more steps than one calendar may take")
        if self._left < self._turn:
            self._turn = self._left - _TURN
            time.sleep(_PAUSE_SECONDS)


def unfolded(text: str) -> str:
    """Lines as they were meant (RFC 5545 3.1)."""
    return re.sub(r"\r?\n[ \t]", "", text).replace("\r\n", "\n") + "\n"


def nested(text: str) -> str:
    """The text itself, whose lines are unfolded. Unreadable when it nests as no calendar does, or what begins there
    does not end: a search for the end of each takes ages."""
    inside: list[str] = []
    for line in text.split("\n"):
        said, _, name = line.upper().partition(":")
        if said == "BEGIN":
            inside.append(name)
        elif said == "END" and (not inside or inside.pop() != name):
            raise Unreadable("something ends that did not begin")
        if len(inside) > DEEP:
            raise Unreadable("nested too deep")
    if inside:
        raise Unreadable("something does not end")
    return text
