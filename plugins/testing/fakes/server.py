"""The web server under every fake: routes, a log of what was asked, faults, and strict reading of JSON.

class Register(Fake):
    @on("GET", "/companies/<id>")
    def company(self, request, id): return self.companies.get(id) or Refusal(404, {"error": "none"})
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.faults import Fault, Faults

Handler = TypeVar("Handler", bound=Callable[..., Any])
_DRIPS = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that came in. `path` is without, `url` with its query."""

    method: str
    path: str
    url: str
    headers: Headers
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Refusal(Exception):
    """The fake's own "no", to be raised or returned: a status, a body (JSON unless it is text), headers."""

    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def on(method: str, path: str) -> Callable[[Handler], Handler]:
    """Mark a method as what answers there; `path` is a werkzeug rule, whose parts become arguments by name."""

    def mark(handler: Handler) -> Handler:
        handler.routes = [*getattr(handler, "routes", []), (method, path)]  # type: ignore[attr-defined]
        return handler

    return mark


class Fake:
    """A service on loopback while its `with` lasts. `url` has no slash at its end.

    Handlers get the werkzeug Request and return JSON (dict or list), text, None (204), a Response, or (status, JSON);
    they run one at a time, so that state needs no locks. `check` sees every call first: sign-in, versions.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults = Faults()
        self.turn = threading.RLock()
        self._map = Map([Rule(p, methods=[m], endpoint=h, merge_slashes=False) for m, p, h in self._routes()])
        self._server: BaseWSGIServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None, "use the fake in a with statement"
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=_Quiet)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def check(self, request: Request) -> None:
        """Raise Refusal for what this service would not even look at."""

    def unknown(self, request: Request) -> Response:
        """What it answers where there is nothing."""
        return Response(f"nothing at {request.method} {request.path}", status=404)

    def times_asked(self, method: str, path: str) -> int:
        """How often that was called, exactly."""
        return sum((one.method, one.path) == (method, path) for one in self.asked)

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        request = Request(environ)
        body = request.get_data(cache=True)
        path = request.path
        with self.turn:
            self.asked.append(Asked(request.method, path, request.url, Headers(request.headers), body))
        fault = self.faults.take(f"{request.method} {path}")
        if fault is None:
            return self._answer(request)(environ, start)
        return self._spoilt(request, fault)(environ, start)

    def _answer(self, request: Request) -> Response:
        try:
            handler, arguments = self._map.bind_to_environ(request.environ).match()
        except HTTPException:
            return self.unknown(request)
        with self.turn:
            try:
                self.check(request)
                return _response(handler(request, **arguments))
            except Refusal as refusal:
                return _response(refusal)

    def _spoilt(self, request: Request, fault: Fault) -> Response:
        true = self._answer(request) if fault.done or fault.status is None else None
        if fault.endless:
            _send_for_ever(request.environ["werkzeug.socket"], fault)
        elif fault.drop:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        answer = true if fault.status is None else None
        if answer is None:
            answer = Response(fault.body, status=fault.status, content_type=fault.content_type)
            answer.headers.update(fault.headers)
        if fault.cut:
            answer.set_data(answer.get_data()[: len(answer.get_data()) // 2])
        if fault.garble:
            packed = answer.headers.pop("Content-Encoding", "") == "gzip"
            plain = gzip.decompress(answer.get_data()) if packed else answer.get_data()
            answer.set_data(re.sub(fault.garble, b"soon", plain))
        if fault.drip_seconds:
            whole = answer.get_data() or b" "
            return Response(_dripping(whole, fault.drip_seconds), answer.status, answer.headers)
        return answer

    def _routes(self) -> Iterator[tuple[str, str, Callable[..., Any]]]:
        for name in dir(type(self)):
            for method, path in getattr(getattr(type(self), name), "routes", []):
                yield method, path, getattr(self, name)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """What was asked stands in `asked`."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """A caller that gave up is a caller's right."""


def _response(given: Any) -> Response:
    if isinstance(given, Response):
        return given
    if isinstance(given, Refusal):
        text = given.body if isinstance(given.body, str) else json.dumps(given.body)
        kind = "text/plain" if isinstance(given.body, str) else "application/json"
        return Response(text if given.body is not None else "", given.status, given.headers, content_type=kind)
    status = 200
    if isinstance(given, tuple):
        status, given = given
    if given is None:
        return Response(status=204 if status == 200 else status)
    if isinstance(given, str):
        return Response(given, status, content_type="text/plain")
    return Response(json.dumps(given), status, content_type="application/json")


def _send_for_ever(line: socket.socket, fault: Fault) -> None:
    with suppress(OSError):
        line.sendall(fault.body)
        while True:
            line.sendall(fault.endless if fault.drip_seconds else fault.endless * 2000)
            time.sleep(fault.drip_seconds)


def _dripping(whole: bytes, seconds: float) -> Iterator[bytes]:
    size = -(-len(whole) // _DRIPS)
    pauses = -(-len(whole) // size)
    for first in range(0, len(whole), size):
        time.sleep(seconds / pauses)
        yield whole[first : first + size]
