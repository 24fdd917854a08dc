"""A fake in front of a real server on loopback: it passes everything on, and obeys a script of faults."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.server import Fake

HOP = {"connection", "transfer-encoding", "keep-alive", "host"}
"""Headers that belong to one line, not to the message (RFC 9110 7.6.1); the host is the real server's."""


class Passing(Fake):
    """`with Passing("http://127.0.0.1:5232") as fake`: what is asked of `fake.url` is asked of that server."""

    def __init__(self, target: str, *, seconds: float = 10.0) -> None:
        super().__init__()
        self._target, self._seconds = urlsplit(target).netloc, seconds

    def unknown(self, request: Request) -> Response:
        """The real server's answer."""
        way = http.client.HTTPConnection(self._target, timeout=self._seconds)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
            path = str(request.environ["REQUEST_URI"])
            way.request(request.method, path, request.get_data() or None, headers)
            answer = way.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
            return Response(answer.read(), status=answer.status, headers=kept)
        except (OSError, http.client.HTTPException):
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)  # gone there is gone here
            return Response(status=502)
        finally:
            way.close()
