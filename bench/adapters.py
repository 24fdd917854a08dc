"""What a call through our way out costs: plugins/http against a bare requests.Session, in one run, as ratios.

`python -m bench.adapters` serves HTTPS on loopback with a certificate of its own. "again" makes calls over a connection
that is open; "opened" makes a new session for each, as an adapter is opened for each delivery.
"""

from __future__ import annotations

import http.server
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from plugins import sessions
from plugins.http import Http
from plugins.limits import Limits, Rate
from plugins.meter import Meter
from tests.plugins.certificates import Authority

CALLS, ROUNDS = 200, 5


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "11")
        self.end_headers()
        self.wfile.write(b'{"id": "7"}')

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """An address that speaks TLS, and the file of the authority that vouches for it."""
    authority = Authority(folder)
    context = authority.server_context("localhost")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/v1/people", str(authority.file)
    server.shutdown()
    server.server_close()


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (url, authority):
        bare = requests.Session()
        bare.verify, bare.trust_env = authority, False
        ours = _ours(authority, "")

        def bare_opened() -> None:
            with requests.Session() as session:
                session.verify, session.trust_env = authority, False
                session.get(url, timeout=5).json()

        def opened(share: str) -> Callable[[], None]:
            def once() -> None:
                client = _ours(authority, share)
                client.call("find", "GET", url).json()
                client.close()

            return once

        ways: dict[str, Callable[[], object]] = {
            "bare, again": lambda: bare.get(url, timeout=5).json(),
            "ours, again": lambda: ours.call("find", "GET", url).json(),
            "bare, opened": bare_opened,
            "ours, opened, not shared": opened(""),
            "ours, opened, shared": opened("con_1"),
        }
        took = _medians(ways)
        sessions.close_all()
    for name, seconds in took.items():
        reference = took["bare, opened" if "opened" in name else "bare, again"]
        print(f"{name:26} {seconds * 1e6:8.0f} us a call   {seconds / reference:5.2f} of bare")


def _ours(authority: str, share: str) -> Http:
    measured: dict[str, Any] = {"limits": Limits(Rate(10**6, 1)), "meter": Meter(), "secrets": ["key"]}
    return Http("crm.bench", private=["localhost"], ca_file=authority, share=share, **measured)


def _medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds a call, of each way: the median of several rounds, in which all take turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            for _ in range(CALLS // ROUNDS):
                way()
            if number:  # the first round warms up
                found[name].append((time.perf_counter() - began) / (CALLS // ROUNDS))
    return {name: statistics.median(rounds) for name, rounds in found.items()}


if __name__ == "__main__":
    main()
