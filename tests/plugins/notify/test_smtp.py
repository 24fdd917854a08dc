"""SMTP against a real server on loopback: what arrives, and what each kind of refusal means for the outbox."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from plugins import registry
from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    ConfigError,
    InvalidInput,
    Permanent,
    PermissionDenied,
    PluginError,
    RateLimited,
    Retry,
    Transient,
)
from plugins.http import Http
from plugins.notify.smtp import MAILING, Smtp
from plugins.notify.smtp_replies import refusal as meant
from plugins.records import MemoryRecords
from plugins.testing import NotifyConformance
from plugins.testing.notify import MAIL
from tests.plugins.certificates import Authority

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
USER, PASSWORD = "usher", "s3cret-w0rd"


class Inbox:
    """What the server does with mails: keeps them, or answers as it was told to."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.envelopes: list[Envelope] = []
        self.at_mail = self.at_rcpt = self.at_data = ""

    async def handle_MAIL(self, _: Server, __: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.at_mail:
            return self.at_mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _: Server, __: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.at_rcpt:
            return self.at_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        self.envelopes.append(envelope)
        return "250 OK"


def _sign_in(server: Server, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    good = isinstance(given, LoginPassword) and given == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[Controller]:
    with serving(inbox, authenticator=_sign_in, auth_required=True, auth_require_tls=False) as controller:
        yield controller


@contextmanager
def serving(inbox: Inbox, **options: Any) -> Iterator[Controller]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def settings(port: int, **other: Any) -> dict[str, Any]:
    plain = {"host": "127.0.0.1", "port": port, "security": "none", "user": USER, "password": PASSWORD}
    return {**plain, "hello": "usher.example", "timeout_seconds": 5, **other}


def open_smtp(config: dict[str, Any], records: MemoryRecords | None = None) -> Smtp:
    adapter: Smtp = registry.open("notify", "smtp", config, records=records or MemoryRecords())
    adapter.taking_seconds = 5.0
    return adapter


def refusal(config: dict[str, Any], mail: Any = MAIL, *, taking_seconds: float = 5.0) -> PluginError:
    adapter = open_smtp(config)
    adapter.taking_seconds = taking_seconds
    with pytest.raises(PluginError) as caught:
        adapter.send(mail, key="k1")
    assert (caught.value.adapter, caught.value.operation) == ("notify.smtp", "send_mail")
    assert PASSWORD not in f"{caught.value} {caught.value.user_message} {caught.value.as_json()}"
    return caught.value


class TestSmtp(NotifyConformance):
    adapter = Smtp
    no_http = "speaks SMTP, whose replies its own tests hold"

    @pytest.fixture
    def config(self, server: Controller, inbox: Inbox) -> dict[str, Any]:
        self.inbox = inbox
        return settings(server.port)

    def received(self, config: dict[str, Any]) -> list[bytes]:
        return self.inbox.mails


def test_the_site_s_sender_stands_in_where_the_mail_names_none(server: Controller, inbox: Inbox) -> None:
    config = settings(server.port, from_address="desk@acme.example", from_name="Desk")
    open_smtp(config).send(replace(MAIL, from_address="", from_name=""), key="k1")
    assert inbox.envelopes[0].mail_from == "desk@acme.example"
    assert b"From: Desk <desk@acme.example>" in inbox.mails[0]


def test_a_mail_without_any_sender_is_a_setting_to_correct(server: Controller) -> None:
    error = refusal(settings(server.port), replace(MAIL, from_address=""))
    assert isinstance(error, ConfigError)
    assert error.problems == (("from_address", "is required"),)


@pytest.mark.parametrize(
    ("step", "answer", "kind", "retry"),
    [
        ("at_mail", "451 4.3.0 Later", Transient, Retry.LATER),
        ("at_mail", "550 5.7.1 Sender not yours", ConfigError, Retry.NEVER),
        ("at_mail", "550 5.4.5 Daily user sending limit exceeded", RateLimited, Retry.AT),
        ("at_mail", "554 5.7.1 Service unavailable; Client host [1.2.3.4] blocked using b.example", PermissionDenied,
         Retry.NEVER),
        ("at_mail", "530 5.7.0 Sign in first", AuthError, Retry.NEVER),
        ("at_rcpt", "450 4.2.1 Greylisted", Transient, Retry.LATER),
        ("at_rcpt", "452 4.2.2 Mailbox full", Transient, Retry.LATER),
        ("at_rcpt", "550 5.1.1 No such user", InvalidInput, Retry.NEVER),
        ("at_rcpt", "552 5.2.2 Mailbox full", InvalidInput, Retry.NEVER),
        ("at_rcpt", "550 5.4.1 Recipient address rejected: Access denied", InvalidInput, Retry.NEVER),
        ("at_rcpt", "554 5.7.1 <ada@globex.example>: Recipient address rejected: Closed", InvalidInput, Retry.NEVER),
        ("at_rcpt", "550 5.4.5 Daily user sending limit exceeded", RateLimited, Retry.AT),
        ("at_rcpt", "550 5.1.90 You've reached your daily limit for message recipients", RateLimited, Retry.AT),
        ("at_rcpt", "554 5.7.1 <ada@globex.example>: Relay access denied", ConfigError, Retry.NEVER),
        ("at_rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", ConfigError, Retry.NEVER),
        ("at_rcpt", "553 5.7.1 <hello@acme.example>: Sender address rejected: not owned by usher", ConfigError,
         Retry.NEVER),
        ("at_rcpt", "554 5.7.1 Service unavailable; blocked using zen.spamhaus.org", PermissionDenied, Retry.NEVER),
        ("at_rcpt", "550 5.7.1 Not allowed", PermissionDenied, Retry.NEVER),
        ("at_rcpt", "503 5.5.1 MAIL first", Permanent, Retry.NEVER),
        ("at_rcpt", "530 5.7.0 Must issue a STARTTLS command first", ConfigError, Retry.NEVER),
        ("at_data", "554 5.4.5 Daily user sending limit exceeded", RateLimited, Retry.AT),
        ("at_data", "451 4.3.0 Later", Transient, Retry.LATER),
        ("at_data", "554 5.7.1 Looks like spam", Permanent, Retry.NEVER),
        ("at_data", "554 5.7.1 Message rejected: it contains a URL on a block list", Permanent, Retry.NEVER),
        ("at_data", "550 5.7.1 Blacklisted URL in message", Permanent, Retry.NEVER),
    ],
)  # fmt: skip
def test_each_refusal_says_what_to_do(
    server: Controller, inbox: Inbox, step: str, answer: str, kind: type[PluginError], retry: Retry
) -> None:
    setattr(inbox, step, answer)
    error = refusal(settings(server.port))
    assert type(error) is kind
    assert error.retry is retry
    assert error.vendor_code == answer.split()[1]
    assert inbox.mails == []


def test_a_refused_recipient_is_named_as_the_wrong_field(server: Controller, inbox: Inbox) -> None:
    inbox.at_rcpt = "550 5.1.1 No such user"
    error = refusal(settings(server.port))
    assert isinstance(error, InvalidInput)
    assert error.field == "to"


@pytest.mark.parametrize(
    ("said", "kind"), [("550 User unknown", InvalidInput), ("550 relay not permitted", ConfigError)]
)
def test_a_refusal_without_an_enhanced_code_is_told_by_its_words(
    server: Controller, inbox: Inbox, said: str, kind: type[PluginError]
) -> None:
    inbox.at_rcpt = said
    assert type(refusal(settings(server.port))) is kind


def test_the_words_of_a_visitor_s_address_stop_no_connection() -> None:
    to = '"relay access denied"@globex.example'
    for said in (f"5.1.1 {to} is nobody here", f"5.1.1 <{to}>: is nobody here"):
        error = meant("RCPT", 550, said, to=to)
        assert isinstance(error, InvalidInput)
        assert error.field == "to"


@pytest.mark.parametrize(
    "said",
    [
        "5.1.1 <a@evil.example>: Recipient address rejected: undeliverable address: host mx.evil.example[1.2.3.4] said:"
        " 550 relay access denied (in reply to RCPT TO command)",
        "5.1.1 <a@evil.example>: Recipient address rejected: undeliverable address: host mx said: 554 starttls first",
        "Callback verification failed for <a@evil.example>: 550 sender address rejected",
        "5.1.1 Recipient address rejected: unverified address: host mx said: 554 blocked using zen.spamhaus.org",
    ],
)
def test_what_the_recipient_s_own_server_says_stops_no_connection(said: str) -> None:
    """Address verification (Postfix, Exim) repeats its words, and a visitor chose whose server that is."""
    error = meant("RCPT", 550, said, to="a@evil.example")
    assert isinstance(error, InvalidInput)
    assert error.field == "to"


def test_a_wrong_password_asks_the_owner_to_sign_in_again(server: Controller) -> None:
    config = settings(server.port, password="wr0ng-one")
    error = refusal(config)
    assert isinstance(error, AuthError)
    assert error.stops
    assert "wr0ng-one" not in str(error)
    result = open_smtp(config).check()
    assert (result.ok, result.message) == (False, AuthError.sentence)


def test_check_names_the_account(server: Controller, inbox: Inbox) -> None:
    assert open_smtp(settings(server.port)).check().account == USER
    assert inbox.mails == []


def test_a_server_that_asks_for_sign_in_is_not_offered_an_anonymous_mail(server: Controller) -> None:
    assert isinstance(refusal(settings(server.port, user="", password="")), AuthError)


def test_a_password_beyond_ascii_is_a_setting_to_correct(server: Controller) -> None:
    assert isinstance(refusal(settings(server.port, password="geheimß")), ConfigError)


def test_a_refused_connection_is_tried_later() -> None:
    assert isinstance(refusal(settings(free_port())), Transient)


@pytest.mark.parametrize("ending", ["silence", "hang up"])
def test_no_answer_after_the_mail_was_handed_over_is_ambiguous_and_the_same_key_is_the_same_mail(ending: str) -> None:
    with script(end=ending) as (port, heard):
        error = refusal(settings(port, user="", timeout_seconds=0.3), taking_seconds=0.3)
        assert isinstance(error, AmbiguousOutcome)
        assert (error.retry, error.doubles) == (Retry.SAME_KEY, True)
        refusal(settings(port, user="", timeout_seconds=0.3), taking_seconds=0.3)
        ids = [line for line in heard if line.startswith("Message-ID:")]
        assert len(ids) == 2
        assert len(set(ids)) == 1


def test_a_server_that_looks_a_mail_through_at_leisure_gets_it_once() -> None:
    with script(end="later") as (port, heard):
        sent = open_smtp(settings(port, user="", timeout_seconds=0.3)).send(MAIL, key="k1")
        assert [line for line in heard if line.startswith("Message-ID:")] == [f"Message-ID: {sent.id}"]
    assert Smtp.taking_seconds >= 600


def test_a_server_that_does_not_say_good_bye_is_not_waited_for_as_long() -> None:
    with script(stop="QUIT", end="goes on") as (port, _):
        adapter = open_smtp(settings(port, user="", timeout_seconds=0.3))
        adapter.taking_seconds = 8.0
        began = time.monotonic()
        adapter.send(MAIL, key="k1")
        assert time.monotonic() - began < 6


def test_a_mail_that_is_handed_over_again_has_the_date_of_its_first_try() -> None:
    records, at = MemoryRecords(), datetime(2026, 3, 2, 12, tzinfo=UTC)

    def once_more(port: int) -> None:
        adapter = open_smtp(settings(port, user="", timeout_seconds=0.3), records)
        adapter.http = Http("notify.smtp", now=lambda: at)
        adapter.send(MAIL, key="k1")

    with script(end="hang up") as (port, heard):
        for _ in range(2):
            with pytest.raises(AmbiguousOutcome):
                once_more(port)
            at += timedelta(hours=1)
        dates = [line for line in heard if line.startswith("Date:")]
    assert dates == ["Date: Mon, 02 Mar 2026 12:00:00 +0000"] * 2
    with script(end="later") as (port, _):
        once_more(port)
    assert records.list(MAILING) == []


@pytest.mark.parametrize("stop", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_no_answer_before_that_is_tried_later(stop: str) -> None:
    with script(stop=stop) as (port, _):
        error = refusal(settings(port, user="", timeout_seconds=0.3))
        assert type(error) is Transient


def test_a_server_without_encryption_is_not_given_the_password() -> None:
    with script() as (port, heard):
        error = refusal(settings(port, security="starttls"))
        assert isinstance(error, ConfigError)
        assert not [line for line in heard if line.startswith("AUTH")]


def test_an_address_beyond_ascii_needs_a_server_that_takes_it(server: Controller, inbox: Inbox) -> None:
    wide = replace(MAIL, to="jürgen@bücher.example", subject="Grüße")
    with script() as (port, heard):
        error = refusal(settings(port, user=""), wide)
        assert isinstance(error, InvalidInput)
        assert not [line for line in heard if line.startswith("MAIL")]
    with serving(inbox, enable_SMTPUTF8=True) as controller:
        open_smtp(settings(controller.port, user="")).send(wide, key="k1")
    assert inbox.envelopes[0].rcpt_tos == ["jürgen@xn--bcher-kva.example"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_with_encryption_the_server_must_prove_who_it_is(security: str, inbox: Inbox, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.server_context("localhost")
    encrypted = {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    with serving(inbox, server_hostname="localhost", **encrypted) as controller:
        trusted = settings(controller.port, host="localhost", security=security, ca_file=str(authority.file), user="")
        open_smtp(trusted).send(MAIL, key="k1")
        assert len(inbox.mails) == 1
        stranger, misnamed = refusal({**trusted, "ca_file": ""}), refusal({**trusted, "host": "127.0.0.1"})
        for refused in (stranger, misnamed):
            assert isinstance(refused, Transient)
            assert "certificate" in refused.user_message
        assert len(inbox.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "none"])
def test_a_check_where_tls_comes_first_says_that_port_and_encryption_do_not_fit(security: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = open_smtp(settings(silent.getsockname()[1], security=security, timeout_seconds=0.3)).check()
    assert not found.ok
    assert "encryption" in found.message


def test_a_check_where_no_tls_comes_first_says_that_port_and_encryption_do_not_fit(server: Controller) -> None:
    found = open_smtp(settings(server.port, security="tls")).check()
    assert not found.ok
    assert "encryption" in found.message


@pytest.mark.parametrize("greeting", [b"* OK IMAP4rev1 ready\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_check_of_what_is_no_mail_server_says_so(greeting: bytes) -> None:
    with script(greeting=greeting) as (port, _):
        found = open_smtp(settings(port)).check()
    assert not found.ok
    assert "port" in found.message


def test_a_check_says_no_to_a_certificate_that_cannot_be_trusted(inbox: Inbox, tmp_path: Path) -> None:
    context = Authority(tmp_path).server_context("localhost")
    with serving(inbox, server_hostname="localhost", tls_context=context) as controller:
        found = open_smtp(settings(controller.port, host="localhost", security="starttls")).check()
    assert not found.ok
    assert "certificate" in found.message


def test_a_check_while_the_server_is_away_says_nothing_about_the_settings() -> None:
    with pytest.raises(Transient):
        open_smtp(settings(free_port())).check()
    with script(greeting=b"421 4.3.2 busy\r\n") as (port, _), pytest.raises(Transient):
        open_smtp(settings(port)).check()


def test_a_server_that_greets_with_a_refusal_of_our_address_is_the_owner_s_matter() -> None:
    with script(greeting=b"554 5.7.1 Client host [1.2.3.4] blocked using b.example\r\n") as (port, _):
        assert isinstance(refusal(settings(port)), PermissionDenied)


class script:  # noqa: N801 - used as a context manager: with script(stop="MAIL") as (port, heard)
    """A server that speaks just enough SMTP and falls silent, or hangs up, at one command or after the mail; at its
    `end` "later" it takes the mail, only not at once."""

    def __init__(self, stop: str = "", end: str = "", greeting: bytes = b"220 fake ready\r\n") -> None:
        heard = self.heard = []  # type: list[str]
        done = self.done = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(greeting)
                for raw in self.rfile:
                    line = raw.decode().rstrip("\r\n")
                    heard.append(line)
                    verb = line[:4].upper()
                    if verb == stop:
                        done.wait(10)
                        return
                    self.wfile.write({"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(verb, b"250 fine\r\n"))
                    if verb == "DATA":
                        self.swallow()
                        if end == "goes on":
                            self.wfile.write(b"250 taken\r\n")
                            continue
                        done.wait({"silence": 10, "later": 0.6}.get(end, 0))
                        self.wfile.write(b"250 taken\r\n" if end == "later" else b"")
                        return

            def swallow(self) -> None:
                while (raw := self.rfile.readline()) and raw != b".\r\n":
                    heard.append(raw.decode().rstrip("\r\n"))

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> tuple[int, list[str]]:
        self.thread.start()
        return int(self.server.server_address[1]), self.heard

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
