"""Everybody can use it: axe finds nothing in any state, whatever the scheme, the device and the owner's colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import WIDGET, opened, say
from tests.widget.double import Double
from tests.widget.states import states

AXE = WIDGET / "node_modules" / "axe-core" / "axe.min.js"
Visit = Callable[..., Page]
RUN = """async ({only, without}) => {
    const options = { resultTypes: ["violations"], preload: false, rules: { "target-size": { enabled: true } } };
    Object.assign(options.rules, ...without.map((id) => ({ [id]: { enabled: false } })));
    if (only) options.runOnly = only;
    const { violations } = await axe.run({ include: [["usher-chat"]] }, options);
    return violations.flatMap(({ id, nodes }) =>
        nodes.map((it) => `${id}: ${it.html.slice(0, 160)} ${it.failureSummary}`));
}"""
SETTLED = """document.querySelector('usher-chat').shadowRoot.getAnimations({ subtree: true })
    .every((it) => it.effect.getTiming().iterations === Infinity)"""


COLOUR_RULES = ["color-contrast", "link-in-text-block"]


def faults(page: Page, only: list[str] | None = None, without: Sequence[str] = ()) -> list[str]:
    """What axe finds wrong in the widget once nothing moves; the page around it is not ours."""
    page.wait_for_function(SETTLED)
    found: list[str] = page.evaluate(RUN, {"only": only, "without": without})
    return found


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_any_state_light_or_dark(visit: Visit, double: Double, phone: bool) -> None:
    page = visit("pricing/short", phone=phone, color_scheme="light", reduced_motion="reduce", timezone_id="UTC")
    page.add_script_tag(path=AXE)
    seen: dict[str, list[str]] = {}
    for state in states(page, double):
        seen[state] = faults(page, without=COLOUR_RULES if phone else ())
        if phone:
            continue  # its colours are those of the desktop
        page.emulate_media(color_scheme="dark")
        seen[state] += [f"dark: {one}" for one in faults(page, COLOUR_RULES)]
        page.emulate_media(color_scheme="light")
    assert len(seen) == 27
    assert {state: found for state, found in seen.items() if found} == {}


COLOURS = (
    *("#ffd400", "#777777", "#757575", "#7f7f7f", "#ffffff", "#000000", "#0b0b30"),
    *("#00ff00", "#ff0000", "#0000ff", "#00a0a0", "#e91e63", "#ff8c00"),
)
CONTRAST = Path(__file__).with_name("contrast.js").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whatever_colour_the_owner_gives_every_text_keeps_its_contrast(
    visit: Visit, double: Double, scheme: Any
) -> None:
    page = opened(visit("short", color_scheme=scheme, reduced_motion="reduce", timezone_id="UTC"))
    for text in ("question", "offer", "slots"):
        say(page, text)
        expect(page.locator(".visitor .bubble").last).to_have_text(text)
    page.locator(".times button").first.wait_for()
    page.locator(".composer textarea").fill("half a sentence")
    assert page.evaluate(CONTRAST, list(COLOURS)) == {}


FOCUSED = """(() => { const it = document.activeElement.shadowRoot?.activeElement;
  return it ? it.ariaLabel || it.labels?.[0]?.textContent || it.textContent : "" })()"""


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until the focus is on what has this name; no visitor would press it forty times."""
    for _ in range(40):
        if name in page.evaluate(FOCUSED):
            page.wait_for_function(OUTLINED)  # the focus on it can be seen, once the styles are there
            return
        page.keyboard.press(key)
    raise AssertionError(f"Tab never comes to {name}")


OUTLINED = """(() => {
  const { outlineWidth, outlineColor, boxShadow } = getComputedStyle(document.activeElement.shadowRoot.activeElement);
  return parseFloat(outlineWidth) >= 2 && (outlineColor !== "rgba(0, 0, 0, 0)" || boxShadow !== "none") })()"""


def test_keyboard_alone_is_enough_from_the_page_to_a_meeting_and_its_end(visit: Visit, double: Double) -> None:
    page = visit("short", reduced_motion="reduce", timezone_id="UTC")
    page.locator("#next").focus()
    tab_to(page, "Chat with us")
    page.keyboard.press("Enter")
    expect(page.locator(".composer textarea")).to_be_focused()
    page.keyboard.type("multi")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Alerts").wait_for()
    tab_to(page, "Dashboards", "Shift+Tab")
    page.keyboard.press("Space")
    tab_to(page, "Single sign-on")
    page.keyboard.press("Space")
    tab_to(page, "Confirm")
    page.keyboard.press("Enter")
    page.get_by_text("You said: Dashboards, Single sign-on").wait_for()
    expect(page.locator(".composer textarea")).to_be_focused()
    page.keyboard.type("suggested")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="More times").wait_for()
    tab_to(page, "Time zone", "Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("berlin")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Time zone: Berlin")).to_be_focused()
    tab_to(page, "9:00")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada")
    tab_to(page, "Work e-mail")
    page.keyboard.type("ada@globex.example")
    tab_to(page, "Book it")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Cancel meeting").wait_for()
    expect(page.locator(".composer textarea")).to_be_focused()
    tab_to(page, "Reschedule", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".suggested .row").first).to_be_focused()
    tab_to(page, "Cancel meeting", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator(".meeting.off").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(".launcher")).to_be_focused()
    assert double.heard("say")[-1]["value"] == {"action": "cancel_meeting", "meeting": "mtg_1"}


