"""A real Xandikos on loopback: a second opinion on CalDAV. It knows no users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import free_port, running
from tests.radicale import CalendarServer


@contextmanager
def xandikos(folder: Path) -> Iterator[CalendarServer]:
    """A Xandikos with the home /user/calendars/ that keeps its files in `folder`."""
    port = free_port()
    command = ["-m", "xandikos", "serve", "-d", str(folder), "--defaults", "-l", "127.0.0.1", "-p", str(port)]
    with running(*command, port=port):
        server = CalendarServer(f"http://127.0.0.1:{port}/", "/user/calendars/")
        yield server
        server.session.close()
