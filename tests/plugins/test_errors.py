"""Every error says by itself what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugins import errors
from plugins.errors import PluginError, QuotaExhausted, RateLimited, Retry, Transient

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PluginError)]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_no_two_classes_share_a_code() -> None:
    codes = [kind.code for kind in ALL]
    assert len(codes) == len(set(codes)) >= 14


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_class_is_data_for_the_outbox(kind: type[PluginError]) -> None:
    error = kind("no luck", adapter="crm.acme", http_status=418)
    told = error.as_json()
    assert told["code"] == kind.code
    assert told["retry"] in set(Retry)
    assert told["user_message"].endswith(".")
    assert (kind.__doc__ or "").strip()


def test_an_error_is_named_once_by_whoever_knows_more() -> None:
    error = Transient("no luck", operation="find").at("crm.acme", "call")
    assert str(error) == "crm.acme find: no luck"


def test_a_quota_without_a_reset_is_not_tried_again_by_itself() -> None:
    assert QuotaExhausted("empty").retry is Retry.NEVER
    assert QuotaExhausted("empty", retry_after=NOON).retry is Retry.AT
    assert RateLimited("slow").retry is Retry.AT
