"""A real IMAP server (pymap) on loopback for tests: a mailbox in its memory, and putting mails into it."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

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
