"""The conformance kit: subclass the class of your kind, give the class and its settings, run pytest.

    from plugins.testing import CRMConformance

    class TestAcme(CRMConformance):
        adapter = Acme

        @pytest.fixture
        def config(self, fake): return {"base_url": fake.url, "token": "made-up"}

A standard test may only be replaced by one marked `pytest.mark.xfail(reason=…)`.
"""

from __future__ import annotations

import pytest

KINDS = ("ai", "alerts", "crm", "calendar", "enrichment", "inbox", "marketing", "notify")
pytest.register_assert_rewrite(*(f"plugins.testing.{kind}" for kind in KINDS))
pytest.register_assert_rewrite(
    *(f"plugins.testing.{part}" for part in ("conformance", "errors", "failing", "deeds", "foreign_events", "records"))
)

# pytest must know these modules before they are imported
from plugins.testing.ai import AIConformance  # noqa: E402
from plugins.testing.calendar import CalendarConformance  # noqa: E402
from plugins.testing.crm import CRMConformance  # noqa: E402
from plugins.testing.enrichment import EnrichmentConformance  # noqa: E402
from plugins.testing.inbox import InboxConformance  # noqa: E402
from plugins.testing.marketing import MarketingConformance  # noqa: E402
from plugins.testing.notify import NotifyConformance  # noqa: E402
from plugins.testing.records import RecordsConformance  # noqa: E402
from plugins.testing.table import Means  # noqa: E402

__all__ = [
    "AIConformance",
    "CRMConformance",
    "CalendarConformance",
    "EnrichmentConformance",
    "InboxConformance",
    "MarketingConformance",
    "Means",
    "NotifyConformance",
    "RecordsConformance",
]
