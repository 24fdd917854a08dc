"""Mails about a meeting, in text and HTML, in the reader's language and time zone, with the invitation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from server.booking.invitations import ics, links
from server.booking.invitations.dates import locale_of, short, when
from server.booking.invitations.mail_texts import LABELS, TEXTS, WISHED
from server.booking.store import Meeting
from server.config.service import Version
from server.routing.schema import Rep

_LONGEST_SUBJECT = 250
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
)


@dataclass(frozen=True)
class About:
    """What a mail is about: the meeting as it is now, its organizer and hosts, and what changed.

    `who` answered, asks or is meant; `wished` is the time they would like; `said` their own words.
    """

    version: Version
    meeting: Meeting
    organizer: Rep
    hosts: Sequence[Rep]
    at: datetime
    was: datetime | None = None
    reason: str = ""
    who: str = ""
    wished: datetime | None = None
    said: str = ""


def to_visitor(about: About, kind: str, method: str = "") -> dict[str, Any]:
    """The payload of notify `send_mail`: {"mail": plugins.notify.Mail as a dict}. Without a method no invitation goes
    along, as with reminders."""
    meeting, manage_url = about.meeting, links.manage_url(about.meeting.id)
    reader = _Reader(meeting.name, meeting.zone, meeting.locale, links.language(meeting.locale, about.version))
    page = _page(about, kind, reader, {} if method == ics.CANCEL else _links_of(about, kind))
    invitation = {"calendar": _invitation(about, method, manage_url=manage_url)} if method else {}
    return {"mail": {**_addressed(about, meeting.email, meeting.name, about.organizer.email), **page, **invitation}}


def to_guest(about: About, kind: str, method: str, guest: str) -> dict[str, Any]:
    """The same for somebody whom the visitor invited: without the link that moves or cancels the meeting."""
    meeting = about.meeting
    reader = _Reader(guest, meeting.zone, meeting.locale, links.language(meeting.locale, about.version))
    given = _addressed(about, guest, "", about.organizer.email)
    return {"mail": {**given, **_page(about, kind, reader, {}), "calendar": _invitation(about, method)}}


def to_rep(about: About, kind: str, method: str, rep: Rep, *, leaves: bool = False) -> dict[str, Any]:
    """The same for a rep, in the site's language and on his own clock; answers go to the visitor. `leaves`: he alone
    is taken off a meeting that stands."""
    only = rep.email if leaves else ""
    invitation = {"calendar": _invitation(about, method, only=only)} if method else {}
    return {"mail": {**to_desk(about, kind, rep.email, rep.name, rep.zone)["mail"], **invitation}}


def to_desk(about: About, kind: str, email: str, name: str, zone: str) -> dict[str, Any]:
    """Word without an invitation to somebody who works here, in the site's language."""
    locale = about.version.site.locale
    reader = _Reader(name, zone, locale, links.language(locale, about.version), works_here=True)
    page = _page(about, kind, reader, {"url": links.console_url(about.meeting.id), "link": "open"})
    return {"mail": {**_addressed(about, email, name, about.meeting.email), **page}}


@dataclass(frozen=True)
class _Reader:
    name: str
    zone: str
    locale: str
    language: str
    works_here: bool = False

    @property
    def dates(self) -> str:
        """How this reader writes dates."""
        return locale_of(self.locale, self.language, self.zone)


def _links_of(about: About, kind: str) -> dict[str, str]:
    """What the visitor may open: the page that changes the meeting, and their own calendar."""
    of_page = {"url": links.manage_url(about.meeting.id), "link": "choose" if kind == WISHED else "manage"}
    if kind == WISHED:
        return of_page
    calendars = {
        "google_url": links.google_url(about.version, about.meeting),
        "outlook_url": links.outlook_url(about.version, about.meeting),
    }
    return {**of_page, **calendars}


def _addressed(about: About, to: str, name: str, reply_to: str) -> dict[str, Any]:
    mail = about.version.site.mail
    return {
        "to": to,
        "to_name": name,
        "from_address": mail.from_address,
        "from_name": mail.from_name or about.version.site.name,
        "reply_to": mail.reply_to if to == about.meeting.email and mail.reply_to else reply_to,
        "thread_key": about.meeting.uid,
        "headers": {"Auto-Submitted": "auto-generated"},
    }


def _page(about: About, kind: str, reader: _Reader, to_open: dict[str, str]) -> dict[str, str]:
    meeting, version, labels = about.meeting, about.version, LABELS[reader.language]
    filled = {
        "meeting": links.type_of(version, meeting).named(reader.language),
        "rep": about.organizer.name,
        "visitor": meeting.name or meeting.email or labels["erased"],
        "who": about.who,
        "start": short(meeting.start_at, reader.zone, reader.dates),
    }
    subject, intro = (" ".join(text.format(**filled).split()) for text in TEXTS[reader.language][kind])
    values: dict[str, Any] = {
        "language": reader.language,
        "subject": subject[:_LONGEST_SUBJECT],
        "intro": intro,
        "text": {**labels, "greeting": labels["greeting"].format(name=reader.name)},
        "rows": [(labels["meeting"], filled["meeting"]), *_rows(about, labels, reader)],
        "sender": version.site.mail.from_name or version.site.name,
        "color": version.site.brand.color,
        "on_color": _readable_on(version.site.brand.color),
        "open": to_open,
    }
    text, html = (_pages.get_template(page).render(values) for page in ("mail.txt", "mail.html"))
    return {"subject": values["subject"], "text": text, "html": html}


def _readable_on(color: str) -> str:
    """White or black, whichever can be read better on #rrggbb (WCAG 2.2, relative luminance)."""
    parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return "#fff" if sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) < 0.18 else "#111"


def _rows(about: About, labels: dict[str, str], reader: _Reader) -> list[tuple[str, str]]:
    meeting, version = about.meeting, about.version
    where = links.place(version, meeting, reader.language, for_rep=reader.works_here)
    length = meeting.end_at - meeting.start_at
    moments = (("when", meeting.start_at), ("was", about.was), ("wished", about.wished))
    rows = [(labels[name], when(start, start + length, reader.zone, reader.dates)) for name, start in moments if start]
    others = [host.name for host in about.hosts if host.id != about.organizer.id]
    visitor = f"{meeting.name} <{meeting.email}>" if meeting.email else labels["erased"]
    told = visitor if reader.works_here else about.organizer.name
    rows.append((labels["with"], ", ".join([told, *others])))
    rows.append((labels["where"], where.url or where.text))
    if meeting.guests:
        rows.append((labels["guests"], ", ".join(meeting.guests)))
    if reader.works_here:
        rows += [(labels["phone"], meeting.phone)] if meeting.phone else []
        rows += _answered(version, meeting, reader.language)
    rows += [(labels["reason"], about.reason)] if about.reason else []
    return rows + ([(labels["said"], about.said)] if about.said else [])


def _answered(version: Version, meeting: Meeting, language: str) -> list[tuple[str, str]]:
    questions = {one.id: one.label for one in links.type_of(version, meeting).questions}
    return [
        (questions[name].in_locale(language).render({}) if name in questions else name, str(answer))
        for name, answer in meeting.answers.items()
    ]


def _invitation(about: About, method: str, *, manage_url: str = "", only: str = "") -> dict[str, Any]:
    text = ics.invitation(
        about.version,
        about.meeting,
        method,
        organizer=about.organizer,
        hosts=about.hosts,
        dtstamp=about.at,
        manage_url=manage_url,
        only=only,
    )
    return {"method": method, "ics": text, "filename": ics.FILENAME}
