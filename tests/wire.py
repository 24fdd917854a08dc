"""A TCP line between browser and server that tests can cut, fill with silence, or close to sockets."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Wire:
    """Listens on `port` and passes bytes on to `to`.

    `sockets` is what happens to upgrades: "pass", "refuse" (502), or "swallow" (no answer ever). `lose_up` and
    `lose_down`: bytes from the browser, or from the server, vanish without a word, on connections that are there and on
    those that come. A connection that lost something stays dumb when the line is whole again, as behind a router that
    has forgotten it.
    """

    def __init__(self, to: int) -> None:
        self.to = to
        self.sockets = "pass"
        self.lose_up = self.lose_down = False
        self.upgrades = 0
        self.requests = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listening.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every connection breaks off."""
        for pair in self._pairs:
            for end in pair:
                _close(end)
        self._pairs = []

    def heal(self) -> None:
        """New connections are whole again."""
        self.sockets = "pass"
        self.lose_up = self.lose_down = False

    def stop(self) -> None:
        _close(self._listening)
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=(browser,), daemon=True).start()

    def _carry(self, browser: socket.socket) -> None:
        with suppress(OSError):
            first = browser.recv(65536)
            if b"upgrade: websocket" in first.lower():
                self.upgrades += 1
                if self.sockets == "refuse":
                    browser.sendall(REFUSAL)
                    return _close(browser)
            swallowed = self.sockets == "swallow" and b"upgrade: websocket" in first.lower()
            server = socket.create_connection(("127.0.0.1", self.to))
            self._pairs.append((browser, server))
            threading.Thread(target=self._pump, args=(server, browser, "lose_down", swallowed), daemon=True).start()
            return self._pump(browser, server, "lose_up", swallowed, first)
        _close(browser)
        return None

    def _pump(self, source: socket.socket, drain: socket.socket, name: str, dumb: bool, data: bytes = b"") -> None:
        with suppress(OSError):
            while data := data or source.recv(65536):
                self.requests += data.startswith(b"POST ") and name == "lose_up"
                dumb = dumb or getattr(self, name)
                if not dumb:
                    drain.sendall(data)
                data = b""
        if not dumb:
            _close(drain)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
