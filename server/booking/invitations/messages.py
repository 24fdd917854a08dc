"""What the outside hears of a meeting: calendar events, mails and reminders, all queued in the transaction.

The CRM hears of it by server/sync."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from server import clock, ids
from server.booking.invitations import calendar_events, ics, links, mails
from server.booking.invitations.mail_texts import (
    BOOKED,
    CANCELLED,
    CHANGED,
    HANDED_OVER,
    LINKED,
    MOVED,
    REASSIGNED,
    REMINDER,
    REP_BOOKED,
    REP_CANCELLED,
    REP_CHANGED,
    REP_GIVEN_AWAY,
    REP_MOVED,
    REP_PASSED_OVER,
    WITHDRAWN,
)
from server.booking.invitations.mails import About
from server.booking.store import Meeting
from server.config.service import Version
from server.outbox import service as outbox
from server.routing.schema import Rep, Team

FRESH = timedelta(minutes=10)
"""Somebody who has just had a mail about the meeting needs no reminder yet."""
LINK_WITHIN = timedelta(seconds=45)
"""So long the invitation waits for the link that the calendar service makes; then it goes out, and the link later."""


def booked(tx: Connection, version: Version, meeting: Meeting) -> None:
    """The meeting is new: event, invitations, reminders; an owner who had no time hears who meets the account."""
    about = calendar_events.about_meeting(tx, version, meeting)
    calendar_events.create(tx, about)
    wait = calendar_events.is_to_be_linked(tx, about)
    if not wait:
        _mail_visitors(tx, about, BOOKED, ics.REQUEST)
    for host in about.hosts:
        mail(tx, about, f"{host.id}:{REP_BOOKED}", mails.to_rep(about, REP_BOOKED, ics.REQUEST, host))
    owner = version.part(Team).reps_by_id.get(meeting.passed_over)
    if owner is not None and owner.id not in {host.id for host in about.hosts}:
        mail(tx, about, f"{owner.id}:{REP_PASSED_OVER}", mails.to_rep(about, REP_PASSED_OVER, "", owner))
    if wait:
        _mail_visitors(tx, about, BOOKED, ics.REQUEST, until_linked=True)
    _remind(tx, about)


def moved(
    tx: Connection,
    version: Version,
    meeting: Meeting,
    before: Meeting,
    old_hosts: list[str],
    *,
    in_calendar: bool = False,
) -> None:
    """The meeting has new times, or is with somebody else, or both.

    Another organizer is CANCEL from the old and REQUEST from the new (RFC 5546 knows no change of organizer); where the
    site's mailbox for replies is the organizer, one REQUEST says it. Hosts who leave are told in any case.
    `in_calendar`: it was moved there, so the calendar need not hear of it.
    """
    given_away = meeting.rep != before.rep
    meeting = calendar_events.without_link(tx, meeting) if given_away else meeting
    about, same_time = (
        calendar_events.about_meeting(tx, version, meeting, was=before),
        meeting.start_at == before.start_at,
    )
    if given_away:
        calendar_events.cancel(tx, about, before.calendar_key)
        calendar_events.create(tx, about)
    elif not in_calendar:
        calendar_events.update(tx, about, before.calendar_key)
    withdrawing, by_the_old = _withdrawing(about, before), given_away and not version.site.mail.replies
    for name in sorted({*old_hosts, before.rep} - {host.id for host in about.hosts}):
        all_of_it, rep = by_the_old and name == before.rep, links.rep_of(version, before, name)
        mail(tx, about, f"{name}:{REP_GIVEN_AWAY}", _given_away(about, withdrawing, rep, all_of_it=all_of_it))
    if by_the_old:
        _mail_visitors(tx, withdrawing, HANDED_OVER if same_time else WITHDRAWN, ics.CANCEL)
    kind = MOVED if not same_time else REASSIGNED if given_away else CHANGED
    _mail_visitors(tx, about, kind, ics.REQUEST)
    for host in about.hosts:
        kind = REP_BOOKED if host.id not in old_hosts else REP_CHANGED if same_time else REP_MOVED
        mail(tx, about, f"{host.id}:{kind}", mails.to_rep(about, kind, ics.REQUEST, host))
    outbox.cancel(tx, _reminders_of(meeting))
    _remind(tx, about)


def cancelled(tx: Connection, version: Version, meeting: Meeting, reason: str) -> None:
    """The meeting will not take place."""
    about = calendar_events.about_meeting(tx, version, meeting, reason=reason)
    calendar_events.cancel(tx, about, meeting.calendar_key)
    _mail_visitors(tx, about, CANCELLED, ics.CANCEL)
    for host in about.hosts:
        mail(tx, about, f"{host.id}:{REP_CANCELLED}", mails.to_rep(about, REP_CANCELLED, ics.CANCEL, host))
    outbox.cancel(tx, _reminders_of(meeting))


def put_back(
    tx: Connection, version: Version, meeting: Meeting, before: str, why: str, wished: datetime | None
) -> None:
    """Its rep moved the meeting in his calendar to where it cannot be: the event, which the delivery `before` answered
    with, goes back, and he is told `why`, in the words of put_back_texts."""
    about = replace(calendar_events.about_meeting(tx, version, meeting), wished=wished)
    calendar_events.update(tx, about, before)
    told = mails.to_rep(about, why, "", about.organizer)
    calendar_events.queue(tx, about, "notify", "send_mail", told, f"{meeting.calendar_key}:mail")


def mail(tx: Connection, about: About, name: str, payload: dict[str, Any], **more: Any) -> None:
    """Queue a mail; the same `name` for the same state of the meeting is the same mail, queued once."""
    key = f"{about.meeting.id}:mail:{about.meeting.sequence}:{name}"
    calendar_events.queue(tx, about, "notify", "send_mail", payload, key, **more)


def linked(tx: Connection, version: Version, meeting: Meeting) -> None:
    """Its video link is known: the invitation that waited for it goes out, or an up-to-date one; reminders have it."""
    about = calendar_events.about_meeting(tx, version, meeting)
    waited = outbox.cancel(tx, _unlinked(meeting)) > 0
    _mail_visitors(tx, about, BOOKED if waited else LINKED, ics.REQUEST)
    outbox.cancel(tx, _reminders_of(meeting))
    _remind(tx, about)


def _withdrawing(about: About, before: Meeting) -> About:
    """The meeting as it was, in the mouth of its old organizer, a second before the new one speaks (see DTSTAMP in
    ics.py); only its SEQUENCE is the new one."""
    now, old = about.meeting, links.rep_of(about.version, before)
    was: Any = SimpleNamespace(**{**before._asdict(), "sequence": now.sequence, "changed_at": now.changed_at})
    return About(about.version, was, old, [old], about.at - timedelta(seconds=1))


def _given_away(about: About, withdrawing: About, rep: Rep, *, all_of_it: bool) -> dict[str, Any]:
    """Tells a rep who has the meeting now. The invitation withdrawn is the organizer's who had sent it: `all_of_it`
    where he was that himself, else only for him."""
    told = mails.to_rep(about, REP_GIVEN_AWAY, "", rep)
    cancelling = mails.to_rep(withdrawing, REP_CANCELLED, ics.CANCEL, rep, leaves=not all_of_it)
    return {"mail": {**told["mail"], "calendar": cancelling["mail"]["calendar"]}}


def _mail_visitors(tx: Connection, about: About, kind: str, method: str, *, until_linked: bool = False) -> None:
    mark = _mark(about.meeting)
    wait = {"cancel_key": _unlinked(about.meeting), "not_before": clock.now() + LINK_WITHIN} if until_linked else {}
    if about.meeting.email:  # else the person was erased
        mail(tx, about, f"visitor:{kind}{mark}", mails.to_visitor(about, kind, method), **wait)
    for guest in about.meeting.guests:
        mail(tx, about, f"{guest}:{kind}{mark}", mails.to_guest(about, kind, method, guest), **wait)


def _remind(tx: Connection, about: About) -> None:
    """Reminders that lie ahead; withdrawn when the meeting is moved or cancelled, and when their time is over because
    nobody could send them: the next one, or the meeting, has come."""
    meeting = about.meeting
    wanted = sorted(set(links.type_of(about.version, meeting).reminders_minutes), reverse=True)
    for minutes, following in zip(wanted, [*wanted[1:], 0], strict=True):
        at = meeting.start_at - timedelta(minutes=minutes)
        if meeting.email and at >= clock.now() + FRESH:
            outbox.queue(
                tx,
                site_id=meeting.site_id,
                kind="notify",
                operation="send_mail",
                payload=mails.to_visitor(about, REMINDER),
                key=f"{meeting.id}:mail:{meeting.sequence}:reminder:{minutes}{_mark(meeting)}",
                cancel_key=_reminders_of(meeting),
                not_before=at,
                not_after=meeting.start_at - timedelta(minutes=following),
                subject=("meeting", meeting.id),
            )


def _reminders_of(meeting: Meeting) -> str:
    return f"{meeting.id}:reminders"


def _unlinked(meeting: Meeting) -> str:
    return f"{meeting.id}:unlinked"


def _mark(meeting: Meeting) -> str:
    """Tells mails with this video link from those before it."""
    return f":{ids.digest(meeting.video_url)[:8]}" if meeting.video_url else ""
