"""The way out: what each failure of a service on loopback becomes, and where it must never connect."""

from __future__ import annotations

import gzip
import http.server
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins import addresses, sessions
from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    ConfigError,
    Conflict,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Retry,
    Transient,
)
from plugins.http import Http, Reply
from plugins.limits import Limits
from tests.plugins.certificates import Authority
from tests.processes import free_port

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKEN = "t0p-s3cret"
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Service(http.server.ThreadingHTTPServer):
    """Answers every request with `answer`, and keeps what it saw."""

    daemon_threads = True
    answer: Answer

    def __init__(self) -> None:
        self.seen: list[http.server.BaseHTTPRequestHandler] = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
                service.seen.append(self)
                service.answer(self)

            do_POST = do_PUT = do_PROPFIND = do_REPORT = do_GET

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left in time closes the connection on us; that is what some tests want."""

    def at(self, path: str = "/v1/people", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.server_port}{path}"


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client() -> Iterator[Http]:
    limits = {"answer_seconds": 0.5, "max_bytes": 50_000}
    made = Http("crm.acme", secrets=[TOKEN], private=["127.0.0.1"], now=lambda: NOON, **limits)
    yield made
    made.close()


def says(status: int, body: bytes = b"{}", **headers: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            if not value:
                continue
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def failure(client: Http, method: str, url: str, **request: Any) -> PluginError:
    with pytest.raises(PluginError) as caught:
        client.call("find", method, url, **request).json()
    assert TOKEN not in f"{caught.value} {caught.value.as_json()} {caught.value.args}"
    return caught.value


def test_a_good_answer_is_given_back_whole(service: Service, client: Http) -> None:
    service.answer = says(200, b'{"id": "c-7"}', x_rate="9")
    reply = client.call("find", "GET", service.at(), params={"email": "ada@globex.example"}, headers={"X-Key": TOKEN})
    assert (reply.status, reply.json(), reply.headers["X-RATE"]) == (200, {"id": "c-7"}, "9")
    assert service.seen[0].path == "/v1/people?email=ada%40globex.example"
    assert service.seen[0].headers["X-Key"] == TOKEN


def test_an_answer_in_chunks_is_whole_and_the_connection_is_used_again(service: Service, client: Http) -> None:
    service.answer = says(200, b"5\r\n[1, 2\r\n4\r\n, 3]\r\n0\r\n\r\n", transfer_encoding="chunked", content_length="")
    for _ in range(3):
        assert client.call("find", "GET", service.at()).json() == [1, 2, 3]
    service.answer = says(200, gzip.compress(b"[4]"), content_encoding="gzip")
    assert client.call("find", "GET", service.at()).json() == [4]
    assert len({request.client_address for request in service.seen}) == 1


def test_an_empty_answer_is_none(service: Service, client: Http) -> None:
    service.answer = says(204, b"")
    assert client.call("find", "PUT", service.at(), json={"a": 1}).json() is None


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (400, InvalidInput, Retry.NEVER),
        (401, AuthError, Retry.NEVER),
        (402, QuotaExhausted, Retry.NEVER),
        (403, PermissionDenied, Retry.NEVER),
        (404, NotFound, Retry.NEVER),
        (408, Transient, Retry.LATER),
        (409, Conflict, Retry.NEVER),
        (410, NotFound, Retry.NEVER),
        (412, Conflict, Retry.NEVER),
        (415, Permanent, Retry.NEVER),
        (422, InvalidInput, Retry.NEVER),
        (429, RateLimited, Retry.AT),
        (500, Transient, Retry.LATER),
        (501, Permanent, Retry.NEVER),
        (503, Transient, Retry.LATER),
        (302, Permanent, Retry.NEVER),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_status_says_what_to_do(
    service: Service, client: Http, method: str, status: int, kind: type[PluginError], retry: Retry
) -> None:
    service.answer = says(status, f'{{"why": "{TOKEN}"}}'.encode(), x_request_id="r-1", location="http://10.0.0.1/")
    error = failure(client, method, service.at())
    assert type(error) is kind
    assert error.retry is retry
    assert (error.adapter, error.operation, error.http_status) == ("crm.acme", "find", status)
    assert error.request_id == "r-1"
    assert len(service.seen) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_may_have_passed_a_write_on(service: Service, client: Http, status: int) -> None:
    service.answer = says(status)
    assert type(failure(client, "GET", service.at())) is Transient
    assert type(failure(client, "POST", service.at())) is AmbiguousOutcome
    assert type(failure(client, "POST", service.at(), repeatable=True)) is Transient


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"", b'{"name": 1}', b"[1"])
def test_an_answer_that_lacks_the_data_is_as_good_as_none(service: Service, client: Http, body: bytes) -> None:
    service.answer = says(200, body)
    for request, error in (({}, Transient), ({"repeatable": False}, AmbiguousOutcome)):
        with pytest.raises(error):
            client.call("find", "GET", service.at(), **request).told("id")  # type: ignore[arg-type]
    service.answer = says(200, b'{"id": "c-7"}')
    assert client.call("find", "GET", service.at()).told("id") == {"id": "c-7"}


@pytest.mark.parametrize("value", ["30", "Mon, 02 Mar 2026 12:00:30 GMT"])
def test_both_forms_of_retry_after_are_the_same_moment(service: Service, client: Http, value: str) -> None:
    service.answer = says(429, retry_after=value)
    assert failure(client, "GET", service.at()).retry_after == NOON.replace(second=30)


def test_an_adapter_may_judge_an_answer_in_the_services_own_words(service: Service, client: Http) -> None:
    service.answer = says(200, b'{"ok": false, "error": "invalid_auth"}')
    error = failure(client, "POST", service.at(), judge=lambda reply: AuthError(reply.json()["error"], vendor_code="x"))
    assert (type(error), error.adapter, error.vendor_code) == (AuthError, "crm.acme", "x")


@pytest.mark.parametrize(("status", "error"), [(401, AuthError), (422, InvalidInput), (503, Transient)])
def test_an_error_nested_too_deep_for_the_judge_is_what_its_status_says(
    service: Service, client: Http, status: int, error: type[PluginError]
) -> None:
    service.answer = says(status, b"[" * 40_000)
    assert type(failure(client, "GET", service.at(), judge=lambda reply: json.loads(reply.body))) is error


def test_what_an_error_says_can_always_be_written(service: Service, client: Http) -> None:
    service.answer = says(422, rb'{"error": "a\ud800b"}')

    def judge(reply: Reply) -> PluginError:
        said = json.loads(reply.body)["error"]
        return InvalidInput(said, field=said, user_message=said, vendor_code=said)

    error = failure(client, "GET", service.at(), judge=judge)
    assert isinstance(error, InvalidInput)
    said = (error.message, error.field, error.user_message, error.vendor_code, *error.args)
    assert said == ("a?b",) * 5


def test_an_adapter_may_welcome_an_answer_that_is_an_error_to_others(service: Service, client: Http) -> None:
    service.answer = says(301, b"", location="/elsewhere")
    assert client.call("find", "GET", service.at(), welcome=(301,)).headers["location"] == "/elsewhere"
    assert len(service.seen) == 1
    assert type(failure(client, "GET", service.at(), welcome=(302,))) is Permanent


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT"])
def test_questions_of_webdav_change_nothing(service: Service, client: Http, method: str) -> None:
    service.answer = says(504)
    assert type(failure(client, method, service.at(), data=b"<x/>")) is Transient
    assert service.seen[0].body == b"<x/>"


UNREADABLE = {
    "half": b'{"id": "c-',
    "a page": b"<html>Please sign in</html>",
    "deep lists": b"[" * 40_000,
    "deep objects": b'{"a":' * 9_000,
    "half a pair": rb'{"id": "a\ud800b"}',
    "half a pair as a name": rb'{"\uDFFF": 1}',
    "half a pair as bytes": b'{"id": "\xed\xa0\x80"}',
    "no letters": b'{"id": "\xff"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_an_answer_nobody_can_read_is_not_taken_for_success(service: Service, client: Http, body: bytes) -> None:
    service.answer = says(200, body)
    assert type(failure(client, "GET", service.at())) is Transient
    assert type(failure(client, "POST", service.at())) is AmbiguousOutcome


@pytest.mark.parametrize("text", ['"\\ud83d\\ude00 \\\\ud800"', '"\N{GRINNING FACE} \\\\ud800"'])
@pytest.mark.parametrize("coded", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_letters_of_every_kind_are_read(service: Service, client: Http, text: str, coded: str) -> None:
    service.answer = says(200, text.encode(coded))
    assert client.call("find", "GET", service.at()).json() == "\N{GRINNING FACE} \\ud800"


def test_an_answer_cut_short_is_not_taken_for_whole(service: Service, client: Http) -> None:
    service.answer = says(200, b"{}", content_length="100")
    service.answer = _closing(service.answer)
    assert type(failure(client, "GET", service.at())) is Transient
    assert type(failure(client, "POST", service.at())) is AmbiguousOutcome


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_slow_service_is_left_in_time(service: Service, client: Http, how: str) -> None:
    over = threading.Event()

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        if how == "dripping":
            says(200, b"", content_length="9999")(request)
        until = time.monotonic() + 10
        while time.monotonic() < until and not over.wait(0.05):
            if how == "dripping":
                request.wfile.write(b" ")

    service.answer = answer
    quick = Http("crm.acme", private=["127.0.0.1"], answer_seconds=0.3, connect_seconds=0.3)
    began = time.monotonic()
    read, write = failure(quick, "GET", service.at()), failure(quick, "POST", service.at())
    took = time.monotonic() - began
    over.set()
    assert (type(read), type(write)) == (Transient, AmbiguousOutcome)
    assert took < 4


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_refused(service: Service, client: Http, packed: bool) -> None:
    body = b" " * 20_000_000
    service.answer = says(200, gzip.compress(body), content_encoding="gzip") if packed else says(200, body[:60_000])
    error = failure(client, "GET", service.at())
    assert type(error) is Permanent
    assert "50000 bytes" in error.message


def test_a_refused_connection_is_certainly_not_sent(client: Http) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert type(failure(client, "POST", url)) is Transient


def test_a_name_that_is_nowhere_is_certainly_not_sent() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert type(failure(Http("crm.acme", resolve=nowhere), "POST", "https://crm.globex.example/")) is Transient


@pytest.mark.parametrize(
    "url", ["ftp://globex.example/", "file:///etc/passwd", "https://u:p@globex.example/", "https:///x"]
)
def test_what_is_no_web_address_is_refused(client: Http, url: str) -> None:
    assert type(failure(client, "GET", url)) is ConfigError


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1"])
def test_a_public_name_may_not_lead_into_a_private_network(service: Service, address: str) -> None:
    client = Http("crm.acme", resolve=lambda host, port: ["198.51.100.7", address])
    error = failure(client, "GET", service.at(host="crm.globex.example"))
    assert type(error) is ConfigError
    assert service.seen == []


def test_the_address_that_was_judged_is_the_one_connected_to(service: Service) -> None:
    """A name whose second answer differs (DNS rebinding) gets no second question."""
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    client = Http("crm.acme", private=["crm.globex.example"], resolve=resolve)
    service.answer = says(200)
    client.call("find", "GET", service.at(host="crm.globex.example"))
    assert asked == ["crm.globex.example"]
    assert service.seen[0].headers["Host"] == f"crm.globex.example:{service.server_port}"


def test_the_next_address_is_tried_when_the_first_does_not_answer(service: Service) -> None:
    client = Http("crm.acme", private=["both.example"], resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"])
    service.answer = says(200)
    assert client.call("find", "GET", service.at(host="both.example")).status == 200


def test_tls_is_checked_against_the_name_although_the_address_is_chosen_by_us(service: Service, tmp_path: Path) -> None:
    authority, names = Authority(tmp_path), []
    context = authority.server_context("crm.globex.example")
    context.sni_callback = lambda sock, name, _: names.append(name)
    service.socket = context.wrap_socket(service.socket, server_side=True)
    service.answer = says(200)
    hosts = ["crm.globex.example", "other.example"]

    def client(ca_file: str) -> Http:
        return Http("crm.acme", private=hosts, resolve=lambda host, port: ["127.0.0.1"], ca_file=ca_file)

    good, other = (service.at(host=host, scheme="https") for host in hosts)
    assert client(str(authority.file)).call("find", "GET", good).status == 200
    assert names == ["crm.globex.example"]
    assert type(failure(client(""), "POST", good)) is Transient
    assert type(failure(client(str(authority.file)), "POST", other)) is Transient
    assert len(service.seen) == 1


def test_redirects_cookies_and_proxies_are_not_followed(
    service: Service, client: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    service.answer = says(200, set_cookie="a=1; Path=/")
    for _ in range(2):
        client.call("find", "GET", service.at())
    assert [request.headers["Cookie"] for request in service.seen] == [None, None]


def test_the_log_says_what_happened_without_secrets_or_query(
    service: Service, client: Http, caplog: pytest.LogCaptureFixture
) -> None:
    service.answer = says(503)
    with caplog.at_level(logging.INFO, logger="usher.http"):
        failure(client, "GET", service.at(f"/v1/{TOKEN}/x"), params={"email": "ada@globex.example"})
    ours = [record.getMessage() for record in caplog.records if record.name == "usher.http"]
    assert "crm.acme find: GET 127.0.0.1/v1/****/x: 503" in ours[0]
    assert "ada" not in " ".join(ours)


def _closing(answer: Answer) -> Answer:
    def and_close(request: http.server.BaseHTTPRequestHandler) -> None:
        answer(request)
        request.close_connection = True

    return and_close


class Told:
    """What the meter heard."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    def called(self, adapter: str, operation: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 20
        self.calls.append((adapter, operation, outcome))

    def held(self, adapter: str, operation: str, reason: str) -> None:
        self.calls.append((adapter, operation, "held", reason))


