"""The calendars at Google and what people do with them, while an adapter is looking elsewhere."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

from plugins.testing.fakes.google.calendar import Event, GoogleCalendar, merged
from plugins.testing.fakes.google.sign_in import GoogleSignIn


class GoogleWorld(GoogleSignIn):
    """`page` is the most that one page holds. `meet`: what becomes of a Meet link that is asked for ("pending" until
    it was read `meet_reads` times or `finish_meetings`, "success", "failure"; "" for accounts without Meet)."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """As new, at the same address."""
        super().reset()
        self.page = 100
        self.meet = "pending"
        self.meet_reads = 2
        self.all: dict[str, GoogleCalendar] = {}
        self.channels: dict[str, dict[str, Any]] = {}
        self.mails: list[tuple[str, str]] = []
        self.told: list[tuple[str, Any]] = []
        self.reads: dict[str, int] = {}
        self._epoch = 0

    def calendar(self, id: str, *, owner: str = "", zone: str = "Europe/Berlin", title: str = "") -> str:
        """A calendar; without `owner` the first one of the person whose address it is."""
        self.all[id] = GoogleCalendar(id, zone, title or id, {owner or id: "owner"})
        return id

    def share(self, calendar: str, email: str, role: str) -> None:
        """Let somebody else in: as writer, reader or freeBusyReader."""
        self.all[calendar].roles[email] = role

    def put(self, calendar: str, text: str) -> list[str]:
        """Events of another program, as VEVENT text."""
        return self.all[calendar].import_(text)

    def event(self, calendar: str, id: str) -> Event:
        return copy.deepcopy(self.all[calendar].events[id])

    def there(self, calendar: str) -> list[Event]:
        """The events that stand in a calendar."""
        return [one for one in self.all[calendar].events.values() if one["status"] != "cancelled"]

    def edit(self, calendar: str, id: str, **changes: Any) -> None:
        """As the calendar's owner does in Google's own pages; None takes a field away."""
        kept = self.all[calendar]
        kept.keep(merged(kept.events[id], changes))

    def move(self, calendar: str, id: str, by: timedelta) -> None:
        """Drag an event to another time."""
        times = {}
        for name in ("start", "end"):
            said = self.all[calendar].events[id][name]
            times[name] = {**said, "dateTime": (datetime.fromisoformat(said["dateTime"]) + by).isoformat()}
        self.edit(calendar, id, **times)

    def remove(self, calendar: str, id: str) -> None:
        self.edit(calendar, id, status="cancelled")

    def finish_meetings(self, status: str = "success") -> None:
        """The Meet links that are being made are there now, or never will be."""
        for calendar in self.all.values():
            for event in list(calendar.events.values()):
                self.finish_meeting(calendar, event, status)

    def finish_meeting(self, calendar: GoogleCalendar, event: Event, status: str = "success") -> None:
        """That of one event; the event has a new version then."""
        if _meet_status(event) == "pending":
            calendar.keep({**event, **meeting(event["conferenceData"]["createRequest"], status)})

    def forget_changes(self) -> None:
        """All sync tokens are too old."""
        self._epoch += 1

    def calls(self, channel: str, state: str = "exists", number: int = 2) -> dict[str, str]:
        """The headers with which Google calls the address of a channel."""
        known = self.channels[channel]
        named = {
            "Channel-ID": channel, "Channel-Token": known.get("token", ""), "Resource-State": state,
            "Message-Number": str(number), "Resource-ID": known["resourceId"], "Resource-URI": known["resourceUri"],
        }  # fmt: skip
        return {f"X-Goog-{name}": value for name, value in named.items()}


def meeting(wanted: dict[str, Any], status: str) -> Event:
    """What an event has of a video meeting that was asked for."""
    request = {**wanted, "status": {"statusCode": status}}
    if status != "success":
        return {"conferenceData": {"createRequest": request}}
    link = f"https://meet.google.com/{wanted['requestId'][:3]}-{wanted['requestId'][3:7]}-{wanted['requestId'][7:10]}"
    points = [{"entryPointType": "video", "uri": link, "label": link.removeprefix("https://")}]
    solution = {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"}
    return {
        "hangoutLink": link,
        "conferenceData": {"createRequest": request, "entryPoints": points, "conferenceSolution": solution},
    }


def _meet_status(event: Event) -> str:
    request = event.get("conferenceData", {}).get("createRequest", {})
    return str(request.get("status", {}).get("statusCode", ""))
