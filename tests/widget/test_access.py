"""Everybody can use it: axe finds nothing in any state, whatever the scheme, the device and the owner's colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import WIDGET, opened, say
from tests.widget.double import Double
from tests.widget.states import states

AXE = WIDGET / "node_modules" / "axe-core" / "axe.min.js"
Visit = Callable[..., Page]
RUN = """async ({only}) => {
    const options = { resultTypes: ["violations"], preload: false, rules: { "target-size": { enabled: true } } };
    if (only) options.runOnly = only;
    const { violations } = await axe.run({ include: [["usher-chat"]] }, options);
    return violations.flatMap(({ id, nodes }) => nodes.map((it) => `${id}: ${it.html.slice(0, 160)} ${it.failureSummary}`));
}"""
SETTLED = """document.querySelector('usher-chat').shadowRoot.getAnimations({ subtree: true })
    .every((it) => it.effect.getTiming().iterations === Infinity)"""


def faults(page: Page, only: list[str] | None = None) -> list[str]:
    """What axe finds wrong in the widget once nothing moves; the page around it is not ours."""
    page.wait_for_function(SETTLED)
    found: list[str] = page.evaluate(RUN, {"only": only})
    return found


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_any_state_light_or_dark(visit: Visit, double: Double, phone: bool) -> None:
    page = visit("pricing/short", phone=phone, color_scheme="light", reduced_motion="reduce", timezone_id="UTC")
    page.add_script_tag(path=AXE)
    seen: dict[str, list[str]] = {}
    for state in states(page, double):
        seen[state] = faults(page)
        page.emulate_media(color_scheme="dark")
        seen[state] += [f"dark: {one}" for one in faults(page, ["color-contrast", "link-in-text-block"])]
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
