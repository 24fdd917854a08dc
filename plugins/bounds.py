"""What one call may take, in time and in bytes, kept at its socket, as Go's Transport and GitLab's BufferedIo do.

http.client and urllib3 bound each wait, not the whole: headers, answers before the answer, trailers and packed nothing
may come for ever. Whatever arrives is counted here, before anybody knows what it is.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.ssl_ import SSLContext, create_urllib3_context
from urllib3.util.ssltransport import SSLTransport

TURN_SECONDS, PAUSE_SECONDS = 0.005, 0.000_001
"""So long a call goes on before it lets others have a turn, as Python's threads do: greenlets change only when one
waits, and nobody waits for a socket that is always ready. In a pause of 0 gevent looks at no sockets and clocks."""


class TooLarge(Exception):
    """More has arrived than the call has room for."""


@dataclass(slots=True)
class Bounds:
    """The moment when a call ends, by time.monotonic, and how many bytes may still arrive until then."""

    deadline: float
    room: int
    turn: float = field(default_factory=time.monotonic)

    def within(self, seconds: float | None) -> float:
        """`seconds`, or what is left of the call when that is less. TimeoutError when nothing is left."""
        now = time.monotonic()
        if now - self.turn > TURN_SECONDS:
            time.sleep(PAUSE_SECONDS)
            now = self.turn = time.monotonic()
        left = self.deadline - now
        if left <= 0:
            raise TimeoutError("the call took too long")
        return left if seconds is None else min(seconds, left)

    def arrived(self, size: int) -> None:
        """TooLarge when that was too much."""
        self.room -= size
        if self.room < 0:
            raise TooLarge


_current: ContextVar[Bounds | None] = ContextVar("bounds", default=None)


@contextmanager
def kept(bounds: Bounds) -> Iterator[None]:
    """Inside, these are the bounds of every bounded socket that this thread or greenlet uses, new or kept open."""
    before = _current.set(bounds)
    try:
        yield
    finally:
        _current.reset(before)


def within(seconds: float | None) -> float | None:
    """`Bounds.within` of the call under way; outside of one, `seconds`."""
    bounds = _current.get()
    return bounds.within(seconds) if bounds else seconds


class BoundedSocket(socket.socket):
    """A connected socket that keeps the bounds of the call under way. What is sent has all the time there is left; what
    is waited for also has the time-out of the socket."""

    _patience: float | None = None

    @classmethod
    def over(cls, sock: socket.socket) -> Self:
        """Takes the place of `sock`."""
        seconds = sock.gettimeout()
        made = cls(sock.family, sock.type, sock.proto, fileno=sock.detach())
        made.settimeout(seconds)
        return made

    def settimeout(self, seconds: float | None) -> None:
        self._patience = seconds
        super().settimeout(seconds)

    def recv(self, *given: Any) -> bytes:
        super().settimeout(within(self._patience))
        got = super().recv(*given)
        _arrived(len(got))
        return got

    def recv_into(self, *given: Any) -> int:
        super().settimeout(within(self._patience))
        size = super().recv_into(*given)
        _arrived(size)
        return size

    def sendall(self, data: Any, flags: int = 0) -> None:
        if not data:  # SSLTransport sends what there is, also when there is nothing
            return
        super().settimeout(within(None) if _current.get() else self._patience)
        super().sendall(data, flags)


class BoundedTls(HTTPSConnection):
    """TLS spoken in memory and carried by our socket, so that the bounds hold in the shake of hands and inside of
    records too. What is trusted and how names are checked stays urllib3's."""

    def connect(self) -> None:
        self.ssl_context = create_urllib3_context()
        self.ssl_context.__class__ = _Carried
        try:
            super().connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "TLS took too long") from error  # nothing has been sent
        finally:
            self.ssl_context = None

    @property
    def is_connected(self) -> bool:
        """Not when something lies there that nobody asked for: it would be taken for the next answer."""
        unread = isinstance(self.sock, SSLTransport) and (self.sock.incoming.pending or self.sock.sslobj.pending())
        return super().is_connected and not unread


class _Carried(SSLContext):  # type: ignore[misc,valid-type]
    def wrap_socket(self, sock: socket.socket, *_: Any, server_hostname: str | None = None, **__: Any) -> Any:
        return SSLTransport(sock, self, server_hostname)


def _arrived(size: int) -> None:
    bounds = _current.get()
    if bounds:
        bounds.arrived(size)
