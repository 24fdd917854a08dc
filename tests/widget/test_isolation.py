"""The page cannot break the chat, the chat cannot break the page, and no frame of others can move either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]
HERE = Path(__file__).parent
HOSTILE = (HERE / "hostile.css").read_text()
ADD = "(css) => { const it = new CSSStyleSheet(); it.replaceSync(css); document.adoptedStyleSheets = [it] }"
LOOKS = """() => {
  const root = document.querySelector("usher-chat").shadowRoot;
  const names = ["launcher", "panel", "head", "who h2", "scroll", "msg", "bubble", "choice", "composer", "send"];
  return Object.fromEntries(names.flatMap((name) => [...root.querySelectorAll("." + name)].map((it, at) => {
    const { x, y, width, height } = it.getBoundingClientRect(), style = getComputedStyle(it);
    const own = [...style].filter((one) => !/^--|^-webkit-locale|^color-scheme|-origin$/.test(one));
    const values = own.map((one) => `${one}: ${style.getPropertyValue(one)}`);
    return [name + at, { place: [x, y, width, height], style: values }];
  })));
}"""


def settled(page: Page) -> Page:
    page.wait_for_function("""document.querySelector('usher-chat').shadowRoot.getAnimations({ subtree: true })
        .every((it) => it.effect.getTiming().iterations === Infinity)""")
    return page


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    assert before.keys() == after.keys()
    styles = {name: sorted(set(after[name]["style"]) - set(before[name]["style"])) for name in before}
    places = {name: after[name]["place"] for name in before if after[name]["place"] != before[name]["place"]}
    return {name: found for name, found in styles.items() if found} | {f"{name} at": it for name, it in places.items()}


def test_the_most_hostile_stylesheet_moves_and_changes_nothing_of_the_chat(visit: Visit) -> None:
    page = opened(visit(reduced_motion="reduce"))
    page.mouse.move(5, 5)
    before = settled(page).evaluate(LOOKS)
    page.evaluate(ADD, HOSTILE)
    assert differences(before, settled(page).evaluate(LOOKS)) == {}
    page.get_by_role("button", name="Just looking").click()
    expect(page.locator(".visitor .bubble")).to_be_visible()


@pytest.mark.parametrize(
    "rules", ["", "* { all: unset !important } head, script { display: none }"], ids=["moved", "unset"]
)
def test_page_that_animates_and_stacks_its_elements_does_not_take_the_launcher_along(visit: Visit, rules: str) -> None:
    page = visit("short", reduced_motion="reduce")
    box: Any = page.locator(".launcher").bounding_box()
    before = page.evaluate(LOOKS), page.screenshot(clip=box)
    page.evaluate(
        ADD,
        """body > * { position: relative; z-index: 1; transform: translateX(90px); opacity: 0.3; filter: blur(9px);
        will-change: transform; contain: paint; animation: fade 1s infinite alternate }
        @keyframes fade { to { opacity: 0 } }
        #cover { position: fixed; inset: 0; z-index: 99; opacity: 1; filter: none; transform: none;
        background: #fff }"""
        + rules,
    )
    page.evaluate("document.body.append(Object.assign(document.createElement('div'), { id: 'cover' }))")
    assert differences(before[0], page.evaluate(LOOKS)) == {}
    assert page.screenshot(clip=box) == before[1]


def test_the_owner_may_hide_the_chat_with_one_plain_rule(visit: Visit) -> None:
    page = opened(visit())
    page.evaluate(ADD, "usher-chat { display: none }")
    expect(page.locator(".launcher")).to_be_hidden()
    expect(page.locator(".panel")).to_be_hidden()


FADE = "@keyframes fade { from { opacity: 0; transform: translateY(20px) } to { transform: translateY(0) } } "
PAGES = {
    "fades in": FADE + "body > * { display: block; animation: fade 0.4s both }",
    "flexible": "body > * { display: flex; transform: translateX(10px); will-change: transform; position: relative }",
    "undefined": ":not(:defined) { display: none }",
    "empty": ":empty { display: none }",
}


