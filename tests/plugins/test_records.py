"""The records in memory keep what every implementation of Records must keep."""

from __future__ import annotations

import pytest

from plugins.records import MemoryRecords, Records
from plugins.testing import RecordsConformance


class TestMemoryRecords(RecordsConformance):
    @pytest.fixture
    def records(self) -> Records:
        return MemoryRecords()
