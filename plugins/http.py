"""The one way adapters call out by HTTP: always a time-out, a size cap, a verified peer, our errors and a clean log."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from plugins import bounds, sessions
from plugins.addresses import Gate, Resolve, system_resolve
from plugins.config import strip_secrets
from plugins.errors import AmbiguousOutcome, ConfigError, Permanent, PluginError, RateLimited, Retry, Transient
from plugins.foreign import read_json, writable
from plugins.limits import Limits
from plugins.meter import OK, Metering
from plugins.statuses import meaning, refuses, retry_after

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
MAX_BYTES = 10_000_000
ENVELOPE_BYTES = 256_000
"""What may arrive around a body: shake of hands, headers, trailers. Marks of chunks and TLS records may double it."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id", "sforce-request-id")

log = logging.getLogger("usher.http")
logging.getLogger("urllib3").setLevel(logging.INFO)  # its debug lines hold whole addresses, and some are secrets


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
        """The decoded body, None when it is empty. What is no JSON (a login page, half an answer) or cannot be stored
        is Transient, or AmbiguousOutcome after a write."""
        if not self.body:
            return None
        try:
            return read_json(self.body)
        except ValueError as error:
            raise _lost(self.call)(f"{self.call.place()}: the answer is no JSON", http_status=self.status) from error

    def told(self, *names: str) -> dict[str, Any]:
        """The decoded body: an object that has all of these names. Another shape is as good as no answer: Transient, or
        AmbiguousOutcome after a write."""
        said = self.json()
        if not isinstance(said, dict) or not said.keys() >= set(names):
            lacking = ", ".join(names) or "an object"
            raise _lost(self.call)(f"{self.call.place()}: the answer lacks {lacking}", http_status=self.status)
        return said


def utc_now() -> datetime:
    """The clock where the host gives no other."""
    return datetime.now(UTC)


Judge = Callable[[Reply], PluginError | None]


