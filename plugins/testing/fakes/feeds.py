"""A web server that publishes calendars: with ETag and Last-Modified, redirects, and pages where a feed should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.server import Fake, on

HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Acme//Calendar//EN\nMETHOD:PUBLISH\n"


class FeedFake(Fake):
    """`feeds`: the texts by name, published at /private-…/NAME.ics. `moved`: where a name's address leads on to."""

    def __init__(self) -> None:
        super().__init__()
        self.feeds: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.sent = 0
        self._changed_at: dict[str, datetime] = {}

    def address(self, name: str) -> str:
        """Nobody who is not told it can guess it."""
        return f"{self.url}/private-{sha256(name.encode()).hexdigest()[:20]}/{name}.ics"

    def publish(self, name: str, events: str = "", *, head: str = "X-WR-TIMEZONE:Europe/Berlin\n") -> str:
        """A feed of these VEVENTs, in place of what was there; returns its address."""
        self.feeds[name] = f"{HEAD}{head}{events}END:VCALENDAR\n".replace("\r\n", "\n").replace("\n", "\r\n")
        last = self._changed_at.get(name, datetime(2026, 1, 1, tzinfo=UTC))
        self._changed_at[name] = last + timedelta(seconds=1)
        return self.address(name)

    @on("GET", "/private-<secret>/<name>.ics")
    def feed(self, request: Request, secret: str, name: str) -> Response:
        """304 to who has it already. `sent` counts the others."""
        if name in self.moved:
            return Response(status=302, headers={"Location": self.moved[name]})
        if name not in self.feeds or f"{self.url}{request.path}" != self.address(name):
            return Response("<!DOCTYPE html><title>Not found</title>", status=404, content_type="text/html")
        text = self.feeds[name].encode()
        etag, changed = sha256(text).hexdigest()[:16], format_datetime(self._changed_at[name], usegmt=True)
        known = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
        if f'"{etag}"' in str(known[0]) or (known[0] is None and known[1] == changed):
            return Response(status=304, headers={"ETag": f'"{etag}"'})
        self.sent += 1
        headers = {"ETag": f'"{etag}"', "Last-Modified": changed}
        return Response(text, headers=headers, content_type="text/calendar; charset=utf-8")
