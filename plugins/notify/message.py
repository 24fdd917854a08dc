"""A `Mail` as the bytes that travel: RFC 5322 headers, text and HTML, the invitation as a part and as a file."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from plugins.emails import ascii_domain
from plugins.errors import InvalidInput
from plugins.notify import CalendarPart, Mail

POLICY = SMTP.clone(cte_type="7bit", max_line_length=200)
"""Seven-bit bodies pass every server; long enough lines keep addresses in one piece."""


def compose(
    mail: Mail, *, key: str, from_address: str, from_name: str = "", date: datetime | None = None
) -> EmailMessage:
    """The whole message. `from_address` and `from_name` stand in where the mail names no sender, now for the `date`.
    The same key gives the same Message-ID. InvalidInput names the field that cannot stand in a header."""
    sender = mail.from_address or from_address
    message = EmailMessage(policy=POLICY)
    message["From"] = _address("from_address", sender, _line("from_name", mail.from_name or from_name))
    message["To"] = _address("to", mail.to, _line("to_name", mail.to_name))
    if mail.reply_to:
        message["Reply-To"] = _address("reply_to", mail.reply_to)
    message["Subject"] = _line("subject", mail.subject)
    message["Date"] = format_datetime(date or datetime.now(UTC))
    message["Message-ID"] = mail.message_id or message_id("mail", key, sender)
    if mail.thread_key:
        message["References"] = message_id("thread", mail.thread_key, sender)
    message["Auto-Submitted"] = mail.headers.get("Auto-Submitted", "auto-generated")
    for name, value in mail.headers.items():
        if name not in message:
            message[name] = _line("headers", value)
    _fill(message, mail)
    return message


def message_id(kind: str, key: str, sender: str) -> str:
    """A Message-ID (RFC 5322 3.6.4) that is the same for the same key, at the sender's domain."""
    domain = ascii_domain(sender.rpartition("@")[2]) or "usher.invalid"
    return f"<{kind}.{digest(key)}@{domain}>"


def digest(key: str) -> str:
    """A short name of the same key that shows nothing of it: keys may hold addresses."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _fill(message: EmailMessage, mail: Mail) -> None:
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    if mail.calendar:
        _add_invitation(message, mail.calendar)
    for file in mail.attachments:
        kind, _, subtype = file.content_type.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.filename)


def _add_invitation(message: EmailMessage, calendar: CalendarPart) -> None:
    """Twice, as Outlook and Gmail read the alternative (RFC 6047 2.4) and others only show the file."""
    parameters = {"method": calendar.method, "component": "VEVENT"}
    message.add_alternative(calendar.ics, subtype="calendar", params=parameters)
    ics = calendar.ics.encode()
    message.add_attachment(ics, maintype="application", subtype="ics", filename=calendar.filename)


def _line(field: str, value: str) -> str:
    if any(ord(letter) < 32 for letter in value):
        raise InvalidInput(f"{field} must be one line", field=field)
    return value


def _address(field: str, address: str, name: str = "") -> Address:
    local, at, domain = _line(field, address).strip().rpartition("@")
    try:
        if not (local and domain):
            raise ValueError(address)
        return Address(name, username=local, domain=ascii_domain(domain))
    except (ValueError, HeaderParseError) as error:
        raise InvalidInput(f"{field} is no e-mail address", field=field) from error
