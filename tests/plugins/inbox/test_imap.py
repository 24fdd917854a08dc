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
from plugins.inbox.imap import MOST_TRIES, Imap
from plugins.records import MemoryRecords
from plugins.testing import InboxConformance
from plugins.testing.inbox import MAILS
from tests.imap import PASSWORD, Mailbox, listening, odd, serving
from tests.plugins.certificates import Authority


@pytest.fixture(scope="module")
def running() -> Iterator[Mailbox]:
    with serving() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(running: Mailbox) -> Iterator[Mailbox]:
    yield running
    running.clear()


def open_imap(config: dict[str, Any], records: MemoryRecords | None = None) -> Imap:
    adapter: Imap = registry.open("inbox", "imap", config, records=records or MemoryRecords())
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


UNREADABLE = (
    b"NO [SERVERBUG] Internal error occurred.",
    b"BAD Error in IMAP command FETCH",
    b"* BYE Mailbox is corrupted\r\n",
    b"* 1 FETCH (UID 1 BODY[]<0> {500}\r\nFrom: ada",
)


@pytest.mark.parametrize("answer", UNREADABLE)
def test_a_mail_that_the_server_cannot_give_keeps_no_other_from_being_read(mailbox, answer):
    records = MemoryRecords()
    place, broken = delivered(mailbox)
    with odd(mailbox.port, fetching(broken), answer) as (port, _):
        config = mailbox.settings(port=port)
        first = open_imap(config, records).fetch(place)
        assert ([one.raw for one in first.messages], first.more) == ([MAILS[0]], True)
        for _ in range(MOST_TRIES - 1):
            with pytest.raises(Transient):
                open_imap(config, records).fetch(first.position)
        second = open_imap(config, records).fetch(first.position)
        assert [(one.id, one.raw, one.skipped) for one in second.messages] == [
            (broken, b"", "the server cannot give it")
        ]
        assert second.more
        third = open_imap(config, records).fetch(second.position)
        assert ([one.raw for one in third.messages], third.more) == ([MAILS[2]], False)


@pytest.mark.parametrize(
    "answer", [b"NO [UNAVAILABLE] later", b"NO [INUSE] locked", b"BAD User is authenticated but not connected."]
)
def test_no_mail_is_left_out_while_the_whole_mailbox_is_away(mailbox, answer):
    place, _ = delivered(mailbox)
    with odd(mailbox.port, b" FETCH ", answer) as (port, _):
        adapter = open_imap(mailbox.settings(port=port))
        for _ in range(MOST_TRIES + 2):
            with pytest.raises(Transient):
                adapter.fetch(place)


def test_a_mail_that_comes_after_all_is_counted_anew_the_next_time(mailbox):
    records = MemoryRecords()
    place, _ = delivered(mailbox)
    with odd(mailbox.port, b" FETCH ", b"NO no") as (port, _):
        for _ in range(2):
            for _ in range(MOST_TRIES - 1):
                with pytest.raises(Transient):
                    open_imap(mailbox.settings(port=port), records).fetch(place)
            assert len(open_imap(mailbox.settings(), records).fetch(place).messages) == len(MAILS)


@pytest.mark.parametrize("command", [b" LOGIN ", b" EXAMINE "])
@pytest.mark.parametrize(
    "answer",
    [
        b"NO [LIMIT] Maximum number of connections exceeded",
        b"NO [INUSE] Mailbox is locked",
        b"NO [SERVERBUG] Internal error occurred.",
        b"NO [UNAVAILABLE] Temporary authentication failure",
        b"NO [ALERT] Too many simultaneous connections. (Failure)",
        b"BAD User is authenticated but not connected.",
    ],
)
def test_a_refusal_that_passes_blames_no_setting(mailbox, command, answer):
    with odd(mailbox.port, command, answer) as (port, _):
        error = refusal(mailbox.settings(port=port))
    assert isinstance(error, Transient)
    assert error.user_message == "The mail server does not answer right now. We will try again."


def test_a_refusal_that_stays_asks_for_the_owner(mailbox):
    with odd(mailbox.port, b" LOGIN ", b"NO [AUTHENTICATIONFAILED] Invalid credentials") as (port, _):
        assert isinstance(refusal(mailbox.settings(port=port)), AuthError)
    with odd(mailbox.port, b" EXAMINE ", b"NO [NONEXISTENT] Unknown mailbox") as (port, _):
        assert isinstance(refusal(mailbox.settings(port=port)), ConfigError)


def test_a_user_name_of_any_characters_is_sent_as_one(mailbox):
    with odd(mailbox.port, b" LOGIN ", b"NO such user") as (port, heard):
        refusal(mailbox.settings(port=port, user='ACME\\ada "x"'))
    assert heard[1].partition(b" ")[2] == rb'LOGIN "ACME\\ada \"x\"" "' + PASSWORD.encode() + b'"\r\n'


def delivered(mailbox: Mailbox) -> tuple[str, str]:
    """MAILS are there: the position before them, and what the second is called."""
    place = open_imap(mailbox.settings()).fetch().position
    for raw in MAILS:
        mailbox.deliver(raw)
    return place, open_imap(mailbox.settings()).fetch(place).messages[1].id


def fetching(name: str) -> bytes:
    return f" FETCH {name.partition(':')[2]} ".encode()


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
    error = refusal(mailbox.settings(security="starttls"))
    assert isinstance(error, ConfigError)
    assert "does not offer STARTTLS" in error.user_message


@contextmanager
def speaking(words: bytes) -> Iterator[int]:
    """A server that says these words and hangs up."""

    class Once(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(words)

    with listening(Once) as port:
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

    with listening(Pass) as port:
        yield port


def _pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass
