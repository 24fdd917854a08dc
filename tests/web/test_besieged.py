"""The real server under noise of every kind: no 500, no trace in the log, no lost neighbour; then it ends at once."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.config import folder
from server.config import service as config
from server.db import Database, migrate
from server.sections import SECTIONS
from tests.journeys.visitor import Visitor
from tests.processes import ROOT, free_port, running
from tests.web.conftest import ORIGIN
from tests.web.mutations import by_bytes, mutated
from tests.web.raw import CLOSE, PING, TEXT, Raw, frame
from tests.web.test_protocol import documented_server_frames, hello, say


@pytest.fixture(scope="module")
def besieged(tmp_path_factory):
    """A server, its log, and three who begin to speak and never go on: with a head, a body, and no hello."""
    place, port = tmp_path_factory.mktemp("besieged"), free_port()
    db = Database(f"sqlite:///{place}/usher.db")
    migrate.upgrade(db)
    config.apply(db, folder.load(ROOT / "server" / "sample"), author="tests", sections=SECTIONS)
    db.close()
    environment = {
        "USHER_DATABASE_URL": f"sqlite:///{place}/usher.db",
        "USHER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "USHER_RATE_LIMITS": "false",
        "PYTHONUNBUFFERED": "1",
    }
    arguments = ("-m", "server.serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    with (place / "log").open("wb") as log, running(*arguments, port=port, environment=environment, log=log) as process:
        mute = Raw(port, "/v1/chat?site=acme", origin=ORIGIN)
        stranger = Raw(port, "/v1/chat?site=acme", origin=ORIGIN)
        stranger.say(json.dumps({"t": "resume", "site": "acme", "token": "x" * 43, "after": 0}))
        half = socket.create_connection(("127.0.0.1", port), timeout=20)
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127")
        slow = socket.create_connection(("127.0.0.1", port), timeout=20)
        slow.sendall(half_a_request()[0])
        early = {"mute": mute, "stranger": stranger, "half": half, "slow": slow}
        yield SimpleNamespace(port=port, process=process, log=place / "log", **early)


def chatting(port: int, *frames: object) -> Raw:
    """A socket of a new visitor who has been welcomed."""
    raw = Raw(port, "/v1/chat?site=acme", origin=ORIGIN)
    raw.say(json.dumps(hello(seed=str(random.random()))))
    assert raw.hear()["t"] == "welcome"
    for one in frames:
        raw.say(json.dumps(one))
    return raw


def neighbour(port: int) -> Visitor:
    visitor = Visitor(f"http://127.0.0.1:{port}", ORIGIN)
    visitor.connect()
    return visitor


def test_frames_bytes_and_bodies_of_noise_break_nothing_and_cost_the_neighbour_nothing(besieged):
    visitor, said = neighbour(besieged.port), []
    socket_of = visitor.socket
    for noise in (noisy_frames, noisy_bytes, noisy_bodies, noisy_requests):
        for _ in noise(besieged.port):
            said.append(f"still here {len(said)}")
            visitor.say(said[-1])
    mine = [message for message in visitor.messages() if message["author"] == "visitor"]
    assert [message["text"] for message in mine] == said
    assert sorted(visitor.heard) == list(range(1, max(visitor.heard) + 1))
    assert visitor.socket is socket_of
    assert visitor.twice == []
    log = Path(besieged.log).read_text()
    assert "Traceback" not in log
    assert "rror" not in log, log[-3000:]


def noisy_frames(port):
    """Mutated frames over sockets; after each twenty a ping, so that all are answered before the next."""
    frames, came = list(mutated(2000, seed=5)), Counter()
    for n in range(0, len(frames), 20):
        raw = chatting(port)
        for one in frames[n : n + 20]:
            with suppress(OSError):
                raw.say(one.decode(errors="replace") if isinstance(one, bytes) else one)
        with suppress(OSError):
            raw.socket.sendall(frame(PING, b"all"))
        came.update(answers(raw))
        yield
    assert came["ack"] > 20
    assert came["refused"] + came["error"] > 200
    assert set(came) <= {*documented_server_frames(), 1007, 1009, 4429}


def answers(raw):
    """What comes until the ping is answered or the server says goodbye."""
    while True:
        opcode, payload = raw.read()
        if opcode == CLOSE:
            yield int.from_bytes(payload[:2], "big")
        if opcode != TEXT:
            raw.close()
            return
        assert b"Traceback" not in payload
        yield json.loads(payload)["t"]


def noisy_bytes(port):
    """The WebSocket layer itself: mutated frames of bytes, and no frames at all."""
    chance = random.Random(6)
    for n in range(150):
        raw = Raw(port, "/v1/chat?site=acme", origin=ORIGIN)
        good = frame(TEXT, json.dumps(hello()).encode()) + frame(PING, b"x")
        raw.socket.sendall(chance.randbytes(chance.randint(1, 400)) if n % 3 == 0 else by_bytes(good, chance))
        raw.socket.shutdown(socket.SHUT_WR)
        raw.rest()
        raw.close()
        if n % 30 == 0:
            yield


def noisy_bodies(port):
    """POST bodies to every door: by the protocol, out of it, and no JSON at all."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    hold = {"site": "acme", "meeting": "demo", "start": "2026-03-02T09:00:00Z", "pool": "enterprise", "key": "k"}
    meet = {
        "site": "acme",
        "hold": "x",
        "name": "A",
        "email": "a@b.example",
        "guests": ["c@d.example"],
        "answers": {"q": "a"},
    }
    came = Counter()
    for n, one in enumerate(mutated(300, seed=7)):
        raw = one if isinstance(one, bytes) else one.encode()
        path, body = [
            ("/v1/chat", b'{"frames": [' + json.dumps(hello(seed=str(n))).encode() + b", " + raw + b"]}"),
            ("/v1/chat", raw),
            ("/v1/holds", raw),
            ("/v1/holds", by_bytes(json.dumps(hold).encode(), random.Random(n))),
            ("/v1/meetings", by_bytes(json.dumps(meet).encode(), random.Random(n))),
        ][n % 5]
        kind = "text/plain" if n % 11 == 0 else "application/json"
        asking.request(
            "POST", path, body, {"Origin": ORIGIN, "Content-Type": kind, "Authorization": f"Bearer {raw[:9]!r}"}
        )
        answer = asking.getresponse()
        came[answer.status] += 1
        assert b"Traceback" not in answer.read()
        if n % 50 == 0:
            yield
    assert set(came) <= {200, 201, 400, 403, 404, 409, 413, 415, 422}, came
    assert came[200] > 10


