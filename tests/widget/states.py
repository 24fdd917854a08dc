"""Every state of the chat that a visitor can meet, one after the other in one page, for tests that look at all."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.widget.conftest import say
from tests.widget.double import Double


def states(page: Page, double: Double) -> Iterator[str]:
    """The name of each state, once it is there. The page has a playbook with a teaser, the visitor is in UTC."""
    yield "launcher"
    page.evaluate("scrollTo(0, 4)")
    page.mouse.move(200, 200)
    page.locator(".teaser").wait_for()
    yield "teaser"
    yield from _talk(page, double)
    yield from _book(page)
    yield from _people(page, double)
    yield from _trouble(page, double)


def _talk(page: Page, double: Double) -> Iterator[str]:
    with double.lock:  # it hears, and does not answer yet
        page.evaluate("Usher.open()")
        page.locator(".typing").wait_for()
        yield "connecting"
    page.locator(".choice").first.wait_for()
    yield "choices"
    for text in ("question", "multi", "offer", "nobody", "date", "unknown", "wide"):
        say(page, text)
        expect(page.locator(".visitor .bubble").last).to_have_text(text)
        expect(page.locator(".msg").last).to_have_attribute("data-author", "bot")
        yield text
    page.locator(".composer textarea").fill("x" * 4001)
    yield "too long"
    page.locator(".composer textarea").fill("")


def _book(page: Page) -> Iterator[str]:
    say(page, "slots")
    page.locator(".times button").first.wait_for()
    yield "times"
    page.get_by_role("button", name="Time zone").click()
    yield "zones"
    page.keyboard.press("Escape")
    say(page, "full")
    page.get_by_text("No open times").wait_for()
    yield "no times"
    say(page, "suggested")
    page.locator(".suggested .row").first.click()
    page.get_by_role("timer").wait_for()
    yield "form"
    page.get_by_role("button", name="Book it").click()
    page.get_by_text("Please fill this in.").first.wait_for()
    yield "form with errors"
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Work e-mail").fill("ada@globex.example")
    page.get_by_role("button", name="Book it").click()
    page.get_by_role("button", name="Reschedule").click()
    page.locator(".suggested .row").first.wait_for()
    yield "other times"
    page.get_by_role("button", name="Cancel meeting").click()
    page.locator(".meeting.off").wait_for()
    yield "meeting and its end"
    say(page, "expired")
    page.get_by_text("no longer held").wait_for()
    yield "expired"


def _people(page: Page, double: Double) -> Iterator[str]:
    say(page, "handoff")
    double.turn("waiting_rep", {"name": "Ada", "human": False})
    page.get_by_text("Finding a person").wait_for()
    yield "waiting for a person"
    double.turn("rep", {"name": "Grace Hopper", "human": True})
    double.say("Hi, Grace here", author="rep")
    double.send({"t": "typing", "author": "rep"})
    page.locator(".typing").wait_for()
    yield "a person writes"
    page.evaluate("Usher.close()")
    double.say("Are you still there?", author="rep")
    page.locator(".launcher[data-unread]").wait_for()
    yield "unread"
    page.evaluate("Usher.open()")


def _trouble(page: Page, double: Double) -> Iterator[str]:
    double.refuse = "Too fast."
    say(page, "hello")
    page.locator(".refused").wait_for()
    yield "refused"
    double.refuse = ""
    double.turn("closed", {"name": "Ada", "human": False})
    double.say("Goodbye!")
    page.get_by_role("button", name="Start a new conversation").wait_for()
    yield "ended"
    page.context.set_offline(True)
    double.cut()
    expect(page.locator(".banner")).to_contain_text("offline")
    yield "offline"
    page.context.set_offline(False)
    expect(page.locator(".banner")).to_be_empty()
    double.cut(4403)
    expect(page.locator(".banner")).to_contain_text("cannot be reached")
    yield "gone"
