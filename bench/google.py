"""What a call to Google Calendar costs us: CPU of one busy question and one create, against bare `requests`.

Run: python -m bench.google. Asks the fake on loopback; counts only the CPU of the thread that asks. Prints ratios;
never fails. Also: what the first call in a process pays for Google's library and the description of the API.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from plugins.calendar.google import Google
from plugins.calendar.google.events import event_id, written
from plugins.http import Http
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.calendar_samples import DAY, DEMO
from plugins.testing.fakes.google import GoogleFake
from plugins.tokens import MemoryTokens

OWNER = "grace@acme.example"
ROUNDS = 400
API = "/calendar/v3"


def main() -> None:
    with GoogleFake() as fake:
        fake.calendar(OWNER)
        granted = fake.grant(OWNER)
        first = _first(fake, granted)
        table = Table("call", "CPU µs", "of bare requests", title="one call to Google Calendar")
        for name, ways in _deeds(fake, granted).items():
            _measure(table, name, ways)
        Console().print(table, f"first call in a process: {first * 1000:.0f} ms more, once")


def _first(fake: GoogleFake, granted: dict[str, Any]) -> float:
    """Before anything else has been asked."""
    adapter = _adapter(fake, granted)
    began = time.thread_time()
    adapter.busy([OWNER], DAY)
    first = time.thread_time() - began
    began = time.thread_time()
    adapter.busy([OWNER], DAY)
    return first - (time.thread_time() - began)


def _deeds(fake: GoogleFake, granted: dict[str, Any]) -> dict[str, dict[str, Callable[[int], Any]]]:
    adapter, session = _adapter(fake, granted), requests.Session()
    http = Http("calendar.google", private=("127.0.0.1",))
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    question = {"timeMin": "2026-03-02T00:00:00Z", "timeMax": "2026-03-03T00:00:00Z", "items": [{"id": OWNER}]}
    times, events = f"{fake.url}{API}/freeBusy", f"{fake.url}{API}/calendars/{OWNER}/events"

    def event(way: str, n: int) -> dict[str, Any]:
        return {**written(DEMO, "k", invite=False), "id": event_id(f"{way} {n}")}

    return {
        "busy": {
            "requests": lambda n: json.loads(session.post(times, json=question, headers=headers, timeout=5).content),
            "plugins.http": lambda n: http.call("busy", "POST", times, json=question, headers=headers).json(),
            "adapter": lambda n: adapter.busy([OWNER], DAY),
        },
        "create": {
            "requests": lambda n: json.loads(
                session.post(events, json=event("bare", n), headers=headers, timeout=5).content
            ),
            "plugins.http": lambda n: http.call(
                "create", "POST", events, json=event("http", n), headers=headers
            ).json(),
            "adapter": lambda n: adapter.create(OWNER, DEMO, key=f"adapter {n}"),
        },
    }


def _measure(table: Table, name: str, ways: dict[str, Callable[[int], Any]]) -> None:
    """In turns, so that whatever else the machine does hits all of them."""
    spent = dict.fromkeys(ways, 0.0)
    for n in range(ROUNDS):
        for way, deed in ways.items():
            began = time.thread_time()
            deed(n)
            spent[way] += time.thread_time() - began
    for way, seconds in spent.items():
        table.add_row(f"{name}: {way}", f"{seconds / ROUNDS * 1e6:.0f}", f"{seconds / spent['requests']:.2f}")


def _adapter(fake: GoogleFake, granted: dict[str, Any]) -> Google:
    addresses = dict.fromkeys(("base_url", "sign_in_url", "token_url"), fake.url)
    opened: Google = Registry(discover=list).open(
        "calendar", "google", {**addresses, "client_id": "x"}, records=MemoryRecords(), tokens=MemoryTokens(granted),
        private=("127.0.0.1",),
    )  # fmt: skip
    return opened


if __name__ == "__main__":
    main()
