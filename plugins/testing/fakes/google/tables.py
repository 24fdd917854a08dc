"""What Google Calendar takes: the names and types of its fields and parameters, as far as adapters write them
(https://developers.google.com/workspace/calendar/api/v3/reference). Anything else is refused."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from plugins.testing.fakes.google.sign_in import refusal

_TIME = {"dateTime": str, "date": str, "timeZone": str}
_ATTENDEE = {
    "email": str, "displayName": str, "responseStatus": str, "optional": bool, "comment": str, "additionalGuests": int,
    "self": bool, "organizer": bool, "resource": bool, "id": str,
}  # fmt: skip
_REQUEST = {"requestId": str, "conferenceSolutionKey": {"type": str}, "status": {"statusCode": str}}
EVENT: dict[str, Any] = {
    "id": str, "iCalUID": str, "summary": str, "description": str, "location": str, "status": str, "transparency": str,
    "visibility": str, "colorId": str, "sequence": int, "start": _TIME, "end": _TIME, "recurrence": [str],
    "attendees": [_ATTENDEE], "extendedProperties": {"private": {"*": str}, "shared": {"*": str}},
    "conferenceData": {"createRequest": _REQUEST}, "guestsCanModify": bool, "guestsCanInviteOthers": bool,
    "guestsCanSeeOtherGuests": bool, "source": {"title": str, "url": str},
    "reminders": {"useDefault": bool, "overrides": [{"method": str, "minutes": int}]},
}  # fmt: skip
FREE_BUSY: dict[str, Any] = {
    "timeMin": str, "timeMax": str, "timeZone": str, "calendarExpansionMax": int, "groupExpansionMax": int,
    "items": [{"id": str}],
}  # fmt: skip
CHANNEL: dict[str, Any] = {
    "id": str, "type": str, "address": str, "token": str, "expiration": str, "params": {"*": str}, "resourceId": str,
}  # fmt: skip
_ANY = ("alt", "fields", "prettyPrint", "key", "quotaUser")
PARAMETERS = {
    "list": ("maxResults", "singleEvents", "showDeleted", "syncToken", "pageToken", "timeMin", "timeMax", "timeZone",
             "orderBy", "q", "iCalUID", "privateExtendedProperty", "updatedMin", *_ANY),
    "insert": ("conferenceDataVersion", "sendUpdates", "maxAttendees", *_ANY),
    "patch": ("conferenceDataVersion", "sendUpdates", "maxAttendees", *_ANY),
    "delete": ("sendUpdates", *_ANY),
    "calendarList": ("maxResults", "pageToken", "minAccessRole", "showDeleted", "showHidden", "syncToken", *_ANY),
    "other": _ANY,
}  # fmt: skip
_CHOICES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "sendUpdates": ("all", "externalOnly", "none"),
    "responseStatus": ("needsAction", "declined", "tentative", "accepted"),
}


def hold(body: Any, table: Any, *, patch: bool = False, at: str = "") -> None:
    """Refusal 400 for a field that is unknown or of another type. A patch may take fields away by null."""
    if patch and body is None:
        return
    if isinstance(table, dict):
        _hold_fields(body, table, patch, at)
    elif isinstance(table, list):
        if not isinstance(body, list):
            raise _wrong(at, "is no list")
        for value in body:
            hold(value, table[0], at=at)
    elif not isinstance(body, table) or (table is int and isinstance(body, bool)):
        raise _wrong(at, f"is no {table.__name__}")
    elif body not in _CHOICES.get(at.rpartition(".")[2], (body,)):
        raise _wrong(at, "is not one of its values")


def hold_query(given: Any, method: str) -> None:
    """Refusal 400 for a parameter that the method does not have."""
    for name, value in given.items():
        if name not in PARAMETERS[method]:
            raise refusal(400, "invalidParameter", f"Invalid query parameter {name}", location=name)
        if value not in _CHOICES.get(name, (value,)) or not value:
            raise refusal(400, "invalidParameter", f"Invalid value for {name}", location=name)


def hold_event(event: dict[str, Any]) -> None:
    """Refusal 400 when the times make no event, or the rules for ids and properties are broken."""
    for name in ("start", "end"):
        _hold_time(event.get(name), name)
    if ("date" in event["start"]) != ("date" in event["end"]):
        raise refusal(400, "invalid", "Start and end times must either both be date or both be dateTime.")
    if moment(event["end"]) <= moment(event["start"]):
        raise refusal(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="end")
    if not re.fullmatch(r"[a-v0-9]{5,1024}(_[0-9TZ]+)?", event["id"]):
        raise refusal(400, "invalid", "Invalid resource id value.", location="id")
    if len(event.get("description", "")) > 8192:
        raise refusal(400, "invalid", "The description is too long.", location="description")
    for guest in event.get("attendees", []):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", guest.get("email", "")):
            raise refusal(400, "invalid", "Invalid attendee email.", domain="global", location="attendees[].email")
    for kind in event.get("extendedProperties", {}).values():
        if any(len(name) > 44 or len(value) > 1024 for name, value in kind.items()):
            raise refusal(400, "invalid", "Extended property too long.", location="extendedProperties")


def moment(said: dict[str, Any]) -> Any:
    return date.fromisoformat(said["date"]) if "date" in said else datetime.fromisoformat(said["dateTime"])


def _hold_fields(body: Any, table: dict[str, Any], patch: bool, at: str) -> None:
    if not isinstance(body, dict):
        raise _wrong(at, "is no object")
    for name, value in body.items():
        if name not in table and "*" not in table:
            raise refusal(400, "parseError", f'Invalid JSON payload received. Unknown name "{name}" at "{at}"')
        hold(value, table.get(name, table.get("*")), patch=patch, at=f"{at}.{name}".strip("."))


def _hold_time(said: Any, name: str) -> None:
    if not said:
        raise refusal(400, "required", f"Missing {name} time.", location=name)
    if ("date" in said) == ("dateTime" in said):
        raise refusal(400, "invalid", f"Invalid {name} time.", location=name)
    try:
        when = moment(said)
    except ValueError:
        raise refusal(400, "invalid", f"Invalid {name} time.", location=name) from None
    if isinstance(when, datetime) and when.tzinfo is None:
        raise refusal(400, "required", f"Missing time zone definition for {name} time.", location=f"{name}.timeZone")
    if said.get("timeZone") and said["timeZone"] not in available_timezones():
        raise refusal(400, "invalid", f"Invalid time zone definition for {name} time.", location=f"{name}.timeZone")


def _wrong(at: str, why: str) -> Any:
    return refusal(400, "invalid", f"Invalid value: {at} {why}", location=at.split(".")[0])
