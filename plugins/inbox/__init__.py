"""What an inbox adapter is: it reads the mails that come to one mailbox, in order, and changes nothing there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from plugins.adapter import Adapter


@dataclass(frozen=True, slots=True)
class Message:
    """One mail as it came (RFC 5322). `skipped` says in words why it was not read, such as its size; "" when `raw` is
    all of it. `id` names it in this mailbox, for logs."""

    id: str
    raw: bytes = b""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """Mails in the order in which they came; `position` continues after them; ask again at once while `more`."""

    messages: tuple[Message, ...]
    position: str
    more: bool = False


class Inbox(Adapter, ABC):
    """Reads one mailbox. Raises `plugins.errors` and nothing else."""

    kind: ClassVar[str] = "inbox"

    @abstractmethod
    def fetch(self, position: str = "", *, most: int = 20) -> Received:
        """What came after `position`, up to `most`. "" begins with the mails of the last days, and so does a position
        that the mailbox no longer knows: a mail may then come twice, none is left out. A mail that the service cannot
        give takes no other with it: the earlier ones are returned, and it is `skipped` once waiting did not help.
        Nothing is deleted, moved or marked as read."""
