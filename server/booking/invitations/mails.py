"""Mails about a meeting, in text and HTML, in the reader's language and time zone, with the invitation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name
from jinja2 import Environment, FileSystemLoader, select_autoescape

from server.booking.invitations import ics, links
from server.booking.invitations.mail_texts import LABELS, REMINDER, TEXTS
from server.booking.store import Meeting
from server.config.service import Version
from server.routing.schema import Rep

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
)


@dataclass(frozen=True)
class About:
    """What a mail is about: the meeting as it is now, its organizer and hosts, and what changed."""

    version: Version
    meeting: Meeting
    organizer: Rep
    hosts: Sequence[Rep]
    at: datetime
    was: datetime | None = None
    reason: str = ""


def to_visitor(about: About, kind: str, method: str) -> dict[str, Any]:
    """The payload of notify `send_mail`: {"mail": plugins.notify.Mail as a dict}. Reminders carry no invitation."""
    meeting = about.meeting
    language = links.language(meeting.locale, about.version)
    page = _page(about, kind, language, meeting.zone, meeting.name, with_links=method != ics.CANCEL)
    invitation = {} if kind == REMINDER else {"calendar": _invitation(about, method, links.manage_url(meeting.id))}
    return {"mail": {**_addressed(about, meeting.email, meeting.name, about.organizer.email), **page, **invitation}}


def to_guest(about: About, kind: str, method: str, guest: str) -> dict[str, Any]:
    """The same for somebody whom the visitor invited: without the link that moves or cancels the meeting."""
    language = links.language(about.meeting.locale, about.version)
    page = _page(about, kind, language, about.meeting.zone, guest, with_links=False)
    given = _addressed(about, guest, "", about.organizer.email)
    return {"mail": {**given, **page, "calendar": _invitation(about, method)}}


def to_rep(about: About, kind: str, method: str, rep: Rep) -> dict[str, Any]:
    """The same for a rep, in the site's language and on his own clock; answers go to the visitor."""
    language = links.language(about.version.site.locale, about.version)
    given = _addressed(about, rep.email, rep.name, about.meeting.email)
    page = _page(about, kind, language, rep.zone, rep.name, with_links=False, for_rep=True)
    return {"mail": {**given, **page, "calendar": _invitation(about, method)}}


def when(start: datetime, end: datetime, zone: str, locale: str) -> str:
    """Monday, March 2, 2026, 10:00 AM – 10:30 AM (Central European Standard Time)"""
    info, language = ZoneInfo(zone), Locale.parse(locale, sep="-")
    local, until = start.astimezone(info), end.astimezone(info)
    day = format_date(local.date(), "full", locale=language)
    first, last = (format_time(moment, "short", tzinfo=info, locale=language) for moment in (local, until))
    return f"{day}, {first} – {last} ({get_timezone_name(local, locale=language)})"


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


def _page(
    about: About, kind: str, language: str, zone: str, name: str, *, with_links: bool, for_rep: bool = False
) -> dict[str, str]:
    meeting, version = about.meeting, about.version
    filled = {
        "meeting": links.type_of(version, meeting).named(language),
        "rep": about.organizer.name,
        "visitor": meeting.name or meeting.email or LABELS[language]["erased"],
    }
    subject, intro = (text.format(**filled) for text in TEXTS[language][kind])
    labels = LABELS[language]
    values = {
        "language": language,
        "subject": subject,
        "intro": intro,
        "text": {**labels, "greeting": labels["greeting"].format(name=name)},
        "rows": [(labels["meeting"], filled["meeting"]), *_rows(about, labels, language, zone, for_rep)],
        "sender": version.site.mail.from_name or version.site.name,
        "color": version.site.brand.color,
        "manage_url": links.manage_url(meeting.id) if with_links else "",
        "google_url": links.google_url(version, meeting) if with_links else "",
        "outlook_url": links.outlook_url(version, meeting) if with_links else "",
    }
    text, html = (_pages.get_template(page).render(values) for page in ("mail.txt", "mail.html"))
    return {"subject": subject, "text": text, "html": html}


def _rows(about: About, labels: dict[str, str], language: str, zone: str, for_rep: bool) -> list[tuple[str, str]]:
    meeting, version = about.meeting, about.version
    where = links.place(version, meeting)
    locale = _dates_of(version.site.locale if for_rep else meeting.locale, language)
    rows = [(labels["when"], when(meeting.start_at, meeting.end_at, zone, locale))]
    if about.was is not None:
        length = meeting.end_at - meeting.start_at
        rows.append((labels["was"], when(about.was, about.was + length, zone, locale)))
    others = [host.name for host in about.hosts if host.id != about.organizer.id]
    visitor = f"{meeting.name} <{meeting.email}>" if meeting.email else labels["erased"]
    told = visitor if for_rep else about.organizer.name
    rows.append((labels["with"], ", ".join([told, *others])))
    rows.append((labels["where"], where.url or where.text))
    if meeting.guests:
        rows.append((labels["guests"], ", ".join(meeting.guests)))
    if for_rep:
        rows += [(labels["phone"], meeting.phone)] if meeting.phone else []
        rows += _answered(version, meeting, language)
    if about.reason:
        rows.append((labels["reason"], about.reason))
    return rows


def _dates_of(locale: str, language: str) -> str:
    """How dates are written: as in the reader's country (en-GB) where it is one of `language`."""
    try:
        Locale.parse(locale, sep="-")
    except (UnknownLocaleError, ValueError):
        return language
    return locale if locale.split("-")[0].lower() == language else language


def _answered(version: Version, meeting: Meeting, language: str) -> list[tuple[str, str]]:
    questions = {one.id: one.label for one in links.type_of(version, meeting).questions}
    return [
        (questions[name].in_locale(language).render({}) if name in questions else name, str(answer))
        for name, answer in meeting.answers.items()
    ]


def _invitation(about: About, method: str, manage_url: str = "") -> dict[str, Any]:
    text = ics.invitation(
        about.version,
        about.meeting,
        method,
        organizer=about.organizer,
        hosts=about.hosts,
        dtstamp=about.at,
        manage_url=manage_url,
    )
    return {"method": method, "ics": text, "filename": ics.FILENAME}
