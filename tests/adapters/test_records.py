"""The table keeps records as the adapters' contract says, also when writers meet."""

from __future__ import annotations

import pytest

from plugins.testing.records import RecordsConformance
from server.adapters.records import TableRecords


class TestTableRecords(RecordsConformance):
    @pytest.fixture
    def records(self, db):
        return TableRecords(db, "sit_1")


def test_sites_do_not_see_each_other(db):
    TableRecords(db, "sit_1").put("k", "a", {"n": 1})
    assert TableRecords(db, "sit_2").get("k", "a") is None
