"""The whole app on a fresh database with the sample site applied, asked as a browser asks."""

from __future__ import annotations

import shutil

import pytest

from server import clock, settings
from server.app import create_app
from server.config import folder
from server.config import service as config
from server.db import Database, migrate
from server.sections import SECTIONS
from tests.conftest import MONDAY_MORNING
from tests.processes import ROOT

ORIGIN = "http://localhost:8010"


@pytest.fixture(scope="session")
def _sample_applied(tmp_path_factory):
    """An SQLite file, up to date, with the sample site; each test has a copy."""
    file = tmp_path_factory.mktemp("sample") / "sample.db"
    db = Database(f"sqlite:///{file}")
    migrate.upgrade(db)
    with clock.stopped_at(MONDAY_MORNING):
        config.apply(db, folder.load(ROOT / "server" / "sample"), author="tests", sections=SECTIONS)
    db.close()
    return file


@pytest.fixture
def app(tmp_path, monkeypatch, monday, _sample_applied):
    """The app on SQLite, its clock stopped on Monday, 2 March 2026, 08:00 UTC."""
    monkeypatch.setenv("USHER_SECRET_KEY", "a key for tests only")
    monkeypatch.setenv("USHER_RATE_LIMITS", "false")
    monkeypatch.setenv("USHER_PUBLIC_URL", "http://usher.test")
    settings.get.cache_clear()
    shutil.copyfile(_sample_applied, tmp_path / "app.db")
    db = Database(f"sqlite:///{tmp_path}/app.db")
    yield create_app(db)
    db.close()
    settings.get.cache_clear()


@pytest.fixture
def client(app):
    """Asks as a page of the site does: a browser names the page's origin."""
    return from_page(app)


def from_page(app, origin=ORIGIN):
    asking = app.test_client()
    asking.environ_base["HTTP_ORIGIN"] = origin
    return asking