def test_the_launcher_is_in_its_place_from_the_first_paint_whatever_the_page_does(visit: Visit, double: Double) -> None:
    page = visit("short", reduced_motion="reduce")
    plain = page.locator(".launcher").bounding_box()
    for name, css in PAGES.items():
        tag = f'<script async src="{double.usher}/w.js" data-site="acme"></script>'
        double.pages["styled"] = f"<!doctype html><style>{css}</style><h1>Acme</h1>{tag}", {}
        page.goto(f"{double.site}/styled")
        page.evaluate("Usher.ready")
        assert page.locator(".launcher").bounding_box() == plain, name
        assert page.evaluate("Boolean(document.elementFromPoint(innerWidth - 50, innerHeight - 50).shadowRoot)"), name
    assert not [request for request in double.requests if "greet" in request]  # nobody has touched the page
    expect(opened(page).locator(".panel")).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)], ids=["desktop", "phone"])
def test_panel_stays_within_the_window_of_a_page_that_zooms_itself(visit: Visit, size: tuple[int, int]) -> None:
    width, height = size
    page = visit("short", reduced_motion="reduce", viewport={"width": width, "height": height})
    page.evaluate(ADD, "html { zoom: 1.5 }")
    for name in (".panel", ".close", ".composer"):
        box = settled(opened(page) if name == ".panel" else page).locator(name).bounding_box()
        assert box
        assert 0 <= box["x"] <= width - box["width"], (name, box)
        assert 0 <= box["y"] <= height - box["height"], (name, box)


def test_what_lies_under_the_key_of_the_record_and_is_none_counts_as_nothing(visit: Visit) -> None:
    page = visit("short")
    for found in ("null", "5", '"text"', "[]", "{"):
        page.evaluate("(found) => { localStorage['usher:acme'] = found }", found)
        page.reload()
        page.wait_for_function("window.Usher && Usher.v")
        page.evaluate("Usher.ready")
        expect(page.locator(".launcher")).to_be_visible()


GRID = """() => {
  const odd = [];
  for (let x = 4; x < innerWidth; x += 9) for (let y = 4; y < innerHeight; y += 9) {
    const it = document.elementFromPoint(x, y);
    if (it?.localName === "usher-chat") odd.push([x, y]);
  }
  return odd;
}"""


def test_closed_chat_lies_over_nothing_but_its_launcher(visit: Visit) -> None:
    page = visit("short")
    box = page.locator(".launcher").bounding_box()
    assert box
    for closed_again in (False, True):
        if closed_again:
            opened(page).keyboard.press("Escape")
            expect(settled(page).locator(".panel")).to_be_hidden()
        covered = page.evaluate(GRID)
        assert covered
        assert all(
            box["x"] <= x <= box["x"] + box["width"] and box["y"] <= y <= box["y"] + box["height"] for x, y in covered
        )


NATIVES = (HERE / "natives.js").read_text()


def test_chat_takes_over_no_function_and_no_handler_of_the_page_and_adds_one_name(visit: Visit) -> None:
    page = visit("short", wait=False)
    page.add_init_script(NATIVES)
    page.reload()
    page.evaluate("Usher.ready")
    assert page.evaluate("taken()") == ["window.taken", "window.Usher"]
    say(opened(page), "hello")
    page.get_by_text("You said: hello").wait_for()
    assert page.evaluate("taken()") == ["window.taken", "window.Usher"]
    assert page.evaluate("document.title") == "Acme short"


