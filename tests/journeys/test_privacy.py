"""Real pages, real server: readers leave nothing, consent decides what is kept, an erased visitor is nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select

from server.config import folder
from server.config import service as config
from server.db import Database, metadata
from server.sections import SECTIONS
from tests.conftest import import_all_tables
from tests.journeys.conftest import DESKTOP, Town
from tests.processes import wait_until

pytestmark = pytest.mark.browser

PATHS = ("/", "/pricing", "/product", "/security", "/blog/getting-started")
KEPT = "() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]"
LOADED = "() => performance.getEntriesByType('resource').map((it) => it.name).join(' ')"
NOTHING: list[Any] = [[], [], ""]
EVE = "eve@globex.example"


@pytest.fixture
def db(town: Town) -> Iterator[Database]:
    import_all_tables()
    opened = Database(town.environment["USHER_DATABASE_URL"])
    yield opened
    opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**DESKTOP, locale="en-GB", timezone_id="Europe/Berlin")
    yield context.new_page()
    context.close()


def counts(db: Database) -> dict[str, int]:
    with db.reading() as tx:
        tables = metadata.tables.items()
        return {name: tx.execute(select(func.count()).select_from(table)).scalar_one() for name, table in tables}


def rows(db: Database, name: str) -> list[dict[str, Any]]:
    with db.reading() as tx:
        return [dict(row._mapping) for row in tx.execute(select(metadata.tables[name]))]


def ask_for_consent(town: Town, db: Database, mode: str) -> None:
    files = folder.load(town.data / "site")
    files["site.yml"] = files["site.yml"].replace("\nconsent: on-open", f"\nconsent: {mode}")
    config.apply(db, files, author="journey", sections=SECTIONS)


def read(pages: int, town: Town, page: Page) -> tuple[list[str], list[str]]:
    """What was asked of Usher, and which sockets were opened."""
    asked: list[str] = []
    sockets: list[str] = []
    page.on("request", lambda it: it.url.startswith(town.usher_url) and asked.append(it.url[len(town.usher_url) :]))
    page.on("websocket", lambda it: sockets.append(it.url))
    for n in range(pages):
        page.goto(town.site_url + PATHS[n % len(PATHS)])
        page.evaluate("Usher.ready")
        if n % 4 == 0:
            page.mouse.move(200 + n, 300)
            wait_until(lambda: "/greet-" in page.evaluate(LOADED), what="the page's rules")
            page.evaluate("scrollTo(0, 900)")
    return asked, sockets


@pytest.mark.parametrize(("mode", "pages"), [("on-open", 15), ("external", 3)])
def test_who_only_reads_leaves_nothing_on_either_side(
    town: Town, db: Database, page: Page, mode: str, pages: int
) -> None:
    ask_for_consent(town, db, mode)
    before = counts(db)
    asked, sockets = read(pages, town, page)
    allowed = {"/w.js", "/v1/sites/acme/config", "/assets/greet", "/assets/panel"}  # some playbooks open by themselves
    assert {path.split("-")[0] for path in asked} <= allowed
    assert sockets == []
    assert page.evaluate(KEPT) == NOTHING
    assert page.context.cookies() == []
    assert counts(db) == before
    assert before["visitors"] == before["leads"] == 0


def test_consent_decides_what_is_kept_and_an_erased_visitor_is_somebody_new(
    town: Town, db: Database, page: Page
) -> None:
    ask_for_consent(town, db, "external")
    page.goto(town.site_url + "/pricing")
    page.locator(".launcher").click()
    page.locator(".bubble").first.wait_for()
    say(page, "250 people")
    (visitor,) = rows(db, "visitors")
    assert (visitor["consented"], rows(db, "page_views"), rows(db, "sessions")) == (False, [], [])
    assert page.evaluate(KEPT) == NOTHING

    page.evaluate(f"Usher.identify({{ email: '{EVE}' }}); Usher.consent(true)")
    wait_until(lambda: rows(db, "page_views"), what="the page view of a visitor who agreed")
    (visitor,) = rows(db, "visitors")
    assert (visitor["consented"], visitor["consent_mode"]) == (True, "external")
    wait_until(lambda: page.evaluate("JSON.parse(localStorage['usher:acme']).token"), what="the record")

    wait_until(lambda: EVE in str(rows(db, "visitors")), what="the address the page gave")
    erased = town.usher("erase", EVE, "--yes")
    assert erased.returncode == 0, erased.stderr
    assert rows(db, "visitors") == rows(db, "messages") == []

    page.locator(".composer textarea").fill("Are you still there?")
    page.locator(".composer textarea").press("Enter")
    wait_until(lambda: page.evaluate(KEPT) == NOTHING, what="the browser forgetting")
    page.locator(".panel").wait_for(state="hidden")
    assert rows(db, "visitors") == []
    page.locator(".launcher").click()
    wait_until(lambda: rows(db, "visitors"), what="a new visitor")
    (new,) = rows(db, "visitors")
    assert new["id"] != visitor["id"]
    assert (new["consented"], new["attributes"]) == (False, {})


def say(page: Page, text: str) -> None:
    """Say it and wait for an answer."""
    count = page.locator(".bubble").count()
    page.locator(".composer textarea").fill(text)
    page.locator(".composer textarea").press("Enter")
    wait_until(lambda: page.locator(".bubble").count() > count + 1, what="an answer")
