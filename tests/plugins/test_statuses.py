"""Reading Retry-After: seconds, dates, and nonsense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.errors import PluginError
from plugins.statuses import LONGEST_WAIT, meaning, retry_after

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


@given(st.text())
def test_no_text_makes_it_fail(said: str) -> None:
    at = retry_after({"Retry-After": said}, NOON)
    assert at is None or NOON <= at <= NOON + LONGEST_WAIT


@given(st.integers(100, 599), st.booleans())
def test_every_status_but_2xx_has_a_meaning(status: int, repeatable: bool) -> None:
    kind = meaning(status, repeatable=repeatable)
    assert kind is None if 200 <= status < 300 else kind is not None and issubclass(kind, PluginError)
