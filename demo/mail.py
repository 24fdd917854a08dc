"""The pages /mail and /mail/<name>: what Usher sent, read from its mailbox folder; bodies are shown in a sandbox."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import icalendar
from flask import Blueprint, Response, abort, render_template

BODY_RULES = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Mail:
    """One .eml file, read for showing."""

    name: str
    subject: str
    sender: str
    to: str
    at: datetime | None
    text: str
    html: str
    invitation: tuple[tuple[str, str], ...]


def mail_pages(mailbox: Path) -> Blueprint:
    """The pages over one mailbox folder."""
    pages = Blueprint("mail", __name__)

    @pages.get("/mail")
    def inbox() -> str:
        return render_template("mail.html", mails=read_all(mailbox))

    @pages.get("/mail/<name>")
    def one(name: str) -> str:
        return render_template("one_mail.html", mail=read(_file(mailbox, name)))

    @pages.get("/mail/<name>/body")
    def body(name: str) -> Response:
        shown = '<!doctype html><base target="_blank">' + read(_file(mailbox, name)).html
        return Response(shown, mimetype="text/html", headers={"Content-Security-Policy": BODY_RULES})

    @pages.get("/mail/<name>/source")
    def source(name: str) -> Response:
        return Response(_file(mailbox, name).read_bytes(), mimetype="text/plain")

    return pages


def read_all(mailbox: Path) -> list[Mail]:
    """All mails of the folder, newest first."""
    files = sorted(mailbox.glob("*.eml"), key=lambda file: (file.stat().st_mtime, file.name), reverse=True)
    return [read(file) for file in files]


def read(file: Path) -> Mail:
    """One .eml file."""
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    date = message["Date"]
    return Mail(
        name=file.name,
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        at=date.datetime if date else None,
        text=plain.get_content() if isinstance(plain, EmailMessage) else "",
        html=rich.get_content() if isinstance(rich, EmailMessage) else "",
        invitation=tuple(_invitation(message)),
    )


def _file(mailbox: Path, name: str) -> Path:
    if not re.fullmatch(r"[\w.@+=-]+\.eml", name) or not (mailbox / name).is_file():
        abort(404)
    return mailbox / name


def _invitation(message: EmailMessage) -> Sequence[tuple[str, str]]:
    """What the calendar part says, as label and value."""
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            content: Any = part.get_payload(decode=True)
            calendar: Any = icalendar.Calendar.from_ical(content)
            event = next(iter(calendar.walk("VEVENT")), None)
            return _details(calendar, event) if event else ()
    return ()


def _details(calendar: Any, event: Any) -> list[tuple[str, str]]:
    start, end = event.decoded("DTSTART"), event.decoded("DTEND", None)
    until = f" to {end:%H:%M}" if isinstance(end, datetime) else ""
    guests = event.get("ATTENDEE") or []
    found = [
        ("Method", str(calendar.get("METHOD", ""))),
        ("What", str(event.get("SUMMARY", ""))),
        ("When", f"{start:%A, %d %B %Y, %H:%M}{until} {getattr(start, 'tzinfo', '') or ''}"),
        ("Where", str(event.get("LOCATION", ""))),
        ("Organiser", _address(event.get("ORGANIZER", ""))),
        ("Guests", ", ".join(_address(guest) for guest in (guests if isinstance(guests, list) else [guests]))),
        ("Status", str(event.get("STATUS", ""))),
        ("Sequence", str(event.get("SEQUENCE", ""))),
        ("UID", str(event.get("UID", ""))),
    ]
    return [(label, value.strip()) for label, value in found if value.strip()]


def _address(value: Any) -> str:
    return re.sub("^mailto:", "", str(value), flags=re.IGNORECASE)
