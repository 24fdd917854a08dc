"""The CalDAV adapter keeps the contract with two real servers, Radicale and Xandikos."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from plugins.calendar.caldav import CalDav
from plugins.testing import CalendarConformance
from tests.plugins.calendar.xandikos import xandikos
from tests.radicale import CalendarServer, radicale

fresh = count()


@pytest.fixture(scope="module")
def of_radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="module")
def of_xandikos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


class OnServer(CalendarConformance):
    adapter = CalDav

    @pytest.fixture
    def server(self) -> CalendarServer:
        raise NotImplementedError

    @pytest.fixture
    def config(self, server: CalendarServer) -> dict[str, Any]:
        return {"url": server.url, "user": server.user or "anybody", "password": server.password or "any word"}

    @pytest.fixture
    def calendar(self, server: CalendarServer) -> str:
        return server.calendar(f"Calendar {next(fresh)}", zone="Europe/Berlin")


class TestOnRadicale(OnServer):
    @pytest.fixture
    def server(self, of_radicale: CalendarServer) -> CalendarServer:
        return of_radicale


class TestOnXandikos(OnServer):
    @pytest.fixture
    def server(self, of_xandikos: CalendarServer) -> CalendarServer:
        return of_xandikos
