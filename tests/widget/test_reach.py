"""Everybody can use it: by keyboard, by screen reader, on a phone, in the dark, without motion, from right to left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import opened, say

Visit = Callable[..., Page]


def still(page: Page) -> Page:
    """Once nothing moves any more but what moves for ever."""
    page.wait_for_function("""document.querySelector('usher-chat').shadowRoot.getAnimations({ subtree: true })
        .every((it) => it.effect.getTiming().iterations === Infinity)""")
    return page


def test_keyboard_opens_writes_and_closes_and_the_focus_returns(page: Page) -> None:
    page.locator("#next").focus()
    while not page.evaluate("document.activeElement.shadowRoot?.activeElement?.matches('.launcher')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".composer textarea")).to_be_focused()
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.get_by_text("You said: hello").wait_for()
    expect(page.locator(".composer textarea")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator(".launcher")).to_be_focused()
    expect(page.locator(".launcher")).to_have_attribute("aria-expanded", "false")


def test_log_announces_each_message_once(chat: Page) -> None:
    log = chat.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    log.evaluate("""(it) => { window.added = [];
        new MutationObserver((all) => {
          for (const node of all.flatMap(({ addedNodes }) => [...addedNodes]))
            if (node.classList.contains("msg")) added.push(node.querySelector(".bubble").textContent);
        }).observe(it, { childList: true }); }""")
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    assert chat.evaluate("added") == ["hello", "You said: hello"]


def test_greeting_shown_from_the_config_is_not_announced_again_by_the_server(visit: Visit) -> None:
    page = visit("forward")
    page.mouse.move(200, 200)
    page.locator(".bubble").wait_for()
    first = page.locator(".msg").element_handle()
    page.locator(".composer textarea").click()
    page.locator(".choice").first.wait_for()
    assert first
    assert first.evaluate("(it) => it.isConnected")
    expect(page.locator(".msg")).to_have_count(1)


def test_phone_fills_the_screen_keeps_the_composer_above_the_keyboard_and_gives_the_page_back(visit: Visit) -> None:
    page = visit(phone=True)
    page.evaluate("scrollTo(0, 400)")
    page.locator(".launcher").tap()
    page.locator(".choice").first.wait_for()
    panel = still(page).locator(".panel")
    expect(panel).to_have_attribute("aria-modal", "true")
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    expect(page.locator(".launcher")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).overflowY") == "hidden"
    assert page.locator(".composer textarea").evaluate("(it) => parseFloat(getComputedStyle(it).fontSize)") >= 16
    page.evaluate(
        """Object.defineProperty(visualViewport, "height", { value: 480, configurable: true });
        visualViewport.dispatchEvent(new Event("resize"))"""
    )
    box = page.locator(".composer").bounding_box()
    assert box
    assert box["y"] + box["height"] <= 480
    page.evaluate("scrollTo(0, 0)")  # as browsers do that push the page up for their keyboard
    page.get_by_role("button", name="Close chat").tap()
    expect(page.locator(".launcher")).to_be_visible()
    assert page.evaluate("[getComputedStyle(document.documentElement).overflowY, scrollY]") == ["visible", 400]


def test_tab_stays_inside_the_full_screen_chat(visit: Visit) -> None:
    page = visit(phone=True)
    page.locator(".launcher").tap()
    page.locator(".choice").first.wait_for()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.shadowRoot?.activeElement?.closest('.panel') != null")
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.shadowRoot?.activeElement?.closest('.panel') != null")


def test_booking_fields_on_a_phone_do_not_make_the_browser_zoom(visit: Visit) -> None:
    page = visit(phone=True)
    page.locator(".launcher").tap()
    page.get_by_role("button", name="Ready to buy").tap()
    page.locator(".suggested .row").first.tap()
    page.get_by_label("Your name").wait_for()
    sizes = page.locator(".panel").evaluate(
        """(it) => [...it.querySelectorAll("input, textarea, select")]
        .map((one) => parseFloat(getComputedStyle(one).fontSize))"""
    )
    assert min(sizes) >= 16
    wide = page.locator(".panel").evaluate(
        "(it) => [...it.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > 391).length"
    )
    assert wide == 0


def test_nothing_moves_for_who_wants_less_motion(visit: Visit) -> None:
    page = opened(visit(reduced_motion="reduce"))
    say(page, "slots")
    page.locator(".times button").first.wait_for()
    assert page.evaluate("document.querySelector('usher-chat').shadowRoot.getAnimations({ subtree: true }).length") == 0


def test_forced_colours_keep_borders_and_the_launcher(visit: Visit) -> None:
    page = opened(visit(forced_colors="active"))
    assert (
        page.locator(".visitor, .bot").first.locator(".bubble").evaluate("(it) => getComputedStyle(it).borderTopWidth")
        == "1px"
    )
    shape = page.locator(".launcher").evaluate(
        "(it) => [getComputedStyle(it, '::before').backgroundColor, getComputedStyle(it).backgroundColor]"
    )
    assert shape[0] != shape[1]


def test_right_to_left_page_has_the_chat_on_its_left(visit: Visit) -> None:
    page = opened(visit("rtl"))
    page.mouse.move(600, 10)
    still(page)
    left = "(it) => it.getBoundingClientRect().x"
    at = {name: page.locator(name).evaluate(left) for name in (".panel", ".launcher", ".face", ".close")}
    assert at[".panel"] == at[".launcher"] == 20
    assert at[".face"] > at[".close"]


@pytest.mark.parametrize(
    "viewport", [{"width": 640, "height": 400}, {"width": 320, "height": 256}], ids=["zoom 200 %", "zoom 400 %"]
)
def test_zoomed_page_shows_composer_and_thread(visit: Visit, viewport: Any) -> None:
    page = opened(visit(viewport=viewport))
    expect(page.locator(".composer textarea")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Close chat")).to_be_in_viewport(ratio=1)
    height = page.locator(".scroll").evaluate("(it) => it.clientHeight")
    assert height >= 80


def test_styles_of_the_page_do_not_reach_the_chat(visit: Visit) -> None:
    page = visit()
    page.evaluate("""() => { const sheet = new CSSStyleSheet();
        sheet.replaceSync("* { font: 40px serif !important; color: red !important; letter-spacing: 9px !important }");
        document.adoptedStyleSheets = [sheet]; }""")
    opened(page)
    style = page.locator(".bubble").first.evaluate(
        "(it) => ['fontSize', 'letterSpacing', 'color'].map((name) => getComputedStyle(it)[name])"
    )
    assert style == ["15px", "normal", "rgb(16, 24, 40)"]
