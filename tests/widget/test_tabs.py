"""All tabs of a browser share one conversation and one connection; whichever tab goes, another carries on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import CDPSession, Error, Page, expect

from tests.widget.conftest import opened, say, shows
from tests.widget.double import Double
from tests.widget.script import GREETING


def another(page: Page) -> Page:
    """One more tab of the same browser, in which the conversation is there."""
    tab = page.context.new_page()
    tab.goto(page.url)
    tab.locator(".bubble").first.wait_for()
    return tab


def devtools(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


@pytest.fixture
def tabs(chat: Page, double: Double) -> list[Page]:
    """Three tabs; the first one leads."""
    found = [chat, another(chat), another(chat)]
    assert len(double.sockets) == 1
    return found


def test_three_tabs_hold_one_socket_and_show_each_message_once_and_in_order(tabs: list[Page], double: Double) -> None:
    for number, tab in enumerate(tabs):
        say(tab, f"from tab {number}")
        tab.get_by_text(f"You said: from tab {number}").wait_for()
    said = [text for number in range(3) for text in (f"from tab {number}", f"You said: from tab {number}")]
    for tab in tabs:
        tab.get_by_text("You said: from tab 2").wait_for()
        shows(tab, GREETING, *said)
        expect(tab.locator(".pending")).to_have_count(0)
    assert len(double.sockets) == len(double.conversations) == 1
    assert double.said() == [f"from tab {number}" for number in range(3)]


def test_each_tab_says_on_which_page_it_is(chat: Page, double: Double) -> None:
    tab = chat.context.new_page()
    tab.goto(f"{double.site}/pricing")
    tab.locator(".bubble").first.wait_for()
    tab.evaluate("history.pushState({}, '', '/pricing/teams')")
    double.wait(lambda: len(double.heard("page")) == 1)
    assert [frame["page"]["path"] for frame in double.heard("hello")] == ["/", "/pricing"]
    assert double.heard("page")[0]["page"]["path"] == "/pricing/teams"
    assert len({frame.get("token") for frame in double.heard("hello")[1:]}) == 1


def test_two_tabs_written_in_at_once_lose_and_double_nothing(tabs: list[Page], double: Double) -> None:
    for number in range(4):
        for tab, name in zip(tabs, "abc", strict=True):
            tab.locator(".composer textarea").fill(f"{name}{number}")
            tab.locator(".composer textarea").press("Enter")
    double.wait(lambda: len(double.said()) == 12)
    for name in "abc":
        assert [text for text in double.said() if text[0] == name] == [f"{name}{number}" for number in range(4)]
    expect(tabs[0].locator(".visitor .bubble")).to_have_text(double.said())
    for tab in tabs[1:]:
        expect(tab.locator(".visitor .bubble")).to_have_text(double.said())


@pytest.mark.parametrize("end", ["closed", "crashed", "frozen"])
def test_when_the_tab_with_the_socket_is_gone_another_takes_over_and_nothing_is_lost(
    tabs: list[Page], double: Double, end: str
) -> None:
    leader, second, third = tabs
    double.mute = True
    say(second, "just before")
    double.wait(lambda: double.said() == ["just before"])
    if end == "closed":
        leader.close()
    elif end == "frozen":
        devtools(leader).send("Page.setWebLifecycleState", {"state": "frozen"})
    else:
        with leader.expect_event("crash"), suppress(Error):
            leader.goto("chrome://crash")
    double.say("while nobody listened")
    double.mute = False
    for tab in (second, third):
        tab.get_by_text("while nobody listened").wait_for()
    say(third, "and on")
    for tab in (second, third):
        tab.get_by_text("You said: and on").wait_for()
        shows(
            tab, GREETING, "just before", "You said: just before", "while nobody listened", "and on", "You said: and on"
        )
        expect(tab.locator(".pending")).to_have_count(0)
    double.wait(lambda: len(double.sockets) == 1)
    assert double.said() == ["just before", "and on"]


def test_message_that_a_tab_could_not_send_before_it_was_closed_is_sent_by_another(
    tabs: list[Page], double: Double
) -> None:
    leader, second, _ = tabs
    double.down = True
    double.cut()
    say(second, "my last words")
    expect(second.locator(".pending")).to_have_count(1)
    second.close()
    double.down = False
    leader.get_by_text("You said: my last words").wait_for()
    assert double.said() == ["my last words"]


def test_tab_that_gets_no_answer_from_the_one_with_the_socket_takes_the_socket(chat: Page, double: Double) -> None:
    second = another(chat)
    pause = devtools(chat)
    pause.send("Debugger.enable")
    pause.send("Debugger.pause")
    say(second, "is anybody there?")
    second.get_by_text("You said: is anybody there?").wait_for()
    pause.send("Debugger.resume")
    pause.detach()
    double.wait(lambda: len(double.sockets) == 1)
    chat.get_by_text("You said: is anybody there?").wait_for()
    assert double.said() == ["is anybody there?"]


def test_page_that_is_put_aside_gives_the_socket_away_and_catches_up_when_it_is_back(
    chat: Page, double: Double
) -> None:
    second = another(chat)
    chat.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    double.wait(lambda: len(double.heard("resume")) == 1)
    double.say("meanwhile")
    second.get_by_text("meanwhile").wait_for()
    expect(chat.get_by_text("meanwhile")).to_have_count(0)
    chat.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    chat.get_by_text("meanwhile").wait_for()
    assert len(double.sockets) == 1


def test_page_that_comes_back_to_another_visitor_shows_nothing_of_the_one_before(chat: Page, double: Double) -> None:
    chat.add_init_script("addEventListener('storage', (it) => window.asleep && it.stopImmediatePropagation())")
    chat.reload()
    chat.locator(".bubble").first.wait_for()
    second = another(chat)
    say(chat, "a secret of A")
    second.get_by_text("You said: a secret of A").wait_for()
    chat.evaluate("window.asleep = dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    second.evaluate("Usher.reset()")
    opened(second)
    say(second, "B is here")
    second.get_by_text("You said: B is here").wait_for()
    shows(chat, GREETING, "a secret of A", "You said: a secret of A")
    chat.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(chat.locator(".bubble")).to_have_count(0)
    shows(second, GREETING, "B is here", "You said: B is here")
    assert len(double.conversations) == 2


def test_logging_out_in_one_tab_leaves_nothing_in_the_others_and_they_meet_again_as_one(
    tabs: list[Page], double: Double
) -> None:
    say(tabs[1], "a secret of A")
    tabs[2].get_by_text("You said: a secret of A").wait_for()
    tabs[1].evaluate("Usher.reset()")
    for tab in tabs:
        expect(tab.locator(".panel")).to_be_hidden()
    double.wait(lambda: not double.sockets)
    for tab in tabs:
        opened(tab)
        shows(tab, GREETING)
    say(tabs[0], "B is here")
    for tab in tabs:
        tab.get_by_text("You said: B is here").wait_for()
    assert len(double.sockets) == 1
    assert len(double.conversations) == 2


def test_browser_without_locks_gives_each_tab_its_own_socket(visit: Callable[..., Page], double: Double) -> None:
    page = visit(wait=False)
    page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    page.reload()
    opened(page)
    second = another(page)
    assert len(double.sockets) == 2
    say(second, "hello")
    page.get_by_text("You said: hello").wait_for()
    for tab in (page, second):
        shows(tab, GREETING, "hello", "You said: hello")


def test_chat_of_another_site_on_the_same_domain_has_its_own_socket(chat: Page, double: Double) -> None:
    double.others["other"] = {"site": "other"}
    tab = chat.context.new_page()
    tab.add_init_script(
        """new MutationObserver(() => {
          for (const it of document.querySelectorAll("script[data-site]")) it.dataset.site = "other";
        }).observe(document, { childList: true, subtree: true })"""
    )
    tab.goto(chat.url)
    opened(tab)
    say(tab, "to the others")
    tab.get_by_text("You said: to the others").wait_for()
    assert len(double.sockets) == len(double.conversations) == 2
    assert [frame["site"] for frame in double.heard("hello")] == ["acme", "other"]
    shows(chat, GREETING)
