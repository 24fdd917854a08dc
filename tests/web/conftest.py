"""The whole app on a fresh database with the sample site applied, asked as a browser asks."""

from __future__ import annotations

import pytest

from server import settings
from server.app import create_app
from server.config import folder
from server.config import service as config
from server.db import Database
from server.sections import SECTIONS
from tests.processes import ROOT

ORIGIN = "http://localhost:8010"


@pytest.fixture
def app(tmp_path, monkeypatch, monday):
    """The app on SQLite, its clock stopped on Monday, 2 March 2026, 08:00 UTC."""
    monkeypatch.setenv("USHER_SECRET_KEY", "a key for tests only")
    monkeypatch.setenv("USHER_RATE_LIMITS", "false")
    monkeypatch.setenv("USHER_PUBLIC_URL", "http://usher.test")
    settings.get.cache_clear()
    db = Database(f"sqlite:///{tmp_path}/app.db")
    app = create_app(db)
    config.apply(db, folder.load(ROOT / "server" / "sample"), author="tests", sections=SECTIONS)
    yield app
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
