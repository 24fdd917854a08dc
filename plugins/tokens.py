"""Where the OAuth tokens of one connection are kept, and how they are renewed once although many ask at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

Granted = dict[str, Any]
"""What a token endpoint gave, as JSON: access_token, refresh_token, expires_at (seconds since 1970), scope (with blanks
between), and what else the service says, such as Salesforce's instance_url."""
Renew = Callable[[Granted], Granted]


class Tokens(Protocol):
    """The host keeps them encrypted. What is returned is a copy."""

    def load(self) -> Granted | None:
        """What is kept, None when nobody has connected yet."""

    def renewed(self, seen: Mapping[str, Any] | None, renew: Renew) -> Granted:
        """Tokens newer than `seen`: those that somebody else has put in their place meanwhile, or what `renew` makes of
        those that are kept ({} when there are none), which are then kept. One at a time asks the service. Raises
        what `renew` raises, and keeps nothing then."""


class MemoryTokens:
    """Tokens in this process only: for settings that can always mint new ones, and for tests."""

    def __init__(self, granted: Mapping[str, Any] | None = None) -> None:
        self._granted = dict(granted) if granted is not None else None
        self._lock = threading.Lock()

    def load(self) -> Granted | None:
        return None if self._granted is None else dict(self._granted)

    def renewed(self, seen: Mapping[str, Any] | None, renew: Renew) -> Granted:
        with self._lock:
            if self._granted is None or self._granted == seen:
                self._granted = dict(renew(dict(self._granted or {})))
            return dict(self._granted)