READ_OUT = """(log) => { window.read = [];
  const spoken = (node) => {
    const it = node.cloneNode(true);
    it.querySelectorAll?.("[hidden], [aria-hidden=true], [aria-live=off]").forEach((quiet) => quiet.remove());
    return it.textContent;
  };
  new MutationObserver((all) => {
    for (const { target, addedNodes, removedNodes } of all) {
      const place = target.nodeType === 1 ? target : target.parentElement;
      if (place?.closest("[aria-live], [aria-hidden=true]") !== log || log.ariaLive === "off") continue;
      read.push(...[...addedNodes].map(spoken), ...[...removedNodes].map((it) => "gone: " + it.textContent));
    }
  }).observe(log, { childList: true, subtree: true, characterData: true });
}"""


def test_each_message_is_read_out_once_and_nothing_else_is(chat: Page, double: Double) -> None:
    chat.get_by_role("log").evaluate(READ_OUT)
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    double.cut()
    double.wait(lambda: len([one for one in double.frames if one["t"] in ("hello", "resume")]) == 2)
    double.say("Still there?")
    chat.get_by_text("Still there?").wait_for()
    assert chat.evaluate("read") == ["You: hello", "Ada: You said: hello", "Ada: Still there?"]


def test_what_was_said_before_the_page_was_loaded_is_not_read_out_again(chat: Page, double: Double) -> None:
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    chat.reload()
    chat.get_by_text("You said: hello").wait_for()
    log = chat.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "off")
    double.say("Welcome back")
    chat.get_by_text("Welcome back").wait_for()
    expect(log).to_have_attribute("aria-live", "polite")


def test_answers_to_choose_from_are_read_out_and_open_times_are_not(chat: Page) -> None:
    expect(chat.locator(".dock")).to_have_attribute("aria-live", "polite")
    say(chat, "suggested")
    expect(chat.locator(".dock .slots")).to_have_attribute("aria-live", "off")


def test_launcher_names_the_dialog_that_it_opens(chat: Page) -> None:
    expect(chat.locator(".launcher")).to_have_attribute("aria-haspopup", "dialog")
    controls = chat.locator(".launcher").get_attribute("aria-controls")
    expect(chat.locator(f"#{controls}")).to_have_attribute("role", "dialog")


def test_forced_colours_show_what_is_chosen_and_where_the_focus_is(visit: Visit) -> None:
    page = opened(visit("short", forced_colors="active", reduced_motion="reduce", timezone_id="UTC"))
    say(page, "slots")
    page.locator(".times button").first.wait_for()
    line = "(it) => [getComputedStyle(it).outlineStyle, getComputedStyle(it).outlineWidth]"
    assert page.locator(".days [aria-pressed=true]").evaluate(line) == ["solid", "2px"]
    assert page.locator(".days [aria-pressed=false]").first.evaluate(line)[0] == "none"
    page.locator(".composer textarea").focus()
    assert page.locator(".composer textarea").evaluate(line) == ["solid", "2px"]
    bordered = page.locator(".times button, .card, .send, .bubble").evaluate_all(
        "(all) => all.map((it) => getComputedStyle(it).borderTopWidth)"
    )
    assert set(bordered) == {"1px"}


def test_axe_finds_nothing_where_a_file_is_missing_or_nobody_was_asked_yet(visit: Visit) -> None:
    page = visit("forward", reduced_motion="reduce")
    page.add_script_tag(path=AXE)
    page.route("**/assets/booking-*", lambda route: route.abort())
    page.mouse.move(300, 300)
    page.get_by_role("button", name="Let’s start").wait_for()
    seen = {"begin": faults(page)}
    say(page, "suggested")
    page.get_by_role("alert").wait_for()
    seen["part not loaded"] = faults(page)
    other = visit("short")
    other.add_script_tag(path=AXE)
    other.route("**/assets/panel-*", lambda route: route.abort())
    other.locator(".launcher").click()
    other.get_by_role("alert").wait_for()
    seen["chat not loaded"] = faults(other)
    assert {state: found for state, found in seen.items() if found} == {}
