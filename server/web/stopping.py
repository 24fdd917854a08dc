"""The end of the process: who waits for something is told at once, and nobody begins to wait anew."""

from __future__ import annotations

from collections.abc import Callable

CODE = 1001

_begun = False
_waiting: dict[object, Callable[[], None]] = {}


def begun() -> bool:
    """Whether the server is stopping."""
    return _begun


def tell(call: Callable[[], None]) -> Callable[[], None]:
    """Call `call` when the server stops (at once when it does already); returns what takes it back."""
    if _begun:
        call()
    mine = object()
    _waiting[mine] = call

    def forget() -> None:
        _waiting.pop(mine, None)

    return forget


def begin() -> None:
    """The server stops: tell everybody who waits."""
    global _begun
    _begun = True
    for call in list(_waiting.values()):
        call()
