"""A mailbox by IMAP (RFC 3501) with the standard library: it is only looked at (EXAMINE, BODY.PEEK), never changed."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from plugins.adapter import CheckResult
from plugins.config import strip_secrets
from plugins.errors import AuthError, ConfigError, PluginError, Transient
from plugins.fields import Field, Type
from plugins.inbox import Inbox, Message, Received

MOST_BYTES = 8 * 1024 * 1024
"""What one `fetch` holds in memory at most; the rest comes with the next."""
MOST_TRIES = 3
"""How often in a row reading may end at the same mail before it is left out."""
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_STUCK = "inbox.stuck"
_BUSY = re.compile(
    r"\[(UNAVAILABLE|INUSE)\b"  # RFC 5530
    r"|too many simultaneous connections"  # Gmail: NO [ALERT] to LOGIN, github.com/zone-eu/wildduck/issues/35
    r"|authenticated but not connected",  # Exchange, too many connections: github.com/mscdex/node-imap/issues/523
    re.IGNORECASE,
)
"""The server or the mailbox as a whole cannot now: nothing about the mail that was asked for."""
_PASSING = re.compile(rf"\[(LIMIT|SERVERBUG)\b|{_BUSY.pattern}", re.IGNORECASE)
"""Refusals of a sign-in or of the folder that say nothing about the settings (RFC 5530)."""


class Imap(Inbox):
    """The position is UIDVALIDITY and the last UID read (RFC 3501 2.3.1.1). One connection for each call.

    A mail that the server cannot give (NO, BYE, an answer that ends early) ends the call; those before it are returned.
    When it comes first, that is Transient, and in the third call it is skipped, so that the later ones are read.
    """

    name = "imap"
    title = "IMAP"
    about = "Reads a mailbox on your mail server."
    fields = (
        Field("host", "Mail server", required=True, pattern=r"[\w.:-]+"),
        Field("port", "Port", Type.INTEGER, default=993, minimum=1, maximum=65535),
        Field("security", "Encryption", choices=("tls", "starttls", "none"), default="tls"),
        Field("user", "User name", required=True),
        Field("password", "Password", secret=True, required=True),
        Field("folder", "Folder", default="INBOX", pattern=r"[\x20-\x7e]{1,200}"),
        Field("largest_kilobytes", "Largest mail that is read", Type.INTEGER, default=1024, minimum=16, maximum=8192),
        Field("first_days", "Days to look back at the beginning", Type.INTEGER, default=7, minimum=0, maximum=365),
        Field("ca_file", "File with further certificate authorities", operators=True),
        Field("timeout_seconds", "Longest wait for an answer", Type.NUMBER, default=20.0, minimum=0.1, maximum=300),
    )

    def check(self) -> CheckResult:
        with self._opened():
            pass
        return CheckResult(ok=True, account=f"{self.config.text('user')} at {self.config.text('host')}")

    def fetch(self, position: str = "", *, most: int = 20) -> Received:
        with self._opened() as server:
            validity = _number_of(server, "UIDVALIDITY")
            known, _, last = position.partition(":")
            if known != validity or not last.isdigit():
                found = _search(server, "SINCE", self._first_day())
                last = str(max(int(_number_of(server, "UIDNEXT") or 1) - 1, 0))
            else:
                found = [uid for uid in _search(server, "UID", f"{int(last) + 1}:*") if uid > int(last)]
            messages = self._read(server, validity, found[:most])
            end = found[len(messages) - 1] if messages else int(last)
            return Received(tuple(messages), f"{validity}:{end}", more=len(messages) < len(found))

    def _read(self, server: imaplib.IMAP4, validity: str, uids: Sequence[int]) -> list[Message]:
        """The mails of these UIDs, as many as fit into memory and up to one that cannot be read; at least one."""
        messages: list[Message] = []
        kept = 0
        for uid in uids:
            if messages and kept + int(self.config["largest_kilobytes"]) * 1024 > MOST_BYTES:
                break
            name = f"{validity}:{uid}"
            try:
                messages.append(self._message(server, name, uid))
            except (OSError, imaplib.IMAP4.error) as error:
                return messages or [self._left_out(name, error)]
            kept += len(messages[-1].raw)
        if messages and self.records.get(_STUCK, "first"):
            self.records.delete(_STUCK, "first")
        return messages

    def _left_out(self, name: str, error: Exception) -> Message:
        """Counts how often the first mail could not be read; raises `error` until it is often enough. A refusal counts
        like a broken connection: a server whose store is away may refuse all mails with the same words."""
        if _BUSY.search(str(error)):
            raise error
        before = self.records.get(_STUCK, "first") or {}
        times = before.get("times", 0) + 1 if before.get("mail") == name else 1
        self.records.put(_STUCK, "first", {"mail": name, "times": times})
        if times < MOST_TRIES:
            raise error
        return Message(name, skipped="the server cannot give it")

    def _message(self, server: imaplib.IMAP4, name: str, uid: int) -> Message:
        """One byte more than allowed is asked for: the sizes that servers tell beforehand are not always right."""
        largest = int(self.config["largest_kilobytes"]) * 1024
        found = _said(server.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{largest + 1}>)"))
        raw = next((bytes(part[1]) for part in found if isinstance(part, tuple)), None)
        if raw is None:
            return Message(name, skipped="it is gone")
        if len(raw) > largest:
            return Message(name, skipped=f"it is larger than {largest // 1024} KB")
        return Message(name, raw)

    def _first_day(self) -> str:
        day = datetime.now(UTC) - timedelta(days=int(self.config["first_days"]))
        return f"{day.day}-{_MONTHS.split()[day.month - 1]}-{day.year}"

    @contextmanager
    def _opened(self) -> Iterator[imaplib.IMAP4]:
        """The folder, open for reading; whatever breaks becomes one of our classes, named and free of secrets."""
        server = None
        try:
            server = self._connect()
            self._encrypt(server)
            self._sign_in(server)
            self._choose_folder(server)
            yield server
        except PluginError as error:
            raise error.at(f"{self.kind}.{self.name}", "fetch") from None
        except (OSError, imaplib.IMAP4.error) as error:
            raise self._meaning(error).at(f"{self.kind}.{self.name}", "fetch") from error
        finally:
            if server:
                with suppress(OSError, imaplib.IMAP4.error):
                    server.logout()

    def _connect(self) -> imaplib.IMAP4:
        host, port, seconds = self.config.text("host"), int(self.config["port"]), float(self.config["timeout_seconds"])
        if self.config["security"] == "tls":
            return imaplib.IMAP4_SSL(host, port, ssl_context=self._trust(), timeout=seconds)
        return imaplib.IMAP4(host, port, timeout=seconds)

    def _encrypt(self, server: imaplib.IMAP4) -> None:
        if self.config["security"] != "starttls":
            return
        if "STARTTLS" not in server.capabilities:
            sentence = "The mail server does not offer STARTTLS. Choose TLS, which mostly has port 993."
            raise ConfigError("the mail server does not offer STARTTLS", user_message=sentence)
        server.starttls(self._trust())

    def _sign_in(self, server: imaplib.IMAP4) -> None:
        """The user name is quoted here, the password by imaplib."""
        try:
            server.login(_quoted(self.config.text("user")), self.config.secret("password"))
        except UnicodeError as error:
            raise ConfigError("user name and password must be ASCII") from error
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            said = strip_secrets(str(error), self.config.secrets())
            if _PASSING.search(said):
                raise self._meaning(error) from error
            raise AuthError(said) from error

    def _choose_folder(self, server: imaplib.IMAP4) -> None:
        folder = self.config.text("folder")
        answer, said = server.select(_quoted(folder), readonly=True)
        if answer != "OK" and _PASSING.search(str(said)):
            raise imaplib.IMAP4.error(f"{answer} {said}")
        if answer != "OK":
            raise ConfigError(f"no folder {folder}", user_message=f"The mailbox has no folder {folder}.")

    def _trust(self) -> ssl.SSLContext:
        trust = ssl.create_default_context()
        if self.config.text("ca_file"):
            trust.load_verify_locations(self.config.text("ca_file"))
        return trust

    def _meaning(self, error: Exception) -> PluginError:
        """What a failure means: nothing was changed, so all of it may be tried again."""
        said = strip_secrets(f"{type(error).__name__}: {error}", self.config.secrets())
        if isinstance(error, ssl.SSLCertVerificationError):
            return Transient(said, user_message="The mail server's certificate cannot be trusted.")
        return Transient(said, user_message="The mail server does not answer right now. We will try again.")


def _search(server: imaplib.IMAP4, *criteria: str) -> list[int]:
    """UIDs in the order in which the mails came."""
    found = b" ".join(part for part in _said(server.uid("SEARCH", *criteria)) if part)
    return sorted(int(uid) for uid in found.split() if uid.isdigit())


def _number_of(server: imaplib.IMAP4, name: str) -> str:
    """A number that the folder was opened with, "" when the server did not say it."""
    found = (server.untagged_responses.get(name) or [b""])[-1]
    return found.decode() if isinstance(found, bytes) and found.isdigit() else ""


def _said(answer: tuple[str, list[Any]]) -> list[Any]:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(f"{answer[0]} {answer[1]}")
    return answer[1] or []


def _quoted(words: str) -> str:
    """A quoted string (RFC 3501 4.3)."""
    escaped = re.sub(r'(["\\])', r"\\\1", words)
    return f'"{escaped}"'
