"""What the page says about who is signed in waits in memory, and nothing of a person stays on the screen after them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double

STUB = "window.Usher=window.Usher||function(){(Usher.q=Usher.q||[]).push(arguments)};"
CLAIMS = base64.urlsafe_b64encode(json.dumps({"sub": "ü-1?>"}).encode()).rstrip(b"=").decode()
TOKEN = f"head.{CLAIMS}.signature"


def test_what_was_said_before_the_script_came_waits_until_the_visitor_acts(
    visit: Callable[..., Page], double: Double
) -> None:
    page = visit(wait=False)
    page.add_init_script(f"{STUB} Usher('identify', '{TOKEN}')")
    page.reload()
    page.evaluate("Usher.ready")
    page.mouse.move(5, 5)
    page.locator(".launcher").hover()
    assert double.frames == []
    assert page.evaluate("Object.keys(localStorage)") == []
    opened(page)
    (hello,) = double.heard("hello")
    assert (hello["identity"], hello.get("token")) == (TOKEN, None)
    stored = page.evaluate("localStorage['usher:acme']")
    assert TOKEN not in stored
    assert CLAIMS not in stored


def test_the_same_token_is_told_once_and_a_new_one_of_the_same_person_at_once(chat: Page, double: Double) -> None:
    for token in (TOKEN, TOKEN, TOKEN + "2"):
        chat.evaluate("token => Usher.identify({token})", token)
    double.wait(lambda: len(double.heard("identify")) == 2)
    assert [frame["token"] for frame in double.heard("identify")] == [TOKEN, TOKEN + "2"]
    expect(chat.locator(".panel")).to_be_visible()


def test_who_signs_in_while_the_chat_connects_is_told_once(visit: Callable[..., Page], double: Double) -> None:
    page = visit()
    page.evaluate("token => { Usher.open(); Usher.identify(token) }", TOKEN)
    page.locator(".choice").first.wait_for()
    say(page, "hello")
    double.wait(lambda: len(double.said()) == 1)
    assert [frame["identity"] for frame in double.heard("hello")] == [TOKEN]
    assert double.heard("identify") == []


def test_what_was_said_last_does_not_stay_beside_the_launcher(chat: Page, double: Double) -> None:
    chat.evaluate("token => Usher.identify(token)", TOKEN)
    chat.evaluate("Usher.close()")
    double.say("Your contract, Ada")
    expect(chat.locator(".teaser")).to_contain_text("Your contract, Ada")
    chat.evaluate("Usher.logout()")
    expect(chat.locator(".teaser")).to_have_count(0)
    assert chat.evaluate("Object.keys(localStorage)") == []
