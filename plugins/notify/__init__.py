"""What a notify adapter is: it takes one message to one address, a mail to a person or an alert to a channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from plugins.adapter import Adapter, needs
from plugins.errors import PluginError


class Capability(StrEnum):
    """What can be sent, and whether later messages of a thread appear below the first."""

    MAIL = "mail"
    ALERT = "alert"
    THREADS = "threads"


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """An iCalendar object (RFC 5545) that mail programs show as an invitation. `method`: REQUEST, CANCEL, REPLY."""

    method: str
    ics: str
    filename: str = "invite.ics"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to go along. `content_type` is "type/subtype"."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. `html` "" sends text alone. `message_id` "" makes one from the delivery's key.

    Mails of one `thread_key` belong together: they refer to a common ancestor (RFC 5322 References).
    `headers` are further ones, by name: List-Unsubscribe, Auto-Submitted.
    """

    to: str
    subject: str
    text: str
    to_name: str = ""
    from_address: str = ""
    from_name: str = ""
    reply_to: str = ""
    html: str = ""
    calendar: CalendarPart | None = None
    attachments: tuple[Attachment, ...] = ()
    message_id: str = ""
    thread_key: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """A short word to a rep or a channel. `to` is what the service calls its target, "" its default; `url` a link to
    open; `facts` label → value, shown below the text."""

    title: str
    text: str
    to: str = ""
    url: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    thread_key: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The service took it. `id` is its own name of the message, or our Message-ID."""

    id: str


class Notify(Adapter):
    """Takes messages to one service. Raises `plugins.errors` and nothing else."""

    kind: ClassVar[str] = "notify"

    def send(self, message: Mail | Alert, *, key: str) -> Sent:
        """Send it. The same key is the same message: receivers can tell, and services that know keys send it once.

        InvalidInput(field="to") when the address is refused; AmbiguousOutcome when it may have gone out.
        """
        try:
            if isinstance(message, Mail):
                return self.send_mail(message, key=key)
            return self.send_alert(message, key=key)
        except PluginError as error:
            error.at(f"{self.kind}.{self.name}", "send")
            raise

    @needs(Capability.MAIL)
    def send_mail(self, mail: Mail, *, key: str) -> Sent:
        """`send` for mails."""
        raise NotImplementedError

    @needs(Capability.ALERT)
    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        """`send` for alerts."""
        raise NotImplementedError
