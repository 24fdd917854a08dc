"""Real CalDAV servers, one of each in a process, ways to them that can be interfered with, and the adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from plugins.calendar.caldav import CalDav
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.conformance import LOOPBACK
from plugins.testing.fakes import Passing
from tests.plugins.calendar.between import Between, between
from tests.plugins.calendar.xandikos import xandikos
from tests.radicale import PASSWORD, USER, CalendarServer, radicale

Open = Callable[..., CalDav]
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


@pytest.fixture(scope="session")
def failing_radicale(way_to_radicale: Between) -> Iterator[Passing]:
    with Passing(way_to_radicale.url) as fake:
        yield fake


@pytest.fixture(scope="session")
def failing_xandikos(way_to_xandikos: Between) -> Iterator[Passing]:
    with Passing(way_to_xandikos.url) as fake:
        yield fake


@pytest.fixture
def fresh() -> str:
    """A name that no other test uses."""
    return f"calendar {next(_fresh)}"


@pytest.fixture
def way(way_to_radicale: Between) -> Between:
    way_to_radicale.seen.clear()
    return way_to_radicale


@pytest.fixture
def adapter(way: Between) -> Iterator[Open]:
    """Opens the adapter with settings that differ from the good ones; the operator allows loopback unless said."""
    opened: list[CalDav] = []

    def open_one(*, private: tuple[str, ...] = LOOPBACK, **given: Any) -> CalDav:
        settings = {"url": way.url, "user": USER, "password": PASSWORD, **given}
        opened.append(
            Registry(discover=list).open("calendar", "caldav", settings, records=MemoryRecords(), private=private)
        )
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def calendar(of_radicale: CalendarServer, fresh: str) -> str:
    return of_radicale.calendar(fresh, zone="Europe/Berlin")
