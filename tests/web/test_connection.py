"""A socket gives every byte to a late reader, lets nobody wait for a stuck one, and keeps to the letter of RFC 6455."""

from __future__ import annotations

import itertools
import json
import selectors
import signal
import socket

import pytest
from gevent import socket as sockets

from server import live
from server.live import Shared
from server.web import connection
from server.web.sending import encode
from tests.processes import free_port, running, wait_until
from tests.web.raw import BINARY, CLOSE, CONTINUED, PING, PONG, TEXT, Raw, frame


@pytest.fixture(scope="module")
def port():
    number = free_port()
    with running("-m", "tests.web.socket_server", str(number), port=number):
        yield number


@pytest.fixture
def join(port):
    clients = []

    def connect():
        clients.append(Raw(port))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def told(client, text):
    client.say(text)
    return client.hear()


def test_what_is_said_comes_back_whole_at_every_length(join):
    client = join()
    for size in (0, 1, 125, 126, 65, 8000, 60_000):
        assert told(client, "é" * (size // 2)) == {"echo": "é" * (size // 2)}


def test_nothing_is_compressed_though_browsers_offer_it(join):
    client = join()
    assert client.opened.startswith("HTTP/1.1 101")
    assert "extensions" not in client.opened.lower()


def test_a_message_in_pieces_with_a_ping_between_them_is_one(join):
    client = join()
    whole = "grüß dich".encode()
    cut = whole.index("ü".encode()) + 1  # inside a character
    client.socket.sendall(
        frame(TEXT, whole[:cut], fin=False)
        + frame(PING, b"there?")
        + frame(CONTINUED, b"", fin=False)
        + frame(PONG, b"unasked")
        + frame(CONTINUED, whole[cut:])
    )
    assert client.read() == (PONG, b"there?")
    assert client.hear() == {"echo": "grüß dich"}


def test_bytes_are_heard_one_by_one_and_many_at_once(join):
    client = join()
    for byte in frame(TEXT, b"slowly"):
        client.socket.sendall(bytes([byte]))
    assert client.hear() == {"echo": "slowly"}
    client.socket.sendall(b"".join(frame(TEXT, b"%d" % n) for n in range(500)))
    assert [client.hear()["echo"] for _ in range(500)] == [str(n) for n in range(500)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"x", masked=False), 1002),
        (frame(TEXT, b"x", first=0x40), 1002),  # a reserved bit: compressed, though that was not agreed
        (frame(3, b"x"), 1002),
        (frame(CONTINUED, b"x"), 1002),
        (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (frame(CLOSE, b"x"), 1002),
        (frame(CLOSE, (1005).to_bytes(2, "big")), 1002),
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(TEXT, b"\xc3", fin=True), 1007),
        (frame(TEXT, b"x" * 65537), 1009),
        (frame(TEXT, "é".encode() * 32769), 1009),
        (frame(BINARY, b"x" * 70_000), 1009),
        (frame(TEXT, b"x" * 40_000, fin=False) + frame(CONTINUED, b"x" * 40_000, fin=False), 1009),
        (b"\x81\xff\x7f" + b"\xff" * 7 + b"mask" + b"x" * 70_000, 1009),  # says that it has 2^63 bytes
    ],
    ids=itertools.count(1),  # masks are random, names must not be
)
def test_what_breaks_the_protocol_ends_the_socket_with_its_code(join, sent, code):
    client = join()
    client.socket.sendall(sent)
    assert client.goodbye() == code


def test_64_kib_are_not_too_much(join):
    client = join()
    assert told(client, "x" * 65536) == {"echo": "x" * 65536}
    client.socket.sendall(frame(BINARY, b"\x00\xff"))
    assert client.hear() == {"echo": "00ff"}


def test_goodbye_is_answered_and_what_was_said_before_it_is_heard(join):
    client = join()
    client.socket.sendall(frame(TEXT, b"last words") + frame(CLOSE, (1000).to_bytes(2, "big") + b"bye"))
    assert client.hear() == {"echo": "last words"}
    assert client.goodbye() == 1000


def test_who_has_closed_their_half_still_gets_the_answer(join):
    client = join()
    client.socket.sendall(frame(TEXT, b"over"))
    client.socket.shutdown(socket.SHUT_WR)
    assert client.hear() == {"echo": "over"}
    assert client.rest() == b""