class Http:
    """HTTP for one adapter ("crm.hubspot"). Safe in threads and greenlets; keeps connections open between calls.

    `secrets` never appear in errors or logs; `private` hosts may have private addresses; `ca_file` is a bundle of
    further authorities; `answer_seconds` is for the whole answer; `now` is the clock; `limits` hold calls back, `meter`
    counts them; `share` names a connection whose network connections stay open for its next opening. `wrote`: a call
    that may change something went out, and the service did not say no to it.
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
        now: Callable[[], datetime] = utc_now,
        limits: Limits | None = None,
        meter: Metering | None = None,
        share: str = "",
    ) -> None:
        self.adapter = adapter
        self._secrets = tuple(secrets)
        self._connect_seconds, self._answer_seconds, self._max_bytes = connect_seconds, answer_seconds, max_bytes
        self.now = now
        self._gate, self._ca_file = (private, resolve), ca_file
        self._limits, self._meter, self._share = limits, meter, share
        self._begun = False
        self.wrote = False

    @cached_property
    def _session(self) -> requests.Session:
        """Made for the first call: most adapters are opened to do something that needs none."""
        gate = Gate(*self._gate)
        if not self._share:
            return sessions.new(gate, self._ca_file)
        key = (self._share, self._ca_file, gate.private, gate.resolve)
        return sessions.shared(key, lambda: sessions.new(gate, self._ca_file))

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
        bucket: str = "",
        **request: Any,
    ) -> Reply:
        """Send `request` (params, headers, json, data, auth as in requests) and give back the whole answer.

        `repeatable` is True for GET and for writes that carry a key the service honours. `judge` sees every answer
        first, also 2xx, and may name the error in the service's own terms; None leaves it to the status.
        `welcome`: further statuses that are answers, not errors, such as a redirect that the adapter reads itself.
        `seconds` shortens the time for the answer; `bucket` is a limit of the service's own for such calls
        (`Adapter.rates`). Raises the classes of `plugins.errors`; with `held` when the call was not made.
        """
        safe = method.upper() in SAFE if repeatable is None else repeatable
        call = Call(operation, method.upper(), url, safe)
        _hold_to_web(call)
        began = time.monotonic()
        try:
            with self._passing(bucket):
                reply = self._exchange(call, seconds or self._answer_seconds, request)
                self._log(call, began, str(reply.status))
                self._raise_for(reply, judge, welcome)
        except PluginError as error:
            self._log(call, began, error.held or error.code)
            self._count(operation, began, error)
            raise self._cleaned(error, operation) from error.__cause__
        self._count(operation, began, None)
        return reply

    def admit(self, host: str, port: int) -> None:
        """ConfigError when `host` leads into a private network: for libraries that call out by themselves. Transient
        when nobody knows the host."""
        private, resolve = self._gate
        try:
            Gate(private, resolve).addresses(host, port)
        except socket.gaierror as error:
            raise Transient(f"{host}: nobody knows this host") from error

    def close(self) -> None:
        """Close the connections kept open, unless they are shared with the next opening."""
        if "_session" in self.__dict__ and not self._share:
            self._session.close()

    def _passing(self, bucket: str) -> AbstractContextManager[None]:
        begun, self._begun = self._begun, True
        return self._limits.passing(self.now, bucket=bucket, begun=begun) if self._limits else nullcontext()

    def _exchange(self, call: Call, seconds: float, request: dict[str, Any]) -> Reply:
        """By the transport alone: a Session would read the whole body of a redirect first, however large."""
        most = 2 * self._max_bytes + ENVELOPE_BYTES
        whole = bounds.Bounds(time.monotonic() + self._connect_seconds + seconds, most)
        session, timeout = self._session, (self._connect_seconds, seconds)
        try:
            prepared = session.prepare_request(requests.Request(call.method, call.url, **request))
            send, trusted = session.get_adapter(call.url).send, session.verify or True
            with bounds.kept(whole), send(prepared, stream=True, timeout=timeout, verify=trusted) as answer:
                self._wrote(call, answer.status_code)
                body = self._read(call, answer)
                return Reply(call, answer.status_code, CaseInsensitiveDict(answer.headers), body)
        except bounds.TooLarge:
            self._wrote(call)
            raise self._too_large(call) from None
        except (requests.RequestException, HTTPError) as error:
            said = f"{call.place()}: {type(error).__name__}"
            if sessions.never_sent(error):
                raise Transient(said) from None
            self._wrote(call)
            raise _lost(call)(said) from None

    def _read(self, call: Call, answer: requests.Response) -> bytes:
        """The decoded body. What is packed several times is refused: we did not ask for it, and a few bytes of it can
        keep the unpacking busy for hours."""
        if "," in answer.headers.get("content-encoding", ""):
            raise _lost(call)(f"{call.place()}: the answer is packed more than once")
        body = bytearray()
        while piece := answer.raw.read1(65536, decode_content=True):
            body += piece
            if len(body) > self._max_bytes:
                raise self._too_large(call)
        return bytes(body)

    def _too_large(self, call: Call) -> Permanent:
        return Permanent(f"{call.place()}: the answer is larger than {self._max_bytes} bytes")

    def _raise_for(self, reply: Reply, judge: Judge | None, welcome: Collection[int]) -> None:
        error = _judged(reply, judge) if judge else None
        if error is None:
            if reply.status in welcome:
                return
            kind = meaning(reply.status, repeatable=reply.call.repeatable)
            if kind is None:
                return
            message = f"{reply.call.place()}: {reply.status} {_excerpt(reply)}".rstrip()
            error = kind(message, http_status=reply.status, retry_after=self._come_back(reply, kind))
        elif error.retry in (Retry.AT, Retry.LATER):
            error.retry_after = error.retry_after or self._come_back(reply, type(error))
        error.request_id = error.request_id or next(filter(None, map(reply.headers.get, REQUEST_IDS)), "")
        raise error

    def _wrote(self, call: Call, status: int = 0) -> None:
        self.wrote = self.wrote or not (call.method in SAFE or refuses(status))

    def _come_back(self, reply: Reply, kind: type[PluginError]) -> datetime | None:
        """The reset of the rate, which some services send with every answer, is not that of a used-up allowance
        (QuotaExhausted): there only a moment that is named for the refusal counts."""
        return retry_after(reply.headers, self.now(), refused=kind is RateLimited)

    def _count(self, operation: str, began: float, error: PluginError | None) -> None:
        if self._meter is None:
            return
        if error is not None and error.held:
            self._meter.held(self.adapter, operation, error.held)
        else:
            outcome = error.code if error is not None else OK
            self._meter.called(self.adapter, operation, outcome, time.monotonic() - began)

    def _cleaned(self, error: PluginError, operation: str) -> PluginError:
        for name in ("message", "user_message", "vendor_code", "field"):
            if said := getattr(error, name, ""):
                setattr(error, name, strip_secrets(writable(said), self._secrets))
        error.args = (error.message,)
        return error.at(self.adapter, operation)

    def _log(self, call: Call, began: float, outcome: str) -> None:
        place = strip_secrets(call.place(), self._secrets)
        took = round((time.monotonic() - began) * 1000)
        log.info("%s %s: %s: %s in %d ms", self.adapter, call.operation, place, outcome, took)


def _hold_to_web(call: Call) -> None:
    parts = urlsplit(call.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ConfigError(f"{call.method} {parts.scheme}://…: not an address we may call", operation=call.operation)


def _lost(call: Call) -> type[PluginError]:
    return Transient if call.repeatable else AmbiguousOutcome


def _judged(reply: Reply, judge: Judge) -> PluginError | None:
    """What the judge says; nothing when the answer is nested too deep for it."""
    try:
        return judge(reply)
    except RecursionError:
        return None


def _excerpt(reply: Reply) -> str:
    """The beginning of an error answer for the log, one line, nothing of HTML pages."""
    if "html" in reply.headers.get("content-type", ""):
        return ""
    return " ".join(reply.body[:300].decode("utf-8", "replace").split())
