"""Calls to Microsoft Graph: places of calendars, headers, pages, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote

from plugins.errors import (
    AuthError,
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
from plugins.oauth import Authorized
from plugins.odata import OData
from plugins.statuses import meaning

PREFER = ('IdType="ImmutableId"', 'outlook.timezone="UTC"')
MOST_PAGES = 200
PRIMARY = "primary"

CODES: dict[str, type[PluginError]] = {
    "InvalidAuthenticationToken": AuthError,
    "ErrorAccessDenied": PermissionDenied,
    "AccessDenied": PermissionDenied,
    "Authorization_RequestDenied": PermissionDenied,
    "ErrorNoFreeBusyAccess": PermissionDenied,
    "ErrorItemNotFound": NotFound,
    "ErrorInvalidIdMalformed": NotFound,
    "ErrorInvalidId": NotFound,
    "ErrorObjectNotFound": NotFound,
    "ErrorNonExistentMailbox": NotFound,
    "ErrorMailRecipientNotFound": NotFound,
    "ErrorInvalidUser": NotFound,
    "MailboxNotEnabledForRESTAPI": NotFound,
    "Request_ResourceNotFound": NotFound,
    "ResourceNotFound": NotFound,
    "ErrorIrresolvableConflict": Conflict,
    "ErrorDuplicateTransactionId": Duplicate,
    "ErrorInvalidRecipients": InvalidInput,
    "ErrorPropertyValidationFailure": InvalidInput,
    "ErrorQuotaExceeded": QuotaExhausted,
    "ApplicationThrottled": RateLimited,
    "MailboxConcurrency": RateLimited,
    "TooManyRequests": RateLimited,
    "activityLimitReached": RateLimited,
    "ErrorServerBusy": Transient,
    "ErrorTimeoutExpired": Transient,
    "ErrorMailboxStoreUnavailable": Transient,
    "ErrorMailboxMoveInProgress": Transient,
    "ErrorProxyRequestProcessingFailed": Transient,
    "ErrorServiceDiscoveryFailed": Transient,
    "ServiceDiscoveryFailed": Transient,
    "syncStateNotFound": CursorExpired,
    "SyncStateNotFound": CursorExpired,
    "syncStateInvalid": CursorExpired,
    "resyncRequired": CursorExpired,
    "ErrorInvalidSyncStateData": CursorExpired,
}
"""Graph's own words where they say more than the status. Where a status of 5xx comes with one, it counts."""


@dataclass(frozen=True, slots=True)
class Place:
    """A calendar: `mailbox` "" is the signed-in person's, `calendar` "" the default one of the mailbox."""

    mailbox: str
    calendar: str

    @classmethod
    def of(cls, id: str) -> Self:
        """The id of a calendar: an address (its default calendar), "address/id", an id of the signed-in person's
        calendars, or "primary"."""
        id = id.strip()
        mailbox, _, calendar = id.partition("/") if "@" in id.partition("/")[0] else ("", "", id)
        return cls(mailbox, "" if calendar == PRIMARY else calendar)

    @property
    def is_mailbox(self) -> bool:
        """Whether it is a mailbox's default calendar, of which free and busy times are told by the mailbox."""
        return bool(self.mailbox) and not self.calendar

    @property
    def owner(self) -> str:
        return f"/users/{quote(self.mailbox, safe='@')}" if self.mailbox else "/me"

    def inside(self, what: str) -> str:
        """The path of something in the calendar, such as its events."""
        return f"{self.owner}/calendars/{quote(self.calendar, safe='')}/{what}" if self.calendar else self.default(what)

    def default(self, what: str) -> str:
        """The path of something in the mailbox, which for events and views means its default calendar."""
        return f"{self.owner}/{what}"

    def event(self, id: str) -> str:
        """The path of an event, wherever in the mailbox it is."""
        return f"{self.owner}/events/{quote(id, safe='')}"


class Graph(OData):
    """Graph with somebody's token. `base` is the address with its version, without a slash at the end."""

    def __init__(self, calls: Authorized, base: str) -> None:
        self._calls, self.root = calls, base

    def call(self, operation: str, method: str, path: str, *, prefer: tuple[str, ...] = (), **request: Any) -> Reply:
        """`path` is ours ("/me/events"), or a whole address that Graph gave us to go on with."""
        url = path if path.startswith(self.root) else self.root + path
        headers = {"Accept": "application/json", "Prefer": ", ".join((*PREFER, *prefer)), **request.pop("headers", {})}
        return self._calls.call(operation, method, url, judge=judge, headers=headers, **request)


def judge(reply: Reply) -> PluginError | None:
    """What Graph's error code says, where it says more than the status."""
    told = _error(reply)
    if told is None:
        return None
    code, text = str(told.get("code", "")), " ".join(str(told.get("message", "")).split())[:300]
    usual = meaning(reply.status, repeatable=reply.call.repeatable) or Permanent
    kind = CODES.get(code, usual)
    if reply.status >= 500 and kind is not QuotaExhausted and not issubclass(kind, Transient):
        kind = usual
    if code == "MailboxNotEnabledForRESTAPI":
        text = f"{text} (no mailbox in Exchange Online)"
    inner = told.get("innerError")
    about: dict[str, Any] = {
        "http_status": reply.status,
        "vendor_code": code,
        "request_id": str(inner.get("request-id", "")) if isinstance(inner, dict) else "",
    }
    message = f"{reply.call.place()}: {reply.status} {code}: {text}"
    if kind is Duplicate:
        return Duplicate(message, existing=str(told.get("@event.existingEventId") or ""), **about)
    if kind is InvalidInput and code == "ErrorInvalidRecipients":
        return InvalidInput(message, field="guests", **about)
    if kind is ConfigError:
        return ConfigError(message, **about)
    return kind(message, **about)


def named(code: str, text: str) -> PluginError:
    """The error of one of several mailboxes in an answer that is otherwise good."""
    kind = CODES.get(code, Permanent)
    return kind(f"{code}: {text[:300]}", vendor_code=code)


def _error(reply: Reply) -> Mapping[str, Any] | None:
    if reply.status < 400 and b'"error"' not in reply.body[:200]:
        return None
    try:
        body = reply.json()
    except PluginError:
        return None
    told = body.get("error") if isinstance(body, dict) else None
    return told if isinstance(told, dict) else None


def moment(told: Any) -> datetime:
    """A dateTimeTimeZone that was asked for in UTC; Permanent when it cannot be read."""
    try:
        text = str(told["dateTime"]).rstrip("Z")
        whole, _, fraction = text.partition(".")
        if str(told.get("timeZone") or "UTC") not in ("UTC", "Etc/UTC", "Etc/GMT"):
            raise ValueError(told["timeZone"])
        return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}").replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Permanent(f"a time that cannot be read: {error}") from error


def wire(at: datetime) -> dict[str, str]:
    """A moment as Graph takes it. In UTC: a time that the wall shows twice has only one name there."""
    return {"dateTime": at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds"), "timeZone": "UTC"}