def test_page_keeps_its_clicks_keys_wheel_and_selection(visit: Visit) -> None:
    page = opened(visit())
    page.evaluate("""() => { window.prevented = []; window.heard = [];
      for (const sign of ["click", "keydown", "keyup", "wheel", "touchmove", "contextmenu", "pointerdown", "submit"])
        addEventListener(sign, (it) => { heard.push(sign); if (it.defaultPrevented) prevented.push(sign) }); }""")
    page.locator("h1").click()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY > 200")
    page.evaluate("""() => { getSelection().selectAllChildren(document.querySelector("h1"));
      document.querySelector("h1").dispatchEvent(new TouchEvent("touchmove", { bubbles: true, cancelable: true })) }""")
    assert page.evaluate("getSelection().toString()") == "Acme"
    assert page.evaluate("prevented") == []
    assert set(page.evaluate("heard")) >= {"click", "keydown", "wheel", "touchmove"}
    expect(page.locator(".panel")).to_be_visible()


def test_what_is_typed_pasted_and_scrolled_in_the_chat_triggers_nothing_in_the_page(visit: Visit) -> None:
    page = visit()
    page.evaluate("""() => { window.heard = [];
      for (const sign of ["keydown", "keypress", "keyup", "paste", "copy", "cut"]) addEventListener(sign, (it) => {
        heard.push(it.key ?? sign);
        it.preventDefault(); // a shortcut, as of pages that look at the event's target: it is no field
      });
      addEventListener("wheel", (it) => it.preventDefault(), { passive: false }); // a page that scrolls in its own way
    }""")
    opened(page)
    page.locator(".composer textarea").click()
    page.keyboard.type("s/long g")
    expect(page.locator(".composer textarea")).to_have_value("s/long g")
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+C")
    page.keyboard.press("Control+V")
    page.locator(".composer textarea").fill("long")
    page.keyboard.press("Enter")
    page.get_by_text("Line 39").wait_for()
    assert page.evaluate("heard") == []
    at = "document.querySelector('usher-chat').shadowRoot.querySelector('.scroll').scrollTop"
    settled(page).wait_for_function(f"{at} > 60")
    page.locator(".scroll").hover()
    page.mouse.wheel(0, -4000)
    page.wait_for_function(f"{at} == 0")


MESSAGES = (HERE / "foreign.js").read_text()
WITHIN = """() => [document.querySelector("usher-chat").shadowRoot.innerHTML,
  document.querySelector("usher-chat").outerHTML,
  JSON.stringify(localStorage), document.cookie, String(window.opened)]"""


def test_frame_of_another_origin_changes_nothing_whatever_it_posts(visit: Visit, double: Double) -> None:
    page = visit("short")
    page.route(
        "http://foreign.example/**",
        lambda route: route.fulfill(body=f"<script>{MESSAGES}</script>", content_type="text/html"),
    )
    page.evaluate("Usher.on('opened', () => window.opened = true)")
    for is_open in (False, True):
        if is_open:
            settled(opened(page))
            double.wait(lambda: bool(double.heard("seen")))
        before, frames = page.evaluate(WITHIN), len(double.frames)
        page.evaluate("""() => new Promise((heard) => {
          addEventListener("message", (it) => it.data === "end" && setTimeout(heard, 100));
          document.body.append(Object.assign(document.createElement("iframe"), { src: "http://foreign.example/" }));
        })""")
        assert page.evaluate(WITHIN) == before
        assert len(double.frames) == frames
    assert page.evaluate("Object.keys(localStorage).length") == 1


def test_chat_listens_to_no_message_of_a_window(visit: Visit) -> None:
    page = visit("short", wait=False)
    page.add_init_script("""window.listens = []; const original = EventTarget.prototype.addEventListener;
      EventTarget.prototype.addEventListener = function (name, ...rest) {
        if (this === window || this === document) listens.push(name);
        return original.call(this, name, ...rest); };""")
    page.reload()
    say(opened(page), "hello")
    page.get_by_text("You said: hello").wait_for()
    listens = page.evaluate("listens")
    assert {"click", "pointermove", "storage"} <= set(listens)
    assert not {"message", "error", "unhandledrejection", "popstate", "beforeunload", "unload", "keyup"} & set(listens)
