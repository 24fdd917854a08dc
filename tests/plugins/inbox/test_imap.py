"""IMAP against a real server on loopback: what is read, that nothing changes there, and what each failure means."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from plugins import registry
from plugins.errors import AuthError, ConfigError, PluginError, Transient
from plugins.inbox.imap import Imap
from plugins.records import MemoryRecords
from plugins.testing import InboxConformance
from plugins.testing.inbox import MAILS
from tests.imap import PASSWORD, Mailbox, serving
from tests.plugins.certificates import Authority


@pytest.fixture(scope="module")
def running() -> Iterator[Mailbox]:
    with serving() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(running: Mailbox) -> Iterator[Mailbox]:
    yield running
    running.clear()


def open_imap(config: dict[str, Any]) -> Imap:
    adapter: Imap = registry.open("inbox", "imap", config, records=MemoryRecords())
    return adapter


def refusal(config: dict[str, Any]) -> PluginError:
    with pytest.raises(PluginError) as caught:
        open_imap(config).fetch()
    assert (caught.value.adapter, caught.value.operation) == ("inbox.imap", "fetch")
    assert PASSWORD not in f"{caught.value} {caught.value.user_message} {caught.value.as_json()}"
    if isinstance(caught.value, Transient):
        with pytest.raises(Transient):
            open_imap(config).check()
    else:
        assert not open_imap(config).check().ok
    return caught.value


class TestImap(InboxConformance):
    adapter = Imap
    no_http = "speaks IMAP, whose replies its own tests hold"

    @pytest.fixture(autouse=True)
    def _mailbox(self, mailbox: Mailbox) -> None:
        self.deliver = mailbox.deliver  # type: ignore[method-assign]

    @pytest.fixture
    def config(self, mailbox: Mailbox) -> dict[str, Any]:
        return mailbox.settings(largest_kilobytes=16)


def test_no_mail_is_marked_as_read(mailbox):
    mailbox.deliver(MAILS[0])
    assert open_imap(mailbox.settings()).fetch().messages
    assert b"Seen" not in b"".join(mailbox.flags())


def test_a_mail_as_large_as_allowed_is_read_whole(mailbox):
    whole = MAILS[0] + b"z" * (16 * 1024 - len(MAILS[0]))
    mailbox.deliver(whole)
    [one] = open_imap(mailbox.settings(largest_kilobytes=16)).fetch().messages
    assert one.raw == whole


def test_no_more_is_held_in_memory_than_fits(mailbox):
    for _ in range(3):
        mailbox.deliver(MAILS[0] + b"z" * 3_000_000)
    adapter = open_imap(mailbox.settings(largest_kilobytes=4096))
    first = adapter.fetch()
    rest = adapter.fetch(first.position)
    assert (len(first.messages), first.more, len(rest.messages), rest.more) == (2, True, 1, False)


def test_a_wrong_password_asks_for_the_owner(mailbox):
    assert isinstance(refusal(mailbox.settings(password="wrong")), AuthError)
    assert isinstance(refusal(mailbox.settings(password="wörld")), ConfigError)


def test_a_folder_that_is_not_there_is_named(mailbox):
    error = refusal(mailbox.settings(folder='No "such" one'))
    assert isinstance(error, ConfigError)
    assert error.user_message == 'The mailbox has no folder No "such" one.'


def test_a_server_that_is_away_or_silent_is_tried_again(mailbox):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert isinstance(refusal(mailbox.settings(port=port)), Transient)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert isinstance(refusal(mailbox.settings(port=silent.getsockname()[1], timeout_seconds=0.3)), Transient)


@pytest.mark.parametrize(
    "words", [b"HTTP/1.1 400 Bad\r\n\r\n", b"* BYE no\r\n", b"\xff\xfe\x00" * 9, b"* OK x\r\n* {99999\r\n"]
)
def test_a_server_that_speaks_nonsense_is_tried_again(mailbox, words):
    with speaking(words) as port:
        assert isinstance(refusal(mailbox.settings(port=port, timeout_seconds=2)), Transient)


def test_tls_is_checked_from_the_first_byte(mailbox, tmp_path: Path):
    authority = Authority(tmp_path)
    with wrapped(mailbox.port, authority.server_context("localhost")) as port:
        good = mailbox.settings(port=port, security="tls", host="localhost", ca_file=str(authority.file))
        assert open_imap(good).check().ok
        error = refusal({**good, "ca_file": ""})
        assert isinstance(error, Transient)
        assert error.user_message == "The mail server's certificate cannot be trusted."
        assert refusal({**good, "host": "127.0.0.1"}).user_message == error.user_message


def test_starttls_is_checked_and_never_left_out(mailbox, tmp_path: Path):
    authority = Authority(tmp_path)
    authority.server_context("localhost")
    pem = str(tmp_path / "localhost.pem")
    with serving("--cert", pem, "--key", pem) as guarded:
        good = guarded.settings(security="starttls", host="localhost", ca_file=str(authority.file))
        assert open_imap(good).check().ok
        assert refusal({**good, "ca_file": ""}).user_message == "The mail server's certificate cannot be trusted."
    assert isinstance(refusal(mailbox.settings(security="starttls")), Transient)


@contextmanager
def speaking(words: bytes) -> Iterator[int]:
    """A server that says these words and hangs up."""

    class Once(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(words)

    with _server(Once) as port:
        yield port


@contextmanager
def wrapped(inner: int, context: ssl.SSLContext) -> Iterator[int]:
    """TLS in front of a port, as mail servers have on 993."""

    class Pass(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                outside = context.wrap_socket(self.request, server_side=True)
            except ssl.SSLError:
                return
            with outside, socket.create_connection(("127.0.0.1", inner)) as inside:
                back = threading.Thread(target=_pump, args=(inside, outside), daemon=True)
                back.start()
                _pump(outside, inside)
                back.join(5)

    with _server(Pass) as port:
        yield port


def _pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@contextmanager
def _server(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
