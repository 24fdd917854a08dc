"""`usher doctor` names connections that are broken, that no key opens, and that belong to nobody any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.errors import AuthError
from server import ids, settings
from server.adapters import connections, own_calendars
from server.cli import doctor_connections
from server.config import folder
from server.config import service as config
from server.config.service import Version
from server.db import Database
from server.events import SYSTEM
from tests.adapters import rolodex
from tests.adapters.rolodex import KEY, RolodexFake
from tests.processes import ROOT


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[RolodexFake]:
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    with rolodex.offered(), RolodexFake() as running:
        yield running
    settings.get.cache_clear()


@pytest.fixture
def version(sqlite_db: Database) -> Version:
    return config.apply(sqlite_db, folder.load(ROOT / "server" / "sample"), author="tests")


def connect(db: Database, version: Version, fake: RolodexFake, kind: str, name: str, rep: str = "") -> str:
    given = connections.Given({"base_url": fake.url}, {"api_key": KEY})
    fresh = connections.draft(db, version, kind, name, rep=rep, given=given, actor=SYSTEM)
    return str(connections.connect(db, fresh, actor=SYSTEM).id)


def said(db: Database) -> list[tuple[str, str, str]]:
    return [(one.mark, one.what, one.says) for one in doctor_connections.examine(db)]


def test_connections_that_work_are_counted(sqlite_db: Database, version: Version, fake: RolodexFake) -> None:
    assert said(sqlite_db) == []
    connect(sqlite_db, version, fake, "crm", "rolodex")
    assert said(sqlite_db) == [("ok", "acme connections", "1, none broken")]


def test_a_broken_connection_is_a_fault_with_its_sentence(
    sqlite_db: Database, version: Version, fake: RolodexFake
) -> None:
    id = connect(sqlite_db, version, fake, "crm", "rolodex")
    with sqlite_db.transaction() as tx:
        connections.failed(tx, id, AuthError("no", user_message="Sign in again."))
    assert said(sqlite_db) == [("FAULT", "acme crm.rolodex", f"Sign in again. ({id})")]


def test_a_connection_whose_secrets_no_key_opens_is_a_fault_before_anybody_uses_it(
    sqlite_db: Database, version: Version, fake: RolodexFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = connect(sqlite_db, version, fake, "crm", "rolodex")
    monkeypatch.setattr(ids, "_key", b"another key of thirty-two signs or so")
    [(mark, what, says)] = said(sqlite_db)
    assert (mark, what) == ("FAULT", "acme crm.rolodex")
    assert says == f"A secret was stored under another USHER_SECRET_KEY and cannot be read. ({id})"


def test_a_calendar_of_somebody_who_left_the_team_is_named(
    sqlite_db: Database, version: Version, fake: RolodexFake
) -> None:
    id = connect(sqlite_db, version, fake, "calendar", "keyed", rep="grace")
    assert [mark for mark, _, _ in said(sqlite_db)] == ["ok"]
    with sqlite_db.reading() as tx:
        [left] = own_calendars.of_nobody(tx, version.site_id, {"linus"})
    assert left.id == id
    files = folder.load(ROOT / "server" / "sample")
    files["team.yml"] = files["team.yml"].replace("id: grace", "id: gracia").replace("grace,", "gracia,")
    files["team.yml"] = files["team.yml"].replace("grace]", "gracia]")
    config.apply(sqlite_db, files, author="tests")
    [(mark, what, says)] = said(sqlite_db)
    assert (mark, what) == ("note", "acme calendar.keyed of grace")
    assert "not on the team any more" in says
