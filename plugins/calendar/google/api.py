"""Calls to Google Calendar v3: google-api-python-client makes requests out of its own copy of the API's description,
`plugins.http` sends them, so that time limits, the address guard, redaction and our errors hold."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from plugins.calendar.google.errors import meaning_of
from plugins.errors import Permanent
from plugins.http import Http, Reply
from plugins.oauth import Authorized

ROOT = "https://www.googleapis.com/calendar/v3/"
_OURS = ("user-agent", "content-length")
"""Headers that the library would set, and requests sets better."""


@dataclass(frozen=True)
class _Status:
    """As much of an answer's head as the library looks at."""

    status: int


class _Transport:
    """Stands where the library expects an httplib2.Http, for one call."""

    def __init__(self, authorized: Authorized, base: str, operation: str, request: Mapping[str, Any]) -> None:
        self._authorized, self._base, self._operation, self._request = authorized, base, operation, request
        self.reply: Reply | None = None

    def request(
        self, uri: str, method: str = "GET", body: str | None = None, headers: Any = None, **_: object
    ) -> tuple[_Status, bytes]:
        sent = {name: value for name, value in (headers or {}).items() if name.lower() not in _OURS}
        self.reply = self._authorized.call(
            self._operation, method, self._base + uri.removeprefix(ROOT),
            **{**self._request, "headers": {**sent, **self._request.get("headers", {})}, "data": body},
        )  # fmt: skip
        return _Status(self.reply.status), self.reply.body

    def close(self) -> None:
        """The library closes what it was given; the connections are the adapter's."""


class Api:
    """One connection's way to the service at `base` (an address without the path of the API)."""

    def __init__(self, http: Http, base: str) -> None:
        self._http, self._base = http, f"{base.rstrip('/')}/calendar/v3/"

    def call(
        self,
        operation: str,
        method: str,
        authorized: Authorized,
        *,
        repeatable: bool | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:
        """What `method` ("events.insert") answers to these parameters, {} when it answers with nothing. Raises the
        classes of `plugins.errors`; `repeatable` and `headers` as in `Http.call`."""
        resource, _, verb = method.partition(".")
        request = getattr(_resources()[resource], verb)(**parameters)
        judge = partial(meaning_of, now=self._http.now)
        sent = {"judge": judge, "repeatable": repeatable, "headers": dict(headers or {})}
        transport = _Transport(authorized, self._base, operation, sent)
        found = request.execute(http=transport)
        if isinstance(found, dict):
            return found
        if not found:
            return {}
        assert transport.reply is not None  # noqa: S101 - else there would be nothing to judge
        transport.reply.json()  # raises for what is no JSON
        raise Permanent(f"{transport.reply.call.place()}: the answer is a {type(found).__name__}")


@cache
def _resources() -> dict[str, Any]:
    """What can be called, by its name in the description. Made once in a process and shared by all threads: making
    requests changes nothing in it. Imported here because listing adapters and their settings must not pay for it."""
    from googleapiclient.discovery import build

    logging.getLogger("googleapiclient").setLevel(logging.WARNING)  # it logs whole addresses
    everywhere = {"api_endpoint": ROOT, "universe_domain": "googleapis.com"}  # whatever the environment says
    service = build(
        "calendar", "v3", http=_Nowhere(), static_discovery=True, cache_discovery=False, client_options=everywhere
    )
    return {name: getattr(service, name)() for name in ("calendarList", "channels", "events", "freebusy")}


class _Nowhere:
    """Each call brings its own transport; nothing may go out by any other way."""

    def request(self, uri: str, *_: object, **__: object) -> Any:
        raise Permanent(f"a call to {uri} without a connection")

    def close(self) -> None:
        """Nothing is open."""
