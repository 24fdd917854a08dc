"""Small screens, keyboards, notches, slow and broken lines, and the visitor's own clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.widget.conftest import WIDGET, opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]
LOCKED = "getComputedStyle(document.documentElement).overflowY"
WIDER = """() => [...document.querySelector("usher-chat").shadowRoot.querySelectorAll(".panel *")].filter((it) => {
  const { left, right, width } = it.getBoundingClientRect();
  return width > 1 && !it.closest(".days") && (left < 0 || right > innerWidth);
}).map((it) => it.className || it.localName)"""


def tapped(page: Page) -> Page:
    page.locator(".launcher").tap()
    page.locator(".choice").first.wait_for()
    page.wait_for_function("""document.querySelector('usher-chat').shadowRoot.getAnimations({ subtree: true })
        .every((it) => it.effect.getTiming().iterations === Infinity)""")
    return page


def test_turned_phone_stays_filled_and_the_page_comes_back_where_it_was(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    page.add_style_tag(content="html { scroll-behavior: smooth } h1 { width: 2000px }")
    page.evaluate("scrollTo({ left: 60, top: 700, behavior: 'instant' })")
    tapped(page)
    for width, height in ((844, 390), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(f"innerWidth === {width}")
        box = {"x": 0, "y": 0, "width": width, "height": height}
        expect(page.locator(".panel")).to_have_css("height", f"{height}px")
        assert page.locator(".panel").bounding_box() == box
        expect(page.locator(".composer textarea")).to_be_in_viewport(ratio=1)
        assert page.evaluate(LOCKED) == "hidden"
    page.get_by_role("button", name="Close chat").tap()
    assert page.evaluate(f"[{LOCKED}, scrollX, scrollY]") == ["visible", 60, 700]


def test_chat_leaves_full_screen_when_the_window_grows(visit: Visit) -> None:
    page = opened(visit(viewport={"width": 420, "height": 800}))
    assert page.evaluate(LOCKED) == "hidden"
    page.set_viewport_size({"width": 1100, "height": 800})
    expect(page.locator(".panel")).to_have_css("width", "400px")
    assert page.evaluate(LOCKED) == "visible"
    expect(page.locator(".panel")).not_to_have_attribute("aria-modal", "true")


def test_keyboard_of_the_phone_leaves_the_newest_message_and_the_composer_in_sight(visit: Visit) -> None:
    page = tapped(visit(phone=True))
    say(page, "long")
    page.get_by_text("Line 39").wait_for()
    say(page, "hello")
    newest = page.get_by_text("You said: hello")
    expect(newest).to_be_in_viewport()
    page.evaluate("""() => {
        Object.defineProperty(visualViewport, "height", { value: 420, configurable: true });
        Object.defineProperty(visualViewport, "offsetTop", { value: 100, configurable: true });
        visualViewport.dispatchEvent(new Event("resize")) }""")
    expect(page.locator(".panel")).to_have_css("height", "420px")
    seen = "document.querySelector('usher-chat').shadowRoot.querySelector('%s').getBoundingClientRect().%s"
    page.wait_for_function(f"{seen % ('.composer', 'bottom')} <= 520 && {seen % ('.panel', 'top')} === 100")
    page.wait_for_function(
        f"{seen % ('.msg:last-child .bubble', 'bottom')} <= {seen % ('.composer', 'top')}"
        f" && {seen % ('.msg:last-child .bubble', 'top')} >= {seen % ('.head', 'bottom')}"
    )


def test_back_closes_the_full_screen_chat_and_leaves_the_history_alone(visit: Visit) -> None:
    page = visit(phone=True)
    before = page.evaluate("[history.length, location.href, JSON.stringify(history.state)]")
    for _ in range(2):
        tapped(page)
        page.evaluate("document.querySelector('usher-chat').shadowRoot.activeElement.blur()")
        page.keyboard.press("Escape")  # with the focus in the page this is a close request, as the back button is
        expect(page.locator(".panel")).to_be_hidden()
        assert page.evaluate(LOCKED) == "visible"
    assert page.evaluate("[history.length, location.href, JSON.stringify(history.state)]") == before


def test_notch_and_home_bar_cover_nothing(visit: Visit) -> None:
    page = visit("short", phone=True)
    insets = {
        "top": 50,
        "topMax": 50,
        "bottom": 34,
        "bottomMax": 34,
        "left": 0,
        "leftMax": 0,
        "right": 0,
        "rightMax": 0,
    }
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    launcher = page.locator(".launcher").bounding_box()
    assert launcher
    assert launcher["y"] + launcher["height"] <= 844 - 34
    tapped(page)
    close, send = page.locator(".close").bounding_box(), page.locator(".send").bounding_box()
    assert close
    assert send
    assert close["y"] >= 50
    assert send["y"] + send["height"] <= 844 - 34
    page.set_viewport_size({"width": 844, "height": 390})
    turned = insets | {"top": 0, "topMax": 0, "left": 50, "leftMax": 50, "right": 50, "rightMax": 50}
    devtools.send("Emulation.setSafeAreaInsetsOverride", {"insets": turned})
    expect(page.locator(".panel")).to_have_css("padding-left", "50px")
    area, send = page.locator(".composer textarea").bounding_box(), page.locator(".send").bounding_box()
    assert area
    assert send
    assert area["x"] >= 50
    assert send["x"] + send["width"] <= 844 - 50


@pytest.mark.parametrize("size", [{"width": 390, "height": 844}, {"width": 320, "height": 256}], ids=["phone", "400 %"])
def test_nothing_is_wider_than_the_screen(visit: Visit, size: Any) -> None:
    page = opened(visit("short", viewport=size, reduced_motion="reduce", timezone_id="UTC"))
    for text in ("wide", "wide offer", "slots", "suggested", "wide form", "wide meeting"):
        say(page, text)
        expect(page.locator(".visitor .bubble").last).to_have_text(text)
        expect(page.locator(".msg").last).to_have_attribute("data-author", "bot")
        page.locator(
            {"slots": ".times", "suggested": ".suggested", "wide form": ".field"}.get(text, ".msg")
        ).last.wait_for()
        assert (text, page.evaluate(WIDER)) == (text, [])
        view = page.locator(".scroll")
        assert view.evaluate("(it) => it.scrollWidth - it.clientWidth") == 0
        expect(page.locator(".composer textarea")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", [(844, 390), (640, 400), (320, 256)], ids=["turned phone", "200 %", "400 %"])
def test_focused_field_of_the_booking_is_in_sight_on_very_low_screens(visit: Visit, size: tuple[int, int]) -> None:
    page = opened(visit("short", viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"))
    say(page, "suggested")
    page.locator(".suggested .row").first.click()
    name = page.get_by_label("Your name")
    expect(name).to_be_focused()
    expect(name).to_be_in_viewport(ratio=0.3)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Work e-mail")).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("height", [720, 800])
def test_zone_and_button_of_the_booking_are_in_sight_without_scrolling(visit: Visit, height: int) -> None:
    page = opened(visit("short", viewport={"width": 1280, "height": height}, reduced_motion="reduce"))
    say(page, "slots")
    page.locator(".times button").first.wait_for()
    expect(page.get_by_role("button", name="Time zone")).to_be_in_viewport(ratio=1)
    expect(page.locator(".times button").nth(5)).to_be_in_viewport(ratio=1)
    say(page, "suggested")
    expect(page.get_by_role("button", name="More times")).to_be_in_viewport(ratio=1)
    page.locator(".suggested .row").first.click()
    expect(page.get_by_role("button", name="Book it")).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Work e-mail")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("locale", "zone", "day", "time"),
    [
        ("en-US", "America/New_York", "Monday, Mar 3", "3:00 AM"),
        ("en-GB", "Europe/London", "Monday 3 Mar", "8:00"),
        ("de-DE", "Europe/Berlin", "Montag, 3. März", "9:00"),
        ("fr-FR", "Asia/Tokyo", "lundi 3 mars", "17:00"),
        ("es-ES", "Asia/Kolkata", "lunes, 3 mar", "13:30"),
    ],
)
def test_times_are_on_the_visitors_clock_and_written_as_they_write_them(
    visit: Visit, locale: str, zone: str, day: str, time: str
) -> None:
    page = opened(visit("short", locale=locale, timezone_id=zone))
    say(page, "suggested")
    first = page.locator(".suggested .row").first
    expect(first.locator("span")).to_have_text(day)
    expect(first.locator("b")).to_have_text(re.compile(rf"^0?{time}$".replace(" ", r"\s")))


def broken(page: Page, file: str) -> Callable[[], None]:
    """The file cannot be fetched until the function that is returned is called."""
    page.route(f"**/assets/{file}-*", lambda route: route.abort())
    return lambda: page.unroute(f"**/assets/{file}-*")


@pytest.mark.parametrize("file", ["greet", "panel"])
def test_launcher_says_that_the_chat_could_not_be_loaded_and_the_next_press_opens_it(visit: Visit, file: str) -> None:
    page = visit("short", locale="de-DE", wait=False)
    mended = broken(page, file)
    page.reload()
    page.locator(".launcher").click()
    expect(page.get_by_role("alert")).to_have_text("Der Chat konnte nicht geladen werden.")
    expect(page.get_by_role("alert")).to_be_in_viewport(ratio=1)
    page.locator(".launcher").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    mended()
    page.locator(".launcher").click()
    expect(page.locator(".composer textarea")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_impatient_visitor_presses_twice_and_the_chat_opens_once(visit: Visit) -> None:
    page = visit("short", wait=False)
    held: list[Route] = []
    page.route("**/assets/panel-*", lambda route: held.append(route))
    page.reload()
    page.locator(".launcher").click()
    expect(page.locator(".launcher")).to_have_attribute("aria-busy", "true")
    page.locator(".launcher").click()
    for route in held:
        route.continue_()
    expect(page.locator(".panel")).to_be_visible()
    expect(page.locator(".launcher")).to_have_attribute("aria-busy", "false")
    page.locator(".choice").first.wait_for()
    expect(page.locator(".panel")).to_be_visible()


def test_chat_whose_language_cannot_be_fetched_speaks_english(visit: Visit) -> None:
    page = visit("short", locale="fr-FR", wait=False)
    broken(page, "lang-fr")
    page.reload()
    opened(page)
    expect(page.get_by_role("button", name="Close chat")).to_be_visible()


def test_booking_that_cannot_be_fetched_says_so_and_comes_when_asked_again(visit: Visit) -> None:
    page = opened(visit("short"))
    mended = broken(page, "booking")
    say(page, "suggested")
    expect(page.get_by_role("alert")).to_contain_text("This could not be loaded. Are you online?")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("This could not be loaded. Are you online?")
    mended()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".suggested .row")).to_have_count(3)


def test_chat_that_opened_by_itself_invites_and_asks_nobody_before_the_press(visit: Visit, double: Double) -> None:
    page = visit("forward")
    page.mouse.move(300, 300)
    start = page.get_by_role("button", name="Let’s start")
    start.wait_for()
    page.locator(".close").focus()
    while not start.evaluate("(it) => it.matches(':focus')"):
        page.keyboard.press("Tab")
    assert double.frames == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Comparing tools")).to_be_focused()
    expect(start).to_have_count(0)
    expect(page.locator(".bubble")).to_have_text(["Let me show you around."])


def test_button_that_makes_room_for_others_leaves_them_the_focus(chat: Page, double: Double) -> None:
    chat.get_by_role("button", name="Ready to buy").focus()
    options = [{"id": "a", "label": "Alpha"}, {"id": "b", "label": "Beta"}]
    double.say("Something else first:", part={"kind": "choices", "multi": False, "options": options})
    chat.get_by_role("button", name="Alpha").wait_for()
    assert chat.evaluate("document.activeElement.shadowRoot.activeElement.closest('.panel') !== null")
    chat.keyboard.press("Escape")
    expect(chat.locator(".panel")).to_be_hidden()


def test_site_that_needs_no_consent_is_talking_as_soon_as_it_opened_by_itself(visit: Visit, double: Double) -> None:
    double.config["consent"] = "none"
    page = visit("forward")
    page.mouse.move(300, 300)
    page.get_by_role("button", name="Comparing tools").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_printed_page_has_no_chat_even_while_it_is_open(chat: Page) -> None:
    chat.emulate_media(media="print")
    expect(chat.locator(".launcher")).to_be_hidden()
    expect(chat.locator(".panel")).to_be_hidden()


PHYSICAL = re.compile(
    r"(?<![-\w])(?:(?:margin|padding|border|inset)-)?(?:left|right)(?:-[a-z]+)*\s*:|text-align:\s*(?:left|right)|float:"
)
FOUR = re.compile(r"(?:margin|padding|inset|border-radius|border-width):\s*(\S+) (\S+) (\S+) (\S+);")


def test_stylesheets_know_no_left_and_no_right_but_for_the_notch() -> None:
    odd = []
    for sheet in [*WIDGET.glob("*.css"), *(WIDGET / "parts").glob("*.css")]:
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        odd += [f"{sheet.name}: {found}" for found in PHYSICAL.findall(text)]
        odd += [f"{sheet.name}: {it.group()}" for it in FOUR.finditer(text) if it[2] != it[4]]
    assert [one for one in odd if "safe-area" not in one] == []
