"""Stands between the adapter and a real server, and gets in the way as told: answers lost, changed, late or made up."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

HOP = {"connection", "transfer-encoding", "keep-alive"}


@dataclass
class Answered:
    """An answer of the real server on its way to the adapter; a rule may change it. `lost`: it never arrives."""

    status: int
    headers: dict[str, str]
    body: bytes
    lost: bool = False


@dataclass
class Asked:
    """A request of the adapter. A rule that gives an answer itself keeps the server from hearing of it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Rule = Callable[[Asked, Callable[[], Answered]], Answered]


@dataclass
class Between:
    """`url` is where the adapter goes; `seen` what it asked. Rules are tried in turn, each wraps the next."""

    url: str = ""
    rule: Rule | None = None
    seen: list[Asked] = field(default_factory=list)

    @contextmanager
    def ruled(self, rule: Rule) -> Iterator[None]:
        self.rule = rule
        try:
            yield
        finally:
            self.rule = None

    @contextmanager
    def answering(
        self, status: int, body: str = "", *, to: Sequence[str] = (), at: str = "", **headers: str
    ) -> Iterator[None]:
        """Answer requests `to` these methods (all), of paths with `at` in them, in the server's place."""

        def rule(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
            if (not to or asked.method in to) and at in asked.path:
                return Answered(status, {k.replace("_", "-"): v for k, v in headers.items()}, body.encode())
            return pass_on()

        with self.ruled(rule):
            yield

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        """The next write is done, and its answer lost."""
        left = ["one"]

        def rule(asked: Asked, pass_on: Callable[[], Answered]) -> Answered:
            answered = pass_on()
            if asked.method in ("PUT", "DELETE") and left:
                left.clear()
                answered.lost = True
            return answered

        with self.ruled(rule):
            yield
        assert not left, "nothing was written"


@contextmanager
def between(url: str) -> Iterator[Between]:
    """A way to the server at `url` that can be interfered with."""
    state = Between()
    target = urlsplit(url)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            state.seen.append(asked)
            pass_on = lambda: _passed_on(target.netloc, asked)  # noqa: E731
            self.reply(state.rule(asked, pass_on) if state.rule else pass_on())

        def reply(self, answered: Answered) -> None:
            self.close_connection = True
            if answered.lost:
                return
            self.send_response(answered.status)
            for name, value in {
                **answered.headers,
                "content-length": str(len(answered.body)),
                "connection": "close",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answered.body)

        def log_message(self, *_: object) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Adapters may leave early."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def _passed_on(netloc: str, asked: Asked) -> Answered:
    connection = http.client.HTTPConnection(netloc, timeout=10)
    try:
        headers = {name: value for name, value in asked.headers.items() if name not in HOP}
        connection.request(asked.method, asked.path, asked.body or None, headers)
        answer = connection.getresponse()
        kept = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in HOP}
        return Answered(answer.status, kept, answer.read())
    finally:
        connection.close()
