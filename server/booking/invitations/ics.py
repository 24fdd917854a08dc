"""Invitations as iCalendar (RFC 5545) with iTIP methods (RFC 5546): one UID for life, SEQUENCE counts the changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText

from server.booking.invitations import links
from server.booking.store import Meeting
from server.config.service import Version
from server.routing.schema import Rep

REQUEST, CANCEL = "REQUEST", "CANCEL"
FILENAME = "invite.ics"
_DAY = timedelta(days=1)
_PRODUCT = "-//Usher//Booking//EN"


def invitation(
    version: Version,
    meeting: Meeting,
    method: str,
    *,
    organizer: Rep,
    hosts: Sequence[Rep],
    dtstamp: datetime,
    manage_url: str = "",
) -> str:
    """The invitation as it is now, or its cancellation. `hosts` without the organizer are invited too.

    DTSTAMP tells two messages of one SEQUENCE apart (RFC 5546 2.1.5): the cancellation by an old organizer and the
    request by the new one carry the same SEQUENCE, the later DTSTAMP wins.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    calendar.add_component(_event(version, meeting, method, organizer, hosts, dtstamp, manage_url))
    first, last = (moment.astimezone(ZoneInfo(meeting.zone)).date() for moment in (meeting.start_at, meeting.end_at))
    calendar.add_missing_timezones(first - _DAY, last + 2 * _DAY)  # not the changes of seventy years
    return calendar.to_ical().decode()


def _event(
    version: Version,
    meeting: Meeting,
    method: str,
    organizer: Rep,
    hosts: Sequence[Rep],
    dtstamp: datetime,
    manage_url: str,
) -> Event:
    zone, where = ZoneInfo(meeting.zone), links.place(version, meeting)
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", dtstamp)
    event.add("created", meeting.created_at)
    event.add("last-modified", meeting.changed_at)
    event.add("dtstart", meeting.start_at.astimezone(zone))
    event.add("dtend", meeting.end_at.astimezone(zone))
    event.add("summary", links.title(version, meeting))
    event.add("location", where.url or where.text)
    event.add("description", _description(version, meeting, manage_url))
    event.add("status", "CANCELLED" if method == CANCEL else "CONFIRMED")
    event.add("transp", "OPAQUE")
    if manage_url:
        event.add("url", manage_url)
    _add_people(event, meeting, organizer, hosts)
    return event


def _add_people(event: Event, meeting: Meeting, organizer: Rep, hosts: Sequence[Rep]) -> None:
    event.add("organizer", _address(organizer.email, organizer.name), encode=False)
    if meeting.email:  # else the person was erased
        event.add("attendee", _attendee(meeting.email, meeting.name, "ACCEPTED"), encode=False)
    for guest in meeting.guests:
        event.add("attendee", _attendee(guest, "", "NEEDS-ACTION"), encode=False)
    for host in hosts:
        if host.id != organizer.id:
            event.add("attendee", _attendee(host.email, host.name, "ACCEPTED"), encode=False)


def _description(version: Version, meeting: Meeting, manage_url: str) -> str:
    described = links.type_of(version, meeting).described(meeting.locale)
    return "\n\n".join(part for part in (described, manage_url) if part)


def _address(email: str, name: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    if name:
        address.params["CN"] = vText(name)
    return address


def _attendee(email: str, name: str, partstat: str) -> vCalAddress:
    address = _address(email, name)
    address.params["CUTYPE"] = vText("INDIVIDUAL")
    address.params["ROLE"] = vText("REQ-PARTICIPANT")
    address.params["PARTSTAT"] = vText(partstat)
    address.params["RSVP"] = vText("TRUE" if partstat == "NEEDS-ACTION" else "FALSE")
    return address
