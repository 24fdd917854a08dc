"""A socket gives every byte to a late reader, lets nobody wait for a stuck one, and says goodbye at the end."""

from __future__ import annotations

import json
import signal

import pytest
from simple_websocket import Client, ConnectionClosed

from tests.processes import free_port, running, wait_until


@pytest.fixture(scope="module")
def port():
    number = free_port()
    with running("-m", "tests.web.socket_server", str(number), port=number):
        yield number


@pytest.fixture
def join(port):
    clients = []

    def connect():
        clients.append(Client.connect(f"ws://127.0.0.1:{port}/socket", receive_bytes=65536))
        return clients[-1]

    yield connect
    for client in clients:
        if client.connected:
            client.close()


def told(client, text=None, seconds=10):
    if text is not None:
        client.send(text)
    raw = client.receive(timeout=seconds)
    assert raw is not None, "nothing came"
    return json.loads(raw)


def test_what_is_said_comes_back_whole_at_every_length(join):
    client = join()
    for size in (0, 1, 125, 126, 65, 8000, 60_000):
        assert told(client, "é" * (size // 2)) == {"echo": "é" * (size // 2)}


def test_a_reader_that_comes_late_gets_every_byte(port, join):
    import socket as sockets

    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, Request, TextMessage

    raw = sockets.create_connection(("127.0.0.1", port))
    link = WSConnection(ConnectionType.CLIENT)
    raw.sendall(link.send(Request(host="127.0.0.1", target="/socket")))
    link.receive_data(raw.recv(4096))
    assert any(isinstance(event, AcceptConnection) for event in link.events())
    raw.sendall(link.send(TextMessage("give 5 180000")))
    other = join()
    wait_until(lambda: told(other, "sent")["sent"] >= 5, what="the server having sent all it had")
    got = 0
    raw.settimeout(10)
    while got < 5 * 180_000:
        link.receive_data(raw.recv(65536))
        got += sum(len(event.data) for event in link.events() if isinstance(event, TextMessage))
    raw.close()
    assert got == sum(len(json.dumps({"n": n, "x": "x" * 180_000}, separators=(",", ":"))) for n in range(5))


def test_one_stuck_reader_stops_nobody(port, join):
    import socket as sockets

    from wsproto import ConnectionType, WSConnection
    from wsproto.events import Request

    stuck = sockets.create_connection(("127.0.0.1", port))
    stuck.sendall(WSConnection(ConnectionType.CLIENT).send(Request(host="127.0.0.1", target="/socket")))
    readers, speaker = [join() for _ in range(4)], join()
    wait_until(lambda: told(speaker, "count")["count"] == 6, what="six sockets")
    for n in range(1200):
        speaker.send("all " + "y" * 8000)
        if n % 50 == 0:
            assert told(speaker)["all"]
            for reader in readers:
                assert told(reader)["all"]
    for client in [*readers, speaker]:
        for _ in range(1200 - 24):
            assert len(told(client)["all"]) == 8000
    wait_until(lambda: told(speaker, "count")["count"] == 5, what="the stuck reader being dropped")
    stuck.close()


def test_a_message_over_64_kib_ends_the_socket(join):
    client = join()
    client.send("x" * 70_000)
    with pytest.raises(ConnectionClosed) as closed:
        client.receive(timeout=5)
    assert closed.value.reason == 1009


def test_everybody_hears_goodbye_when_the_server_stops():
    port = free_port()
    with running("-m", "tests.web.socket_server", str(port), port=port) as process:
        clients = [Client.connect(f"ws://127.0.0.1:{port}/socket") for _ in range(10)]
        assert told(clients[-1], "hi") == {"echo": "hi"}
        process.send_signal(signal.SIGTERM)
        for client in clients:
            with pytest.raises(ConnectionClosed) as closed:
                client.receive(timeout=5)
            assert closed.value.reason == 1001
        assert process.wait(4) == 0
