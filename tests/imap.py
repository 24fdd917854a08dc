"""A real IMAP server (pymap) on loopback for tests: a mailbox in its memory, putting mails into it, odd answers."""

from __future__ import annotations

import imaplib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from tests.processes import free_port, running

USER, PASSWORD = "meet", "s3cret-w0rd"


class Mailbox:
    """The server's only mailbox; empty it between tests rather than start another server."""

    def __init__(self, port: int) -> None:
        self.port = port

    def settings(self, **other: Any) -> dict[str, Any]:
        """What the adapter needs."""
        plain = {"host": "127.0.0.1", "port": self.port, "security": "none", "user": USER, "password": PASSWORD}
        return {**plain, "timeout_seconds": 10, **other}

    def deliver(self, raw: bytes) -> None:
        with self._signed_in() as server:
            assert server.append("INBOX", "", "", raw)[0] == "OK"

    def flags(self) -> list[bytes]:
        """How each mail is marked."""
        with self._signed_in() as server:
            server.select("INBOX", readonly=True)
            found = server.fetch("1:*", "(FLAGS)")[1]
            return [line for line in found if isinstance(line, bytes)]

    def clear(self) -> None:
        """A new mailbox of the same name: other UIDVALIDITY, no mails."""
        with self._signed_in() as server:
            server.select("INBOX")
            server.store("1:*", "+FLAGS", r"(\Deleted)")
            server.expunge()

    @contextmanager
    def _signed_in(self) -> Iterator[imaplib.IMAP4]:
        server = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        try:
            server.login(USER, PASSWORD)
            yield server
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                server.logout()


@contextmanager
def serving(*options: str) -> Iterator[Mailbox]:
    """pymap with `options` (`--cert FILE` for STARTTLS; without, no encryption)."""
    port, tls = free_port(), options or ("--no-tls",)
    code = "import sys; from pymap.main import main; sys.exit(main())"
    user = ("--demo-user", USER, "--demo-password", PASSWORD)
    with running("-c", code, "--host", "127.0.0.1", "--port", str(port), *tls, "dict", *user, port=port):
        yield Mailbox(port)


@contextmanager
def odd(inner: int, at: bytes, answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """The server at port `inner`, but what holds `at` is answered by `answer` ("NO why"); one that begins with "*" is
    said as it is and ends the connection. Gives the port, and the lines heard there."""
    heard: list[bytes] = []

    class Odd(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", inner)) as inside, inside.makefile("rb") as said:
                self.wfile.write(said.readline())
                for line in self.rfile:
                    heard.append(line)
                    tag = line.split()[0] + b" "
                    if at not in line:
                        inside.sendall(line)
                        self.wfile.writelines(_until(tag, said))
                    elif answer.startswith(b"*"):
                        self.wfile.write(answer)
                        return
                    else:
                        self.wfile.write(tag + answer + b"\r\n")

    with listening(Odd) as port:
        yield port, heard


def _until(tag: bytes, said: BinaryIO) -> Iterator[bytes]:
    for line in said:
        yield line
        if line.startswith(tag):
            return


@contextmanager
def listening(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    """A port on loopback where `handler` answers."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