def limited(limits: Limits, meter: Any = None, share: str = "") -> Http:
    return Http("crm.acme", private=["127.0.0.1"], now=lambda: NOON, limits=limits, meter=meter, share=share)


def test_after_a_refusal_nothing_is_sent_before_the_moment_that_was_named(service: Service) -> None:
    service.answer, told = says(429, retry_after="90"), Told()
    client = limited(Limits(), told)
    for _ in range(3):
        error = failure(client, "GET", service.at())
        assert (type(error), error.retry_after) == (RateLimited, NOON + timedelta(seconds=90))
    assert (error.held, error.adapter, error.operation, len(service.seen)) == ("pause", "crm.acme", "find", 1)
    assert told.calls == [("crm.acme", "find", "rate_limited")] + 2 * [("crm.acme", "find", "held", "pause")]
    client.close()


def test_a_limit_of_some_calls_holds_those_and_no_others(service: Service) -> None:
    service.answer = says(429, x_ratelimit_reset="60")
    client = limited(Limits())
    error = failure(client, "GET", service.at(), bucket="search")
    assert error.retry_after == NOON + timedelta(minutes=1)
    service.answer = says(200)
    assert failure(client, "GET", service.at(), bucket="search").held == "pause"
    assert client.call("find", "GET", service.at()).status == 200
    client.close()


