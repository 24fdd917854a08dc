"""What Microsoft Graph takes in the bodies that are sent to the fake of it: names and types, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from plugins.testing.fakes.server import Refusal

Check = Callable[[Any], bool]


def text(given: Any) -> bool:
    return isinstance(given, str)


def flag(given: Any) -> bool:
    return isinstance(given, bool)


def one_of(*allowed: str) -> Check:
    return lambda given: given in allowed


def shape(required: tuple[str, ...] = (), **parts: Check) -> Check:
    """An object with these parts and no other."""

    def check(given: Any) -> bool:
        if not isinstance(given, dict) or not set(given) <= set(parts) or not set(required) <= set(given):
            return False
        return all(parts[name](value) for name, value in given.items())

    return check


def many(of: Check) -> Check:
    return lambda given: isinstance(given, list) and all(of(one) for one in given)


def stamp(given: Any) -> bool:
    """A time without offset, as in dateTimeTimeZone."""
    try:
        return isinstance(given, str) and datetime.fromisoformat(given.split(".")[0]).tzinfo is None
    except ValueError:
        return False


MOMENT = shape(("dateTime", "timeZone"), dateTime=stamp, timeZone=text)
PROPERTY = shape(("id", "value"), id=text, value=text)
EVENT: dict[str, Check] = {
    "subject": text,
    "body": shape(("contentType", "content"), contentType=one_of("html", "text"), content=text),
    "start": MOMENT,
    "end": MOMENT,
    "isAllDay": flag,
    "location": shape(displayName=text),
    "showAs": one_of("free", "tentative", "busy", "oof", "workingElsewhere"),
    "attendees": many(
        shape(
            ("emailAddress",),
            emailAddress=shape(("address",), address=text, name=text),
            type=one_of("required", "optional", "resource"),
            status=shape(response=text, time=text),
        )
    ),
    "isOnlineMeeting": flag,
    "onlineMeetingProvider": one_of("teamsForBusiness"),
    "singleValueExtendedProperties": many(PROPERTY),
}
CREATED = {**EVENT, "transactionId": text}
SCHEDULE: dict[str, Check] = {
    "schedules": many(text),
    "startTime": MOMENT,
    "endTime": MOMENT,
    "availabilityViewInterval": lambda given: isinstance(given, int) and 5 <= given <= 1440,
}
SUBSCRIPTION: dict[str, Check] = {
    "changeType": lambda given: text(given) and set(given.split(",")) <= {"created", "updated", "deleted"},
    "notificationUrl": text,
    "lifecycleNotificationUrl": text,
    "resource": text,
    "expirationDateTime": text,
    "clientState": lambda given: text(given) and len(given) <= 128,
}
NEEDED = {
    "event": ("subject", "start", "end"),
    "schedule": ("schedules", "startTime", "endTime"),
    "subscription": ("changeType", "notificationUrl", "resource", "expirationDateTime"),
}


def hold_to(table: Mapping[str, Check], body: Any, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body, when it is one that Graph would take; its refusal otherwise."""
    if not isinstance(body, dict):
        raise refusal(400, "BadRequest", "Unable to read JSON request payload.")
    if unknown := sorted(set(body) - set(table)):
        raise refusal(400, "RequestBodyRead", f"The property '{unknown[0]}' does not exist on type 'microsoft.graph'.")
    if wrong := [name for name, value in body.items() if not table[name](value)]:
        raise refusal(400, "RequestBodyRead", f"The value of '{wrong[0]}' is of the wrong type.")
    if missing := [name for name in required if name not in body]:
        raise refusal(400, "ErrorPropertyValidationFailure", f"'{missing[0]}' is required.")
    return body


def refusal(status: int, code: str, message: str, **more: Any) -> Refusal:
    """An error as Graph words it."""
    inner = {"date": "2026-03-02T12:00:00", "request-id": "5d0b3d5a-0000-4000-8000-000000000001"}
    return Refusal(status, {"error": {"code": code, "message": message, "innerError": inner, **more}})
