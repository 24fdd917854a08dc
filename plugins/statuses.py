"""What an HTTP status means for the caller, as a table, and the one reader of Retry-After."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    Conflict,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Transient,
)

LONGEST_WAIT = timedelta(days=31)
"""Services name at most the start of the next month (monthly quotas); more is a mistake of theirs."""

_MEANING: dict[int, type[PluginError]] = {
    400: InvalidInput,
    401: AuthError,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: NotFound,
    408: Transient,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    422: InvalidInput,
    423: Transient,
    425: Transient,
    429: RateLimited,
    501: Permanent,
    505: Permanent,
}
_PASSED_ON = (502, 504)


def meaning(status: int, *, repeatable: bool) -> type[PluginError] | None:
    """The error a status stands for, None for 2xx. `repeatable`: the request changes nothing or may be sent twice.

    A gateway (502, 504) may have passed a write on before it gave up: ambiguous unless `repeatable`.
    """
    if 200 <= status < 300:
        return None
    if status in _PASSED_ON and not repeatable:
        return AmbiguousOutcome
    return _MEANING.get(status, Transient if status >= 500 else Permanent)


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a `Retry-After` header (RFC 9110 10.2.3) lets us come back: seconds, whole or not, or an HTTP date.

    None without the header or when nobody can read it; never before `now`, at most LONGEST_WAIT after it.
    """
    said = next((value.strip() for name, value in headers.items() if name.lower() == "retry-after"), "")
    at = _after_seconds(said, now) or _at_date(said)
    return at and min(max(at, now), now + LONGEST_WAIT)


def _after_seconds(said: str, now: datetime) -> datetime | None:
    try:
        seconds = float(said)
    except ValueError:
        return None
    if not math.isfinite(seconds):
        return None
    return now + timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds()))


def _at_date(said: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
