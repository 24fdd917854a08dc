"""A meeting's event in the calendar of its organizer: written, changed, taken out, and asked for its video link; all
queued in the transaction. The event is changed through the connection that wrote it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from plugins.calendar import Capability
from server import clock
from server.adapters import own_calendars
from server.booking import store
from server.booking.invitations import links
from server.booking.invitations.mails import About
from server.booking.store import Meeting
from server.config.service import Version
from server.outbox import service as outbox


def calendar_key(meeting_id: str, sequence: int) -> str:
    """The key of the delivery whose answer is the calendar event as of this SEQUENCE."""
    return f"{meeting_id}:calendar:{sequence}"


def about_meeting(
    tx: Connection, version: Version, meeting: Meeting, *, was: Meeting | None = None, reason: str = ""
) -> About:
    """What mails about the meeting need to know of it."""
    hosts = [links.rep_of(version, meeting, row.rep) for row in store.hosts_of(tx, [meeting.id])]
    return About(
        version=version,
        meeting=meeting,
        organizer=links.rep_of(version, meeting),
        hosts=hosts,
        at=clock.now().replace(microsecond=0),
        was=was.start_at if was is not None and was.start_at != meeting.start_at else None,
        reason=reason,
    )


def create(tx: Connection, about: About) -> None:
    """Put the event where the organizer's events go when it is delivered."""
    rep = about.organizer
    connection, _ = own_calendars.events_of(tx, about.version, rep.id)
    own = connection.id if connection is not None and connection.rep else ""
    payload = {"calendar": rep.calendar_id, "draft": _draft(about), "$events_of": rep.id}
    queue(tx, about, "calendar", "create", payload, about.meeting.calendar_key, connection_id=own)


def update(tx: Connection, about: About, before: str) -> None:
    """Bring the event in the organizer's calendar, which the delivery `before` answered with, to the meeting."""
    payload = {"ref": _whatever_version(before), "draft": _draft(about)}
    queue(tx, about, "calendar", "update", payload, about.meeting.calendar_key, connection_id=_own_of(tx, before))


def cancel(tx: Connection, about: About, event: str) -> None:
    """Take out the event that this delivery answered with."""
    payload = {"ref": _whatever_version(event), "reason": about.reason}
    queue(tx, about, "calendar", "cancel", payload, f"{event}:cancel", connection_id=_own_of(tx, event))


def rewrite(tx: Connection, version: Version, meeting: Meeting, *, was: str) -> None:
    """Its organizer's events are in another calendar now: it is written there, and taken out of the one where the
    delivery `was` put it ("" where that can be reached no more). Nobody else is told."""
    about = about_meeting(tx, version, without_link(tx, meeting))
    if was:
        cancel(tx, about, was)
    create(tx, about)


def ask_for_link(tx: Connection, version: Version, meeting: Meeting) -> None:
    """Have the service asked for the meeting's video link until it is there, or will never be."""
    about, event = about_meeting(tx, version, meeting), meeting.calendar_key
    payload = {"ref": {"$result": event}}
    queue(tx, about, "calendar", "video", payload, f"{event}:video", connection_id=_own_of(tx, event))


def is_to_be_linked(tx: Connection, about: About) -> bool:
    """Whether the organizer's calendar service will make a link that is not known yet."""
    connection, _ = own_calendars.events_of(tx, about.version, about.organizer.id)
    wanted = links.place(about.version, about.meeting).wants_video and not about.meeting.video_url
    return wanted and connection is not None and own_calendars.can(connection, Capability.VIDEO)


def without_link(tx: Connection, meeting: Meeting) -> Meeting:
    """The link goes with the event that it was made for."""
    if meeting.video_url:
        store.change(tx, meeting.id, store.AHEAD, {"video_url": ""})
    return store.get(tx, meeting.id) or meeting


def queue(
    tx: Connection,
    about: About,
    kind: str,
    operation: str,
    payload: dict[str, Any],
    key: str,
    *,
    connection_id: str = "",
    **more: Any,
) -> None:
    """Queue a delivery about the meeting. Those of one kind go out in order; those to a rep's own calendar wait for no
    other's."""
    outbox.queue(
        tx,
        site_id=about.meeting.site_id,
        kind=kind,
        operation=operation,
        payload=payload,
        key=key[:200],
        order_key=":".join(filter(None, (about.meeting.id, kind, connection_id)))[:120],
        subject=("meeting", about.meeting.id),
        connection_id=connection_id,
        **more,
    )


def _own_of(tx: Connection, event: str) -> str:
    """The rep's own connection that the event of this delivery is in; "" for the site's."""
    there = outbox.by_key(tx, event)
    written = (there.connection_id if there is not None else "") or ""
    return written if own_calendars.is_own(tx, written) else ""


def _whatever_version(delivery: str) -> dict[str, str]:
    """The event that this delivery answered with, also when its rep has edited it since: our word is the newer one."""
    return {"$result": delivery, "version": ""}


def _draft(about: About) -> dict[str, Any]:
    """plugins.calendar.Draft."""
    meeting, where = about.meeting, links.place(about.version, about.meeting)
    guests = [{"email": meeting.email, "name": meeting.name}, *({"email": guest} for guest in meeting.guests)]
    guests += [{"email": host.email, "name": host.name} for host in about.hosts if host.id != about.organizer.id]
    answers = [f"{name}: {answer}" for name, answer in meeting.answers.items()]
    return {
        "uid": meeting.uid,
        "start": meeting.start_at.isoformat(),
        "end": meeting.end_at.isoformat(),
        "zone": about.organizer.zone,
        "title": links.title(about.version, meeting),
        "description": "\n".join([*answers, f"{meeting.name} <{meeting.email}> {meeting.phone}".strip()]),
        "location": where.url or where.text,
        "organizer": {"email": about.organizer.email, "name": about.organizer.name},
        "guests": guests,
        "video": where.wants_video,
    }
