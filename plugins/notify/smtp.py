"""Mail by SMTP (RFC 5321) to the server the owner names, step by step, so that each failure gets its right class."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTPUTF8
from functools import partial

from plugins.adapter import CheckResult
from plugins.config import strip_secrets
from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    ConfigError,
    InvalidInput,
    Permanent,
    PluginError,
    Transient,
)
from plugins.fields import Field, Type
from plugins.notify import Capability, Mail, Notify, Sent
from plugins.notify.message import POLICY, compose

NOT_SIGNED_IN = (530, 534, 535, 538)
"""RFC 4954 section 6."""


class Smtp(Notify):
    """One connection per mail. A mail counts as sent once the server took it after DATA; a lost answer to that is
    AmbiguousOutcome, and the same key then gives the same Message-ID, by which receivers tell copies."""

    name = "smtp"
    title = "SMTP"
    about = "Sends mails through your mail server."
    capabilities = frozenset({Capability.MAIL, Capability.THREADS})
    fields = (
        Field("host", "Mail server", required=True, pattern=r"[\w.:-]+"),
        Field("port", "Port", Type.INTEGER, default=587, minimum=1, maximum=65535),
        Field("security", "Encryption", choices=("starttls", "tls", "none"), default="starttls"),
        Field("user", "User name", help="Empty: no sign-in."),
        Field("password", "Password", secret=True),
        Field("from_address", "Sender's address", Type.EMAIL, help="For mails whose site names no sender."),
        Field("from_name", "Sender's name"),
        Field("hello", "Our name in EHLO", pattern=r"[\w.-]+", help="Empty: this machine's host name."),
        Field("ca_file", "File with further certificate authorities", operators=True),
        Field("timeout_seconds", "Longest wait for an answer", Type.NUMBER, default=20.0, minimum=0.1, maximum=300),
    )

    def check(self) -> CheckResult:
        with self._connected() as server:
            server.noop()
        return CheckResult(ok=True, account=self.config.text("user") or self.config.text("host"))

    def send_mail(self, mail: Mail, *, key: str) -> Sent:
        sender, name = self.config.text("from_address"), self.config.text("from_name")
        if not (mail.from_address or sender):
            raise ConfigError("no sender's address", problems=(("from_address", "is required"),))
        message = compose(mail, key=key, from_address=sender, from_name=name)
        with self._connected() as server:
            _hand_over(server, message)
        return Sent(str(message["Message-ID"]))

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A signed-in connection; whatever breaks on it becomes one of our classes, named and free of secrets."""
        server = None
        try:
            server = self._connect()
            self._sign_in(server)
            yield server
        except PluginError as error:
            error.message = strip_secrets(error.message, self.config.secrets())
            raise
        except (OSError, smtplib.SMTPException) as error:
            raise _meaning(error, self.config.secrets()) from error
        finally:
            if server:
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()

    def _connect(self) -> smtplib.SMTP:
        host, port, seconds = self.config.text("host"), int(self.config["port"]), float(self.config["timeout_seconds"])
        hello = self.config.text("hello") or None
        if self.config["security"] == "tls":
            return smtplib.SMTP_SSL(host, port, hello, timeout=seconds, context=self._trust())
        return smtplib.SMTP(host, port, hello, timeout=seconds)

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self.config["security"] == "starttls":
            server.starttls(context=self._trust())
        if not self.config.text("user"):
            server.ehlo_or_helo_if_needed()
            return
        try:
            server.login(self.config.text("user"), self.config.secret("password"))
        except UnicodeError as error:
            raise ConfigError("user name and password must be ASCII") from error

    def _trust(self) -> ssl.SSLContext:
        trust = ssl.create_default_context()
        if self.config.text("ca_file"):
            trust.load_verify_locations(self.config.text("ca_file"))
        return trust


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    """The mail transaction of RFC 5321 3.3, each refusal in the class of its step."""
    sender, to = (message[name].addresses[0].addr_spec for name in ("From", "To"))
    wide = not (sender + to).isascii()
    if wide and not server.has_extn("smtputf8"):
        raise InvalidInput("the mail server knows no addresses beyond ASCII", field="to")
    _accept(server.mail(sender, ["SMTPUTF8"] if wide else []), ConfigError)
    _accept(server.rcpt(to), partial(InvalidInput, field="to"))
    _accept(server.docmd("DATA"), Permanent, wanted=354)
    body = message.as_bytes(policy=SMTPUTF8 if wide else POLICY)
    server.send(re.sub(rb"(?m)^\.", b"..", body) + b"\r\n.\r\n")
    try:
        answer = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise AmbiguousOutcome("the mail server did not confirm the mail") from error
    _accept(answer, Permanent)


def _accept(answer: tuple[int, bytes], refused: Callable[..., PluginError], *, wanted: int = 250) -> None:
    """Let a good answer pass. 4xx is Transient, sign-in codes are AuthError, other 5xx are `refused`."""
    code, text = answer
    if code == wanted or (wanted == 250 and code in (251, 252)):
        return
    said = text.decode("utf-8", "replace")
    enhanced = re.match(r"[245]\.\d+\.\d+", said)
    kind = AuthError if code in NOT_SIGNED_IN else Transient if 400 <= code < 500 else refused
    raise kind(f"{code} {said}", vendor_code=enhanced[0] if enhanced else str(code))


def _meaning(error: OSError | smtplib.SMTPException, secrets: Sequence[str]) -> PluginError:
    """What a failure before the mail was handed over means: nothing was sent yet."""
    said = strip_secrets(f"{type(error).__name__}: {error}", secrets)
    if isinstance(error, smtplib.SMTPResponseException):
        signing = isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500
        kind = AuthError if signing else Transient if error.smtp_code < 500 else ConfigError
        return kind(said, vendor_code=str(error.smtp_code))
    if isinstance(error, smtplib.SMTPNotSupportedError) or type(error) is smtplib.SMTPException:
        return ConfigError(said, user_message="The mail server does not offer this encryption or sign-in.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Transient(said, user_message="The mail server's certificate cannot be trusted.")
    return Transient(said)
