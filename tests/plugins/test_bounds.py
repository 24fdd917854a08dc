"""A call ends in time, takes no more than its room, whatever the other side sends, and lets others go on meanwhile."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.errors import AmbiguousOutcome, Permanent, PluginError, Transient
from plugins.http import Http
from plugins.testing.fakes.faults import ENDLESS, Fault
from plugins.testing.fakes.server import Fake, on
from tests.plugins.certificates import Authority

ROOM = 50_000
COUNTED = {"answers before the answer", "trailers", "nothing, packed", "body"}
"""Floods that end when the room is full; the others end when http.client finds a line too long."""


class Service(Fake):
    """Knows nobody."""

    @on("GET", "/people")
    @on("POST", "/people")
    def people(self, request: Any) -> list[Any]:
        return []


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as fake:
        yield fake


def client(**given: Any) -> Http:
    usual = {"connect_seconds": 0.1, "answer_seconds": 0.2, "max_bytes": ROOM, "private": ["127.0.0.1", "acme.example"]}
    return Http("crm.acme", **{**usual, **given})


def outcomes(http: Http, url: str, seconds: float = 2.0) -> list[type[PluginError]]:
    """What becomes of a question and of a write, neither longer than `seconds`."""
    found = []
    for method in ("GET", "POST"):
        began = time.monotonic()
        with pytest.raises(PluginError) as caught:
            http.call("find", method, url)
        assert time.monotonic() - began < seconds
        found.append(type(caught.value))
    http.close()
    return found


@contextmanager
def listening(talk: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port where each caller is talked to so, over TLS when there is a context."""

    def take(line: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(line, server_side=True) if context else line as spoken:
            talk(spoken)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=take, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_without_end_is_left_when_its_room_is_full(service: Service, what: str) -> None:
    service.faults.add(ENDLESS[what])
    http = client(connect_seconds=2, answer_seconds=2)
    expected = [Permanent, Permanent] if what in COUNTED else [Transient, AmbiguousOutcome]
    assert outcomes(http, f"{service.url}/people") == expected


@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_that_drips_is_left_in_time_wherever_it_drips(service: Service, what: str) -> None:
    service.faults.add(replace(ENDLESS[what], drip_seconds=0.01))
    assert outcomes(client(), f"{service.url}/people") == [Transient, AmbiguousOutcome]


def test_each_call_over_a_connection_has_all_its_time_and_room() -> None:
    callers = []

    def drip(line: socket.socket) -> None:
        callers.append(line)
        while line.recv(65536):
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % ROOM)
            for _ in range(10):
                threading.Event().wait(0.01)
                line.sendall(b" " * (ROOM // 10))

    with listening(drip) as port:
        http = client()
        sizes = {len(http.call("find", "GET", f"http://127.0.0.1:{port}/").body) for _ in range(9)}
        http.close()
    assert (sizes, len(callers)) == ({ROOM}, 1)


def test_many_silent_addresses_have_no_more_time_than_one() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # with one waiting in line, the system lets further callers wait for ever
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        http = client(resolve=lambda host, port: ["127.0.0.1"] * 40)
        assert outcomes(http, f"http://acme.example:{full.getsockname()[1]}/") == [Transient, Transient]


def test_a_shake_of_hands_that_drips_is_left_in_time_and_nothing_was_sent(tmp_path: Path) -> None:
    with listening(_drip_a_record) as port:
        assert outcomes(client(), f"https://127.0.0.1:{port}/") == [Transient, Transient]


@pytest.mark.parametrize("what", ["answers before the answer", "trailers"])
def test_the_room_holds_inside_tls(tmp_path: Path, what: str) -> None:
    def flood(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(ENDLESS[what].body)
        while True:
            line.sendall(ENDLESS[what].endless * 500)

    authority = Authority(tmp_path)
    with listening(flood, authority.server_context("acme.example")) as port:
        http = _trusting(authority, connect_seconds=2, answer_seconds=2)
        assert outcomes(http, f"https://acme.example:{port}/") == [Permanent, Permanent]


def test_what_follows_an_answer_is_never_taken_for_the_next(tmp_path: Path) -> None:
    callers = []

    def twice(line: socket.socket) -> None:
        callers.append(line)
        body = json.dumps(len(callers)).encode()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        while line.recv(65536):
            line.sendall(answer)
            line.sendall(answer)

    authority = Authority(tmp_path)
    with listening(twice, authority.server_context("acme.example")) as port:
        http = _trusting(authority, answer_seconds=1)
        said = [http.call("find", "GET", f"https://acme.example:{port}/").json() for _ in range(3)]
        http.close()
    assert said == [1, 2, 3]


def test_a_redirect_is_not_read_beyond_the_room(service: Service) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    headers = {"Location": "/elsewhere", "Content-Encoding": "gzip"}
    service.faults.add(Fault(302, bomb, headers=headers))
    http = client(answer_seconds=2)
    with pytest.raises(Permanent, match="50000 bytes"):
        http.call("find", "GET", f"{service.url}/people", welcome=(302,))
    http.close()


def test_what_is_packed_more_than_once_is_not_unpacked(service: Service) -> None:
    twice = gzip.compress(gzip.compress(b"{}"))
    service.faults.add(Fault(200, twice, headers={"Content-Encoding": "gzip, gzip"}))
    assert outcomes(client(), f"{service.url}/people") == [Transient, AmbiguousOutcome]


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import sys, time
import gevent
from plugins.errors import PluginError
from plugins.http import Http

bad, good = sys.argv[1:]
def client(seconds):
    return Http("crm.acme", private=["127.0.0.1"], connect_seconds=0.1, answer_seconds=seconds, max_bytes=10**9)
def meet():
    try:
        client(0.4).call("find", "GET", bad)
    except PluginError as error:
        return type(error).__name__
met, went_on, http = gevent.spawn(meet), 0, client(5)
gevent.idle()
began = time.monotonic()
while not met.ready():
    went_on += http.call("find", "GET", good).status == 200
print(met.get(), went_on, time.monotonic() - began)
"""


def beside_greenlets(bad: str, good: str) -> tuple[str, int, float]:
    """What becomes of a call of `bad` in a process of greenlets, and how often another calls `good` meanwhile."""
    asked = [sys.executable, "-c", GREENLETS, bad, good]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stderr
    outcome, went_on, seconds = done.stdout.split()
    return outcome, int(went_on), float(seconds)


def test_other_greenlets_go_on_while_a_call_meets_a_flood(service: Service) -> None:
    with Service() as evil:
        evil.faults.add(ENDLESS["answers before the answer"])
        outcome, went_on, seconds = beside_greenlets(f"{evil.url}/people", f"{service.url}/people")
    assert (outcome, went_on > 1, seconds < 5) == ("Transient", True, True)


def test_a_dripping_tls_record_is_left_in_time_by_a_greenlet(service: Service) -> None:
    with listening(_drip_a_record) as port:
        outcome, went_on, seconds = beside_greenlets(f"https://127.0.0.1:{port}/", f"{service.url}/people")
    assert (outcome, went_on > 1, seconds < 5) == ("Transient", True, True)


def _drip_a_record(line: socket.socket) -> None:
    """A TLS record of 16 KiB that says it is a shake of hands, byte by byte."""
    line.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    left = threading.Event()
    while not left.wait(0.01):
        line.sendall(b"\x03")


def _trusting(authority: Authority, **given: Any) -> Http:
    return client(ca_file=str(authority.file), resolve=lambda host, port: ["127.0.0.1"], **given)
