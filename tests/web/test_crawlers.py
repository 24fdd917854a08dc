"""Known crawlers leave no trace, browsers of people are let in, and looking changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from sqlalchemy import func, select

from server import clock, settings
from server.app import create_app
from server.booking import service as booking
from server.config import folder
from server.config import service as config
from server.db import Database, metadata
from server.web.callers import LIBRARY, is_crawler
from tests.conftest import MONDAY_MORNING, import_all_tables
from tests.processes import ROOT
from tests.web.conftest import ORIGIN

GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
HEADLESS = f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} HeadlessChrome/142.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
PEOPLE = (
    "",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML, like Gecko) Version/26.0 Safari/605.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    f"Mozilla/5.0 (Linux; Android 13; CUBOT X30) {KHTML} Chrome/120.0 Mobile Safari/537.36",
    f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0.41.99;FBDV/iPhone15,2;FBSN/iOS;FBSV/17.5;FBLC/de_DE]",
    f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.29.8962",
    f"{IPHONE} GSA/318.0.630203089 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.42(0x18002a2a) NetType/WIFI Language/zh_CN",
    "python-requests/2.32.3",  # a site's own server may book
)
PAGE = {"url": ORIGIN, "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}
HELLO = {"t": "hello", "site": "acme", "seed": "s", "page": PAGE, "device": "desktop", "locale": "en", "zone": "UTC"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """One app for all these tests: they compare what was before with what is after."""
    with pytest.MonkeyPatch.context() as patch, clock.stopped_at(MONDAY_MORNING):
        patch.setenv("USHER_SECRET_KEY", "a key for tests only")
        patch.setenv("USHER_RATE_LIMITS", "false")
        settings.get.cache_clear()
        db = Database(f"sqlite:///{tmp_path_factory.mktemp('crawlers')}/app.db")
        built = create_app(db)
        config.apply(db, folder.load(ROOT / "server" / "sample"), author="tests")
        yield built
        db.close()
    settings.get.cache_clear()


@pytest.fixture
def client(app):
    return app.test_client()


def counts(app):
    import_all_tables()
    with app.extensions["usher_db"].reading() as tx:
        tables = metadata.tables.values()
        return {table.name: tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def hello(client, agent, **headers):
    said = {"frames": [HELLO], "wait": False}
    return client.post("/v1/chat", json=said, headers={"Origin": ORIGIN, "User-Agent": agent, **headers})


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_and_programs_of_the_site_are_no_crawlers(agent):
    assert not is_crawler(agent)


def test_every_crawler_of_the_list_is_known_by_its_own_examples():
    missed = [
        agent
        for one in CRAWLER_USER_AGENTS_DATA
        if LIBRARY not in one.get("tags", ())
        for agent in one["instances"][:1]
        if not is_crawler(agent) and "HeadlessChrome" not in agent
    ]
    assert missed == []


def test_a_crawler_sees_the_site_and_leaves_no_trace(app, client):
    before = counts(app)
    config = {"Origin": ORIGIN, "User-Agent": GOOGLE}
    assert client.get("/v1/sites/acme/config", headers=config).status_code == 200
    refused = hello(client, GOOGLE)
    assert (refused.status_code, "Crawlers are not served" in refused.text) == (403, True)
    start = {"site": "acme", "meeting": "demo", "start": "2026-03-02T10:00:00Z"}
    for path, body in (
        ("/v1/holds", start),
        ("/v1/meetings", {"site": "acme", "hold": "x", "name": "x", "email": "x"}),
    ):
        answer = client.post(path, json=body, headers=config)
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "crawler")
    assert counts(app) == before
    assert hello(client, PEOPLE[1]).status_code == 200  # the same from a person makes a visitor
    assert counts(app)["visitors"] == before["visitors"] + 1


def test_automated_browsers_are_let_in_until_the_operator_says_no(app, client, monkeypatch):
    assert hello(client, HEADLESS).status_code == 200
    monkeypatch.setenv("USHER_ADMITTED_CRAWLERS", "googlebot, pingdom")
    settings.get.cache_clear()
    assert hello(client, HEADLESS).status_code == 403
    assert hello(client, GOOGLE).status_code == 200
    monkeypatch.undo()
    settings.get.cache_clear()


def test_a_thousand_page_views_leave_no_row_in_any_table(app, client):
    before = counts(app)
    for n in range(1000):
        answer = client.get("/v1/sites/acme/config", headers={"Origin": ORIGIN, "User-Agent": PEOPLE[n % 5]})
        assert answer.status_code == 200
    assert counts(app) == before


def test_looking_at_a_meetings_page_changes_nothing(app, client):
    db = app.extensions["usher_db"]
    with db.transaction() as tx:
        version = config.active(tx, "acme")
        held = booking.hold(tx, version, meeting="demo", start=datetime(2026, 3, 2, 10, tzinfo=UTC))
        booking.confirm(tx, version, held.id, name="Ada", email="ada@globex.example")
    before = contents(db)
    path = f"/m/{booking.token_of(held.id)}"
    links = [path, *(f"{path}/{page}" for page in ("invite.ics", "cancel", "reschedule"))]
    asked = [(link, agent) for link in links for agent in (GOOGLE, IPHONE)]
    answers = [client.get(link, headers={"User-Agent": agent}).status_code for link, agent in asked]
    assert 200 in answers
    assert contents(db) == before


def contents(db):
    import_all_tables()
    with db.reading() as tx:
        whole = {name: [list(row) for row in tx.execute(select(table))] for name, table in metadata.tables.items()}
    return json.dumps(whole, default=str)
