"""How long a visitor waits while 500 messages a second arrive: until the acknowledgement and until the answer.

Run: python -m bench.rate. Serves the sample site on SQLite (synchronous=FULL) and on PostgreSQL, one process each, and
talks to it over WebSockets from another process. Prints p50 and p99 and the server's CPU per message; never fails.
Both sides share the machine: on two cores the client's half counts too.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect

from bench.databases import databases
from server.config import folder
from server.config import service as config
from server.db import Database, migrate
from server.sections import SECTIONS
from server.settings import ROOT
from tests.processes import free_port, running

VISITORS = 750
RATE = 500  # messages a second
ROUNDS = 4  # messages of each visitor
SAID = ("we are about 250", "Do you integrate with Salesforce?", "replacing a tool", "What does it cost?")
PAGE = {"url": "http://localhost/pricing", "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}
ORIGIN = "http://localhost:8010"


def main() -> None:
    """Measure and print."""
    table = Table("database", "messages/s", "ack p50 ms", "ack p99 ms", "answer p50 ms", "answer p99 ms", "CPU ms each")
    with tempfile.TemporaryDirectory() as place:
        for name, url in databases(place):
            table.add_row(name, *measure(url, place))
    Console().print(table)


def measure(url: str, place: str) -> list[str]:
    """The row of one database."""
    db = Database(url)
    migrate.upgrade(db)
    config.apply(db, folder.load(ROOT / "server" / "sample"), author="bench", sections=SECTIONS)
    db.close()
    with serving(url, place) as (port, process):
        (spent, took), acks, answers = asyncio.run(talk(port, process))
    count = VISITORS * ROUNDS
    times = [*percentiles(acks), *percentiles(answers)]
    return [f"{count / took:.0f}", *(f"{one * 1000:.1f}" for one in times), f"{spent / count * 1000:.2f}"]


@contextmanager
def serving(url: str, place: str) -> Iterator[tuple[int, int]]:
    """One server process without rate limits."""
    port = free_port()
    environment = {
        "USHER_DATABASE_URL": url, "USHER_DATA_DIR": place, "USHER_SECRET_KEY": "a key for measuring only" * 2,
        "USHER_RATE_LIMITS": "false", "USHER_MAIL_TO": "none", "USHER_EMBEDDED_WORKER": "false",
    }  # fmt: skip
    arguments = ["-m", "server.serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with running(*arguments, port=port, environment=environment) as server:
        yield port, server.pid


async def talk(port: int, server: int) -> tuple[tuple[float, float], list[float], list[float]]:
    """Everybody says hello; then messages go out at the rate, round by round of visitors. CPU and wall seconds of that,
    and how long each message took until it was acknowledged and until it was answered."""
    visitors = [Visitor() for _ in range(VISITORS)]
    for visitor in visitors:
        await visitor.open(port)
    before, began = cpu(server), time.perf_counter()
    for n in range(VISITORS * ROUNDS):
        wait = began + n / RATE - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        await visitors[n % VISITORS].say(SAID[(n // VISITORS) % len(SAID)])
    await asyncio.gather(*(visitor.rest() for visitor in visitors))
    took, used = time.perf_counter() - began, cpu(server) - before
    await asyncio.gather(*(visitor.socket.close() for visitor in visitors))
    return (used, took), [a for v in visitors for a in v.acks], [a for v in visitors for a in v.answers]


class Visitor:
    """One socket; notes when what it said was acknowledged and answered."""

    socket: ClientConnection

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.acks: list[float] = []
        self.answers: list[float] = []

    async def open(self, port: int) -> None:
        self.socket = await connect(f"ws://127.0.0.1:{port}/v1/chat?site=acme", origin=ORIGIN, ping_interval=None)  # type: ignore[arg-type]
        about = {"device": "desktop", "locale": "en", "zone": "Europe/Berlin", "seed": "seed"}
        await self.socket.send(json.dumps({"t": "hello", "site": "acme", "page": PAGE, **about}))
        while json.loads(await self.socket.recv())["t"] != "welcome":
            pass
        self.reader = asyncio.create_task(self.read())

    async def say(self, text: str) -> None:
        name = f"message {len(self.sent)}"
        self.sent[name] = time.perf_counter()
        await self.socket.send(json.dumps({"t": "say", "id": name, "text": text}))

    async def read(self) -> None:
        """The bot's first words after a message of ours are its answer."""
        asked = 0.0
        async for raw in self.socket:
            frame, now = json.loads(raw), time.perf_counter()
            message = frame.get("message") or {}
            if frame["t"] == "ack":
                self.acks.append(now - self.sent[frame["id"]])
            elif message.get("author") == "visitor":
                asked = self.sent[message["id"]]
            elif message.get("author") == "bot" and asked:
                self.answers.append(now - asked)
                asked = 0.0

    async def rest(self) -> None:
        """Until everything is acknowledged; half a minute at most."""
        for _ in range(3000):
            if len(self.acks) == len(self.answers) == len(self.sent):
                return
            await asyncio.sleep(0.01)


def cpu(group: int) -> float:
    """CPU seconds of all processes of a process group so far (proc(5): fields 14 and 15, in ticks)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = stat.read_text().rpartition(")")[2].split()
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def percentiles(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


if __name__ == "__main__":
    main()
