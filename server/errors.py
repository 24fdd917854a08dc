"""The errors the rooms raise. Doors turn them into answers (server/app.py).

UsherError
  Invalid 422         what was sent cannot be used; `field` names it
  SignInNeeded 401    nobody is signed in, or the token is not good
  Forbidden 403       known, but not allowed
  NotFound 404        no such thing, or not yours to see
  Conflict 409        somebody got there first
    SlotTaken 409     this time cannot be booked (any more); `alternatives` are the nearest that can
  Gone 410            it was there and has ended
  TooMany 429         slow down; `retry_after` seconds
  Unavailable 503     a part we need is not there now
  ConfigProblems 422  a site folder with faults, each with file and line
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any


class UsherError(Exception):
    """`code` is for programs, the message is one sentence for people; `extra` joins the JSON answer."""

    code = "error"
    status = 400

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code or type(self).code
        self.extra = extra

    def as_json(self) -> dict[str, Any]:
        """The one error shape: `{"error": {"code", "message", "field"?, …}}`."""
        body: dict[str, Any] = {"code": self.code, "message": self.message, **self.extra}
        if self.field:
            body["field"] = self.field
        return {"error": body}


class Invalid(UsherError):
    code = "invalid"
    status = 422


class SignInNeeded(UsherError):
    code = "sign_in_needed"
    status = 401


class Forbidden(UsherError):
    code = "forbidden"
    status = 403


class NotFound(UsherError):
    code = "not_found"
    status = 404


class Conflict(UsherError):
    code = "conflict"
    status = 409


class SlotTaken(Conflict):
    code = "slot_taken"

    def __init__(self, message: str, *, alternatives: Sequence[datetime] = (), reason: str = "") -> None:
        starts = [start.strftime("%Y-%m-%dT%H:%M:%SZ") for start in alternatives]
        super().__init__(message, alternatives=starts, reason=reason)
        self.alternatives = list(alternatives)


class Gone(UsherError):
    code = "gone"
    status = 410


class TooMany(UsherError):
    code = "too_many"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class Unavailable(UsherError):
    code = "unavailable"
    status = 503


class ConfigProblems(UsherError):
    """A site folder that cannot be applied. `problems` print as `file:line: what is wrong`."""

    code = "config_problems"
    status = 422

    def __init__(self, problems: Sequence[Any]) -> None:
        lines = [str(problem) for problem in problems]
        super().__init__("\n".join(lines), problems=lines)
        self.problems = list(problems)
