"""One WebSocket under gevent: one greenlet reads; what is sent goes through one bounded queue and blocks no sender.

Why not flask-sock's own `ws.send`: on gevent's non-blocking sockets it loses the rest of a frame that the kernel takes
only in part, and one reader that is stuck stops everybody who sends to it (docs/decisions.md, "Sockets").
"""

from __future__ import annotations

import json
import socket as sockets
import time
from collections.abc import Mapping
from typing import Any

import gevent
from simple_websocket import ConnectionClosed

MOST_QUEUED_BYTES = 1 << 20
MOST_FRAME_BYTES = 64 * 1024
SILENT_SECONDS = 45
_PING = b"\x89\x00"

_open: set[Connection] = set()


class NoThread:
    """Stands where simple_websocket would start a reading thread: our own greenlet reads."""

    name = ""

    def __init__(self, target: Any = None, **_: Any) -> None:
        """Nothing to prepare."""

    def start(self) -> None:
        """Nothing to start."""


SERVER_OPTIONS = {"thread_class": NoThread, "max_message_size": MOST_FRAME_BYTES, "receive_bytes": 4096}


class Connection:
    """Takes the place of `ws.sock`, so that pongs and close replies go through the queue as well."""

    def __init__(self, ws: Any) -> None:
        self._ws = ws
        self._socket = ws.sock
        self._queue: list[bytes] = []
        self._queued = 0
        self._writing = False
        self._dead = False
        self.heard_at = time.monotonic()
        ws.sock = self
        _open.add(self)

    def send_frame(self, frame: Mapping[str, Any]) -> None:
        """Send a frame, now or as soon as the other side takes it; drops the connection at 1 MiB unsent."""
        self.send(encode(frame))

    def receive(self) -> str | bytes:
        """The next message, waiting for it. ConnectionClosed when there will be none."""
        ws = self._ws
        gevent.sleep(0)  # a recv() that finds data never yields: let the others have their turn
        while not ws.input_buffer:
            if not ws.connected:
                raise ConnectionClosed(ws.close_reason, ws.close_message)
            try:
                data = self._socket.recv(4096)
            except OSError:
                data = b""
            if not data:
                ws.connected = False
                raise ConnectionClosed(1006, None)
            self.heard_at = time.monotonic()
            ws.ws.receive_data(data)
            ws.connected = ws._handle_events()
        message: str | bytes = ws.input_buffer.pop(0)
        return message

    def end(self, code: int, reason: str = "") -> None:
        """Say goodbye with a close code and stop sending."""
        body = code.to_bytes(2, "big") + reason.encode()[:120]
        self.send(b"\x88" + bytes((len(body),)) + body)

    def finish(self) -> None:
        """Give what is queued a moment to leave, then let go of the socket."""
        _open.discard(self)
        with gevent.Timeout(1, False):
            while self._writing and not self._dead:
                gevent.sleep(0.01)
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

    # What simple_websocket expects of a socket.

    def send(self, data: bytes) -> int:
        """Try at once without blocking; what the kernel does not take waits in the queue."""
        if self._dead:
            return len(data)
        rest = data if self._queue or self._writing else data[self._send_now(data) :]
        if rest:
            self._enqueue(rest)
        return len(data)

    def recv(self, size: int) -> bytes:
        return bytes(self._socket.recv(size))

    def close(self) -> None:
        """simple_websocket closes before the queue is empty; `finish` closes."""

    def _send_now(self, data: bytes) -> int:
        try:
            return int(self._socket._sock.send(data))
        except BlockingIOError:
            return 0
        except OSError:
            self.drop()
            return len(data)

    def _enqueue(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued += len(data)
        if self._queued > MOST_QUEUED_BYTES:
            self.drop()
        elif not self._writing:
            self._writing = True
            gevent.spawn(self._write)

    def _write(self) -> None:
        try:
            while self._queue:
                data = b"".join(self._queue)
                self._queue.clear()
                self._socket.sendall(data)
                self._queued -= len(data)
        except OSError:
            self.drop()
        finally:
            self._writing = False


def encode(frame: Mapping[str, Any]) -> bytes:
    """A text frame (RFC 6455 section 5.2, server to client: unmasked) of the frame's JSON."""
    body = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
    size = len(body)
    if size < 126:
        return bytes((0x81, size)) + body
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + body
    return b"\x81\x7f" + size.to_bytes(8, "big") + body


def ping_all() -> None:
    """Ask everybody whether they are there; cut those who said nothing for 45 seconds."""
    for connection in list(_open):
        if time.monotonic() - connection.heard_at > SILENT_SECONDS:
            connection.drop()
        else:
            connection.send(_PING)


def end_all(code: int = 1001) -> None:
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
