"""Our event as iCalendar (RFC 5545), and the event that is there brought to a new draft without losing what its owner
made of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from icalendar import Calendar, Event, Timezone, vCalAddress, vText

from plugins.calendar import Draft, Guest, zones
from plugins.calendar.steps import nested, unfolded
from plugins.emails import stable_id
from plugins.errors import Permanent

KEYS, WROTE = "X-USHER-KEYS", "X-USHER-WROTE"
KEPT_KEYS = 20
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls, which RFC 5545 3.1 does not allow, and halves of characters."""


@dataclass(frozen=True)
class Stored:
    """An event as it lies at the server. `version` is its ETag, "" when the server has none."""

    whole: Calendar
    version: str

    @property
    def event(self) -> Event:
        """The event itself; of a series the one that the others differ from."""
        events: list[Any] = self.whole.walk("VEVENT")
        return next((one for one in events if "RECURRENCE-ID" not in one), events[0])

    def carries(self, key: str) -> bool:
        """Whether we wrote it with this key."""
        return _mark(key) in str(self.event.get(KEYS, "")).split()

    def shows(self, draft: Draft, guests: bool) -> bool:
        """Whether bringing it to `draft` would change nothing that people see."""
        other = Calendar.from_ical(self.whole.to_ical())
        event = Stored(other, "").event
        _bring(event, draft, guests)
        ours = (KEYS, WROTE)
        return all(event.get(name) == self.event.get(name) for name in {*event, *self.event} if name not in ours)


def stored(text: bytes, version: str) -> Stored:
    """What the server keeps, read; Permanent when it is no event."""
    try:
        nested(unfolded(text.decode("utf-8", "replace")))
        found = Stored(Calendar.from_ical(text), version)
        return found if found.event else found
    except (ValueError, IndexError) as error:
        raise Permanent(f"what the server keeps is no event: {type(error).__name__}") from error


def new(draft: Draft, *, key: str, now: datetime, guests: bool) -> bytes:
    """The event for the first time."""
    event = Event()
    event.add("uid", draft.uid)
    event.add("created", now)
    _bring(event, draft, guests)
    whole = Calendar()
    whole.add("prodid", "-//Usher//Booking//EN")
    whole.add("version", "2.0")
    whole.add_component(event)
    return _closed(whole, event, draft, key, now)


def edited(found: Stored, draft: Draft, *, key: str, now: datetime, guests: bool) -> bytes:
    """The event at the server with the new draft in it: alarms, categories and all else that others added stay."""
    event = found.event
    _bring(event, draft, guests)
    _set(event, "sequence", int(event.get("SEQUENCE", 0)) + 1)
    return _closed(found.whole, event, draft, key, now)


def _closed(whole: Calendar, event: Event, draft: Draft, key: str, now: datetime) -> bytes:
    _set(event, "dtstamp", now)
    _set(event, "last-modified", now)
    _set(event, KEYS, " ".join([*str(event.get(KEYS, "")).split(), _mark(key)][-KEPT_KEYS:]))
    _define_zones(whole)
    return bytes(whole.to_ical())


def _define_zones(whole: Calendar) -> None:
    """A definition of each zone that is used. Those of zones that everybody knows are written anew: the one that stands
    there may end before the new time."""
    known = available_timezones()
    used = {str(tzid) for part in whole.walk() for tzid in _zones_of(part)} & known
    others = [one for one in whole.subcomponents if not (one.name == "VTIMEZONE" and one.get("TZID") in known)]
    year = min(one.dt.year for event in whole.walk("VEVENT") if (one := event.get("DTSTART")) is not None)
    definitions = [Timezone.from_ical(zones.vtimezone(name, year)) for name in sorted(used) if not zones.is_utc(name)]
    whole.subcomponents = [*definitions, *others]


def _zones_of(part: Any) -> Iterator[str]:
    """The zones that the properties of a component name."""
    for value in part.values():
        for one in value if isinstance(value, list) else [value]:
            if tzid := getattr(one, "params", {}).get("TZID"):
                yield tzid


def _bring(event: Event, draft: Draft, guests: bool) -> None:
    """Times always; texts when ours changed since we last wrote them: else what the owner made of them stays."""
    zone = _zone(draft.zone)
    for name, moment in (("dtstart", draft.start), ("dtend", draft.end)):
        _set(event, name, _local(moment, zone))
    event.pop("DURATION", None)
    _set(event, "status", "CONFIRMED")
    texts = {
        "SUMMARY": _clean(draft.title),
        "DESCRIPTION": _clean(draft.description),
        "LOCATION": _clean(draft.location),
        "TRANSP": "OPAQUE" if draft.blocks else "TRANSPARENT",
    }
    before = dict(part.split("=", 1) for part in str(event.get(WROTE, "")).split() if "=" in part)
    for name, text in texts.items():
        if before.get(name) != _mark(text):
            _set(event, name, text or None)
    _set(event, WROTE, " ".join(f"{name}={_mark(text)}" for name, text in texts.items()))
    if guests:
        _invite(event, draft)


def _invite(event: Event, draft: Draft) -> None:
    """Organizer and guests. The server is told not to write to them (RFC 6638 7.1): we mail the invitations. Guests
    whom the owner added stay, and ours keep what they answered."""
    if draft.organizer:
        _set(event, "organizer", _address(draft.organizer, {}))
    there = event.get("ATTENDEE", [])
    known = {_email(one): one for one in (there if isinstance(there, list) else [there])}
    wanted = {guest.email.casefold(): guest for guest in draft.guests}
    theirs = [one for email, one in known.items() if email not in wanted and not _is_ours(one)]
    ours = [known.get(email) or _address(guest, {"ROLE": "REQ-PARTICIPANT"}) for email, guest in wanted.items()]
    event.pop("ATTENDEE", None)
    for one in [*ours, *theirs]:
        event.add("attendee", one)


def _address(guest: Guest, params: Mapping[str, str]) -> vCalAddress:
    address = vCalAddress(f"mailto:{_clean(guest.email)}")
    name = _clean(guest.name).replace('"', "'").replace("\n", " ")  # a parameter has no way to say these
    named = {"CN": name} if name else {}
    for name, value in {**named, **params, "SCHEDULE-AGENT": "CLIENT"}.items():
        address.params[name] = vText(value)
    return address


def _email(address: vCalAddress) -> str:
    return str(address).casefold().removeprefix("mailto:")


def _is_ours(address: vCalAddress) -> bool:
    return str(address.params.get("SCHEDULE-AGENT", "")).upper() == "CLIENT"


def _clean(text: str) -> str:
    """The text as iCalendar can carry it."""
    return _UNSEEN.sub("", re.sub(r"\r\n?", "\n", text))


def _set(event: Event, name: str, value: object) -> None:
    event.pop(name.upper(), None)
    if value is not None:
        event.add(name, value)


def _local(moment: datetime, zone: tzinfo) -> datetime:
    """As the clock on the wall shows it; in UTC where the wall shows it twice and this is the second time, which
    iCalendar cannot say otherwise (RFC 5545 3.3.5)."""
    local = moment.astimezone(zone).replace(microsecond=0)
    return moment.astimezone(UTC) if zones.is_second(local) else local


def _zone(name: str) -> tzinfo:
    if zones.is_utc(name):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _mark(text: str) -> str:
    """A short name for a text; "-" for none."""
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "-"


def name_of(key: str) -> str:
    """The file name of the event that a key creates: the same for the same key."""
    return f"{stable_id('usher', key)}.ics"
