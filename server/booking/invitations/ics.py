"""Invitations as iCalendar (RFC 5545) with iTIP methods (RFC 5546): one UID for life, SEQUENCE counts the changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress, vText

from plugins.calendar import zones
from plugins.emails import ascii_domain
from server.booking.invitations import links
from server.booking.store import CANCELLED, Meeting
from server.config.service import Version
from server.routing.schema import Rep

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"
FILENAME = "invite.ics"
_PRODUCT = "-//Usher//Booking//EN"
_LINE_ENDS = re.compile(r"\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, which RFC 5545 3.1 does not allow, overrides of the reading direction, and halves of characters."""


def invitation(
    version: Version,
    meeting: Meeting,
    method: str,
    *,
    organizer: Rep,
    hosts: Sequence[Rep],
    dtstamp: datetime,
    manage_url: str = "",
    only: str = "",
) -> str:
    """The meeting as it is now: a REQUEST to take part, its CANCEL, or (PUBLISH) a copy to keep, without attendees.

    The organizer is `organizer`, or the site's mailbox for replies under his name: then he is invited like the other
    `hosts`. `only`: the CANCEL tells one host that he no longer takes part; the meeting itself stands.
    DTSTAMP tells two messages of one SEQUENCE apart (RFC 5546 2.1.5): the cancellation by an old organizer and the
    request by the new one carry the same SEQUENCE, the later DTSTAMP wins.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    event = _event(version, meeting, method, dtstamp, manage_url)
    event.add("organizer", _address(version.site.mail.replies or organizer.email, organizer.name), encode=False)
    if only:
        del event["STATUS"]  # RFC 5546 3.2.5: it is not the meeting that is cancelled
        event.add("attendee", _attendee(only, "", "DECLINED"), encode=False)
    elif method != PUBLISH:
        _invite(event, version, meeting, organizer, hosts)
    if "TZID" in event["DTSTART"].params:
        zone = zones.vtimezone(meeting.zone, meeting.start_at.year)
        calendar.add_component(Timezone.from_ical(zone))
    calendar.add_component(event)
    return calendar.to_ical().decode()


def _event(version: Version, meeting: Meeting, method: str, dtstamp: datetime, manage_url: str) -> Event:
    where = links.place(version, meeting)
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", dtstamp)
    event.add("created", meeting.created_at.replace(microsecond=0))
    event.add("last-modified", meeting.changed_at.replace(microsecond=0))
    event.add("dtstart", _when(meeting, meeting.start_at))
    event.add("dtend", _when(meeting, meeting.end_at))
    event.add("summary", _line(links.title(version, meeting)))
    event.add("location", _line(where.url or where.text))
    event.add("description", _text(_description(version, meeting, manage_url)))
    event.add("status", "CANCELLED" if method == CANCEL or meeting.status == CANCELLED else "CONFIRMED")
    event.add("transp", "OPAQUE")
    if manage_url:
        event.add("url", manage_url)
    return event


def _invite(event: Event, version: Version, meeting: Meeting, organizer: Rep, hosts: Sequence[Rep]) -> None:
    """The visitor asked for it and the hosts are booked; guests have not said anything yet."""
    if meeting.email:  # else the person was erased
        event.add("attendee", _attendee(meeting.email, meeting.name, "ACCEPTED"), encode=False)
    for guest in meeting.guests:
        event.add("attendee", _attendee(guest, "", "NEEDS-ACTION"), encode=False)
    for host in hosts:
        if host.id != organizer.id or version.site.mail.replies:
            event.add("attendee", _attendee(host.email, host.name, "ACCEPTED"), encode=False)


def _when(meeting: Meeting, moment: datetime) -> datetime:
    """On the visitor's clock, unless that cannot say which moment is meant; both ends of a meeting alike."""
    info = ZoneInfo(meeting.zone)
    twice = any(zones.is_second(edge.astimezone(info)) for edge in (meeting.start_at, meeting.end_at))
    return moment.astimezone(UTC) if twice or zones.is_utc(meeting.zone) else moment.astimezone(info)


def _description(version: Version, meeting: Meeting, manage_url: str) -> str:
    described = links.type_of(version, meeting).described(meeting.locale)
    return "\n\n".join(part for part in (described, manage_url) if part)


def _text(text: str) -> str:
    """Any text as RFC 5545 allows it; the lines stay."""
    return _UNSEEN.sub(" ", _LINE_ENDS.sub("\n", text))


def _line(text: str) -> str:
    return " ".join(_text(text).split())


def _address(email: str, name: str) -> vCalAddress:
    """A mailto address (RFC 6068). Quotes in names become single ones: not every calendar knows RFC 6868."""
    local, _, domain = email.rpartition("@")
    safe = quote(local, safe="!$&'*+-./=^_`{|}~") if local.isascii() else local
    address = vCalAddress(f"mailto:{safe}@{ascii_domain(domain) if not domain.isascii() else domain}")
    if name := _line(name).replace('"', "'"):
        address.params["CN"] = vText(name)
    return address


def _attendee(email: str, name: str, partstat: str) -> vCalAddress:
    address = _address(email, name)
    address.params["CUTYPE"] = vText("INDIVIDUAL")
    address.params["ROLE"] = vText("REQ-PARTICIPANT")
    address.params["PARTSTAT"] = vText(partstat)
    address.params["RSVP"] = vText("TRUE" if partstat == "NEEDS-ACTION" else "FALSE")
    return address
