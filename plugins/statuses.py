"""What an HTTP status means for the caller, as a table, and the one reader of when we may come back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
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


def refuses(status: int) -> bool:
    """Whether the service says that it did nothing: 4xx but 408, after which it may have begun (RFC 9110 15.5)."""
    return 400 <= status < 500 and status != 408


def meaning(status: int, *, repeatable: bool) -> type[PluginError] | None:
    """The error a status stands for, None for 2xx. `repeatable`: the request changes nothing or may be sent twice.

    A gateway (502, 504) may have passed a write on before it gave up: ambiguous unless `repeatable`.
    """
    if 200 <= status < 300:
        return None
    if status in _PASSED_ON and not repeatable:
        return AmbiguousOutcome
    return _MEANING.get(status, Transient if status >= 500 else Permanent)


def retry_after(headers: Mapping[str, str], now: datetime, *, refused: bool = False) -> datetime | None:
    """When the service lets us come back: by `Retry-After` (RFC 9110 10.2.3) in seconds, whole or not, or as an HTTP
    date, or by what services send in its place. `refused`: too many calls, not an allowance that is used up; then the
    reset of the rate counts as well, which services send along with good answers too.

    None when nothing is said or nobody can read it; never before `now`, at most LONGEST_WAIT after it.
    """
    said = {name.lower(): value.strip() for name, value in headers.items()}
    for name, read in {**_COME_BACK, **(_RESETS if refused else {})}.items():
        at = read(said[name], now) if name in said else None
        if at is not None:
            return min(max(at, now), now + LONGEST_WAIT)
    return None


def _after_seconds(said: str, now: datetime) -> datetime | None:
    try:
        seconds = float(said)
    except ValueError:
        return None
    if not math.isfinite(seconds):
        return None
    return now + timedelta(seconds=max(min(seconds, LONGEST_WAIT.total_seconds()), -1))


def _after_milliseconds(said: str, now: datetime) -> datetime | None:
    return _after_seconds(f"{said}e-3", now) if re.fullmatch(r"[\d.]{1,20}", said) else None


def _at_date(said: str, now: datetime) -> datetime | None:
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _at_iso_date(said: str, now: datetime) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    if not re.search(r"\d[T ]\d", said):  # "20260302" is a number to whoever sends it
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _seconds_or_date(said: str, now: datetime) -> datetime | None:
    return _after_seconds(said, now) or _at_date(said, now)


_SINCE_1970 = 1e9
"""Numbers of seconds from here on count from 1970; nobody is asked to wait for thirty years."""


def _seconds_or_moment(said: str, now: datetime) -> datetime | None:
    """Seconds from now, seconds or milliseconds since 1970, or a date: the same header means each of them somewhere."""
    if not re.fullmatch(r"\d{1,14}(\.\d+)?", said):
        return _at_iso_date(said, now) or _at_date(said, now)
    number = float(said)
    if number < _SINCE_1970:
        return _after_seconds(said, now)
    return datetime.fromtimestamp(number / 1000 if number > _SINCE_1970 * 100 else number, UTC)


def _longest_span(said: str, now: datetime) -> datetime | None:
    """`6m0s`, `1s`, `250ms`: what is left of a window."""
    parts = re.findall(r"([\d.]{1,9})(ms|s|m|h|d)(?![a-z])", said)
    if not parts or "".join(number + unit for number, unit in parts) != said:
        return _seconds_or_moment(said, now)
    of_unit = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    try:
        return _after_seconds(str(sum(float(number) * of_unit[unit] for number, unit in parts)), now)
    except ValueError:
        return None


def _draft_of_ietf(said: str, now: datetime) -> datetime | None:
    """`"default";r=0;t=30` or `limit=10, remaining=0, reset=30`: of several windows the one that is used up."""
    left = [
        (re.search(r"\b(?:r|remaining)=(\d+)", one), re.search(r"\b(?:t|reset)=(\d+)", one)) for one in _split(said)
    ]
    waits = [reset[1] for remaining, reset in left if reset and (remaining is None or int(remaining[1]) == 0)]
    return _after_seconds(max(waits, key=int), now) if waits else None


def _split(said: str) -> list[str]:
    return said.split(",") if '";' in said or ";t=" in said else [said]


Read = Callable[[str, datetime], datetime | None]
_COME_BACK: dict[str, Read] = {
    "retry-after": _seconds_or_date,
    "retry-after-ms": _after_milliseconds,  # Azure, OpenAI
    "x-ms-retry-after-ms": _after_milliseconds,  # Azure
}
_RESETS: dict[str, Read] = {
    "ratelimit": _draft_of_ietf,  # draft-ietf-httpapi-ratelimit-headers
    "ratelimit-reset": _seconds_or_moment,  # its earlier versions
    "x-ratelimit-reset-after": _after_seconds,
    "x-ratelimit-reset": _seconds_or_moment,  # People Data Labs: 2022-02-23T20:19:55Z, others seconds of either kind
    "x-rate-limit-reset": _seconds_or_moment,
    "x-ratelimit-reset-requests": _longest_span,  # OpenAI: 6m0s
    "anthropic-ratelimit-requests-reset": _seconds_or_moment,
    "x-hubspot-ratelimit-interval-milliseconds": _after_milliseconds,  # the length of the window, at most so long
}
"""By header, most exact first. HubSpot's, People Data Labs' and the draft's are documented by them; the rest is known
from use, not from a document."""
