"""One calendar as Google keeps it: its events, in which order they changed, and when it is busy."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from plugins.testing.fakes.google.tables import moment

Event = dict[str, Any]
_ticks = count(3_500_000_000_000_000)
LINES = ("RRULE", "RDATE", "EXDATE")


@dataclass
class GoogleCalendar:
    """`roles`: what whom may do there (owner, writer, reader, freeBusyReader)."""

    id: str
    zone: str
    title: str
    roles: dict[str, str]
    events: dict[str, Event] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return next(email for email, role in self.roles.items() if role == "owner")

    def keep(self, event: Event) -> Event:
        """The event as it is from now on, with a new version."""
        tick = next(_ticks)
        for guest in event.get("attendees", []):
            guest.setdefault("responseStatus", "needsAction")
        event["etag"], event["updated"] = f'"{tick}"', datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.events[event["id"]] = event
        self.changed.pop(event["id"], None)
        self.changed[event["id"]] = tick
        return event

    def new(self, body: Event) -> Event:
        """An event with what Google adds to it."""
        return self.keep({
            "kind": "calendar#event",
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={body['id']}",
            "iCalUID": f"{body['id']}@google.com",
            "sequence": 0,
            "eventType": "default",
            "creator": {"email": self.owner, "self": True},
            "organizer": {"email": self.owner, "self": True},
            **copy.deepcopy(body),
        })  # fmt: skip

    def import_(self, text: str) -> list[str]:
        """Events of another program (VEVENT text), as Google shows them. Returns their ids."""
        parts: list[Any] = Calendar.from_ical(f"BEGIN:VCALENDAR\nVERSION:2.0\n{text}\nEND:VCALENDAR").walk("VEVENT")
        ids: dict[str, str] = {}
        made = []
        for part in sorted(parts, key=lambda one: "RECURRENCE-ID" in one):
            uid = str(part["UID"])
            event = self._read(part, ids.setdefault(uid, uuid4().hex))
            made.append(self.new(event)["id"])
        return made

    def busy(self, start: datetime, end: datetime) -> list[dict[str, str]]:
        """When it is busy inside the window. What is free, cancelled or declined does not count."""
        spans = sorted(span for span in self._spans(start, end) if span[0] < end and span[1] > start)
        merged: list[tuple[datetime, datetime]] = []
        for first, last in spans:
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return [{"start": _said(max(first, start)), "end": _said(min(last, end))} for first, last in merged]

    def instances(self, event: Event) -> list[Event]:
        """The times of a series in the next weeks, as events of their own (singleEvents)."""
        if "recurrence" not in event:
            return [event]
        first = self._moment(event["start"])
        spans = self._occurrences(event, first, first + timedelta(days=60))
        plain = {name: value for name, value in event.items() if name != "recurrence"}
        return [
            {**plain, "id": f"{event['id']}_{start:%Y%m%dT%H%M%SZ}", "recurringEventId": event["id"],
             "start": {"dateTime": _said(start)}, "end": {"dateTime": _said(end)}}
            for start, end in spans
        ]  # fmt: skip

    def _spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        for event in self.events.values():
            if "recurringEventId" in event or event["status"] == "cancelled":
                continue
            if "recurrence" in event:
                yield from self._occurrences(event, start, end)
            elif _blocks(event):
                yield self._moment(event["start"]), self._moment(event["end"])

    def _occurrences(self, event: Event, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        others = [one for one in self.events.values() if one.get("recurringEventId") == event["id"]]
        text = "".join(self._written(one) for one in [event, *others])
        whole = Calendar.from_ical(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{text}END:VCALENDAR\r\n")
        day = timedelta(days=1)
        for one in recurring_ical_events.of(whole).between(start - day, end + day):
            if str(one.get("TRANSP", "OPAQUE")) == "OPAQUE":
                yield self._local(one["DTSTART"].dt), self._local(one["DTEND"].dt)

    def _written(self, event: Event) -> str:
        lines = ["BEGIN:VEVENT", "UID:1", *event.get("recurrence", [])]
        if "originalStartTime" in event:
            lines.append(self._line("RECURRENCE-ID", event["originalStartTime"]))
        lines += [self._line("DTSTART", event["start"]), self._line("DTEND", event["end"])]
        lines += [f"TRANSP:{'OPAQUE' if _blocks(event) else 'TRANSPARENT'}", "END:VEVENT"]
        return "".join(f"{line}\r\n" for line in lines)

    def _line(self, name: str, said: dict[str, str]) -> str:
        when = moment(said)
        if not isinstance(when, datetime):
            return f"{name};VALUE=DATE:{when:%Y%m%d}"
        zone = said.get("timeZone", self.zone)
        return f"{name};TZID={zone}:{when.astimezone(ZoneInfo(zone)):%Y%m%dT%H%M%S}"

    def _read(self, part: Any, id: str) -> Event:
        begins = part["DTSTART"].dt
        length = part["DURATION"].dt if "DURATION" in part else timedelta(days=1)
        event: Event = {
            "id": id,
            "iCalUID": str(part["UID"]),
            "summary": str(part.get("SUMMARY", "")),
            "start": self._time(part["DTSTART"]),
            "end": self._time(part["DTEND"]) if "DTEND" in part else self._time(part["DTSTART"], begins + length),
            "status": str(part.get("STATUS", "CONFIRMED")).lower(),
            "transparency": str(part.get("TRANSP", "OPAQUE")).lower(),
            "attendees": [self._guest(one) for one in _many(part.get("ATTENDEE"))],
        }
        if "RECURRENCE-ID" in part:
            original = part["RECURRENCE-ID"]
            stamp = self._local(original.dt).strftime("%Y%m%dT%H%M%SZ")
            return {**event, "id": f"{id}_{stamp}", "recurringEventId": id, "originalStartTime": self._time(original)}
        lines = part.to_ical().decode().replace("\r\n ", "").split("\r\n")
        rules = [line for line in lines if line.split(":")[0].split(";")[0] in LINES]
        return {**event, **({"recurrence": rules} if rules else {})}

    def _time(self, prop: Any, when: Any = None) -> dict[str, str]:
        when = prop.dt if when is None else when
        if not isinstance(when, datetime):
            return {"date": when.isoformat()}
        named = str(prop.params.get("TZID", ""))
        zone = named or ("UTC" if when.tzinfo else self.zone)
        local = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(self.zone))
        return {"dateTime": local.isoformat(), "timeZone": zone}

    def _guest(self, address: Any) -> dict[str, Any]:
        email = str(address).removeprefix("mailto:")
        words = {"NEEDS-ACTION": "needsAction"}
        answer = str(address.params.get("PARTSTAT", "NEEDS-ACTION"))
        told = {"email": email, "responseStatus": words.get(answer, answer.lower())}
        return {**told, "self": True} if email == self.owner else told

    def _moment(self, said: dict[str, str]) -> datetime:
        return self._local(moment(said))

    def _local(self, when: date) -> datetime:
        if not isinstance(when, datetime):
            when = datetime.combine(when, time())
        return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(self.zone))).astimezone(UTC)


def merged(old: Any, new: Any) -> Any:
    """What a patch makes of a value (RFC 7386): null takes away, objects are merged, all else is replaced."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    whole = {**old, **{name: merged(old.get(name), value) for name, value in new.items() if value is not None}}
    return {name: value for name, value in whole.items() if name not in new or new[name] is not None}


def masked(value: Any, mask: str) -> Any:
    """The part of an answer that `fields` asks for, such as "nextPageToken,items(id,attendees(self),a/b)"."""
    if isinstance(value, list):
        return [masked(one, mask) for one in value]
    if not isinstance(value, dict) or not mask:
        return value
    found = {}
    for part in _split(mask):
        name, inside = _inner(part)
        if name in value:
            found[name] = masked(value[name], inside)
    return found


def _inner(part: str) -> tuple[str, str]:
    if part.endswith(")"):
        name, _, inside = part.partition("(")
        return name, inside[:-1]
    name, _, inside = part.partition("/")
    return name, inside


def _split(mask: str) -> Iterable[str]:
    """At the commas that are in no parentheses."""
    parts, depth = [""], 0
    for letter in mask:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _blocks(event: Event) -> bool:
    declined = any(one.get("self") and one["responseStatus"] == "declined" for one in event.get("attendees", []))
    return event["status"] != "cancelled" and event.get("transparency") != "transparent" and not declined


def _many(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [] if values is None else [values]


def _said(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
