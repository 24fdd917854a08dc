"""A made-up environment of Dynamics 365, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.testing.fakes.dataverse import DataverseFake


@pytest.fixture(scope="package")
def service() -> Iterator[DataverseFake]:
    with DataverseFake() as fake:
        yield fake


@pytest.fixture
def fake(service: DataverseFake) -> DataverseFake:
    service.reset()
    return service
