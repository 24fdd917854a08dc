"""What a socket costs: memory of an idle one, CPU of an echoed message and of a connection, beside bare `websockets`.

Run: python bench/sockets.py. Everything is measured in one run against both servers, taking turns; never fails.
`python bench/sockets.py ours|bare PORT` is one of the servers. CPU and memory are those of the server's processes.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IDLE, WELCOMED, CONNECTED, ECHOED, TALKING, REPEATS = 10_000, 1_000, 1_000, 40_000, 200, 3
FEWER = 2_000  # of the reference: each costs the same
SPARE_FILES = 300
SAID = "x" * 121
ORIGIN = "http://localhost:8010"
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Measure and print."""
    from rich.console import Console
    from rich.table import Table

    files = more_files()
    idle = min(IDLE, files - SPARE_FILES)
    print(
        f"{files} open files are allowed: {idle} idle sockets in one process" + (" (fewer than wished)" * (idle < IDLE))
    )
    with serving("ours") as ours, serving("bare") as bare, chat() as door:
        cpu = {name: [] for name in ("ours", "bare")}
        made = {name: [] for name in ("ours", "bare")}
        for _ in range(REPEATS):
            for name, server in (("ours", ours), ("bare", bare)):
                cpu[name].append(echo(server))
                made[name].append(connect(server))
        memory = {"ours": idle_cost(ours, idle), "bare": idle_cost(bare, min(idle, FEWER))}
        welcomed, hello_cpu = welcome_cost(door, WELCOMED)
    table = Table("", "ours", "websockets", "ratio")
    for title, mine, theirs, form in (
        (f"KiB of each of {idle} idle sockets ({FEWER})", memory["ours"], memory["bare"], "{:.1f}"),
        ("CPU us an echoed message", *(statistics.median(cpu[name]) * 1e6 for name in ("ours", "bare")), "{:.1f}"),
        ("CPU us a connection", *(statistics.median(one for one, _ in made[name]) * 1e6 for name in made), "{:.0f}"),
        ("connections a second", *(statistics.median(rate for _, rate in made[name]) for name in made), "{:.0f}"),
    ):
        table.add_row(title, form.format(mine), form.format(theirs), f"{mine / theirs:.2f}")
    Console().print(table)
    print(
        f"the real chat: {welcomed:.1f} KiB each of {WELCOMED} welcomed visitors, {hello_cpu * 1000:.1f} ms CPU a hello"
    )


def more_files() -> int:
    """Raise the limit of open files as far as it may be; what it is then."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Server:
    """A server process and its children, seen from outside."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, path: str = "/") -> None:
        self.process = process
        self.port = port
        self.path = path

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def kib(self) -> float:
        """Proportional memory (PSS), user space only."""
        lines = (Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in self._pids())
        return sum(int(line.split()[1]) for one in lines for line in one if line.startswith("Pss:"))

    def _pids(self) -> list[int]:
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        return found


@contextmanager
def serving(kind: str) -> Iterator[Server]:
    """One of the echo servers, listening."""
    with started([str(Path(__file__)), kind], {}) as server:
        yield server


@contextmanager
def chat() -> Iterator[Server]:
    """The real server with the sample site."""
    from server.config import folder
    from server.config import service as config
    from server.db import Database, migrate
    from server.sections import SECTIONS

    with tempfile.TemporaryDirectory() as place:
        db = Database(f"sqlite:///{place}/usher.db")
        migrate.upgrade(db)
        config.apply(db, folder.load(ROOT / "server" / "sample"), author="bench", sections=SECTIONS)
        db.close()
        environment = {"USHER_DATABASE_URL": f"sqlite:///{place}/usher.db", "USHER_RATE_LIMITS": "false"}
        arguments = ["-m", "server.serve", "--host", "127.0.0.1", "--workers", "1", "--port"]
        with started(arguments, environment, "/v1/chat?site=acme") as server:
            yield server