def test_the_reset_of_the_rate_is_not_the_moment_a_used_up_allowance_comes_back(service: Service, client: Http) -> None:
    service.answer = says(402, x_ratelimit_reset="60")
    error = failure(client, "GET", service.at())
    assert (type(error), error.retry, error.retry_after) == (QuotaExhausted, Retry.NEVER, None)
    service.answer = says(402, x_ratelimit_reset="60", retry_after="3600")
    assert failure(client, "GET", service.at()).retry_after == NOON + timedelta(hours=1)


def test_a_moment_is_read_for_an_error_that_the_adapter_named_itself(service: Service) -> None:
    service.answer = says(403, b"rateLimitExceeded", retry_after="30")
    client = limited(Limits())
    error = failure(client, "GET", service.at(), judge=lambda reply: RateLimited("slow down"))
    assert error.retry_after == NOON + timedelta(seconds=30)
    client.close()


def test_a_service_that_is_down_is_called_five_times_and_then_left_alone(service: Service) -> None:
    service.answer = says(503)
    first, second, limits = Told(), Told(), Limits()
    for told in (first, second):
        client = limited(limits, told)
        for _ in range(4):
            error = failure(client, "GET", service.at())
        client.close()
    assert (type(error), error.held, error.retry_after) == (Transient, "breaker", NOON + timedelta(seconds=30))
    assert len(service.seen) == 5
    assert second.calls[1:] == [("crm.acme", "find", "held", "breaker")] * 3


