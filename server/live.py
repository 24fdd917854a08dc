"""Who listens to what in this process; frames are passed on after the commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

Frame = Mapping[str, Any]
Listener = Callable[[Frame], None]

_listeners: dict[str, list[Listener]] = defaultdict(list)


def subscribe(topic: str, listener: Listener) -> Callable[[], None]:
    """Hand every frame published under `topic` to `listener`, which must not block; returns what ends it."""
    _listeners[topic].append(listener)

    def end() -> None:
        if listener in _listeners.get(topic, ()):
            _listeners[topic].remove(listener)
            if not _listeners[topic]:
                del _listeners[topic]

    return end


def publish(topic: str, frame: Frame) -> int:
    """Pass a frame on to all who listen; call it after the commit. Returns how many heard it."""
    heard = list(_listeners.get(topic, ()))
    for listener in heard:
        listener(frame)
    return len(heard)
