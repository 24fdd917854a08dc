"""What Google's refusals mean for the caller, by the reason they name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from plugins.calendar.google.errors import meaning_of
from plugins.http import Call, Reply

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "rateLimitExceeded", "RateLimited"),
        (403, "userRateLimitExceeded", "RateLimited"),
        (403, "quotaExceeded", "QuotaExhausted"),
        (403, "dailyLimitExceeded", "QuotaExhausted"),
        (403, "forbiddenForServiceAccounts", "PermissionDenied"),
        (403, "insufficientPermissions", "PermissionDenied"),
        (403, "accessNotConfigured", "ConfigError"),
        (401, "push.webhookUrlUnauthorized", "ConfigError"),
        (403, "forbidden", "PermissionDenied"),
        (403, "forbiddenForNonOrganizer", "Permanent"),
        (404, "notFound", "NotFound"),
        (409, "duplicate", "Duplicate"),
        (410, "deleted", "NotFound"),
        (412, "conditionNotMet", "Conflict"),
        (400, "timeRangeEmpty", "InvalidInput"),
    ],
)
def test_each_reason_says_what_to_do(status: int, reason: str, kind: str) -> None:
    error = meaning_of(refused(status, reason), now=lambda: NOW)
    assert type(error).__name__ == kind
    assert error is not None
    assert (error.http_status, error.vendor_code) == (status, reason)


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "rateLimitExceeded"), (401, "authError"), (503, "backendError"), (403, "new")]
)
def test_what_the_status_says_by_itself_is_left_to_it(status: int, reason: str) -> None:
    assert meaning_of(refused(status, reason), now=lambda: NOW) is None


def test_an_allowance_comes_back_when_google_says_or_after_midnight_in_california() -> None:
    def back(reason: str, **headers: str) -> datetime | None:
        error = meaning_of(refused(403, reason, **headers), now=lambda: NOW)
        assert error is not None
        return error.retry_after

    assert back("dailyLimitExceeded") == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert back("quotaExceeded") == NOW + timedelta(hours=1)
    assert back("rateLimitExceeded", retry_after="30") == NOW + timedelta(seconds=30)
    assert back("rateLimitExceeded") is None


@pytest.mark.parametrize(
    "body", [b"", b"no", b"[]", b'{"error": "no"}', b'{"error": {"errors": []}}', b'{"error": null}']
)
def test_a_refusal_in_other_words_is_judged_by_its_status(body: bytes) -> None:
    assert meaning_of(replace(refused(403, ""), body=body), now=lambda: NOW) is None


def refused(status: int, reason: str, **headers: str) -> Reply:
    one = {"domain": "global", "reason": reason, "message": "no"}
    body = json.dumps({"error": {"errors": [one], "code": status, "message": "no"}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(Call("update", "PATCH", "https://www.googleapis.com/calendar/v3/x", False), status, named, body)
