"""Somebody signs in and leaves, and somebody else signs in, in one page and in two tabs: nobody sees another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, expect

from server.config import folder
from tests.journeys.conftest import DESKTOP, Town, town_at
from tests.processes import wait_until

SECRET = "my ring is under the stone"  # noqa: S105 - what somebody says
STORED = "localStorage['usher:acme'] ?? ''"


@pytest.fixture(scope="module")
def key(signing_town: Town) -> str:
    """The secret of a key that `usher identity-key add` has made."""
    made = signing_town.usher("identity-key", "add", "acme", check=True)
    return made.stdout.splitlines()[-1].strip()


@pytest.fixture(scope="module")
def signing_town(assets: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    def sign(files: folder.Files) -> None:
        files["site.yml"] += "\nidentity: {mode: optional}\n"

    with town_at(tmp_path_factory.mktemp("signing"), sign) as town:
        yield town


class Computer:
    """One browser that several people use; `frames`: all that the server sent to it, with the tab that got it."""

    def __init__(self, context: BrowserContext, town: Town, key: str) -> None:
        self.context, self.town, self.key = context, town, key
        self.frames: list[str] = []

    def tab(self, path: str = "/pricing") -> Page:
        page = self.context.new_page()
        page.on("websocket", self._listen)
        page.goto(self.town.site_url + path)
        ready(page)
        return page

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: self.frames.append(str(payload)))

    def token(self, sub: str, seconds: int = 600) -> str:
        about = {"sub": sub, "email": f"{sub}@wonka.example", "name": sub.title(), "exp": int(time.time()) + seconds}
        return jwt.encode(about, self.key, algorithm="HS256")

    def sign_in(self, page: Page, sub: str) -> None:
        page.evaluate("token => Usher.identify(token)", self.token(sub))


@pytest.fixture
def computer(browser: Browser, signing_town: Town, key: str) -> Iterator[Computer]:
    context = browser.new_context(**DESKTOP, locale="en-GB", timezone_id="Europe/Berlin")
    yield Computer(context, signing_town, key)
    context.close()


def ready(page: Page) -> None:
    wait_until(lambda: page.evaluate("!!(window.Usher && Usher.v)"), what="the widget")
    page.evaluate("Usher.ready")


def until(page: Page, fits: Callable[[str], bool]) -> None:
    """Until the record is so. A page that forbids eval lets Playwright itself not wait for a condition."""
    wait_until(lambda: fits(str(page.evaluate(STORED))), what="the record in storage")


def opened(page: Page) -> Page:
    page.evaluate("Usher.open()")
    page.locator(".bubble").first.wait_for()
    return page


def say(page: Page, text: str) -> None:
    page.locator(".composer textarea").fill(text)
    page.locator(".composer textarea").press("Enter")
    mine = page.locator(".visitor:not(.pending) .bubble", has_text=text)
    expect(mine).to_have_count(1)


def seen(page: Page) -> str:
    """All that the chat holds: what is in it, in the composer, and in storage."""
    return str(
        page.evaluate(
            """() => { const root = document.querySelector("usher-chat").shadowRoot;
            return root.textContent + [...root.querySelectorAll("textarea, input")].map((it) => it.value)
              + JSON.stringify(localStorage) + JSON.stringify(sessionStorage); }"""
        )
    )


def verified(page: Page) -> bool:
    """Nothing of a signed-in person's way in is stored."""
    until(page, lambda stored: "who" in stored)
    return "token" not in str(page.evaluate(STORED))


def test_one_signs_in_and_leaves_and_another_signs_in_on_the_same_page(computer: Computer) -> None:
    page = computer.tab()
    computer.sign_in(page, "anna")
    assert page.evaluate(STORED) == ""  # nothing is stored or sent before she acts
    assert computer.frames == []
    opened(page)
    say(page, SECRET)
    assert verified(page)
    page.locator(".composer textarea").fill("and my dog is called Rex")
    until(page, lambda stored: "Rex" in stored)
    page.evaluate("Usher.reset()")
    expect(page.locator(".panel")).to_be_hidden()
    assert page.evaluate(STORED) == ""
    computer.frames.clear()
    computer.sign_in(page, "bob")
    opened(page)
    say(page, "I am Bob")
    assert verified(page)
    for left in (SECRET, "Rex", "Anna", "anna@wonka"):
        assert left not in seen(page)
        assert left not in str(computer.frames)


