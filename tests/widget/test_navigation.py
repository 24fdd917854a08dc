"""The visitor moves inside a document: the rules are judged once for each page, and the chat stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]
TEASERS = """window.teased = [];
addEventListener("DOMContentLoaded", () => new MutationObserver((_, it) => {
  const root = document.querySelector("usher-chat")?.shadowRoot;
  if (!root) return;
  it.disconnect();
  new MutationObserver((all) => all.forEach(({ addedNodes }) => addedNodes.forEach((one) => {
    if (one.className === "teaser") teased.push(one.firstChild.textContent);
  }))).observe(root, { childList: true });
}).observe(document.body, { childList: true }));"""


@pytest.fixture(params=[True, False], ids=["navigation", "history"])
def spa(request: pytest.FixtureRequest, visit: Visit, double: Double) -> Page:
    """An application in a browser with and without the Navigation API; a playbook for each page under /a."""
    double.config["playbooks"] = [
        {
            "id": name,
            "if": ["==", ["get", "page", "path"], f"/a/{name}"],
            "display": {"show": "teaser"},
            "opening": name,
        }
        for name in ("one", "two", "three")
    ]
    page = visit(wait=False)
    if not request.param:
        page.add_init_script("delete window.navigation; delete Window.prototype.navigation;")
    page.add_init_script(TEASERS)
    page.goto(double.site + "/a/start")
    page.wait_for_function("!!window.Usher?.v")
    page.evaluate("Usher.ready")
    page.mouse.move(300, 300)
    page.wait_for_function("!!document.querySelector('usher-chat')?.lost")  # greet.js is there
    assert page.evaluate("!!window.navigation") is request.param
    return page


def test_three_pages_are_judged_three_times_and_the_same_address_not_again(spa: Page) -> None:
    for name in ("one", "two", "three"):
        spa.evaluate("(it) => history.pushState({}, '', '/a/' + it)", name)
        spa.evaluate("(it) => history.replaceState({ more: 1 }, '', '/a/' + it)", name)
        spa.evaluate("(it) => { location.hash = 'a-place-on-the-page' }", name)
        expect(spa.locator(".teaser button").first).to_have_text(name)
    assert spa.evaluate("teased") == ["one", "two", "three"]
    expect(spa.locator("usher-chat")).to_have_count(1)
    spa.evaluate("history.pushState({}, '', '/a/end')")
    expect(spa.locator(".teaser")).to_have_count(0)


def test_open_chat_and_draft_stay_and_the_server_hears_of_each_page_once(spa: Page, double: Double) -> None:
    opened(spa)
    spa.locator(".composer textarea").fill("half a sent")
    moves = [f"history.pushState({{}}, '', '{it}')" for it in ("/a/one", "/a/two?plan=pro", "/a/three#/tab")]
    moves += ["history.replaceState({}, '', location.href); location.hash = '/other'", "history.go(-2)"]
    for count, move in enumerate(moves, 1):
        spa.evaluate(move)
        double.wait(lambda count=count: len(double.heard("page")) == count)  # type: ignore[misc]
    assert [frame["page"]["url"].removeprefix(double.site) for frame in double.heard("page")] == [
        "/a/one", "/a/two?plan=pro", "/a/three#/tab", "/a/three#/other", "/a/two?plan=pro",
    ]  # fmt: skip
    expect(spa.locator(".panel")).to_be_visible()
    expect(spa.locator(".composer textarea")).to_have_value("half a sent")
    say(spa, "hello")
    spa.get_by_text("You said: hello").wait_for()
    assert len(double.conversations) == 1


def test_of_a_burst_of_pages_only_the_last_is_told_and_before_what_is_said_there(spa: Page, double: Double) -> None:
    opened(spa)
    spa.evaluate("for (let n = 0; n < 400; n++) history.replaceState({}, '', '/a/filter?n=' + n)")
    double.wait(lambda: len(double.heard("page")) == 1)
    spa.evaluate("for (let n = 0; n < 50; n++) history.pushState({}, '', '/a/more?n=' + n)")
    say(spa, "hello")
    spa.get_by_text("You said: hello").wait_for()
    told = [frame for frame in double.frames if frame["t"] in ("page", "say")]
    assert [frame["t"] for frame in told] == ["page", "page", "say"]
    assert [frame["page"]["query"] for frame in told[:2]] == [{"n": "399"}, {"n": "49"}]


def test_page_to_which_the_visitor_came_without_a_connection_is_told_once_there_is_one(
    chat: Page, double: Double
) -> None:
    double.down = True
    double.cut()
    for name in ("one", "two"):
        chat.evaluate("(it) => history.pushState({}, '', it)", name)
        chat.evaluate("new Promise((done) => setTimeout(done, 700))")
    double.down = False
    double.wait(lambda: len(double.heard("page")) > 0)
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    assert [frame["page"]["path"] for frame in double.heard("page")] == ["/two"]


def test_the_applications_own_history_calls_do_what_they_did(spa: Page) -> None:
    spa.evaluate("history.pushState({ at: 1 }, '', '/a/one'); history.replaceState({ at: 2 }, '')")
    assert spa.evaluate("[history.state.at, location.pathname]") == [2, "/a/one"]
    assert spa.evaluate(
        "(() => { try { history.pushState({}, '', 'https://other.example/'); } catch (it) { return it.name } })()"
    )
