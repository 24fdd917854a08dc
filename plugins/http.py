"""The one way adapters call out by HTTP: always a time-out, a size cap, a verified peer, our errors and a clean log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NameResolutionError, NewConnectionError
from urllib3.exceptions import SSLError as TlsError

from plugins.addresses import Gate, GuardedAdapter, Resolve, system_resolve
from plugins.config import strip_secrets
from plugins.errors import AmbiguousOutcome, ConfigError, Permanent, PluginError, Transient
from plugins.statuses import meaning, retry_after

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
MAX_BYTES = 10_000_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id", "sforce-request-id")
_NOT_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError, TlsError)

log = logging.getLogger("usher.http")


@dataclass(frozen=True)
class Call:
    """One request as the adapter meant it. `repeatable`: sending it twice does no harm."""

    operation: str
    method: str
    url: str
    repeatable: bool

    def place(self) -> str:
        """Method, host and path; queries stay out of logs because services put keys and e-mails there."""
        parts = urlsplit(self.url)
        return f"{self.method} {parts.hostname}{parts.path}"


@dataclass(frozen=True)
class Reply:
    """A whole answer with a status of 2xx or one the call welcomed. `headers` are found without regard to case."""

    call: Call
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body, None when it is empty. What is no JSON (a login page, half an answer) is Transient, or
        AmbiguousOutcome after a write."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise _lost(self.call)(f"{self.call.place()}: the answer is no JSON", http_status=self.status) from error


Judge = Callable[[Reply], PluginError | None]


class Http:
    """HTTP for one adapter ("crm.hubspot"). Safe in threads and greenlets; keeps connections open between calls.

    `secrets` never appear in errors or logs; `private` hosts may have private addresses; `ca_file` is a bundle of
    further authorities; `answer_seconds` is for the whole answer; `now` is the clock.
    Proxies, cookies, .netrc and redirects are not used.
    """

    def __init__(
        self,
        adapter: str,
        *,
        secrets: Collection[str] = (),
        private: Collection[str] = (),
        ca_file: str = "",
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        max_bytes: int = MAX_BYTES,
        resolve: Resolve = system_resolve,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.adapter = adapter
        self._secrets = tuple(secrets)
        self._connect_seconds, self._answer_seconds, self._max_bytes = connect_seconds, answer_seconds, max_bytes
        self.now = now
        self._gate, self._ca_file = (private, resolve), ca_file

    @cached_property
    def _session(self) -> requests.Session:
        """Made for the first call: most adapters are opened to do something that needs none."""
        private, resolve = self._gate
        return _session(GuardedAdapter(Gate(private, resolve)), self._ca_file)

    def call(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        repeatable: bool | None = None,
        judge: Judge | None = None,
        welcome: Collection[int] = (),
        seconds: float | None = None,
        **request: Any,
    ) -> Reply:
        """Send `request` (params, headers, json, data, auth as in requests) and give back the whole answer.

        `repeatable` is True for GET and for writes that carry a key the service honours. `judge` sees every answer
        first, also 2xx, and may name the error in the service's own terms; None leaves it to the status.
        `welcome`: further statuses that are answers, not errors, such as a redirect that the adapter reads itself.
        `seconds` shortens the time for the answer. Raises the classes of `plugins.errors`.
        """
        safe = method.upper() in SAFE if repeatable is None else repeatable
        call = Call(operation, method.upper(), url, safe)
        _hold_to_web(call)
        began = time.monotonic()
        try:
            reply = self._exchange(call, seconds or self._answer_seconds, request)
            self._log(call, began, str(reply.status))
            self._raise_for(reply, judge, welcome)
        except PluginError as error:
            self._log(call, began, error.code)
            raise self._cleaned(error, operation) from error.__cause__
        return reply

    def close(self) -> None:
        """Close the connections kept open."""
        if "_session" in self.__dict__:
            self._session.close()

    def _exchange(self, call: Call, seconds: float, request: dict[str, Any]) -> Reply:
        deadline = time.monotonic() + self._connect_seconds + seconds
        try:
            with self._session.request(
                call.method,
                call.url,
                timeout=(self._connect_seconds, seconds),
                allow_redirects=False,
                stream=True,
                **request,
            ) as answer:
                body = self._read(call, answer, deadline)
                return Reply(call, answer.status_code, CaseInsensitiveDict(answer.headers), body)
        except (requests.RequestException, HTTPError) as error:
            kind = Transient if _never_sent(error) else _lost(call)
            raise kind(f"{call.place()}: {type(error).__name__}") from None

    def _read(self, call: Call, answer: requests.Response, deadline: float) -> bytes:
        """The decoded body. Each read takes what has arrived, so that an answer that drips meets the deadline."""
        body = bytearray()
        while piece := answer.raw.read1(65536, decode_content=True):
            body += piece
            if len(body) > self._max_bytes:
                raise Permanent(f"{call.place()}: the answer is larger than {self._max_bytes} bytes")
            if time.monotonic() > deadline:
                raise _lost(call)(f"{call.place()}: the answer took too long")
        return bytes(body)

    def _raise_for(self, reply: Reply, judge: Judge | None, welcome: Collection[int]) -> None:
        error = judge(reply) if judge else None
        if error is None:
            if reply.status in welcome:
                return
            kind = meaning(reply.status, repeatable=reply.call.repeatable)
            if kind is None:
                return
            message = f"{reply.call.place()}: {reply.status} {_excerpt(reply)}".rstrip()
            error = kind(message, http_status=reply.status, retry_after=retry_after(reply.headers, self.now()))
        error.request_id = error.request_id or next(filter(None, map(reply.headers.get, REQUEST_IDS)), "")
        raise error

    def _cleaned(self, error: PluginError, operation: str) -> PluginError:
        error.message = strip_secrets(error.message, self._secrets)
        error.user_message = strip_secrets(error.user_message, self._secrets)
        error.args = (error.message,)
        return error.at(self.adapter, operation)

    def _log(self, call: Call, began: float, outcome: str) -> None:
        place = strip_secrets(call.place(), self._secrets)
        took = round((time.monotonic() - began) * 1000)
        log.info("%s %s: %s: %s in %d ms", self.adapter, call.operation, place, outcome, took)


def _session(transport: GuardedAdapter, ca_file: str) -> requests.Session:
    if ca_file and not Path(ca_file).is_file():
        said = f"There is no file {ca_file} with certificate authorities."
        raise ConfigError(said, problems=(("ca_file", "there is no such file"),), user_message=said)
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_file or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", transport)
    session.mount("http://", transport)
    session.headers["User-Agent"] = "Usher"
    return session


def _hold_to_web(call: Call) -> None:
    parts = urlsplit(call.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ConfigError(f"{call.method} {parts.scheme}://…: not an address we may call", operation=call.operation)


def _never_sent(error: Exception) -> bool:
    """Whether the request certainly did not reach the service: no name, no connection, no trust."""
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(error, requests.exceptions.SSLError) or isinstance(reason, _NOT_SENT)


def _lost(call: Call) -> type[PluginError]:
    return Transient if call.repeatable else AmbiguousOutcome


def _excerpt(reply: Reply) -> str:
    """The beginning of an error answer for the log, one line, nothing of HTML pages."""
    if "html" in reply.headers.get("content-type", ""):
        return ""
    return " ".join(reply.body[:300].decode("utf-8", "replace").split())
