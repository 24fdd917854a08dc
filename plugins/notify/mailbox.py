"""Mails as files in a folder, one .eml each, for trying things out and for the demo's mail reader."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from plugins.adapter import CheckResult
from plugins.errors import ConfigError, Transient
from plugins.fields import Field, Type
from plugins.notify import Capability, Mail, Notify, Sent
from plugins.notify.message import compose, digest


class Mailbox(Notify):
    """The file's name comes from the delivery's key: the same key is the same file, written whole or not at all."""

    name = "mailbox"
    title = "Mailbox folder"
    about = "Writes each mail as a file instead of sending it."
    capabilities = frozenset({Capability.MAIL, Capability.THREADS})
    fields = (
        Field("folder", "Folder", required=True, help="Made when it is missing.", operators=True),
        Field("from_address", "Sender's address", Type.EMAIL, default="usher@localhost"),
        Field("from_name", "Sender's name", default="Usher"),
    )

    def check(self) -> CheckResult:
        return CheckResult(ok=True, account=str(self._folder()))

    def send_mail(self, mail: Mail, *, key: str) -> Sent:
        sender, name = self.config.text("from_address"), self.config.text("from_name")
        message = compose(mail, key=key, from_address=sender, from_name=name)
        target = self._folder() / f"{digest(key)}.eml"
        if not target.exists():
            _write_whole(target, message.as_bytes())
        return Sent(str(message["Message-ID"]))

    def _folder(self) -> Path:
        folder = Path(self.config.text("folder"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sentence = f"The folder {folder} cannot be made: {error.strerror}."
            raise ConfigError(sentence, user_message=sentence) from error
        return folder


def _write_whole(target: Path, content: bytes) -> None:
    """A reader sees all of the file or none of it; after a power cut too."""
    part = target.with_suffix(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Transient(f"{target}: {error.strerror}") from error
