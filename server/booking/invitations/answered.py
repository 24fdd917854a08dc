"""Who is told that somebody answered an invitation by mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from server.booking.invitations import calendar_events, mails, messages
from server.booking.invitations.mail_texts import REP_DECLINED, REP_GUEST_DECLINED, REP_WISHED, WISHED
from server.booking.store import Meeting
from server.config.service import Version
from server.people.service import User
from server.routing.schema import Rep


def guest_declined(tx: Connection, version: Version, meeting: Meeting, before: Meeting, guest: str, said: str) -> None:
    """A guest does not come and is no longer invited: the hosts hear of it, the event in the calendar follows."""
    about = replace(calendar_events.about_meeting(tx, version, meeting), who=guest, said=said)
    calendar_events.update(tx, about, before.calendar_key)
    for host in about.hosts:
        word = mails.to_rep(about, REP_GUEST_DECLINED, "", host)
        messages.mail(tx, about, f"{host.id}:{REP_GUEST_DECLINED}:{guest}", word)


def host_declined(
    tx: Connection, version: Version, meeting: Meeting, host: Rep, said: str, watchers: Sequence[User]
) -> None:
    """A host has declined. The visitor counts on the meeting, so it stands; the host and who looks after the reps are
    asked to hand it over or cancel it."""
    about = replace(calendar_events.about_meeting(tx, version, meeting), who=host.name, said=said)
    readers = {host.email.casefold(): (host.email, host.name, host.zone)}
    for user in watchers:
        readers.setdefault(user.email.casefold(), (user.email, user.name, version.site.zone))
    for email, name, zone in readers.values():
        word = mails.to_desk(about, REP_DECLINED, email, name, zone)
        messages.mail(tx, about, f"{REP_DECLINED}:{host.id}:{email}", word)


def time_wished(
    tx: Connection,
    version: Version,
    meeting: Meeting,
    who: str,
    wished: datetime | None,
    said: str,
    *,
    by_visitor: bool,
) -> None:
    """Somebody would like another time: the hosts hear of it. The visitor, who can choose one, gets the link to do so;
    once for each time that the meeting has had, so that nobody can have them flooded."""
    about = replace(calendar_events.about_meeting(tx, version, meeting), who=who, wished=wished, said=said)
    if by_visitor and meeting.email:
        messages.mail(tx, about, f"visitor:{WISHED}", mails.to_visitor(about, WISHED))
    for host in about.hosts:
        messages.mail(tx, about, f"{host.id}:{REP_WISHED}:{who}", mails.to_rep(about, REP_WISHED, "", host))