def test_a_page_that_names_somebody_else_without_a_word_has_left_the_first(computer: Computer) -> None:
    page = opened(computer.tab())
    computer.sign_in(page, "carla")
    say(page, SECRET)
    computer.sign_in(page, "dora")
    expect(page.locator(".panel")).to_be_hidden()
    assert SECRET not in seen(page)
    computer.frames.clear()
    opened(page)
    say(page, "I am Dora")
    assert SECRET not in seen(page)
    assert SECRET not in str(computer.frames)
    computer.sign_in(page, "carla")  # and back: her own is there again
    opened(page)
    expect(page.locator(".visitor .bubble", has_text=SECRET)).to_have_count(1)


def test_in_two_tabs_all_of_them_are_left_and_entered_together(computer: Computer) -> None:
    first, second = computer.tab(), computer.tab("/")
    computer.sign_in(first, "emma")
    opened(first)
    say(first, SECRET)
    opened(second)
    expect(second.locator(".visitor .bubble", has_text=SECRET)).to_have_count(1)
    second.evaluate("Usher.reset()")
    for tab in (first, second):
        expect(tab.locator(".panel")).to_be_hidden()
        assert SECRET not in seen(tab)
    computer.frames.clear()
    computer.sign_in(second, "fay")
    opened(second)
    say(second, "I am Fay")
    opened(first)
    expect(first.locator(".visitor .bubble", has_text="I am Fay")).to_have_count(1)
    for tab in (first, second):
        assert SECRET not in seen(tab)
    assert SECRET not in str(computer.frames)


def test_who_comes_after_somebody_who_left_without_signing_out_sees_nothing_of_them(computer: Computer) -> None:
    page = opened(computer.tab())
    computer.sign_in(page, "gina")
    say(page, SECRET)
    computer.context.set_offline(True)
    page.locator(".composer textarea").fill("and it is worth millions")
    page.locator(".composer textarea").press("Enter")
    page.locator(".pending", has_text="worth millions").wait_for()
    page.locator(".composer textarea").fill("a draft of hers")
    until(page, lambda stored: "a draft of hers" in stored)
    page.close()
    computer.context.set_offline(False)
    computer.frames.clear()
    next_one = opened(computer.tab())  # the chat was open; it does not open by itself for a stranger
    say(next_one, "Who was here?")
    for left in (SECRET, "worth millions", "a draft of hers"):
        assert left not in seen(next_one)
        assert left not in str(computer.frames)


def test_who_signs_in_again_goes_on_where_they_were(computer: Computer) -> None:
    page = opened(computer.tab())
    computer.sign_in(page, "hanna")
    say(page, SECRET)
    page.locator(".composer textarea").fill("a draft of hers")
    until(page, lambda stored: "a draft of hers" in stored)
    page.reload()
    ready(page)
    page.locator(".panel").wait_for(state="attached")
    expect(page.locator(".panel")).to_be_hidden()  # whose chat it was shall say so first
    computer.sign_in(page, "hanna")
    expect(page.locator(".visitor .bubble", has_text=SECRET)).to_have_count(1)
    expect(page.locator(".composer textarea")).to_have_value("a draft of hers")


def test_a_page_hears_that_its_token_was_not_taken(computer: Computer) -> None:
    page = opened(computer.tab())
    page.evaluate("""() => { window.heard = [];
        for (const it of ["identity_expired", "identity_refused"]) Usher.on(it, () => heard.push(it)); }""")
    page.evaluate("token => Usher.identify(token)", computer.token("ida", seconds=-100))
    wait_until(lambda: page.evaluate("heard"), what="the page's own event")
    assert page.evaluate("heard") == ["identity_expired"]
    page.evaluate("Usher.identify('a.b.c')")
    say(opened(page), "The chat goes on")
    wait_until(lambda: "identity_refused" in page.evaluate("heard"), what="the page's own event")
