"""A site, the Rolodex with its authorization server, and people who connect it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from server import settings
from server.adapters import connections
from server.config import folder
from server.config import service as config
from server.db import Database
from server.events import Actor
from server.settings import ROOT
from tests.adapters import rolodex
from tests.adapters.rolodex import RolodexFake

OLGA = Actor("user", "usr_olga", "Olga")
BROWSER = "the secret of Olga's session"


@pytest.fixture(scope="package")
def _rolodex() -> Iterator[RolodexFake]:
    with rolodex.offered(), RolodexFake() as fake:
        yield fake


@pytest.fixture
def service(_rolodex: RolodexFake, monkeypatch: pytest.MonkeyPatch) -> Iterator[RolodexFake]:
    """The Rolodex, which this server may call although it stands on loopback."""
    _rolodex.reset()
    _rolodex.redirects = {"http://127.0.0.1:8000/connections/callback"}
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    yield _rolodex
    monkeypatch.undo()
    settings.get.cache_clear()


@pytest.fixture
def version(db: Database) -> Any:
    """Acme with the built-in adapters."""
    return apply(db)


def apply(db: Database, **adapters: Any) -> Any:
    """Acme's folder, with these adapters."""
    files = folder.load(ROOT / "server" / "sample")
    if adapters:
        kept = [line for line in files["site.yml"].splitlines() if not line.startswith("adapters:")]
        names = ", ".join(f"{kind}: {name}" for kind, name in adapters.items())
        files["site.yml"] = "\n".join([*kept, f"adapters: {{{names}}}"]) + "\n"
    return config.apply(db, files, author="owner@acme.example")


@pytest.fixture
def people(db: Database, version: Any, service: RolodexFake) -> Any:
    """What people at the console do."""
    return Console(db, version, service)


@pytest.fixture
def people_of(service: RolodexFake) -> Any:
    """The same on a database of the test's choice."""
    return lambda db: Console(db, apply(db), service)


class Console:
    """Olga connects things."""

    def __init__(self, db: Database, version: Any, service: RolodexFake) -> None:
        self.db, self.version, self.service = db, version, service

    def draft(self, kind: str = "crm", name: str = "rolodex", rep: str = "", **settings: str) -> Any:
        secret = {n: v for n, v in settings.items() if n in ("client_secret", "api_key")}
        plain = {"base_url": self.service.url} if "base_url" not in settings and not rep else {}
        plain |= {n: v for n, v in settings.items() if n not in secret}
        given = connections.Given(plain, secret)
        return connections.draft(self.db, self.version, kind, name, given=given, actor=OLGA, rep=rep)

    def app(self) -> dict[str, str]:
        return {"client_id": self.service.client_id, "client_secret": self.service.client_secret}

    def leave(self, fresh: Any = None, browser: str = BROWSER) -> str:
        """Off to the service; where it would send the browser back to."""
        address = connections.begin(self.db, fresh or self.draft(**self.app()), browser=browser, actor=OLGA)
        answer = requests.get(address, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def come_back(self, address: str, browser: str = BROWSER, actor: Actor = OLGA) -> Any:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        told = SimpleNamespace(**{"state": "", "code": "", "error": "", "error_description": "", **asked})
        answer = connections.Answer(told.state, told.code, told.error, told.error_description)
        return connections.finish(self.db, answer, browser=browser, actor=actor)

    def signed_in(self, **more: Any) -> Any:
        return self.come_back(self.leave(self.draft(**self.app(), **more)))

    def with_key(self, key: str = rolodex.KEY) -> Any:
        return connections.connect(self.db, self.draft(api_key=key), actor=OLGA)

    def serving(self, kind: str = "crm", rep: str = "") -> Any:
        with self.db.reading() as tx:
            return connections.serving(tx, self.version, kind, rep)

    def found(self, connection_id: str) -> Any:
        with self.db.reading() as tx:
            return connections.get(tx, connection_id)


def environment(patch: pytest.MonkeyPatch, **values: str) -> None:
    """The operator sets these."""
    for name, value in values.items():
        patch.setenv(name, value)
    assert os.environ
    settings.get.cache_clear()
