"""The console in a real Chromium: a rep answers a visitor; every page is clean for axe, on a phone too."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from server import clock, settings
from server.conversations import service as conversations
from server.conversations.service import Draft
from server.db import Database
from server.settings import ROOT
from tests.conftest import MONDAY_MORNING
from tests.console import story as told
from tests.console.story import PASSWORD, Story

pytestmark = pytest.mark.browser

AXE = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 860}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 860}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
}
COLOURS = ("color-contrast", "link-in-text-block")
ON_A_PHONE = ("target-size", "scrollable-region-focusable", "meta-viewport", "aria-hidden-focus", "button-name")
RULES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"runOnly": COLOURS},
    "phone": {"runOnly": ON_A_PHONE},
}
"""axe's options: what another scheme and another width can change."""
PAGES = (
    "/", "/account", "/conversations", "/conversations?show=mine", "/conversations/{with_ada}",
    "/conversations/{waiting}", "/leads", "/leads/{ada}", "/leads/{ada}/connect", "/meetings", "/meetings/{meeting}",
    "/meetings/{meeting}/move", "/meetings/{meeting}/give", "/availability/acme/grace",
    "/availability/acme/grace/{block}", "/availability/why?meeting=demo&pool=enterprise&date=2026-03-03&time=09:00",
    "/versions", "/versions/acme/2", "/deliveries", "/deliveries/{dead}", "/users", "/signed-in",
    "/connections", "/connections/choose", "/connections/{connection}", "/connections/new/crm/hubspot",
    "/rotation", "/rotation/acme/enterprise?again=1", "/crm/acme", "/crm/acme/try", "/crm/acme/compare",
    "/crm/acme/news", "/adapters", "/adapters/calendar.caldav", "/alerts", "/calendars", "/enrichment", "/erasures",
)  # fmt: skip
OF_A_REP = ("/my-calendar", "/my-calendar/connect/caldav", "/my-calendar/connect/ics")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make assets` builds, the console's scripts with it."""
    ready = ROOT / "build"
    if (ready / "console" / "htmx.min.js").is_file():
        return ready
    out = tmp_path_factory.mktemp("assets")
    subprocess.run(["node", "widget/build.mjs", str(out)], cwd=ROOT, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def served(
    open_app: Callable[[Path], Flask], built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Database]]:
    """The app with its scripts on a port of its own, and its database."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch, clock.stopped_at(MONDAY_MORNING):
        patch.setenv("USHER_ASSETS_DIR", str(built / "assets"))
        settings.get.cache_clear()
        app = open_app(tmp_path_factory.mktemp("browser"))
        db: Database = app.extensions["usher_db"]
        told.apply(
            db, "acme", "Shorter", routing=told.folder.load(ROOT / "server" / "sample")["routing.yml"] + "\n# more\n"
        )
        told.apply(db, "globex", "Second site")
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.port}", db
        server.shutdown()
        thread.join()
        server.server_close()
        db.close()
    settings.get.cache_clear()


@pytest.fixture
def open_page(browser: Browser, served: tuple[str, Database]) -> Iterator[Callable[..., Page]]:
    """`open_page("dennis", "phone")`: Dennis signed in there. Any word of the browser's console fails the test."""
    contexts: list[BrowserContext] = []
    words: list[str] = []

    def go(who: str, mode: str = "light") -> Page:
        contexts.append(context := browser.new_context(base_url=served[0], **MODES[mode]))
        page = context.new_page()
        page.on("console", lambda word: words.append(word.text) if word.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: words.append(str(error)))
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(f"{who}@acme.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
        return page

    yield go
    for context in contexts:
        context.close()
    assert words == []


def test_a_rep_answers_a_waiting_visitor_and_loses_no_word(open_page, served, story):
    db, page = served[1], open_page("dennis")
    page.get_by_role("link", name="A person please").click()
    page.get_by_role("button", name="Take over").click()
    box = page.get_by_label("Your reply")
    expect(box).to_be_focused()
    box.press_sequentially("Hello, how can I help?")
    box.press("Enter")
    expect(page.get_by_role("log").get_by_text("Hello, how can I help?")).to_be_visible()
    expect(box).to_have_value("")
    expect(box).to_be_focused()
    box.press_sequentially("Shall we ta")
    with db.transaction() as tx:
        told.say(tx, conversations.get(tx, story.waiting), Draft("visitor", "What does it cost?"))
    expect(page.get_by_role("log").get_by_text("What does it cost?")).to_be_visible()
    expect(box).to_have_value("Shall we ta")
    expect(box).to_be_focused()
    page.get_by_role("button", name="Give back to the bot").click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    with db.reading() as tx:
        said = [(row.author, row.text) for row in conversations.messages(tx, story.waiting, 2)]
    assert said == [("rep", "Hello, how can I help?"), ("visitor", "What does it cost?")]


def test_when_another_takes_over_the_page_says_so_by_itself(open_page, served, story):
    page = open_page("supervisor")
    page.goto(f"/conversations/{story.of_linus}")
    conversations.take_over(served[1], story.of_linus, "linus", story.users["owner"].actor)
    expect(page.get_by_text("Linus Pauling is talking with this visitor.")).to_be_visible()


def test_on_a_phone_the_rest_of_the_pages_and_the_sites_are_one_tap_away(open_page):
    page = open_page("owner", "phone")
    page.get_by_text("More", exact=True).tap()
    page.get_by_role("link", name="Deliveries").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deliveries")
    page.locator(".site-switch summary").tap()
    page.locator(".site-switch").get_by_role("button", name="Acme Analytics").first.tap()
    expect(page.locator(".site-switch summary")).to_contain_text("Acme Analytics")
    page.get_by_text("More", exact=True).tap()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Users")).to_be_hidden()
    page.get_by_text("More", exact=True).tap()
    page.get_by_role("button", name="Sign out").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.parametrize("mode", MODES)
def test_every_page_is_clean_for_axe_and_as_wide_as_its_window(open_page, story: Story, mode):
    found = {}
    for who, addresses in {"owner": PAGES, "grace": OF_A_REP}.items():
        page = open_page(who, mode)
        found |= faults_of(page, [address.format(**vars(story)) for address in addresses], mode)
    assert found == {}


def faults_of(page: Page, addresses: Iterable[str], mode: str) -> dict[str, list[Any]]:
    """What is wrong with each of these pages, all their folds open."""
    found = {}
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, address
        for fold in page.locator("details:not([data-menu])").all():
            fold.evaluate("one => one.setAttribute('open', '')")
        if problems := [*axe(page, RULES[mode]), *too_wide(page)]:
            found[address] = problems
    return found


def test_the_sign_in_page_is_clean_for_axe(browser, served):
    for mode in MODES.values():
        context = browser.new_context(base_url=served[0], **mode)
        page = context.new_page()
        page.goto("/sign-in")
        assert axe(page) == []
        context.close()


def axe(page: Page, rules: dict[str, Any] | None = None) -> list[Any]:
    """What axe-core says is wrong, by all its rules or by these; run past the page's policy, which forbids foreign
    scripts."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    ask = (
        f"axe.run(document, {json.dumps(rules or {})}).then(r =>"
        " JSON.stringify([r.passes.length, r.violations.map(v => [v.id, v.nodes[0].html])]))"
    )
    answer = session.send("Runtime.evaluate", {"expression": ask, "awaitPromise": True, "returnByValue": True})
    passed, violations = json.loads(answer["result"]["value"])
    assert passed > (0 if rules and "runOnly" in rules else 10)
    return list(violations)


def too_wide(page: Page) -> list[str]:
    sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return [f"{sizes[0]} px wide in {sizes[1]}"] if sizes[0] > sizes[1] else []
