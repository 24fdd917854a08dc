"""A calendar server that takes calls and never answers: one visitor waits a little, nobody else does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from plugins import registry
from plugins.records import MemoryRecords
from server.booking import service as booking
from server.db import Database, migrate
from tests.booking.wall import connected
from tests.playbooks.chat import applied
from tests.playbooks.folder import folder
from tests.processes import free_port, running

ORIGIN = {"Origin": "http://localhost:8010"}
ADA = {"name": "Ada Byron", "email": "ada@wonka.example"}


class Silence:
    """Listens, takes every connection and says nothing; `called` is set by the first."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self._open.append(self._listening.accept()[0])
            except OSError:
                return
            self.called.set()

    def close(self) -> None:
        self._listening.close()
        for one in self._open:
            one.close()


@pytest.fixture
def silence() -> Iterator[Silence]:
    found = Silence()
    yield found
    found.close()


@contextmanager
def usher(data: Path, silence: Silence) -> Iterator[str]:
    """A real server whose calendars were read a moment ago, and whose calendar service has hung since."""
    db = Database(f"sqlite:///{data}/usher.db")
    migrate.upgrade(db)
    files = folder()
    files["site.yml"] += "adapters: {calendar: caldav}\n"
    version = applied(db, files)
    with connected():
        booking.read_ahead(db, version, lambda _: registry.open("calendar", "wall", {}, records=MemoryRecords()))
    db.close()
    port = free_port()
    environment = {
        "USHER_DATABASE_URL": f"sqlite:///{data}/usher.db",
        "USHER_SECRET_KEY": "a key for tests only",
        "USHER_RATE_LIMITS": "false",
        "USHER_EMBEDDED_WORKER": "false",
        "USHER_PRIVATE_HOSTS": "127.0.0.1",
        "USHER_CALENDAR_CALDAV_URL": f"http://127.0.0.1:{silence.port}/",
        "USHER_CALENDAR_CALDAV_USER": "usher",
        "USHER_CALENDAR_CALDAV_PASSWORD": "secret",
    }
    with running("-m", "server.serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", port=port,
                 environment=environment):  # fmt: skip
        yield f"http://127.0.0.1:{port}"


def ask(method: str, url: str, **body: Any) -> requests.Response:
    told = {"data": json.dumps(body), "headers": {**ORIGIN, "Content-Type": "application/json"}} if body else {}
    return requests.request(method, url, timeout=60, **{"headers": ORIGIN, **told})


def test_one_booking_waits_for_a_hanging_calendar_and_nobody_else_does(tmp_path: Path, silence: Silence) -> None:
    with usher(tmp_path, silence) as url:
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        days = ask("GET", f"{url}/v1/slots?site=acme&meeting=demo&days=7&from={tomorrow}").json()["days"]
        first = days[0]["slots"][0]
        token = ask("POST", f"{url}/v1/holds", site="acme", meeting="demo", start=first).json()["hold"]["token"]
        answers: list[requests.Response] = []
        waiting = threading.Thread(
            target=lambda: answers.append(ask("POST", f"{url}/v1/meetings", site="acme", hold=token, **ADA))
        )
        waiting.start()
        assert silence.called.wait(20)
        others = [ask("GET", f"{url}/healthz").status_code for _ in range(2)]
        assert waiting.is_alive(), "the others were answered only after the one who waits"
        assert others == [200, 200]
        waiting.join(60)
        refused = answers[0]
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "slot_taken")
