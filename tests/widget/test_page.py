"""The page before anybody opens the chat: nothing stored, next to nothing loaded, nothing taken over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.widget.double import Double

Visit = Callable[..., Page]
STORED = "({local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookies: document.cookie})"
NOTHING = {"local": [], "session": [], "cookies": ""}


def test_visitor_who_only_reads_leaves_no_trace(page: Page, double: Double) -> None:
    page.evaluate("scrollTo(0, 900)")
    page.mouse.move(300, 300)
    page.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('greet'))")
    assert page.evaluate(STORED) == NOTHING
    assert page.context.cookies() == []
    assert double.frames == []
    assert not [path for path in double.requests if "panel" in path or "chat" in path]


def test_page_that_nobody_touches_makes_two_requests(visit: Visit, double: Double) -> None:
    page = visit("pricing")
    expect(page.locator(".launcher")).to_be_visible()
    page.wait_for_function("performance.now() > 1500")  # the moment of the page's playbook is over
    assert double.requests == ["/w.js", "/v1/sites/acme/config"]


def test_page_keeps_its_own_globals_handlers_and_pixels(page: Page) -> None:
    added = page.evaluate("""() => {
        const frame = document.createElement("iframe"); document.body.append(frame);
        const plain = new Set(Object.getOwnPropertyNames(frame.contentWindow)); frame.remove();
        return Object.getOwnPropertyNames(window).filter((it) => !plain.has(it) && isNaN(it));
    }""")
    assert [name for name in added if name not in ("cta", "next")] == ["Usher"]
    assert page.evaluate(
        "[onmessage, onclick, onpopstate, document.onclick, document.body.onclick].every((it) => it === null)"
    )
    under = page.evaluate(
        "[[640,400],[1200,400],[1100,700],[1250,600]].map(([x, y]) => document.elementFromPoint(x, y).tagName)"
    )
    assert "USHER-CHAT" not in under
    assert page.evaluate("document.querySelectorAll('usher-chat').length") == 1
    assert page.evaluate("document.querySelector('usher-chat').shadowRoot.querySelectorAll('*').length") <= 7
    assert page.evaluate("document.querySelectorAll('style, link[rel=stylesheet], iframe, [style]').length") == 0


def test_launcher_is_a_named_button_that_says_whether_it_is_open(page: Page) -> None:
    launcher = page.get_by_role("button", name="Chat with us")
    expect(launcher).to_have_attribute("aria-expanded", "false")
    launcher.click()
    expect(launcher).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("dialog", name="Ada")).to_be_visible()


def test_pointing_at_the_launcher_fetches_the_panel_but_opens_nothing(page: Page, double: Double) -> None:
    page.locator(".launcher").hover()
    page.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('panel'))")
    assert page.evaluate(STORED) == NOTHING
    assert double.frames == []


@pytest.mark.parametrize(
    ("path", "text"), [("pricing", "Questions about our plans?"), ("pricing/teams", "Questions about our plans?")]
)
def test_playbook_of_the_page_shows_its_teaser_in_time_and_opens_on_a_press(
    visit: Visit, double: Double, path: str, text: str
) -> None:
    page = visit(path)
    page.mouse.move(300, 300)
    page.locator(".teaser").wait_for()
    assert page.evaluate("performance.now()") >= 1000
    expect(page.locator(".teaser button").first).to_have_text(text)
    assert page.evaluate(STORED) == NOTHING
    page.locator(".teaser button").first.click()
    expect(page.locator(".bubble").first).to_have_text(text)
    expect(page.locator(".teaser")).to_have_count(0)
    page.locator(".choice").first.wait_for()
    assert double.heard("hello")[0]["playbook"] == "pricing"


def test_teaser_that_was_sent_away_stays_away_and_only_that_is_kept(visit: Visit) -> None:
    page = visit("pricing")
    page.mouse.move(300, 300)
    page.get_by_role("button", name="✕").click()
    expect(page.locator(".teaser")).to_have_count(0)
    assert page.evaluate("localStorage['usher:acme']") == '{"hushed":true}'
    page.reload()
    page.evaluate("Usher.ready")
    page.mouse.move(310, 310)
    page.wait_for_function(
        "performance.getEntriesByType('resource').some((it) => it.name.includes('greet')) && performance.now() > 1500"
    )
    expect(page.locator(".teaser")).to_have_count(0)


def test_playbook_that_opens_by_itself_takes_no_focus_and_asks_nobody_until_the_visitor_acts(
    visit: Visit, double: Double
) -> None:
    page = visit("forward")
    page.mouse.move(300, 300)
    expect(page.locator(".bubble")).to_have_text("Let me show you around.")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert page.evaluate(STORED) == NOTHING
    assert double.frames == []
    page.locator(".composer textarea").click()
    page.locator(".choice").first.wait_for()
    expect(page.locator(".bubble")).to_have_text(["Let me show you around."])
    double.wait(lambda: bool(double.heard("hello")))
    assert double.heard("hello")[0]["playbook"] == "forward"


def test_playbook_that_opens_by_itself_only_teases_on_a_phone(visit: Visit) -> None:
    page = visit("forward", phone=True)
    page.evaluate("scrollTo(0, 10)")
    page.locator(".teaser").wait_for()
    expect(page.locator(".panel")).to_have_count(0)


def test_a_chat_that_is_open_gets_no_teaser_above_it(visit: Visit, double: Double) -> None:
    display = {"scroll": 90, "show": "teaser", "open": True}
    double.config["playbooks"] = [{"id": "read", "if": True, "display": display, "opening": "Still here?"}]
    page = visit("read")
    page.mouse.wheel(0, 100)
    page.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('greet'))")
    page.locator(".launcher").click()
    page.locator(".bubble").first.wait_for()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(400)
    expect(page.locator(".teaser")).to_have_count(0)


def test_exit_intent_and_scrolling_bring_the_teaser(visit: Visit, double: Double) -> None:
    shown = {"show": "teaser", "open": True}
    double.config["playbooks"] = [
        {
            "id": "leave",
            "if": ["==", ["get", "page", "path"], "/leave"],
            "display": shown | {"exit": True},
            "opening": "Wait",
        },
        {
            "id": "read",
            "if": ["==", ["get", "page", "path"], "/read"],
            "display": shown | {"scroll": 90},
            "opening": "Still here?",
        },
    ]
    leaving, reading = visit("leave"), visit("read")
    leaving.mouse.move(300, 300)
    leaving.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('greet'))")
    expect(leaving.locator(".teaser")).to_have_count(0)
    leaving.evaluate("document.dispatchEvent(new MouseEvent('mouseout', { clientY: -3, bubbles: true }))")
    expect(leaving.locator(".teaser button").first).to_have_text("Wait")
    reading.mouse.wheel(0, 100)
    reading.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('greet'))")
    expect(reading.locator(".teaser")).to_have_count(0)
    reading.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(reading.locator(".teaser button").first).to_have_text("Still here?")


def test_any_element_of_the_page_opens_the_chat_and_gets_the_focus_back(page: Page, double: Double) -> None:
    page.locator("#cta").click()
    expect(page.locator(".composer textarea")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#cta")).to_be_focused()
    double.wait(lambda: len(double.heard("hello")) == 1)
    assert double.heard("hello")[0]["playbook"] == "pricing"
    assert page.url == double.site + "/"


def test_moving_three_times_inside_the_document_judges_three_times_and_keeps_the_open_chat_and_the_draft(
    page: Page, double: Double
) -> None:
    page.locator(".launcher").click()
    page.locator(".choice").first.wait_for()
    page.locator(".composer textarea").fill("half a sent")
    for moves, path in enumerate(("/pricing", "/pricing/teams", "/product"), 1):
        page.evaluate("(path) => history.pushState({}, '', path)", path)
        double.wait(lambda moves=moves: len(double.heard("page")) == moves)  # type: ignore[misc]
    page.evaluate("history.replaceState({}, '', '/product')")
    expect(page.locator(".composer textarea")).to_have_value("half a sent")
    expect(page.locator(".launcher")).to_have_count(1)
    assert [frame["page"]["path"] for frame in double.heard("page")] == ["/pricing", "/pricing/teams", "/product"]


def test_navigation_to_the_pricing_page_brings_its_teaser(page: Page) -> None:
    page.mouse.move(300, 300)
    page.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('greet'))")
    page.evaluate("history.pushState({}, '', '/pricing')")
    expect(page.locator(".teaser button").first).to_have_text("Questions about our plans?")
    page.evaluate("history.pushState({}, '', '/security')")
    expect(page.locator(".teaser")).to_have_count(0)


def test_page_without_a_chat_shows_nothing_and_says_so_once(visit: Visit, double: Double) -> None:
    double.config["site"] = "another"
    page = visit(wait=False)
    with page.expect_console_message(lambda it: it.type == "warning" and "no chat here" in it.text):
        page.reload()
    assert page.evaluate("document.querySelectorAll('usher-chat').length") == 0


def test_launcher_stays_away_from_visitors_outside_the_share_of_traffic(visit: Visit, double: Double) -> None:
    double.config["traffic"] = 0
    page = visit()
    expect(page.locator(".launcher")).to_be_hidden()


def test_page_may_set_colours_and_place_by_custom_properties(page: Page) -> None:
    page.evaluate("""() => { const sheet = new CSSStyleSheet();
        sheet.replaceSync("usher-chat{--usher-color:#ffd400;--usher-x:100px;--usher-z:5}");
        document.adoptedStyleSheets = [sheet]; }""")
    launcher = page.locator(".launcher")
    box = launcher.bounding_box()
    assert box
    assert round(box["x"] + box["width"]) == 1180
    assert launcher.evaluate("(it) => [getComputedStyle(it).zIndex, getComputedStyle(it).backgroundColor]") == [
        "5",
        "rgb(255, 212, 0)",
    ]


def test_printed_page_has_no_chat(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator(".launcher")).to_be_hidden()
