"""The events of the fake of Microsoft Graph: how they are kept, shown, and told of as changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

BLOB = '<div class="me-email-text"><span>____________</span><a href="{url}">Join the meeting now</a></div>'
_EMPTY = {"contentType": "html", "content": ""}


@dataclass
class Event:
    """One event. `changed` is when, in the store's own count."""

    id: str
    mailbox: str
    calendar: str
    data: dict[str, Any]
    properties: dict[str, str] = field(default_factory=dict)
    changed: int = 0

    @property
    def etag(self) -> str:
        return f'W/"{self.id[-6:]}{self.changed:06d}=="'

    @property
    def start(self) -> datetime:
        return self._at("start")

    @property
    def end(self) -> datetime:
        return self._at("end")

    def shown(self, select: str = "") -> dict[str, Any]:
        """As Graph answers; only what was selected."""
        whole = {"@odata.etag": self.etag, "id": self.id, **self.data}
        wanted = {"@odata.etag", "id", *select.split(",")}
        return {name: value for name, value in whole.items() if not select or name in wanted}

    def _at(self, name: str) -> datetime:
        """The moment; days lie in the zone where the event was made."""
        told = self.data[name]
        at = datetime.fromisoformat(told["dateTime"].split(".")[0])
        zone = told["timeZone"]
        if self.data.get("isAllDay"):
            zone = self.data["originalStartTimeZone"]
        known = "UTC" if zone.startswith("tzone:") else WINDOWS_TO_OLSON.get(zone, zone)
        return at.replace(tzinfo=ZoneInfo(known)).astimezone(UTC)


class Store:
    """All events of all mailboxes, and what became of those that are gone."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.gone: dict[str, Event] = {}
        self.clock = 0
        self._numbers = count(1)
        self._transactions: dict[tuple[str, str], str] = {}
        self._tokens: dict[str, tuple[str, ...]] = {}

    def add(self, mailbox: str, calendar: str, said: Mapping[str, Any]) -> Event:
        number = next(self._numbers)
        id = f"AAk{number:06d}-{mailbox.partition('@')[0]}="
        data = {
            "subject": "",
            "body": dict(_EMPTY),
            "showAs": "busy",
            "isAllDay": False,
            "isCancelled": False,
            "isOrganizer": True,
            "isOnlineMeeting": False,
            "onlineMeeting": None,
            "attendees": [],
            "type": "singleInstance",
            "responseStatus": {"response": "organizer"},
            "originalStartTimeZone": said["start"]["timeZone"],
            "iCalUId": f"040000008200E00074C5B7101A82E008{number:08d}",
            "webLink": f"https://outlook.example/?itemid={number}",
        }
        event = Event(id, mailbox, calendar, data)
        self.events[id] = event
        if transaction := said.get("transactionId"):
            self._transactions[mailbox, transaction] = id
        return self.edit(event, said)

    def edit(self, event: Event, said: Mapping[str, Any]) -> Event:
        said = dict(said)
        for one in said.pop("singleValueExtendedProperties", []):
            event.properties[one["id"]] = one["value"]
        for name in ("start", "end"):
            if name in said:
                said[name] = _in_utc(said[name])
        event.data |= said
        self.clock += 1
        event.changed = self.clock
        return event

    def make_online(self, event: Event, teams: str) -> None:
        """Teams adds its link and its part of the body; an event whose body lost that part is no Teams meeting."""
        data = event.data
        if not data["isOnlineMeeting"]:
            return
        if data["onlineMeeting"]:
            if data["onlineMeeting"]["joinUrl"] not in data["body"]["content"]:
                data |= {"isOnlineMeeting": False, "onlineMeeting": None}
        elif teams == "now":
            url = f"https://teams.microsoft.example/l/meetup-join/{quote(event.id)}"
            body = {"contentType": "html", "content": data["body"]["content"] + BLOB.format(url=url)}
            self.edit(event, {"onlineMeeting": {"joinUrl": url}, "body": body})
        elif not teams:
            data["isOnlineMeeting"] = False

    def delete(self, id: str) -> None:
        self.clock += 1
        event = self.events.pop(id)
        event.changed = self.clock
        self.gone[id] = event

    def of(self, mailbox: str, calendar: str) -> list[Event]:
        found = [one for one in self.events.values() if (one.mailbox, one.calendar) == (mailbox, calendar)]
        return sorted(found, key=lambda one: (one.start, one.id))

    def by_transaction(self, mailbox: str, transaction: str) -> Event | None:
        return self.events.get(self._transactions.get((mailbox, transaction), ""))

    def token(self, *known: str) -> str:
        token = f"t{len(self._tokens)}-{self.clock}"
        self._tokens[token] = known
        return token

    def known(self, token: str) -> tuple[str, ...] | None:
        return self._tokens.get(token)

    def forget_tokens(self) -> None:
        """Everybody has to begin their delta anew."""
        self._tokens.clear()

    def since(
        self, mailbox: str, calendar: str, after: int, until: int, size: int, window: tuple[str, str]
    ) -> tuple[list[dict[str, Any]], int]:
        """A page of what changed after one count until another, and the count where it goes on, 0 at the end."""
        start, end = (datetime.fromisoformat(one.replace("Z", "+00:00")) for one in window)
        there = [(one, one.start < end and one.end > start) for one in self.of(mailbox, calendar)]
        gone = [(one, False) for one in self.gone.values() if (one.mailbox, one.calendar) == (mailbox, calendar)]
        fresh = sorted((one.changed, one.id, inside) for one, inside in there + gone if after < one.changed <= until)
        page = list(self._items(fresh[:size], first=after == 0))
        return page, fresh[size - 1][0] if len(fresh) > size else 0

    def _items(self, found: list[tuple[int, str, bool]], *, first: bool) -> Iterator[dict[str, Any]]:
        for _, id, inside in found:
            if inside:
                yield self.events[id].shown()
            elif not first:
                yield {"id": id, "@removed": {"reason": "deleted"}}


def _in_utc(told: Mapping[str, str]) -> dict[str, str]:
    zone = WINDOWS_TO_OLSON.get(told["timeZone"], told["timeZone"])
    at = datetime.fromisoformat(told["dateTime"].split(".")[0]).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return {"dateTime": f"{at:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}
