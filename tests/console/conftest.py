"""The real app on a database in which the story was told, and people who are signed in to it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server import clock, settings
from server.app import create_app
from server.db import Database, migrate
from tests.conftest import MONDAY_MORNING
from tests.console import story as told
from tests.console.story import PASSWORD, Story

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Desk:
    """A browser at the console: posts carry the token of a page it has seen."""

    def __init__(self, app: Flask, email: str = "") -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        if email:
            assert self.sign_in(email).status_code == 303

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def text(self, path: str) -> str:
        found = self.get(path)
        assert found.status_code == 200, (path, found.status_code, found.text[:300])
        return found.text

    def post(self, path: str, form: dict[str, str] | None = None, **more: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, **more)

    def sign_in(self, email: str, password: str = PASSWORD, **form: str) -> TestResponse:
        return self.post("/sign-in", {"email": email, "password": password, **form})

    def token(self) -> str:
        page = self.get("/account")
        found = TOKEN.search(page.text if page.status_code == 200 else self.get("/sign-in").text)
        assert found is not None
        return found[1]

    def said(self) -> str:
        """The notice on the next page."""
        found = re.search(r'<p class="notice[^>]*>(.*?)</p>', self.text("/account"), re.DOTALL)
        return found[1] if found else ""


@pytest.fixture(scope="package")
def told_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Story]:
    """A database file with the story in it, to be copied."""
    path = tmp_path_factory.mktemp("console") / "told.db"
    db = Database(f"sqlite:///{path}")
    migrate.upgrade(db)
    with clock.stopped_at(MONDAY_MORNING):
        story = told.tell(db)
        told.deliver(db)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path, story


@pytest.fixture(scope="package")
def _settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USHER_SECRET_KEY", "a key for tests only")
        patch.setenv("USHER_ASSETS_DIR", str(tmp_path_factory.mktemp("build") / "assets"))
        settings.get.cache_clear()
        yield
    settings.get.cache_clear()


@pytest.fixture(scope="package")
def open_app(_settings: None, told_once: tuple[Path, Story]) -> Callable[[Path], Flask]:
    """Build the app on a copy of the story in a folder."""

    def build(folder: Path) -> Flask:
        shutil.copy(told_once[0], folder / "usher.db")
        return create_app(Database(f"sqlite:///{folder}/usher.db"))

    return build


@pytest.fixture
def app(open_app: Callable[[Path], Flask], tmp_path: Path, monday: clock.StoppedClock) -> Iterator[Flask]:
    built = open_app(tmp_path)
    yield built
    built.extensions["usher_db"].close()


@pytest.fixture
def db(app: Flask) -> Database:
    found: Database = app.extensions["usher_db"]
    return found


@pytest.fixture
def story(told_once: tuple[Path, Story]) -> Story:
    return told_once[1]


@pytest.fixture
def desk(app: Flask) -> Callable[..., Desk]:
    """`desk("grace")`: Grace is signed in; `desk()`: nobody is."""
    return lambda name="": Desk(app, f"{name}@acme.example" if name else "")
