"""A real Radicale on loopback, and a person's own calendar program that puts, moves and takes away events there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.sax.saxutils import escape

import requests
from icalendar import Calendar, Event

from tests.processes import free_port, running

PLAIN = "@:!$&'()*+,;=~"
"""What may stand in a path as it is, so that a path has one spelling."""
USER, PASSWORD = "usher", "päss: ☂ of the tests"
NEW_CALENDAR = """<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>
<displayname>{title}</displayname>{zone}</prop></set></C:mkcalendar>"""
ZONE = "<C:calendar-timezone><![CDATA[{}]]></C:calendar-timezone>"


@dataclass
class CalendarServer:
    """A CalDAV server as a calendar program sees it. Events are known by their path on the server."""

    url: str
    home: str
    user: str = ""
    password: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def environment(self) -> dict[str, str]:
        """The settings of Usher's adapter for this server; it lies on loopback, which the operator has to allow."""
        prefix = "USHER_CALENDAR_CALDAV"
        settings = {f"{prefix}_URL": self.url, f"{prefix}_USER": self.user, f"{prefix}_PASSWORD": self.password}
        return {**settings, "USHER_PRIVATE_HOSTS": urlsplit(self.url).hostname or ""}

    def calendar(self, title: str, zone: str = "", name: str = "") -> str:
        """Make a calendar shown as `title`, all-day events in `zone`; returns its path."""
        path = urljoin(self.home, f"{quote(name or title, safe=PLAIN)}/")
        told = ZONE.format(_zone(zone)) if zone else ""
        self.send("MKCALENDAR", path, data=NEW_CALENDAR.format(title=escape(title), zone=told))
        return path

    def put(
        self, calendar: str, start: date, end: date, *, uid: str = "rep", title: str = "Dentist", lines: str = ""
    ) -> str:
        """Write an event of the person's own, `lines` as further properties; returns its path."""
        event = Event()
        for name, value in (("uid", uid), ("dtstamp", datetime(2026, 1, 1)), ("summary", title)):
            event.add(name, value)
        event.add("dtstart", start)
        event.add("dtend", end)
        text = event.to_ical().decode().replace("END:VEVENT", f"{_crlf(lines)}END:VEVENT")
        return self.put_raw(calendar, text, name=uid)

    def put_raw(self, calendar: str, text: str, name: str = "rep") -> str:
        """Write components as they stand, wrapped in a VCALENDAR; returns the path."""
        path = f"{calendar}{quote(name, safe=PLAIN)}.ics"
        whole = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Rep//EN\n{text.strip()}\nEND:VCALENDAR"
        self.send("PUT", path, data=_crlf(whole), headers={"Content-Type": "text/calendar; charset=utf-8"})
        return path

    def read(self, path: str) -> str:
        """The text of an event."""
        return self.send("GET", path).content.decode()

    def event(self, path: str) -> Event:
        """The (first) event of what lies at `path`."""
        return Calendar.from_ical(self.read(path)).walk("VEVENT")[0]

    def edit(self, path: str, **properties: object) -> None:
        """Set properties of an event, as its owner does in a calendar program; None takes one away."""
        whole = Calendar.from_ical(self.read(path))
        event = whole.walk("VEVENT")[0]
        for name, value in properties.items():
            event.pop(name.replace("_", "-"), None)
            if value is not None:
                event.add(name.replace("_", "-"), value)
        self.send("PUT", path, data=whole.to_ical(), headers={"Content-Type": "text/calendar; charset=utf-8"})

    def move(self, path: str, by: timedelta) -> None:
        """Drag an event to another time."""
        event = self.event(path)
        self.edit(path, **{name: event[name].dt + by for name in ("dtstart", "dtend") if name in event})

    def delete(self, path: str) -> None:
        self.send("DELETE", path)

    def paths(self, calendar: str) -> list[str]:
        """What lies in a calendar, by path."""
        listed = self.send("PROPFIND", calendar, headers={"Depth": "1"}).text
        hrefs = {unquote(part.split("<")[0]) for part in listed.replace("D:href", "href").split("href>")[1::2]}
        return sorted(href for href in hrefs if href.endswith(".ics"))

    def send(self, method: str, path: str, **request: object) -> requests.Response:
        request.setdefault("headers", {})
        request["headers"].setdefault("Content-Type", "application/xml")  # type: ignore[attr-defined]
        auth = (self.user.encode(), self.password.encode()) if self.user else None
        answer = self.session.request(method, urljoin(self.url, path), auth=auth, timeout=10, **request)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer


@contextmanager
def radicale(folder: Path, *, port: int = 0, rights: str = "owner_only") -> Iterator[CalendarServer]:
    """A Radicale with the users USER and "grace" (of one password) that keeps its files in `folder`.

    Given the same folder and port again it is the same server, back from an outage.
    """
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users").write_text(f"{USER}:{PASSWORD}\ngrace:{PASSWORD}\n", encoding="utf-8")
    settings = {
        "server": {"hosts": f"127.0.0.1:{port}"},
        "auth": {"type": "htpasswd", "htpasswd_filename": folder / "users", "htpasswd_encryption": "plain", "delay": 0},
        "rights": {"type": rights},
        "storage": {"filesystem_folder": folder / "collections"},
        "web": {"type": "none"},
        "logging": {"level": "critical"},
    }
    lines = [
        f"[{part}]\n" + "".join(f"{key} = {value}\n" for key, value in of.items()) for part, of in settings.items()
    ]
    (folder / "config").write_text("\n".join(lines))
    with running("-m", "radicale", "--config", str(folder / "config"), port=port):
        server = CalendarServer(f"http://127.0.0.1:{port}/", f"/{USER}/", USER, PASSWORD)
        yield server
        server.session.close()


def _zone(name: str) -> str:
    """The zone as CalDAV wants it: a calendar with one VTIMEZONE."""
    whole = Calendar()
    whole.add("prodid", "-//Rep//EN")
    whole.add("version", "2.0")
    event = Event()
    event.add("dtstart", datetime(2026, 1, 1), parameters={"TZID": name})
    whole.add_component(event)
    whole.add_missing_timezones(date(2026, 1, 1), date(2028, 1, 1))
    whole.subcomponents = [part for part in whole.subcomponents if part.name == "VTIMEZONE"]
    return whole.to_ical().decode()


def _crlf(text: str) -> str:
    return "".join(f"{line}\r\n" for line in text.splitlines())
