"""One WebSocket under gevent: one greenlet reads; what is sent goes through one bounded queue and blocks no sender.

Why not flask-sock's own `ws.send`: on gevent's non-blocking sockets it loses the rest of a frame that the kernel takes
only in part, and one reader that is stuck stops everybody who sends to it (docs/decisions.md, "Sockets").
"""

from __future__ import annotations

import logging
import socket as sockets
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent import socket as gevent_sockets
from simple_websocket import ConnectionClosed
from wsproto.connection import Connection as FrameReader
from wsproto.connection import ConnectionType
from wsproto.events import CloseConnection, Message, Ping

from server.db import AWAY
from server.web import sending, stopping

MOST_QUEUED_BYTES = 1 << 20
MOST_FRAME_BYTES = 64 * 1024
READ_BYTES = 16384
PING_SECONDS, SILENT_SECONDS = 20, 45
FLUSH_SECONDS, LINGER_SECONDS = 5, 1
TOO_BIG, LOST, FAULT, COME_LATER = 1009, 1006, 1011, 1013
_PING = b"\x89\x00"
_PINGS_AT_ONCE = 100

_open: set[Connection] = set()
_log = logging.getLogger("usher.chat")


class NoThread:
    """Stands where simple_websocket would start a reading thread and keep an event for it: our own greenlet reads."""

    name = ""

    def __init__(self, target: Any = None) -> None:
        """Nothing to prepare."""

    def start(self) -> None:
        """Nothing to start."""

    def set(self) -> None:
        """Nobody waits."""


SERVER_OPTIONS = {"thread_class": NoThread, "event_class": NoThread}


def serve(ws: Any, talk: Callable[[Connection], None]) -> None:
    """Take the socket over after its handshake: `talk` has it in a greenlet of its own, until ConnectionClosed.

    So the upgrade's request ends, and an idle socket keeps none of what answering a request needs (15 KiB).
    """
    ws.connected = False  # so that flask-sock says no goodbye of its own
    gevent.spawn(_run, Connection(gevent_sockets.socket(fileno=ws.sock.detach())), talk)


def _run(link: Connection, talk: Callable[[Connection], None]) -> None:
    try:
        talk(link)
    except ConnectionClosed:
        pass
    except AWAY as error:
        _log.warning("a socket ends: the database does not answer (%s)", str(error).split("\n")[0])
        link.end(COME_LATER)
    except Exception:  # noqa: BLE001 - nobody is above this greenlet who could be told
        _log.exception("a socket failed")
        link.end(FAULT)
    finally:
        link.finish()


