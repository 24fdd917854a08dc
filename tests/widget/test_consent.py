"""What the browser keeps and tells before, with and without consent, in each mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.widget.conftest import opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]
KEPT = """async () => ({
    local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookies: document.cookie,
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""
NOTHING = {"local": [], "session": [], "cookies": "", "databases": 0, "caches": 0, "workers": 0}
GPC = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"
DNT = "Object.defineProperty(navigator, 'doNotTrack', { value: '1' })"


def kept(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(KEPT)
    return found | {"cookies": found["cookies"] + "".join(str(one) for one in page.context.cookies())}


def looked_at(page: Page) -> None:
    """A visitor reads: moves, scrolls, goes on to another page of the same document, but does not open the chat."""
    page.evaluate("Usher.ready")
    page.mouse.move(300, 300)
    page.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('greet'))")
    page.evaluate("scrollTo(0, 900); history.pushState({}, '', '/pricing'); history.pushState({}, '', '/other')")


@pytest.mark.parametrize("consent", ["on-open", "external"])
def test_nothing_is_kept_or_connected_before_the_chat_is_opened(visit: Visit, double: Double, consent: str) -> None:
    double.config["consent"] = consent
    page = visit()
    looked_at(page)
    assert kept(page) == NOTHING
    assert double.frames == []
    page.reload()
    page.evaluate("Usher.ready")
    assert kept(page) == NOTHING


@pytest.mark.parametrize("signal", [GPC, DNT])
def test_without_consent_mode_a_browser_that_asks_not_to_be_tracked_is_not(
    visit: Visit, double: Double, signal: str
) -> None:
    double.config["consent"] = "none"
    page = visit(wait=False)
    page.add_init_script(signal)
    page.goto(f"{double.site}/")
    page.wait_for_function("window.Usher && Usher.v")
    looked_at(page)
    assert kept(page) == NOTHING
    opened(page)
    (hello,) = double.heard("hello")
    assert (hello["discreet"], hello["visit"]) == (True, {"count": 1, "pages": []})
    assert "visits" not in page.evaluate("JSON.parse(localStorage['usher:acme'])")


def test_chat_without_external_consent_lives_in_memory_only(visit: Visit, double: Double) -> None:
    double.config["consent"] = "external"
    page = visit()
    opened(page)
    say(page, "Hello there")
    page.locator(".bubble", has_text="You said: Hello there").wait_for()
    assert kept(page) == NOTHING
    (hello,) = double.heard("hello")
    assert (hello["consent"], hello["visit"]["pages"]) == (False, [])


def test_consent_given_and_taken_back_in_an_open_chat_is_told_to_the_server(visit: Visit, double: Double) -> None:
    double.config["consent"] = "external"
    page = visit()
    opened(page)
    say(page, "Hello there")
    page.locator(".bubble", has_text="You said: Hello there").wait_for()
    page.evaluate("Usher.consent(true)")
    page.wait_for_function("JSON.parse(localStorage['usher:acme']).token")
    double.wait(lambda: [it["consent"] for it in double.heard("hello")] == [False, True])
    assert double.heard("hello")[1]["token"]
    assert double.heard("hello")[1]["visit"]["pages"] != []
    page.evaluate("Usher.consent(false)")
    page.wait_for_function("Object.keys(localStorage).length === 0")
    double.wait(lambda: [it["consent"] for it in double.heard("hello")] == [False, True, False])
    assert double.heard("hello")[2]["token"] == double.heard("hello")[1]["token"]
    say(page, "Still here")
    page.locator(".bubble", has_text="You said: Still here").wait_for()
    assert kept(page) == NOTHING
    page.evaluate("Usher.consent(true)")
    page.wait_for_function("localStorage['usher:acme']")
    page.reload()
    page.locator(".bubble", has_text="You said: Still here").wait_for()
    assert len(double.conversations) == 1


def test_storage_that_the_page_clears_stays_clear_and_the_chat_goes_on(chat: Page) -> None:
    chat.evaluate("localStorage.clear()")
    say(chat, "Hello there")
    chat.locator(".bubble", has_text="You said: Hello there").wait_for()
    chat.keyboard.press("Escape")
    assert kept(chat) == NOTHING


def test_consent_given_before_opening_is_remembered_on_the_next_page(visit: Visit, double: Double) -> None:
    double.config["consent"] = "external"
    page = visit()
    page.evaluate("Usher.consent(true)")
    page.wait_for_function("JSON.parse(localStorage['usher:acme'] ?? '{}').seed")
    assert double.frames == []
    page.reload()
    opened(page)
    assert double.heard("hello")[0]["consent"] is True
    page.wait_for_function("JSON.parse(localStorage['usher:acme']).token")


def test_consent_taken_back_on_another_page_is_told_to_the_server_too(visit: Visit, double: Double) -> None:
    double.config["consent"] = "external"
    page = visit()
    page.evaluate("Usher.consent(true)")
    page.wait_for_function("localStorage['usher:acme']")
    opened(page)
    page.locator(".launcher").click()
    page.goto(f"{double.site}/other")
    page.evaluate("Usher.ready")
    page.evaluate("Usher.consent(false)")
    page.wait_for_function("Object.keys(localStorage).length === 0")
    double.wait(lambda: [it["consent"] for it in double.heard("hello")] == [True, False])
    assert double.heard("hello")[1]["token"]


def test_record_from_before_the_site_asked_for_consent_is_deleted(visit: Visit, double: Double) -> None:
    page = visit()
    opened(page)
    page.wait_for_function("JSON.parse(localStorage['usher:acme']).token")
    double.config["consent"] = "external"
    page.reload()
    page.evaluate("Usher.ready")
    page.mouse.move(300, 300)
    page.wait_for_function("Object.keys(localStorage).length === 0")
    opened(page)
    assert double.heard("hello")[-1].get("token") is None


def test_erased_visitor_is_forgotten_by_the_browser(chat: Page, double: Double) -> None:
    say(chat, "Hello there")
    chat.locator(".bubble", has_text="You said: Hello there").wait_for()
    before = double.heard("hello")[0]["seed"]
    double.send({"t": "forgotten"})
    chat.wait_for_function("Object.keys(localStorage).length === 0")
    chat.locator(".panel").wait_for(state="hidden")
    opened(chat)
    double.wait(lambda: len(double.heard("hello")) == 2)
    assert double.heard("hello")[1].get("token") is None
    assert double.heard("hello")[1]["seed"] != before
    assert chat.locator(".bubble", has_text="Hello there").count() == 0
