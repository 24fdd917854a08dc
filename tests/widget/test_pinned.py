"""A page pinned to one build: its browser takes those bytes, of the loader and of all that it loads, and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]
WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", (it) => violations.push(it.violatedDirective));"""
CSP = "default-src 'none'; script-src 'nonce-n1'; connect-src {usher} {ws}; require-trusted-types-for 'script'"


def tag(double: Double, *, of: str = "pinned", more: str = "") -> str:
    entry = double.manifest[of]
    return (
        f'<script async nonce="n1" src="{double.usher}/assets/{entry["file"]}" integrity="{entry["sri"]}" crossorigin'
        f' data-site="acme" {more}></script>'
    )


@pytest.fixture
def pinned(visit: Visit, double: Double) -> Callable[..., tuple[Page, list[str]]]:
    """A strict page with the pinned tag, and what its console says; `changed`: the file that is not what was built."""

    def go(changed: str = "", **options: str) -> tuple[Page, list[str]]:
        page = visit(wait=False, **options)
        policy = CSP.format(usher=double.usher, ws=double.usher.replace("http", "ws"))
        html = f"<!doctype html><title>Acme</title><body><h1>Acme</h1>{tag(double)}"
        double.pages["pinned"] = html, {"Content-Security-Policy": policy}
        if changed:
            page.route(f"**/{double.manifest[changed]['file']}", _alter)
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.add_init_script(WATCH)
        page.goto(double.site + "/pinned")
        return page, told

    return go


def _alter(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text() + " ")


def test_visitor_of_a_pinned_page_chats_and_books_in_their_language_under_a_strict_policy(
    pinned: Callable[..., tuple[Page, list[str]]], double: Double
) -> None:
    page, _ = pinned(locale="de-DE")
    page.locator(".launcher").wait_for()
    opened(page)
    say(page, "slots")
    page.locator(".times button").first.click()
    page.get_by_label("Your name").fill("Ada")
    assert page.evaluate("violations") == []
    asked = {path for path in double.requests if path.startswith("/assets/")}
    parts = ("pinned", "greet", "panel", "booking", "lang-de")
    assert asked == {f"/assets/{double.manifest[it]['file']}" for it in parts}


def test_loader_with_one_byte_changed_does_not_run(pinned: Callable[..., tuple[Page, list[str]]]) -> None:
    page, told = pinned(changed="pinned")
    assert any("integrity" in it for it in told)
    assert page.evaluate("[typeof Usher, document.querySelectorAll('usher-chat').length]") == ["undefined", 0]


@pytest.mark.parametrize("changed", ["greet", "panel"])
def test_part_with_one_byte_changed_does_not_run_and_the_console_says_so(
    pinned: Callable[..., tuple[Page, list[str]]], changed: str
) -> None:
    page, told = pinned(changed=changed)
    with page.expect_console_message(lambda it: it.text.startswith("Usher:")):
        page.locator(".launcher").click()
    assert any("integrity" in it for it in told)
    expect(page.locator(".panel")).to_have_count(0)
    expect(page.locator(".launcher")).to_be_visible()


def test_booking_with_one_byte_changed_does_not_run_but_the_chat_goes_on(
    pinned: Callable[..., tuple[Page, list[str]]],
) -> None:
    page, _ = pinned(changed="booking")
    opened(page)
    say(page, "slots")
    page.get_by_text("This could not be loaded").wait_for()
    say(page, "hello")
    page.get_by_text("You said: hello").wait_for()
