"""The built widget, the double it talks to, and a browser to look at both."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.widget.double import Double

WIDGET = Path(__file__).parents[2] / "widget"
NODE = shutil.which("node") or (WIDGET.parent / ".venv" / ".node").read_text().strip() + "/node"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"page", "visit"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make assets` makes, built afresh."""
    out = tmp_path_factory.mktemp("build")
    subprocess.run([NODE, str(WIDGET / "build.mjs"), str(out)], check=True, capture_output=True)
    return out


@pytest.fixture(scope="session")
def running(built: Path) -> Iterator[Double]:
    double = Double(built / "assets")
    yield double
    double.stop()


@pytest.fixture
def double(running: Double) -> Iterator[Double]:
    running.reset()
    yield running
    running.reset()


@pytest.fixture
def visit(browser: Browser, double: Double) -> Iterator[Callable[..., Page]]:
    """Open a page of the site in a browser of its own: `visit("pricing", locale="de-DE", phone=True)`.

    A script error on any of these pages fails the test.
    """
    contexts, errors = [], []

    def go(path: str = "", *, phone: bool = False, wait: bool = True, **options: Any) -> Page:
        if phone:
            options |= {
                "viewport": {"width": 390, "height": 844},
                "has_touch": True,
                "is_mobile": True,
                "device_scale_factor": 2,
            }
        options = {
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
            "viewport": {"width": 1280, "height": 800},
            "reduced_motion": "reduce",  # else every press waits for its button to come to rest; journeys wait
        } | options
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{double.site}/{path}")
        if wait:
            page.wait_for_function("window.Usher && Usher.v")
            page.evaluate("Usher.ready")
        return page

    yield go
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    """The home page, with the launcher drawn."""
    return visit()


@pytest.fixture
def chat(page: Page) -> Page:
    """The home page with the chat open and greeted."""
    return opened(page)


def opened(page: Page) -> Page:
    """Press the launcher and wait for the greeting."""
    page.locator(".launcher").click()
    page.locator(".choice").first.wait_for()
    return page


def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    page.locator(".composer textarea").fill(text)
    page.locator(".composer textarea").press("Enter")


def shows(page: Page, *texts: str) -> None:
    """Wait until the conversation is these messages, in this order; they may come in another one."""
    expect(page.locator(".bubble")).to_have_text(texts)
