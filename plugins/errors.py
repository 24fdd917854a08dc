"""What went wrong at somebody else's service, sorted by what the caller must do about it.

Nothing else may leave an adapter. A class says by itself whether to try again (`retry`), whether the connection
is of use until a person mends it (`stops`), and who that person is (`who`), so that no caller lists classes.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self


class Retry(StrEnum):
    """NEVER: the same call will fail again. LATER: back off and try. SAME_KEY: it may have worked; only a call that
    carries the same key is safe. AT: not before `not_before()`, or with back-off when that is None."""

    NEVER = "never"
    LATER = "later"
    SAME_KEY = "same_key"
    AT = "at"


class Who(StrEnum):
    """Who has to act before it can work: nobody (time heals it), the owner who connected the service, the visitor
    or mapping that gave the value, or the adapter's author."""

    NOBODY = "nobody"
    OWNER = "owner"
    GIVER = "giver"
    AUTHOR = "author"


class PluginError(Exception):
    """Anything an adapter may raise.

    `message` is for logs and holds no secret; `user_message` is one sentence for a person. `http_status`,
    `vendor_code` and `request_id` are the service's own words. `retry_after` is the aware moment before which the
    service does not want to hear from us again, None when it named none.
    """

    code: ClassVar[str] = "plugin_error"
    sentence: ClassVar[str] = "The connected service did not do what was asked."
    who: ClassVar[Who] = Who.AUTHOR
    stops: ClassVar[bool] = False
    retry: Retry = Retry.NEVER
    connection_id: str = ""
    """Which connection it came through; the host fills it in."""
    may_be_done: bool = False
    """Some of what was asked may be done all the same, by an earlier call or without an answer (`Adapter.in_use`)."""
    held: str = ""
    """Why plugins.limits (rate, pause, breaker) or the host (broken) held the call back; nothing was sent then."""

    def __init__(
        self,
        message: str,
        *,
        adapter: str = "",
        operation: str = "",
        http_status: int | None = None,
        vendor_code: str = "",
        request_id: str = "",
        user_message: str = "",
        retry_after: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.adapter = adapter
        self.operation = operation
        self.http_status = http_status
        self.vendor_code = vendor_code
        self.request_id = request_id
        self.user_message = user_message or self.sentence
        self.retry_after = retry_after

    def at(self, adapter: str, operation: str) -> Self:
        """Name the adapter ("crm.hubspot") and its method where the raiser did not know them; returns itself."""
        self.adapter = self.adapter or adapter
        self.operation = self.operation or operation
        return self

    def as_json(self) -> dict[str, Any]:
        """The error as plain data, to be kept with a delivery."""
        names = ("message", "adapter", "operation", "http_status", "vendor_code", "request_id", "user_message")
        told = {name: getattr(self, name) for name in names if getattr(self, name)}
        return {"code": self.code, "retry": self.retry.value, **told}

    def __str__(self) -> str:
        place = " ".join(part for part in (self.adapter, self.operation) if part)
        return f"{place}: {self.message}" if place else self.message


class ConfigError(PluginError):
    """The connection's settings are wrong: unknown field, wrong host. `problems` names each field."""

    code = "config"
    sentence = "The settings of this connection are not right."
    who = Who.OWNER
    stops = True

    def __init__(self, message: str, *, problems: tuple[tuple[str, str], ...] = (), **about: Any) -> None:
        super().__init__(message, **about)
        self.problems = problems


class AuthError(PluginError):
    """The service does not accept our credentials (401, `invalid_grant`, SMTP 535): connect again."""

    code = "auth"
    sentence = "The service no longer accepts our sign-in. Please connect it again."
    who = Who.OWNER
    stops = True


class PermissionDenied(PluginError):
    """Signed in, yet not allowed (403 that is no rate limit, a missing scope)."""

    code = "permission"
    sentence = "The connected account is not allowed to do this."
    who = Who.OWNER
    stops = True


class RateLimited(PluginError):
    """Too many calls; `retry_after` says when to come back, when the service did."""

    code = "rate_limited"
    sentence = "The service asks us to slow down. We will try again."
    who = Who.NOBODY
    retry = Retry.AT


class QuotaExhausted(RateLimited):
    """The paid or daily allowance is used up. Tried again at its reset when the service names one, else never."""

    code = "quota"
    sentence = "The allowance of the connected account is used up."
    who = Who.OWNER
    stops = True

    def __init__(self, message: str, **about: Any) -> None:
        super().__init__(message, **about)
        if self.retry_after is None:
            self.retry = Retry.NEVER


class Transient(PluginError):
    """The service or the network is unwell and certainly did nothing: 5xx, refused connection, SMTP 4xx."""

    code = "transient"
    sentence = "The service does not answer right now. We will try again."
    who = Who.NOBODY
    retry = Retry.LATER


class AmbiguousOutcome(PluginError):
    """Sent, but no answer came: it may have happened. Only the same key, or a look-up, makes another try safe."""

    code = "ambiguous"
    sentence = "The service did not confirm. We will check before we try again."
    who = Who.NOBODY
    retry = Retry.SAME_KEY
    doubles: bool = False
    """The service cannot tell that it comes twice: the host tries once more, and then leaves it to a person."""


class Conflict(PluginError):
    """Somebody changed the record since we read it (409, 412): read it again, then decide."""

    code = "conflict"
    sentence = "Somebody else changed this in the meantime."


class Duplicate(Conflict):
    """It exists already; `existing` is its id at the service, "" when the service does not say."""

    code = "duplicate"
    sentence = "The service has this already."

    def __init__(self, message: str, *, existing: str = "", **about: Any) -> None:
        super().__init__(message, **about)
        self.existing = existing


class NotFound(PluginError):
    """The record is not there (any more). No match in enrichment or search is a normal result, not this."""

    code = "not_found"
    sentence = "The service does not have this any more."


class InvalidInput(PluginError):
    """The service refuses a value; `field` is our name of it, "" when unknown."""

    code = "invalid_input"
    sentence = "The service does not accept one of the values."
    who = Who.GIVER

    def __init__(self, message: str, *, field: str = "", **about: Any) -> None:
        super().__init__(message, **about)
        self.field = field


class Permanent(PluginError):
    """Everything else that will not get better by itself: an answer nobody can read, an unknown 4xx."""

    code = "permanent"


class CursorExpired(PluginError):
    """The service forgot our place in its list of changes: start again with an empty cursor."""

    code = "cursor_expired"
    sentence = "The service wants us to read everything again."
    who = Who.NOBODY


class UnsupportedFeature(PluginError):
    """The adapter did not declare the capability that this call needs."""

    code = "unsupported"
    sentence = "The connected service cannot do this."


def broke(error: Exception, adapter: str = "") -> Permanent:
    """What an adapter let out that is none of these errors; nobody knows what it had done by then."""
    problem = Permanent(f"{type(error).__name__} in the adapter", adapter=adapter)
    problem.may_be_done = True
    return problem
