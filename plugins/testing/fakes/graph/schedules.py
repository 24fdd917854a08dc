"""getSchedule of the fake of Microsoft Graph: free and busy times of mailboxes, an error for each that is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from plugins.testing.fakes.graph.events import Event, Store
from plugins.testing.fakes.graph.tables import refusal

LONGEST = timedelta(days=42)
_SIGNS = {"free": "0", "tentative": "1", "busy": "2", "oof": "3", "workingElsewhere": "4"}


def schedules(
    mailboxes: Mapping[str, Any], store: Store, default_of: Callable[[str], str], asked: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One entry for each mailbox asked about."""
    start, end = (_moment(asked[name]) for name in ("startTime", "endTime"))
    if not timedelta() < end - start <= LONGEST:
        raise refusal(400, "ErrorInvalidParameter", "The requested time duration specified for FreeBusy is too long.")
    step = timedelta(minutes=asked.get("availabilityViewInterval", 30))
    return [_entry(mailboxes, store, default_of, id, (start, end), step) for id in asked["schedules"]]


def _entry(
    mailboxes: Mapping[str, Any],
    store: Store,
    default_of: Callable[[str], str],
    id: str,
    window: tuple[datetime, datetime],
    step: timedelta,
) -> dict[str, Any]:
    box = mailboxes.get(id.casefold())
    if box is None:
        error = {"responseCode": "ErrorMailRecipientNotFound", "message": f"Unable to resolve e-mail address {id}."}
        return {"scheduleId": id, "availabilityView": "", "scheduleItems": [], "error": error}
    start, end = window
    found = [one for one in store.of(box.address, default_of(box.address)) if one.start < end and one.end > start]
    items = [] if box.hidden else [_item(one) for one in found]
    return {"scheduleId": id, "availabilityView": _view(found, start, end, step), "scheduleItems": items}


def _item(event: Event) -> dict[str, Any]:
    return {"status": _status(event), "start": _told(event.start), "end": _told(event.end), "isPrivate": False}


def _status(event: Event) -> str:
    """Exchange shows what was called off or declined as free."""
    declined = event.data["responseStatus"]["response"] == "declined"
    return "free" if event.data["isCancelled"] or declined else str(event.data["showAs"])


def _view(events: list[Event], start: datetime, end: datetime, step: timedelta) -> str:
    signs = []
    if not events:
        return "0" * -(-(end - start) // step)
    while start < end:
        here = [_SIGNS[_status(one)] for one in events if one.start < start + step and one.end > start]
        signs.append(max(here, default="0"))
        start += step
    return "".join(signs)


def _told(at: datetime) -> dict[str, str]:
    return {"dateTime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}


def _moment(told: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(told["dateTime"]).replace(tzinfo=ZoneInfo(told["timeZone"])).astimezone(UTC)