def test_nobody_waits_for_a_chatty_one(join):
    chatty, quiet, other = join(), join(), join()
    chatty.socket.sendall(frame(TEXT, b"wait") + b"".join(frame(TEXT, b"note .") for _ in range(3000)))
    wait_until(lambda: told(other, "waiting")["waiting"] == 1, what="the chatty one being first")
    quiet.socket.sendall(frame(TEXT, b"wait") + frame(TEXT, b"note !"))
    wait_until(lambda: told(other, "waiting")["waiting"] == 2, what="the quiet one being second")
    other.say("go")
    heard = wait_until(lambda: (h := told(other, "heard")["heard"]).count(".") == 3000 and h, what="all being heard")
    assert heard.index("!") < 10


def test_one_stuck_reader_of_21_stops_nobody_and_is_dropped(join):
    stuck, speaker = join(), join()
    readers = {join().socket: 0 for _ in range(20)}
    wait_until(lambda: told(speaker, "count")["count"] == 22, what="22 sockets")
    of_all = sum(len(encode({"n": n, "x": "x" * 8000})) for n in range(100))
    for done in range(1, 13):
        speaker.say("all 100 8000")
        for _ in range(100):
            speaker.hear()
        read_until(readers, of_all * done)
    assert set(readers.values()) == {of_all * 12}
    wait_until(lambda: told(speaker, "count")["count"] == 21, what="the stuck reader being dropped")
    assert len(stuck.rest()) < of_all * 12


def read_until(readers, size):
    """Read from all until each has got so many bytes."""
    with selectors.DefaultSelector() as ready:
        for reader in readers:
            ready.register(reader, selectors.EVENT_READ)
        while min(readers.values()) < size:
            for key, _ in ready.select(20):
                data = key.fileobj.recv(1 << 18)
                assert data, "a healthy reader was dropped"
                readers[key.fileobj] += len(data)


def late_reading(port):
    """5 x 900 KB to a reader that begins when the server has sent all: how many bytes come, of how many."""
    late, other = Raw(port), Raw(port)
    late.say("give 5 900000")
    late.say("bye")
    wait_until(lambda: told(other, "sent")["sent"] == 5, what="the server having sent all it had")
    other.close()
    come = len(late.rest())
    late.close()
    return come, sum(len(encode({"n": n, "x": "x" * 900_000})) for n in range(5))


def test_a_reader_that_comes_late_gets_every_byte(port):
    come, sent = late_reading(port)
    assert come >= sent


def test_flask_socks_own_send_loses_bytes_where_ours_loses_none():
    port = free_port()
    with running("-m", "tests.web.socket_server", str(port), "stock", port=port):
        come, sent = late_reading(port)
    assert come < sent


def test_everybody_is_asked_at_least_every_25_seconds_and_who_is_silent_for_two_of_them_is_cut():
    assert connection.PING_SECONDS <= 25
    assert connection.SILENT_SECONDS > 2 * connection.PING_SECONDS
    pairs = [socket.socketpair() for _ in range(2)]
    there, silent = (connection.Connection(sockets.socket(fileno=mine.detach())) for mine, _ in pairs)
    silent.heard_at -= connection.SILENT_SECONDS + 1
    connection.ping_all()
    assert [other.recv(100) for _, other in pairs] == [b"\x89\x00", b""]
    there.finish()
    silent.finish()


def test_what_goes_to_many_is_encoded_once():
    got = []
    ends = [live.subscribe("conversation:of this test", lambda frame: got.append(encode(frame))) for _ in range(3)]
    for text in ("one", "two"):
        live.publish("conversation:of this test", {"t": "message", "message": {"text": text}})
    [end() for end in ends]
    assert got[0] is got[1] is got[2]
    assert [json.loads(one[2:])["message"]["text"] for one in got] == ["one"] * 3 + ["two"] * 3
    assert encode(Shared({"a": 1})) == encode({"a": 1})


def test_everybody_hears_goodbye_when_the_server_stops():
    port = free_port()
    with running("-m", "tests.web.socket_server", str(port), port=port) as process:
        clients = [Raw(port) for _ in range(10)]
        assert told(clients[-1], "hi") == {"echo": "hi"}
        process.send_signal(signal.SIGTERM)
        assert [client.goodbye() for client in clients] == [1001] * 10
        assert process.wait(10) == 0
