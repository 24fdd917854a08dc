"""A WebSocket client that may break every rule: bytes on a socket, written and read frame by frame."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True, first: int = 0) -> bytes:
    """One frame as a client sends it (RFC 6455 section 5.2); `first` adds bits to the first byte."""
    head = bytes([first | (0x80 if fin else 0) | opcode])
    size, mark = len(payload), 0x80 if masked else 0
    if size < 126:
        head += bytes([mark | size])
    elif size < 65536:
        head += bytes([mark | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mark | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))


class Raw:
    """`opened` is the answer to the handshake."""

    def __init__(self, port: int, path: str = "/socket", *, origin: str = "", seconds: float = 20) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        lines = [
            f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
            *([f"Origin: {origin}"] if origin else []),
        ]  # fmt: skip
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._bytes = b""
        while b"\r\n\r\n" not in self._bytes:
            self._more()
        head, _, self._bytes = self._bytes.partition(b"\r\n\r\n")
        self.opened = head.decode()

    def say(self, text: str) -> None:
        self.socket.sendall(frame(TEXT, text.encode()))

    def hear(self) -> Any:
        """The next message, its JSON read."""
        opcode, payload = self.read()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def read(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. ConnectionError when there is none."""
        first, second = self._take(2)
        size = second & 127
        if size == 126:
            size = int.from_bytes(self._take(2), "big")
        elif size == 127:
            size = int.from_bytes(self._take(8), "big")
        assert (first & 0x80, second & 0x80) == (0x80, 0), "a server sends whole, unmasked frames"
        return first & 15, self._take(size)

    def goodbye(self) -> int:
        """The code of the close frame, whatever comes before it; after it the server is gone."""
        while True:
            opcode, payload = self.read()
            if opcode == CLOSE:
                self.socket.shutdown(socket.SHUT_WR)
                assert self.rest() == b"", "nothing is said after goodbye"
                return int.from_bytes(payload[:2], "big")

    def rest(self) -> bytes:
        """All bytes until the server closes."""
        found, self._bytes = [self._bytes], b""
        try:
            while data := self.socket.recv(1 << 18):
                found.append(data)
        except ConnectionResetError:
            pass
        return b"".join(found)

    def close(self) -> None:
        self.socket.close()

    def _take(self, size: int) -> bytes:
        while len(self._bytes) < size:
            self._more()
        taken, self._bytes = self._bytes[:size], self._bytes[size:]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server has closed")
        self._bytes += data
