"""What Google Calendar's refusals mean, by the reason they name
(https://developers.google.com/workspace/calendar/api/guides/errors)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from plugins.errors import (
    ConfigError,
    Conflict,
    CursorExpired,
    Duplicate,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from plugins.http import Reply
from plugins.statuses import retry_after

USAGE_REST = timedelta(hours=1)
"""Google names no end of its limits against abuse; they pass after hours (its Workspace help: up to 24)."""
NO_MEET = "This Google account cannot make Meet links."
_PACIFIC = ZoneInfo("America/Los_Angeles")

_REASONS: dict[str, tuple[type[PluginError], str]] = {
    "rateLimitExceeded": (RateLimited, ""),
    "userRateLimitExceeded": (RateLimited, ""),
    "quotaExceeded": (QuotaExhausted, "Google limits how much this account may write or invite. We will try again."),
    "dailyLimitExceeded": (QuotaExhausted, "Today's allowance of the Google Cloud project is used up."),
    "forbiddenForServiceAccounts": (
        PermissionDenied,
        "A service account may only invite guests with domain-wide delegation. Please have it allowed.",
    ),
    "insufficientPermissions": (
        PermissionDenied,
        "The connected account did not agree to everything that is needed. Please connect it again and leave all "
        "boxes ticked.",
    ),
    "accessNotConfigured": (ConfigError, "The Google Calendar API is not switched on in the Google Cloud project."),
    "push.webhookUrlUnauthorized": (ConfigError, "Google does not call this address; is the domain yours and public?"),
    "forbidden": (PermissionDenied, ""),
    "requiredAccessLevel": (PermissionDenied, "The connected account may not write to this calendar."),
    "forbiddenForNonOrganizer": (Permanent, "Only the organizer of this event can change it."),
    "notFound": (NotFound, ""),
    "deleted": (NotFound, ""),
    "duplicate": (Duplicate, ""),
    "conditionNotMet": (Conflict, ""),
}
_JUDGED = (401, 403, 404, 409, 410, 412)
"""Statuses that mean different things by their reason; the others say it all."""
_FIELDS = {"start": "start", "end": "end", "attendee": "guests", "conference": "video", "summary": "title"}
_CALENDAR: dict[str, tuple[type[PluginError], str]] = {
    "notFound": (NotFound, "Google knows no calendar {}, or it is not shared with the connected account."),
    "forbidden": (PermissionDenied, "The connected account may not see when {} is busy."),
    "internalError": (Transient, ""),
    "backendError": (Transient, ""),
    "rateLimitExceeded": (RateLimited, ""),
}


def meaning_of(reply: Reply, *, now: Callable[[], datetime]) -> PluginError | None:
    """The error that an answer stands for; None for a good one, and for those whose status says it all."""
    if reply.status < 400 or reply.status >= 500:
        return None
    reason, said, location = told(reply.body)
    message = f"{reply.call.place()}: {reply.status} {reason}: {said}"
    about: dict[str, Any] = {"http_status": reply.status, "vendor_code": reason}
    if reply.call.operation == "changes" and (reply.status == 410 or location in ("syncToken", "pageToken")):
        return CursorExpired(message, **about)
    if reply.status == 400:
        field = _field(f"{location} {said}")
        return InvalidInput(message, field=field, user_message=NO_MEET if field == "video" else "", **about)
    if reply.status not in _JUDGED or reason not in _REASONS:
        return None
    kind, about["user_message"] = _REASONS[reason]
    if issubclass(kind, RateLimited):
        about["retry_after"] = retry_after(reply.headers, now()) or _reset(reason, now())
    return kind(message, **about)


def of_calendar(calendar: str, errors: list[dict[str, Any]]) -> PluginError:
    """Why the busy times of one calendar are not known: Google answers 200 and says so inside."""
    reason = str(errors[0].get("reason", "")) if errors else ""
    kind, sentence = _CALENDAR.get(reason, (Permanent, "Google did not tell when {} is busy."))
    return kind(f"freeBusy of {calendar}: {reason}", vendor_code=reason, user_message=sentence.format(calendar))


def told(body: bytes) -> tuple[str, str, str]:
    """Reason, message and place of an error answer; "" for what it does not say."""
    try:
        error = json.loads(body)["error"]
        first = (error.get("errors") or [{}])[0]
        reason = str(first.get("reason", ""))
        if any(one.get("reason") == "ACCESS_TOKEN_SCOPE_INSUFFICIENT" for one in error.get("details") or []):
            reason = "insufficientPermissions"
        return reason, str(first.get("message") or error.get("message", ""))[:300], str(first.get("location", ""))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "", "", ""


def _reset(reason: str, now: datetime) -> datetime | None:
    """When an allowance comes back: those of a day at midnight in California."""
    if reason == "quotaExceeded":
        return now + USAGE_REST
    if reason == "dailyLimitExceeded":
        tomorrow = now.astimezone(_PACIFIC).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), tzinfo=_PACIFIC).astimezone(UTC)
    return None


def _field(said: str) -> str:
    """Our name of the value that is refused, "" when it is not clear which."""
    return next((ours for theirs, ours in _FIELDS.items() if theirs in said.casefold()), "")
