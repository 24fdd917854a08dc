"""A conversion reaches the page's analytics once in a browser: not once a tab, not again after a reload, not never."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.widget.conftest import opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]
COUNT = """window.told = [];
for (const name of ["answered", "slot_held", "meeting_booked", "meeting_cancelled", "handed_over", "qualified"])
  document.addEventListener("usher:" + name, ({ detail }) => told.push(name));"""
PATIENCE = 1500  # ms, widget/once.js


@pytest.mark.parametrize("lack", ["undefined", "class { constructor() { throw new Error('forbidden') } }"])
def test_browser_without_channels_between_tabs_has_the_chat_too(visit: Visit, lack: str) -> None:
    page = visit(wait=False)
    page.add_init_script(f"window.BroadcastChannel = {lack}")
    page.reload()
    opened(page)
    say(page, "hello")
    page.get_by_text("You said: hello").wait_for()


@pytest.fixture
def counted(visit: Visit) -> Page:
    """A page whose analytics count, also after a reload and in other tabs."""
    page = visit(wait=False)
    page.context.add_init_script(COUNT)
    page.reload()
    page.wait_for_function("!!window.Usher?.v")
    page.evaluate("Usher.ready")
    return page


def another(page: Page) -> Page:
    """One more tab, in which the conversation is there."""
    tab = page.context.new_page()
    tab.goto(page.url)
    tab.locator(".bubble").first.wait_for()
    return tab


def later(page: Page) -> None:
    """After the time in which another tab would have told it."""
    page.evaluate("(ms) => new Promise((done) => setTimeout(done, ms))", PATIENCE + 300)


def test_the_tab_in_which_the_visitor_acts_tells_and_the_other_tab_does_not(counted: Page, double: Double) -> None:
    opened(counted)
    other = another(counted)
    counted.get_by_role("button", name="Ready to buy").click()
    counted.locator(".suggested button").first.click()
    counted.get_by_label("Your name").fill("Ada")
    counted.get_by_label("Work e-mail").fill("ada@globex.example")
    counted.get_by_role("button", name="Book it").click()
    other.get_by_text("You’re booked").wait_for()
    double.turn("rep", {"name": "Grace", "human": True})
    other.get_by_role("heading", name="Grace").wait_for()
    later(other)
    assert sorted(counted.evaluate("told")) == ["answered", "handed_over", "meeting_booked", "slot_held"]
    assert other.evaluate("told") == []


def test_what_the_tab_did_not_live_to_tell_is_told_by_another_once(counted: Page, double: Double) -> None:
    opened(counted)
    others = [another(counted), another(counted)]
    say(counted, "hello")
    for page in others:
        page.get_by_text("You said: hello").wait_for()
    before = len(double.heard("hello") + double.heard("resume"))
    counted.close()
    double.wait(lambda: len(double.heard("hello") + double.heard("resume")) > before)  # another tab has the socket now
    double.turn("rep", {"name": "Grace", "human": True})
    for page in others:
        page.get_by_role("heading", name="Grace").wait_for()
    for page in others:
        later(page)
    assert sorted(page.evaluate("told") for page in others) == [[], ["handed_over"]]


def test_answer_that_came_during_a_reload_is_told_after_it_and_not_again(counted: Page, double: Double) -> None:
    opened(counted)
    counted.get_by_role("button", name="Ready to buy").click()
    counted.locator(".suggested button").first.wait_for()
    double.mute = True
    counted.locator(".suggested button").first.click()
    double.wait(lambda: len(double.said()) == 2)
    counted.goto("about:blank")
    double.mute = False
    counted.go_back()
    counted.get_by_label("Your name").wait_for()
    counted.wait_for_function("told.length")
    assert counted.evaluate("told") == ["slot_held"]
    counted.reload()
    counted.get_by_label("Your name").wait_for()
    later(counted)
    assert counted.evaluate("told") == []