class Connection:
    """One socket after its handshake; wsproto reads the frames."""

    __slots__ = (
        "_answer", "_closed", "_dead", "_ended", "_inbox", "_kept", "_kept_bytes", "_protocol", "_queue", "_queued",
        "_socket", "_writer", "heard_at",
    )  # fmt: skip

    def __init__(self, socket: Any) -> None:
        self._protocol = FrameReader(ConnectionType.SERVER)
        self._socket = socket
        self._inbox: list[str | bytes] = []
        self._kept: list[Any] = []  # the parts so far of a message that is not whole yet
        self._kept_bytes = 0
        self._queue: list[bytes] = []
        self._queued = 0
        self._writer: gevent.Greenlet | None = None
        self._closed: ConnectionClosed | None = None
        self._answer = b""  # to the other side's goodbye
        self._ended = False
        self._dead = False
        self.heard_at = time.monotonic()
        _open.add(self)
        if stopping.begun():
            self.end(stopping.CODE)

    def send_frame(self, frame: Mapping[str, Any]) -> None:
        """Send a frame, now or as soon as the other side takes it; drops the connection at 1 MiB unsent."""
        self.send(sending.encode(frame))

    def receive(self) -> str | bytes:
        """The next message, waiting for it. ConnectionClosed when there will be none."""
        while True:
            gevent.sleep(0)  # a recv() that finds data never yields: let the others have their turn
            if self._inbox and not self._ended:
                return self._inbox.pop(0)
            if self._closed or self._ended:
                self._answer_goodbye()
                raise self._closed or ConnectionClosed(LOST, None)
            self._read()

    def end(self, code: int, reason: str = "") -> None:
        """Say goodbye with a close code; nothing is sent after it, and nothing more is received."""
        if not self._ended:
            body = code.to_bytes(2, "big") + reason.encode()[:120].decode(errors="ignore").encode()
            self.send(b"\x88" + bytes((len(body),)) + body)
            self._ended = True

    def finish(self) -> None:
        """Give what is queued a moment to leave, then let go of the socket."""
        if self._writer:
            self._writer.join(FLUSH_SECONDS)
        if self._ended and not self._dead:
            with gevent.Timeout(LINGER_SECONDS, False):
                self._drain()
        _open.discard(self)
        self.drop()
        self._socket.close()

    def drop(self) -> None:
        """Cut the connection; the reader notices."""
        if not self._dead:
            self._dead = True
            self._queue.clear()
            try:
                self._socket.shutdown(sockets.SHUT_RDWR)
            except OSError:
                return

    def send(self, data: bytes) -> None:
        """Send encoded frames: try at once without blocking; what the kernel does not take waits in the queue."""
        if self._dead or self._ended:
            return
        rest = data if self._writer else data[self._send_now(data) :]
        if rest and not self._dead:
            self._enqueue(rest)

    def _send_now(self, data: bytes) -> int:
        try:
            return int(self._socket._sock.send(data))
        except BlockingIOError:
            return 0
        except OSError:
            self.drop()
            return 0

    def _enqueue(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued += len(data)
        if self._queued > MOST_QUEUED_BYTES:
            self.drop()
        elif not self._writer:
            self._writer = gevent.spawn(self._write)

    def _write(self) -> None:
        try:
            while self._queue:
                data = self._queue.pop(0)
                self._socket.sendall(data)
                self._queued -= len(data)
        except OSError:
            self.drop()
        finally:
            self._writer = None

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._closed = ConnectionClosed(LOST, None)
            return
        self.heard_at = time.monotonic()
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            if isinstance(event, Message):
                self._collect(event)
            elif isinstance(event, Ping):
                self.send(self._protocol.send(event.response()))
            elif isinstance(event, CloseConnection):  # wsproto makes one of what breaks the protocol, too
                self._closed = ConnectionClosed(event.code, event.reason)
                self._answer = self._protocol.send(event.response())
            if self._closed:
                return

    def _collect(self, event: Any) -> None:
        """A message may come in many pieces; an empty one is nothing to keep."""
        data = event.data
        self._kept_bytes += len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
        if self._kept_bytes > MOST_FRAME_BYTES:
            self.end(TOO_BIG, "a frame can have 64 KiB at most")
            self._closed = ConnectionClosed(TOO_BIG, None)
        elif event.message_finished:
            self._inbox.append(type(data)().join((*self._kept, data)) if self._kept else data)
            self._kept, self._kept_bytes = [], 0
        elif data:
            self._kept.append(data)

    def _answer_goodbye(self) -> None:
        """Only now, for what was said before the goodbye is answered first."""
        if self._answer:
            self.send(self._answer)
            self._ended = True

    def _drain(self) -> None:
        """Closing a socket with unread bytes would cut off our goodbye: read until the other side is gone."""
        try:
            self._socket.shutdown(sockets.SHUT_WR)
            while self._socket.recv(65536):
                gevent.sleep(0)
        except OSError:
            return


def ping_all() -> None:
    """Ask everybody whether they are there; cut those who said nothing for 45 seconds."""
    for n, connection in enumerate(list(_open), 1):
        if time.monotonic() - connection.heard_at > SILENT_SECONDS:
            connection.drop()
        else:
            connection.send(_PING)
        if n % _PINGS_AT_ONCE == 0:
            gevent.sleep(0)  # ten thousand pings are 50 ms


def end_all(code: int = stopping.CODE) -> None:
    """Say goodbye to everybody: the server stops (1001), they may come back at once."""
    for connection in list(_open):
        connection.end(code)


def drop_all() -> None:
    """Cut those who did not answer the goodbye."""
    for connection in list(_open):
        connection.drop()


def count() -> int:
    """How many sockets are open."""
    return len(_open)
