"""Reading Retry-After: seconds, dates, and nonsense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.errors import PluginError
from plugins.statuses import _COME_BACK, _RESETS, LONGEST_WAIT, meaning, retry_after

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("0", timedelta(0)),
        ("1.5", timedelta(seconds=1.5)),
        (" 120 ", timedelta(minutes=2)),
        ("-5", timedelta(0)),
        ("99999999999", LONGEST_WAIT),
        ("Mon, 02 Mar 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Mon, 02 Mar 2026 13:10:00 +0100", timedelta(minutes=10)),
        ("Sun, 01 Mar 2026 12:00:00 GMT", timedelta(0)),
        ("Tue, 02 Mar 2027 12:00:00 GMT", LONGEST_WAIT),
    ],
)
def test_the_moment_is_read_and_kept_in_bounds(said: str, after: timedelta) -> None:
    assert retry_after({"RETRY-after": said}, NOON) == NOON + after


@pytest.mark.parametrize("said", ["", "soon", "nan", "inf", "12:00"])
def test_what_nobody_can_read_is_none(said: str) -> None:
    assert retry_after({"Retry-After": said}, NOON) is None


def test_without_the_header_there_is_none() -> None:
    assert retry_after({"Content-Type": "text/plain"}, NOON) is None


@pytest.mark.parametrize(
    ("header", "said", "after"),
    [
        ("Retry-After-Ms", "1500", timedelta(seconds=1.5)),
        ("x-ms-retry-after-ms", "90000", timedelta(seconds=90)),
        ("RateLimit", '"default";r=0;t=30', timedelta(seconds=30)),
        ("RateLimit", '"burst";r=7;t=2, "daily";r=0;t=3600', timedelta(hours=1)),
        ("RateLimit", "limit=10, remaining=0, reset=30", timedelta(seconds=30)),
        ("RateLimit-Reset", "50", timedelta(seconds=50)),
        ("X-RateLimit-Reset", "1772452860", timedelta(minutes=1)),
        ("X-RateLimit-Reset", "1772452860000", timedelta(minutes=1)),
        ("X-RateLimit-Reset", "2026-03-02T12:00:55Z", timedelta(seconds=55)),
        ("X-RateLimit-Reset", "59", timedelta(seconds=59)),
        ("X-RateLimit-Reset-Requests", "6m0s", timedelta(minutes=6)),
        ("x-ratelimit-reset-requests", "1m30.5s", timedelta(seconds=90.5)),
        ("x-ratelimit-reset-requests", "250ms", timedelta(seconds=0.25)),
        ("anthropic-ratelimit-requests-reset", "2026-03-02T12:02:00Z", timedelta(minutes=2)),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000", timedelta(seconds=10)),
    ],
)
def test_what_services_send_in_its_place_is_read_when_they_refuse(header: str, said: str, after: timedelta) -> None:
    assert retry_after({header: said}, NOON, refused=True) == NOON + after
    sooner = {header: said, "Retry-After": "5"}
    assert retry_after(sooner, NOON, refused=True) == NOON + timedelta(seconds=5)


def test_the_reset_of_a_rate_says_nothing_about_an_error_of_another_kind() -> None:
    headers = {"X-RateLimit-Reset": "3600", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}
    assert retry_after(headers, NOON) is None


@given(st.text(), st.sampled_from([*_COME_BACK, *_RESETS]))
def test_no_text_makes_it_fail(said: str, header: str) -> None:
    at = retry_after({header: said}, NOON, refused=True)
    assert at is None or NOON <= at <= NOON + LONGEST_WAIT


@given(st.from_regex(r"[0-9.;,=a-z\"TZ:+-]{0,30}"), st.sampled_from([*_COME_BACK, *_RESETS]))
def test_nothing_that_looks_like_one_makes_it_fail(said: str, header: str) -> None:
    at = retry_after({header: said}, NOON, refused=True)
    assert at is None or NOON <= at <= NOON + LONGEST_WAIT


@given(st.integers(100, 599), st.booleans())
def test_every_status_but_2xx_has_a_meaning(status: int, repeatable: bool) -> None:
    kind = meaning(status, repeatable=repeatable)
    assert kind is None if 200 <= status < 300 else kind is not None and issubclass(kind, PluginError)
