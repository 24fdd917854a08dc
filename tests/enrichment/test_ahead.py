"""On page load: with consent the network is looked up before the chat is opened, and nothing of the visitor is kept."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from server import settings
from server.app import create_app
from server.db import Database, metadata, migrate
from tests.enrichment.conftest import GLOBEX, placed
from tests.processes import wait_until

ORIGIN = {"Origin": "http://localhost:8010"}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def db(tmp_path, monkeypatch):
    monkeypatch.setenv("USHER_SECRET_KEY", "a key for tests only")
    monkeypatch.setenv("USHER_RATE_LIMITS", "false")
    settings.get.cache_clear()
    found = Database(f"sqlite:///{tmp_path}/ahead.db")
    migrate.upgrade(found)
    yield found
    found.close()
    monkeypatch.undo()
    settings.get.cache_clear()


def arrive(client: FlaskClient, **headers: str) -> int:
    given = {**ORIGIN, "User-Agent": BROWSER, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post("/v1/sites/acme/arrivals", headers=given, environ_base={"REMOTE_ADDR": GLOBEX}).status_code


def rows(db: Database) -> dict[str, int]:
    with db.reading() as tx:
        counting = {name: select(func.count()).select_from(table) for name, table in metadata.tables.items()}
        return {name: int(tx.execute(count).scalar() or 0) for name, count in counting.items()}


def test_who_agreed_is_known_before_the_chat_is_opened_and_nothing_is_kept_of_them(db: Database, fake):
    place = placed(db, fake, "enrichment: {when: page_load}", "consent: none")
    client = create_app(db).test_client()
    before = rows(db)
    assert client.get("/v1/sites/acme/config", headers=ORIGIN).json["ahead"] is True
    assert arrive(client) == 204
    wait_until(lambda: rows(db)["enrichment_answers"] == 2, what="the look-up")
    grown = {name for name, count in rows(db).items() if count != before[name]}
    assert grown <= {"enrichment_answers", "enrichment_spending", "connections"}
    wait_until(lambda: len(place.asked) == 2, what="both answers")
    assert place.hello().messages[0]["text"] == "Hello Globex!"
    assert len(place.asked) == 2


def test_crawlers_discreet_browsers_foreign_pages_and_other_sites_are_never_asked_about(db: Database, fake):
    placed(db, fake, "enrichment: {when: page_load}")
    client = create_app(db).test_client()
    assert arrive(client, User_Agent=CRAWLER) == 403
    assert arrive(client, Sec_GPC="1") == 204
    assert arrive(client, DNT="1") == 204
    assert arrive(client, Origin="https://evil.example") == 403
    placed(db, fake, "enrichment: {when: engagement}")
    assert "ahead" not in client.get("/v1/sites/acme/config", headers=ORIGIN).json
    assert arrive(client) == 204
    assert (fake.asked, rows(db)["enrichment_answers"]) == ([], 0)