def noisy_requests(port):
    """Requests that are none, and addresses with what no database takes."""
    lines = [
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"POST /v1/holds HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/holds HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/sites/%00/config HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /v1/sites/%ff%fe/config HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /v1/slots?site=acme&meeting=%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /m/%ED%A0%80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50 + b"\r\n\r\n",
    ]
    for line in lines:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as asking:
            asking.sendall(line)
            answer = b""
            with suppress(ConnectionResetError):
                while data := asking.recv(65536):
                    answer += data
        assert b" 4" in answer.split(b"\r\n")[0], (line[:80], answer[:300])
        assert b"<h1>" not in answer, answer
        yield


def test_no_token_is_in_the_log(besieged):
    visitor = neighbour(besieged.port)
    token = visitor.token
    asking = http.client.HTTPConnection("127.0.0.1", besieged.port, timeout=20)
    for sent in (token, f"{token}x"):
        body = json.dumps({"frames": [{"t": "resume", "site": "acme"}]})
        headers = {"Origin": ORIGIN, "Content-Type": "application/json", "Authorization": f"Bearer {sent}"}
        asking.request("POST", "/v1/chat", body, headers)
        assert asking.getresponse().read()
        for origin in ("https://evil.example", ORIGIN):
            asking.request("GET", f"/m/{sent}", headers={"Origin": origin})
            page = asking.getresponse()
            assert (page.status, page.headers["Referrer-Policy"]) == (404, "no-referrer")
            page.read()
    log = Path(besieged.log).read_text()
    assert token[:20] not in log


def test_who_begins_and_does_not_go_on_is_sent_away(besieged):
    assert besieged.mute.goodbye() == 4408
    assert besieged.stranger.goodbye() == 4408
    with suppress(ConnectionResetError):
        assert besieged.half.recv(1000) == b""
    assert besieged.slow.recv(1000).split()[1] == b"408"


def test_at_the_end_everybody_is_told_and_what_is_under_way_is_answered(besieged):
    port, answered = besieged.port, []
    sockets = [chatting(port) for _ in range(50)]
    waiting = [threading.Thread(target=lambda: answered.append(long_poll(port))) for _ in range(3)]
    [one.start() for one in waiting]
    idle = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    idle.request("GET", "/healthz")
    assert idle.getresponse().read()  # the connection is kept, as browsers do
    head, rest = half_a_request()
    slow = socket.create_connection(("127.0.0.1", port), timeout=20)
    slow.sendall(head)
    last = chatting(port, say(1, "my last words"))
    assert last.hear()
    besieged.process.send_signal(signal.SIGTERM)
    assert [one.goodbye() for one in [*sockets, last]] == [1001] * 51
    slow.sendall(rest)
    assert slow.recv(1000).split()[1] == b"404"
    [one.join(20) for one in waiting]
    assert answered == [(200, ["welcome"])] * 3
    assert besieged.process.wait(10) == 0
    with pytest.raises(OSError, match="refused"):
        Raw(port)


def half_a_request():
    body = json.dumps({"site": "nobody", "meeting": "demo", "start": "2026-03-02T09:00:00Z"}).encode()
    head = f"POST /v1/holds HTTP/1.1\r\nHost: a\r\nOrigin: {ORIGIN}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:10], body[10:]


def long_poll(port):
    """A visitor where sockets are blocked: meets, then waits for news."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    _, (welcome,) = post(asking, {"frames": [hello(seed=str(random.random()))]})
    known = {name: welcome[name] for name in ("conversation", "state")}
    resume = {"t": "resume", "site": "acme", "after": welcome["seq"], **known}
    status, frames = post(asking, {"frames": [resume], "wait": True}, {"Authorization": f"Bearer {welcome['token']}"})
    return status, [frame["t"] for frame in frames]


def post(asking, body, more=None):
    headers = {"Origin": ORIGIN, "Content-Type": "application/json", **(more or {})}
    asking.request("POST", "/v1/chat", json.dumps(body), headers)
    answer = asking.getresponse()
    return answer.status, json.loads(answer.read())["frames"]
