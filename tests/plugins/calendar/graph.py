"""The fake of Microsoft Graph for the tests of its adapter, and events of others put into it from iCalendar text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from plugins.calendar import Watch
from plugins.calendar.microsoft import Microsoft365
from plugins.fields import validate
from plugins.hooks import HookCall
from plugins.http import Http
from plugins.records import MemoryRecords
from plugins.testing.conformance import LOOPBACK
from plugins.testing.fakes import Fault
from plugins.testing.fakes.graph import GraphFake
from plugins.tokens import MemoryTokens, Tokens

GRACE = "grace@acme.example"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
_WINDOWS = {"Europe/Berlin": "W. Europe Standard Time"}


def settings(fake: GraphFake, **other: Any) -> dict[str, Any]:
    """Settings of an application that reach the fake."""
    return {
        "sign_in": "application",
        "tenant": fake.tenant,
        "client_id": fake.client_id,
        "client_secret": fake.client_secret,
        "base_url": fake.base,
        "login_url": fake.url,
        **other,
    }


def at_clock(
    config: Mapping[str, Any], *, tokens: Tokens | None = None, now: datetime = NOW, seconds: float = 20
) -> Microsoft365:
    """The adapter at a stopped clock."""
    good = validate(Microsoft365.fields, config)
    http = Http("calendar.microsoft", secrets=good.secrets(), private=LOOPBACK, answer_seconds=seconds, now=lambda: now)
    return Microsoft365(good, records=MemoryRecords(), http=http, tokens=tokens)


def opened(fake: GraphFake, *, now: datetime = NOW, **other: Any) -> Microsoft365:
    """The adapter as an application."""
    return at_clock(settings(fake, **other), now=now)


def by_person(fake: GraphFake, *, now: datetime = NOW, **other: Any) -> Microsoft365:
    """The adapter with Grace's own account."""
    tokens = MemoryTokens(fake.connected(GRACE))
    return at_clock(settings(fake, sign_in="person", **other), tokens=tokens, now=now)


@contextmanager
def lost_answer(fake: GraphFake) -> Iterator[None]:
    """The answer to the first write at Graph gets lost."""
    fake.faults.add(Fault(done=True, drop=True), on=r"(POST|PATCH|DELETE) /v1\.0/(?!.*getSchedule)", times=1)
    yield
    fake.faults.clear()


CALLBACK = "https://chat.acme.example/v1/hooks/con_1"
VALIDATION = "Validation: Testing client application reachability for subscription Request-Id: <1>"


def shaking(secret: str, at: datetime) -> HookCall:
    """The call with which Graph tries an address."""
    url = f"{CALLBACK}?validationToken={quote(VALIDATION)}"
    return HookCall("POST", url, {"Content-Type": "text/plain; charset=utf-8"}, b"", at, secret)


def notification(fake: GraphFake, watch: Watch, *, secret: str, at: datetime, event: int) -> HookCall:
    """What Graph sends when the event of that number was changed in a watched calendar."""
    resource = f"Users/{GRACE}/Events/AAk{event:06d}"
    told = {
        "subscriptionId": watch.id,
        "subscriptionExpirationDateTime": "2026-03-08T12:00:00+00:00",
        "changeType": "updated",
        "resource": resource,
        "resourceData": {"@odata.id": resource, "@odata.etag": f'W/"{event}"', "id": f"AAk{event:06d}"},
        "clientState": secret,
        "tenantId": "00000000-0000-0000-0000-000000000001",
    }
    body = json.dumps({"value": [told]}).encode()
    return HookCall("POST", CALLBACK, {"Content-Type": "application/json"}, body, at, secret)


def put(fake: GraphFake, calendar: str, text: str) -> None:
    """Stores the events of a VEVENT text as Exchange would show them: each instance of a series by itself."""
    whole = Calendar.from_ical(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{text}END:VCALENDAR\n")
    for one in recurring_ical_events.of(whole, keep_recurrence_attributes=False).between((2026, 1, 1), (2026, 7, 1)):
        _store(fake, calendar, one)


def _store(fake: GraphFake, calendar: str, event: Any) -> None:
    begins, ends = event["DTSTART"].dt, event["DTEND"].dt
    days = not isinstance(begins, datetime)
    said: dict[str, Any] = {"type": "occurrence", "isAllDay": days, "showAs": "busy"}
    if days:
        said["originalStartTimeZone"] = "W. Europe Standard Time"
    if str(event.get("STATUS", "")) == "TENTATIVE":
        said["showAs"] = "tentative"
    if str(event.get("STATUS", "")) == "CANCELLED":
        said |= {"isCancelled": True, "showAs": "free"}
    if str(event.get("TRANSP", "")) == "TRANSPARENT":
        said["showAs"] = "free"
    attendees = event.get("ATTENDEE", [])
    for one in attendees if isinstance(attendees, list) else [attendees]:
        if GRACE in str(one):
            said |= {"responseStatus": {"response": _ANSWERS[one.params["PARTSTAT"]]}, "isOrganizer": False}
    fake.put(GRACE, _utc(begins), _utc(ends), calendar=calendar, **said)


_ANSWERS = {"DECLINED": "declined", "ACCEPTED": "accepted", "NEEDS-ACTION": "notResponded"}


def _utc(when: date) -> str:
    if not isinstance(when, datetime):
        return f"{when:%Y-%m-%dT00:00:00}"
    return f"{(when if when.tzinfo else when.replace(tzinfo=BERLIN)).astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
