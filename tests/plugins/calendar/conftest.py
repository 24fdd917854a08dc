"""Real CalDAV servers, one of each for all tests of a process, and ways to them that can be interfered with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.plugins.calendar.between import Between, between
from tests.plugins.calendar.xandikos import xandikos
from tests.radicale import CalendarServer, radicale

_fresh = count()


@pytest.fixture(scope="session")
def of_radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="session")
def of_xandikos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture(scope="session")
def way_to_radicale(of_radicale: CalendarServer) -> Iterator[Between]:
    with between(of_radicale.url) as way:
        yield way


@pytest.fixture(scope="session")
def way_to_xandikos(of_xandikos: CalendarServer) -> Iterator[Between]:
    with between(of_xandikos.url) as way:
        yield way


@pytest.fixture
def fresh() -> str:
    """A name that no other test uses."""
    return f"calendar {next(_fresh)}"
