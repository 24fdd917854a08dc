"""The table of errors: what a service may answer, and what an adapter has to make of it. Data; the tests are in
`errors.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    ConfigError,
    Conflict,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    RateLimited,
    Transient,
)
from plugins.testing.fakes import Fault

WAIT = timedelta(seconds=120)
"""How long the service asks us to stay away, in the two rows that say so."""
SLOW_SECONDS = 2.0
PATIENCE_SECONDS = 0.3
Errors = tuple[type[PluginError], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One way to fail. `read` and `write` are the errors that say what the caller has to do then; `status` None is for
    answers that look well. `harmless`: a writing may also succeed, when it does not need the answer that was spoilt."""

    name: str
    read: Errors
    write: Errors
    status: int | None = None
    wait: str = ""
    fault: Fault | None = None
    harmless: bool = False

    def made_of(self, error: Callable[[int], Fault]) -> Fault:
        """The fault itself, in the vendor's words where it has a status."""
        if self.fault:
            return self.fault
        assert self.status
        fault = error(self.status)
        return replace(fault, headers={**fault.headers, **self._waiting()})

    def _waiting(self) -> dict[str, str]:
        if not self.wait:
            return {}
        date = format_datetime(datetime.now(UTC) + WAIT, usegmt=True)
        return {"Retry-After": date if self.wait == "date" else str(int(WAIT.total_seconds()))}

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Means:
    """What an answer means at this service where it is not what the table says: `error`, or None when the deed counts
    as done (reading: as nothing found). `because` is shown in the report."""

    error: type[PluginError] | None
    because: str


UNSURE: Errors = (AmbiguousOutcome, Transient)
"""Sent without an answer. Transient is right where the key makes sending it twice harmless."""
UNREADABLE: Errors = (Transient, AmbiguousOutcome, Permanent, AuthError, ConfigError)
SHAPELESS: Errors = (PluginError,)
PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Please sign in</body></html>"
BLANK = b"{" + b" " * 200 + b"}"

BOTH = (
    Row("401", (AuthError,), (AuthError,), 401),
    Row("403", (PermissionDenied,), (PermissionDenied,), 403),
    Row("404", (NotFound,), (NotFound,), 404),
    Row("429 in seconds", (RateLimited,), (RateLimited,), 429, wait="seconds"),
    Row("429 until a date", (RateLimited,), (RateLimited,), 429, wait="date"),
    Row("500", (Transient,), UNSURE, 500),
    Row("503", (Transient,), UNSURE, 503),
    Row("half an answer", (Transient,), UNSURE, fault=Fault(cut=True), harmless=True),
    Row("page of HTML", UNREADABLE, UNREADABLE, fault=Fault(200, PAGE, "text/html; charset=utf-8")),
)
WRITE_ONLY = (
    Row("409", (Conflict,), (Conflict,), 409),
    Row("412", (Conflict,), (Conflict,), 412),
)
ELSEWHERE = (
    *(row for row in BOTH if row.name in ("401", "429 in seconds", "503")),
    Row("cut line", UNSURE, UNSURE, fault=Fault(500, drop=True)),
)
"""For what is written beside the first writing."""
LACKING = (
    Row("200 with {}", SHAPELESS, SHAPELESS, fault=Fault(200, b"{}", done=True), harmless=True),
    Row("200 with []", SHAPELESS, SHAPELESS, fault=Fault(200, b"[]", done=True), harmless=True),
)
"""Valid JSON without what was asked for; a writing is done and may succeed, when it does not need the answer."""
SLOW = Row("slow body", (Transient,), UNSURE, fault=Fault(200, BLANK, done=True, drip_seconds=SLOW_SECONDS))
IN_200 = "error in 200"
ANY = "*"


def repeating(secrets: Sequence[str]) -> Fault:
    """An answer that says our secrets back to us, in the shapes that services have for their errors."""
    said = f"not good: {' '.join(secrets)}"
    body: dict[str, Any] = {"error": {"message": said}, "message": said, "detail": said, "error_description": said}
    return Fault(400, json.dumps({**body, "errors": [{"message": said}]}).encode())
