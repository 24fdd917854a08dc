"""How the chat lies in a page: floating, inside an element, or only opened by the page; shown and hidden; two sites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]
STORED = "Object.keys(localStorage).length + document.cookie.length"
TEXT = "<p>A paragraph of a page that is long enough to scroll.</p>" * 60


def tag(double: Double, more: str = "", site: str = "acme") -> str:
    return f'<script async src="{double.usher}/w.js" data-site="{site}" {more}></script>'


@pytest.fixture
def put(visit: Visit, double: Double) -> Callable[..., Page]:
    """`put(body)`: a page of the website with this body, opened."""

    def go(body: str, **options: Any) -> Page:
        html = f'<!doctype html><meta name="viewport" content="width=device-width"><title>Acme</title><body>{body}'
        double.pages["put"] = html, {}
        return visit("put", **options)

    return go


def box(of: Locator) -> dict[str, int]:
    found = of.bounding_box()
    assert found
    return {key: round(value) for key, value in found.items()}


def test_inline_chat_lies_in_its_element_and_asks_nobody_until_it_is_touched(
    put: Callable[..., Page], double: Double
) -> None:
    page = put(
        f'<h1>Contact</h1><div id="chat" style="width:500px;height:420px"></div>{TEXT}'
        + tag(double, 'data-mode="inline" data-target="#chat"')
    )
    panel = page.locator(".panel")
    expect(page.locator(".bubble")).to_have_text("Hi! What brings you to Acme?")
    assert box(panel) == box(page.locator("#chat"))
    expect(page.locator(".launcher")).to_be_hidden()
    assert (page.evaluate(STORED), double.frames) == (0, [])
    page.locator(".composer textarea").click()
    page.locator(".choice").first.wait_for()
    say(page, "hello")
    page.get_by_text("You said: hello").wait_for()
    page.keyboard.press("Escape")
    page.evaluate("Usher.close()")
    expect(panel).to_be_visible()
    page.reload()
    page.get_by_text("You said: hello").wait_for()
    assert page.evaluate("document.activeElement === document.body")


def test_inline_chat_on_a_phone_is_a_part_of_the_page_that_goes_on_scrolling(
    put: Callable[..., Page], double: Double
) -> None:
    page = put(f'<div id="chat"></div>{TEXT}' + tag(double, 'data-mode="inline" data-target="#chat"'), phone=True)
    page.locator(".composer textarea").tap()
    page.locator(".choice").first.wait_for()
    assert box(page.locator(".panel"))["height"] == 600
    assert box(page.locator(".panel")) == box(page.locator("#chat"))
    page.evaluate("scrollTo(0, 300)")
    page.wait_for_function("scrollY === 300")


def test_inline_chat_waits_for_its_element_and_comes_back_to_it_with_all_that_was_said(
    put: Callable[..., Page], double: Double
) -> None:
    page = put(tag(double, 'data-mode="inline" data-target="#chat"'))
    page.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('inline'))")
    expect(page.locator(".panel")).to_have_count(0)
    draw = "document.body.insertAdjacentHTML('beforeend', '<div id=chat style=height:500px></div>')"
    page.evaluate(draw)
    page.locator(".composer textarea").click()
    page.locator(".choice").first.wait_for()
    page.locator(".composer textarea").fill("half a sent")
    page.evaluate("chat.remove()")
    expect(page.locator(".panel")).to_be_hidden()
    page.evaluate(f"history.pushState({{}}, '', '/put/contact'); {draw}")
    expect(page.locator("#chat .composer textarea")).to_have_value("half a sent")
    expect(page.locator("usher-chat")).to_have_count(1)


def test_link_mode_has_no_launcher_and_elements_that_come_later_open_the_chat_too(
    put: Callable[..., Page], double: Double
) -> None:
    page = put(
        "<button id=one data-usher-open>Talk</button><button id=two data-usher-open=pricing>Ask</button>"
        + tag(double, "data-mode=link")
    )
    expect(page.locator(".launcher")).to_be_hidden()
    page.locator("#one").click()
    expect(page.locator(".panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#one")).to_be_focused()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p data-usher-open><b id=three>Late</b></p>')")
    page.locator("#three").click()
    expect(page.locator(".panel")).to_be_visible()
    expect(page.locator(".launcher")).to_be_hidden()


def test_page_hides_and_shows_the_chat_and_may_open_it_all_the_same(put: Callable[..., Page], double: Double) -> None:
    stub = "<script>window.Usher=window.Usher||function(){(Usher.q=Usher.q||[]).push(arguments)};Usher('hide')</script>"
    page = put(stub + TEXT + tag(double))
    expect(page.locator(".launcher")).to_be_hidden()
    assert [path for path in double.requests if path.startswith("/assets")] == []
    page.evaluate("Usher.show()")
    opened(page)
    page.evaluate("Usher.hide()")
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator(".launcher")).to_be_hidden()
    page.evaluate("Usher.open()")
    expect(page.locator(".panel")).to_be_visible()


@pytest.mark.parametrize("navigation", [True, False])
def test_chat_is_seen_on_the_pages_of_the_rules_hidden_elsewhere_and_back_as_it_was(
    put: Callable[..., Page], visit: Visit, double: Double, navigation: bool
) -> None:
    double.config["pages"] = "^(?!(?:/put/checkout.*)$)"
    page = put(TEXT + tag(double))
    if not navigation:
        page.add_init_script("delete Window.prototype.navigation; delete window.navigation")
    page.goto(double.site + "/put/checkout")
    page.wait_for_function("!!window.Usher?.v")
    page.evaluate("Usher.ready")
    assert page.evaluate("!!window.navigation") is navigation
    expect(page.locator(".launcher")).to_be_hidden()
    page.mouse.wheel(0, 50)
    page.wait_for_function("!!document.querySelector('usher-chat')?.lost")  # greet.js is there
    page.evaluate("history.pushState({}, '', '/put/cart')")
    opened(page)
    page.locator(".composer textarea").fill("half a sent")
    page.evaluate("history.pushState({}, '', '/put/CHECKOUT/pay')")
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator(".launcher")).to_be_hidden()
    page.evaluate("history.back()")
    expect(page.locator(".composer textarea")).to_have_value("half a sent")
    expect(page.locator(".panel")).to_be_visible()


def test_tag_and_config_set_side_place_depth_and_colours(put: Callable[..., Page], double: Double) -> None:
    double.config["brand"] |= {"x": 50, "z": 7, "color": "light-dark(#aa0000,#00aa00)"}
    page = put(tag(double, 'data-position=left data-y=90 data-scheme=dark data-launcher="Need help?"'))
    launcher = page.get_by_role("button", name="Need help?")
    at = box(launcher)
    assert (at["x"], 800 - at["y"] - at["height"]) == (50, 90)
    style = launcher.evaluate("(it) => [getComputedStyle(it).zIndex, getComputedStyle(it).backgroundColor]")
    assert style == ["7", "rgb(0, 170, 0)"]
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert box(launcher)["x"] == 1280 - 50 - 60


def test_page_restyles_the_chat_without_important(put: Callable[..., Page], double: Double) -> None:
    page = put(
        """<style>usher-chat { --usher-color: #ffd400; --usher-x: 100px; --usher-y: 40px; color-scheme: dark }
        usher-chat::part(launcher) { border-radius: 8px } usher-chat::part(panel) { border-radius: 3px; width: 333px }
        usher-chat::part(header) { background: rgb(1, 2, 3) } usher-chat::part(message) { font-weight: 700 }</style>"""
        + tag(double, 'data-color="#000000" data-x=7')
    )
    opened(page)
    page.mouse.move(10, 10)
    expect(page.locator(".launcher")).to_have_css("scale", "none")
    assert box(page.locator(".launcher"))["x"] == 1280 - 100 - 60
    looks = {".launcher": "borderRadius", ".panel": "borderRadius", ".head": "backgroundColor", ".bubble": "fontWeight"}
    found = {
        part: page.locator(part).first.evaluate(f"(it) => getComputedStyle(it).{name}") for part, name in looks.items()
    }
    assert found == {".launcher": "8px", ".panel": "3px", ".head": "rgb(1, 2, 3)", ".bubble": "700"}
    assert box(page.locator(".panel"))["width"] == 333
    assert page.locator(".panel").evaluate("(it) => getComputedStyle(it).colorScheme") == "dark"


def test_application_that_swaps_its_body_or_empties_it_keeps_the_chat_as_it_was(
    put: Callable[..., Page], double: Double
) -> None:
    page = put(tag(double))
    opened(page)
    page.locator(".composer textarea").fill("half a sent")
    for swap in ("document.body.replaceWith(document.createElement('body'))", "document.body.innerHTML = '<p>New</p>'"):
        page.evaluate(swap)
        expect(page.locator("body > usher-chat .composer textarea")).to_have_value("half a sent")
        expect(page.locator("usher-chat")).to_have_count(1)


def test_two_sites_on_one_page_never_mix(put: Callable[..., Page], double: Double) -> None:
    double.others["help"] = {"site": "help", "name": "Help", "brand": double.config["brand"] | {"agent_name": "Bo"}}
    page = put(
        f"""<script>window.Usher=window.Usher||function(){{(Usher.q=Usher.q||[]).push(arguments)}};
        window.heard = [];
        for (const key of ["acme", "help"]) Usher(key + ":on", "opened", (it) => heard.push([key, it.site]))
        </script><button id=ask data-usher-open data-usher-site=help>Help</button>
        {tag(double)}{tag(double, site="help")}{tag(double, site="help")}"""
    )
    page.wait_for_function("document.querySelectorAll('usher-chat').length === 2")
    acme, help_ = (page.locator(f"usher-chat[data-site={site}]") for site in ("acme", "help"))
    boxes = sorted((box(it.locator(".launcher")) for it in (acme, help_)), key=lambda it: it["x"])
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    page.evaluate("Usher.open()")
    acme.locator(".choice").first.wait_for()
    page.locator("#ask").click()
    help_.locator(".choice").first.wait_for()
    expect(acme.locator(".panel")).to_be_hidden()
    assert page.evaluate("heard") == [["acme", "acme"], ["help", "help"]]
    help_.locator(".composer textarea").fill("hello")
    help_.locator(".composer textarea").press("Enter")
    help_.get_by_text("You said: hello").wait_for()
    assert [frame["site"] for frame in double.heard("hello")] == ["acme", "help"]
    records = page.evaluate(
        "Object.fromEntries(Object.entries(localStorage).map(([k, v]) => [k, JSON.parse(v).token]))"
    )
    assert set(records) == {"usher:acme", "usher:help"}
    assert len(set(records.values())) == 2
    page.evaluate("Usher.sites.help.reset()")
    page.wait_for_function("Object.keys(localStorage).join() === 'usher:acme'")
    page.evaluate("Usher('help:hide')")
    expect(help_.locator(".launcher")).to_be_hidden()
    expect(acme.locator(".launcher")).to_be_visible()


def test_a_call_that_does_not_exist_is_named_in_the_console(put: Callable[..., Page], double: Double) -> None:
    page = put(tag(double))
    opened(page)
    with page.expect_console_message(lambda it: 'no call "opne"' in it.text):
        page.evaluate("Usher('opne')")


def test_launcher_whose_files_did_not_come_works_with_the_next_press(put: Callable[..., Page], double: Double) -> None:
    page = put(tag(double))
    page.route("**/assets/*", lambda route: route.abort())
    with page.expect_console_message(lambda it: it.text.startswith("Usher:")):
        page.locator(".launcher").click()
    page.unroute("**/assets/*")
    page.locator(".launcher").click()
    page.locator(".choice").first.wait_for()
    expect(page.locator(".panel")).to_be_visible()