def test_the_next_opening_of_a_connection_goes_on_with_its_network_connection(service: Service) -> None:
    service.answer = says(200)
    for share in ("con_1", "con_1", "con_2", "", ""):
        client = limited(Limits(), share=share)
        client.call("find", "GET", service.at())
        client.close()
    used = [request.client_address for request in service.seen]
    assert used[0] == used[1]
    assert len(set(used)) == 4
    sessions.close_all()


def test_a_network_connection_that_lay_idle_is_not_written_to(service: Service, monkeypatch: Any) -> None:
    service.answer = says(200)
    client = limited(Limits())
    client.call("find", "GET", service.at())
    monkeypatch.setattr(addresses, "IDLE_SECONDS", -1.0)
    client.call("find", "POST", service.at())
    assert len({request.client_address for request in service.seen}) == 2
    client.close()


def test_many_openings_at_once_share_and_get_their_own_answers(service: Service) -> None:
    def echo(request: http.server.BaseHTTPRequestHandler) -> None:
        says(200, request.path.encode())(request)

    service.answer, got = echo, []

    def work(n: int) -> None:
        for m in range(5):
            client = limited(Limits(), share="con_9")
            got.append((f"/{n}-{m}", client.call("find", "GET", service.at(f"/{n}-{m}")).body.decode()))
            client.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(got) == 40
    assert all(asked == answered for asked, answered in got)
    sessions.close_all()


def cuts(request: http.server.BaseHTTPRequestHandler) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("method", "answer", "wrote"),
    [
        ("POST", says(201), True),
        ("POST", says(400), False),
        ("PUT", says(412), False),
        ("POST", says(429), False),
        ("PUT", says(408), True),
        ("PUT", says(500), True),
        ("PUT", cuts, True),
        ("PUT", says(200, b"x" * 60_000), True),
        ("GET", says(200), False),
        ("GET", says(503), False),
        ("REPORT", cuts, False),
    ],
)
def test_it_is_known_whether_something_may_have_been_done(
    service: Service, client: Http, method: str, answer: Answer, wrote: bool
) -> None:
    service.answer = answer
    with suppress(PluginError):
        client.call("write", method, service.at(), repeatable=True)
    assert client.wrote == wrote
    service.answer = says(400)
    failure(client, "POST", service.at())
    assert client.wrote == wrote


def test_what_never_reached_the_service_did_nothing(client: Http) -> None:
    failure(client, "PUT", f"http://127.0.0.1:{free_port()}/")
    assert not client.wrote
