"""Mail by SMTP (RFC 5321) to the server the owner names, step by step, so that each failure gets its right class."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTPUTF8

from plugins.adapter import CheckResult
from plugins.config import strip_secrets
from plugins.errors import AmbiguousOutcome, AuthError, ConfigError, InvalidInput, PluginError, Transient
from plugins.fields import Field, Type
from plugins.notify import Capability, Mail, Notify, Sent
from plugins.notify.message import POLICY, compose, digest
from plugins.notify.once import first_tried
from plugins.notify.smtp_replies import refusal

MAILING = "notify.mailing"
MISFIT = "Port and encryption do not fit together: port 465 usually wants tls, 587 and 25 starttls."
UNTRUSTED = "The mail server's certificate cannot be trusted."


class Smtp(Notify):
    """One connection per mail. A mail counts as sent once the server took it after DATA; a lost answer to that is
    AmbiguousOutcome, and the same key then gives the same Message-ID and Date, by which receivers tell copies.

    `taking_seconds`: so long the server may look a mail through before it takes it. Who gives up earlier than RFC 5321
    4.5.3.2.6 asks for sends it several times.
    """

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
    taking_seconds = 600.0

    def check(self) -> CheckResult:
        """What may be a wrong setting has a sentence of its own, though time may heal it as well."""
        try:
            with self._connected() as server:
                server.noop()
        except Transient as problem:
            if problem.user_message == Transient.sentence:
                raise
            return CheckResult(ok=False, message=problem.user_message)
        return CheckResult(ok=True, account=self.config.text("user") or self.config.text("host"))

    def send_mail(self, mail: Mail, *, key: str) -> Sent:
        sender, name = self.config.text("from_address"), self.config.text("from_name")
        if not (mail.from_address or sender):
            raise ConfigError("no sender's address", problems=(("from_address", "is required"),))
        with first_tried(self.records, MAILING, digest(key), self.http.now()) as date:
            message = compose(mail, key=key, from_address=sender, from_name=name, date=date)
            with self._connected() as server:
                _hand_over(server, message, self.taking_seconds)
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
        try:
            return smtplib.SMTP(host, port, hello, timeout=seconds)
        except smtplib.SMTPServerDisconnected as error:  # where TLS comes first, no server greets before it
            raise Transient(f"no greeting: {error}", user_message=MISFIT) from error

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


def _hand_over(server: smtplib.SMTP, message: EmailMessage, taking_seconds: float) -> None:
    """The mail transaction of RFC 5321 3.3, each refusal in the class of its step."""
    sender, to = (message[name].addresses[0].addr_spec for name in ("From", "To"))
    wide = not (sender + to).isascii()
    if wide and not server.has_extn("smtputf8"):
        raise InvalidInput("the mail server knows no addresses beyond ASCII", field="to")
    _accept("MAIL", server.mail(sender, ["SMTPUTF8"] if wide else []), to)
    _accept("RCPT", server.rcpt(to), to)
    _accept("DATA", server.docmd("DATA"), to, wanted=354)
    body = message.as_bytes(policy=SMTPUTF8 if wide else POLICY)
    _wait(server, taking_seconds)
    server.send(re.sub(rb"(?m)^\.", b"..", body) + b"\r\n.\r\n")
    try:
        answer = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise _doubtful() from error
    _wait(server, server.timeout)
    _accept("DATA", answer, to)


def _doubtful() -> AmbiguousOutcome:
    said = "The mail server did not say whether it took the mail: it may have arrived."
    problem = AmbiguousOutcome("the mail server did not confirm the mail", user_message=said)
    problem.doubles = True
    return problem


def _wait(server: smtplib.SMTP, seconds: float) -> None:
    """From now on, so long for each answer."""
    if server.sock is not None:
        server.sock.settimeout(seconds)


def _accept(step: str, answer: tuple[int, bytes], to: str, *, wanted: int = 250) -> None:
    """Let a good answer pass."""
    code, text = answer
    if code != wanted and not (wanted == 250 and code in (251, 252)):
        raise refusal(step, code, _text(text), to=to)


def _meaning(error: OSError | smtplib.SMTPException, secrets: Sequence[str]) -> PluginError:
    """What a failure before the mail was handed over means: nothing was sent yet."""
    said = strip_secrets(f"{type(error).__name__}: {error}", secrets)
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return AuthError(said, vendor_code=str(error.smtp_code))
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 400:
        return refusal("", error.smtp_code, strip_secrets(_text(error.smtp_error), secrets))
    if isinstance(error, smtplib.SMTPNotSupportedError) or type(error) is smtplib.SMTPException:
        return ConfigError(said, user_message="The mail server does not offer this encryption or sign-in.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Transient(said, user_message=UNTRUSTED)
    if isinstance(error, smtplib.SMTPResponseException) or _is_no_tls(error):
        return Transient(said, user_message=MISFIT)
    return Transient(said)


def _is_no_tls(error: Exception) -> bool:
    """Whether what answered speaks no TLS, or none that we do. A line that was cut says nothing about that."""
    return isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
