"""What a service tells us by calling our address, and what an adapter makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WINDOW_SECONDS = 300
"""How old a signed call may be; older ones are replays."""


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call as it came: `url` as the service sees it (public, with its query), headers without regard to case, the
    raw body, the aware moment. `secret` is what the service was given, or signs with."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HookMessage:
    """One thing told. `id` is the service's own and the same when it is told again, so that it is done once; `data` is
    JSON, kept as it is and given back to the adapter (`told`) when there is time."""

    id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call told, and the answer the service wants at once: an empty 200, or the echo of a handshake."""

    messages: tuple[HookMessage, ...] = ()
    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