@contextmanager
def started(arguments: list[str], environment: dict[str, str], path: str = "/") -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    whole = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    process = subprocess.Popen([sys.executable, *arguments, str(port)], cwd=ROOT, env=whole, stderr=subprocess.DEVNULL)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)
        yield Server(process, port, path)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def open_socket(server: Server, number: int) -> socket.socket:
    """A WebSocket after its handshake; from several addresses, since one has only so many ports."""
    link = socket.create_connection(("127.0.0.1", server.port), source_address=(f"127.0.0.{2 + number % 8}", 0))
    lines = (
        f"GET {server.path} HTTP/1.1", "Host: a", "Upgrade: websocket", "Connection: Upgrade", f"Origin: {ORIGIN}",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", "",
    )  # fmt: skip
    link.sendall("\r\n".join(lines).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += link.recv(1024)
    assert b" 101 " in head, head
    return link


def masked(text: str) -> bytes:
    body, key = text.encode(), b"\x11\x22\x33\x44"
    size = len(body)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(body))


def echo(server: Server) -> float:
    """CPU seconds of the server a message, many visitors each waiting for the answer before the next."""
    frame, expected = masked(SAID), len(SAID) + 2
    links = [open_socket(server, n) for n in range(TALKING)]
    ready = selectors.DefaultSelector()
    before = server.cpu_seconds()
    for link in links:
        ready.register(link, selectors.EVENT_READ)
        link.sendall(frame)
    done = 0
    while done < ECHOED:
        for key, _ in ready.select():
            assert len(key.fileobj.recv(4096)) == expected  # type: ignore[union-attr]
            key.fileobj.sendall(frame)  # type: ignore[union-attr]
            done += 1
    spent = server.cpu_seconds() - before
    [link.close() for link in links]
    return spent / done


def connect(server: Server) -> tuple[float, float]:
    """CPU seconds a connection, and connections a second, one after the other; they are closed again."""
    time.sleep(0.2)
    before, began = server.cpu_seconds(), time.perf_counter()
    for n in range(CONNECTED):
        open_socket(server, n).close()
    took = time.perf_counter() - began
    time.sleep(0.2)
    return (server.cpu_seconds() - before) / CONNECTED, CONNECTED / took


def idle_cost(server: Server, count: int) -> float:
    """KiB of each of so many sockets that have said something once and are silent now."""
    before = server.kib()
    links = [open_socket(server, n) for n in range(count)]
    for link in links:
        link.sendall(masked("hello"))
        link.recv(4096)
    cost = (server.kib() - before) / count
    [link.close() for link in links]
    return cost


def welcome_cost(server: Server, count: int) -> tuple[float, float]:
    """KiB of each welcomed visitor of the real chat, and CPU seconds to welcome one."""
    page = {"url": ORIGIN + "/pricing", "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}
    about = {"site": "acme", "page": page, "device": "desktop", "locale": "en", "zone": "UTC"}
    hellos = [json.dumps({"t": "hello", **about, "seed": str(n)}) for n in range(count + 50)]
    links = []
    for n, hello in enumerate(hellos):
        if n == 50:  # caches are full now
            before, spent = server.kib(), server.cpu_seconds()
        links.append(open_socket(server, n))
        links[-1].sendall(masked(hello))
        while b"welcome" not in links[-1].recv(65536):
            pass  # a ping came first
    cost = (server.kib() - before) / count, (server.cpu_seconds() - spent) / count
    [link.close() for link in links]
    return cost


def serve_ours(port: int) -> None:
    """Our connection class in flask-sock's route, under the worker of `usher serve`."""
    from server import serve  # isort: skip - patches first
    from flask import Flask
    from flask_sock import Sock

    from server.web import connection, sending

    app = Flask(__name__)
    app.config["SOCK_SERVER_OPTIONS"] = connection.SERVER_OPTIONS

    def talk(link: connection.Connection) -> None:
        while True:
            link.send(sending.framed(str(link.receive()).encode()))

    Sock(app).route("/")(lambda ws: connection.serve(ws, talk))

    class Echo(serve.Server):
        def load(self) -> Flask:
            return app

    sys.argv = sys.argv[:1]
    server = Echo("127.0.0.1", port, 1)
    server.cfg.set("post_worker_init", lambda worker: None)
    server.run()


def serve_bare(port: int) -> None:
    """The library `websockets` as it comes, without compression."""
    import asyncio

    import websockets

    async def door(link: websockets.ServerConnection) -> None:
        async for message in link:
            await link.send(message)

    async def serve() -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        async with websockets.serve(door, "127.0.0.1", port, compression=None, backlog=2048):
            await stopped.wait()

    asyncio.run(serve())


if __name__ == "__main__":
    if len(sys.argv) > 2:
        more_files()
        {"ours": serve_ours, "bare": serve_bare}[sys.argv[1]](int(sys.argv[2]))
    else:
        main()
