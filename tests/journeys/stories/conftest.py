"""A database that the app finds up to date, and the operator's settings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import settings
from server.db import Database, migrate
from tests.journeys.stories.site import set_up


@pytest.fixture(scope="package")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file in which nothing has happened yet, to be copied."""
    path = tmp_path_factory.mktemp("stories") / "new.db"
    db = Database(f"sqlite:///{path}")
    migrate.upgrade(db)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@pytest.fixture
def fresh(_migrated: Path, tmp_path: Path, operator: None) -> Iterator[Database]:
    shutil.copy(_migrated, tmp_path / "usher.db")
    db = Database(f"sqlite:///{tmp_path}/usher.db")
    yield db
    db.close()


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    set_up(monkeypatch.setenv, tmp_path)
    yield
    monkeypatch.undo()
    settings.get.cache_clear()
