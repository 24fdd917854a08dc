"""Whatever happens to the line, the tab or the server: every message is there once, in order."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import NODE, WIDGET, opened, say, shows
from tests.widget.double import Double
from tests.widget.script import GREETING

STORED = "JSON.parse(localStorage['usher:acme'])"


def test_conversation_goes_on_after_a_reload_with_the_chat_open_and_the_draft_kept(chat: Page, double: Double) -> None:
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    chat.locator(".composer textarea").fill("and ano")
    chat.reload()
    chat.get_by_text("You said: hello").wait_for()
    expect(chat.locator(".panel")).to_be_visible()
    expect(chat.locator(".composer textarea")).to_have_value("and ano")
    shows(chat, GREETING, "hello", "You said: hello")
    assert len(double.conversations) == 1
    assert double.heard("hello")[1]["token"] == chat.evaluate(f"{STORED}.token")
    assert double.heard("hello")[1]["after"] == 0


def test_closed_chat_stays_closed_after_a_reload(chat: Page) -> None:
    chat.keyboard.press("Escape")
    chat.reload()
    chat.evaluate("Usher.ready")
    expect(chat.locator(".panel")).to_have_count(0)


def test_on_a_phone_the_next_page_is_not_covered_by_the_open_chat(visit: Callable[..., Page]) -> None:
    page = visit(phone=True)
    page.locator(".launcher").tap()
    page.locator(".choice").first.wait_for()
    page.reload()
    page.evaluate("Usher.ready")
    expect(page.locator(".launcher")).to_be_visible()
    expect(page.locator(".panel:not([hidden])")).to_have_count(0)


def test_messages_that_came_while_the_line_was_cut_arrive_once_and_in_order_within_three_seconds(
    chat: Page, double: Double
) -> None:
    double.down = True
    double.cut()
    for number in range(5):
        double.say(f"while you were away {number}")
    started = time.monotonic()
    double.down = False
    chat.get_by_text("while you were away 4").wait_for()
    assert time.monotonic() - started < 3
    shows(chat, GREETING, *(f"while you were away {number}" for number in range(5)))
    assert double.heard("resume")[-1]["after"] == 1


def test_server_that_stops_is_found_again_at_once_and_no_banner_is_shown(chat: Page, double: Double) -> None:
    double.cut(1001)
    double.wait(lambda: len(double.heard("resume")) == 1, seconds=3)
    expect(chat.locator(".banner")).to_be_empty()


def test_three_messages_written_offline_are_sent_once_in_order_after_a_reload_too(chat: Page, double: Double) -> None:
    double.down = True
    double.cut()
    for text in ("one", "two", "three"):
        say(chat, text)
    expect(chat.locator(".pending")).to_have_count(3)
    expect(chat.locator(".banner")).to_have_text("Connection lost. Trying again…")
    assert [item["text"] for item in chat.evaluate(f"{STORED}.unsent")] == ["one", "two", "three"]
    chat.reload()
    expect(chat.locator(".pending")).to_have_count(3)
    double.down = False
    chat.get_by_text("You said: three").wait_for()
    assert double.said() == ["one", "two", "three"]
    expect(chat.locator(".visitor .bubble")).to_have_text(["one", "two", "three"])
    expect(chat.locator(".pending")).to_have_count(0)
    assert chat.evaluate(f"{STORED}.unsent") == []


@pytest.mark.parametrize(
    "bad",
    ["{ unsent: 5 }", "{ unsent: [5, null, { id: 'a', text: 'no moment' }] }", "{ seed: 5, seen: 'x', draft: {} }"],
)
def test_what_we_cannot_have_written_into_the_record_counts_as_nothing(chat: Page, double: Double, bad: str) -> None:
    chat.evaluate(f"localStorage['usher:acme'] = JSON.stringify({{ ...{STORED}, ...{bad} }})")
    chat.reload()
    chat.locator(".bubble", has_text="What brings you").wait_for()
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    expect(chat.locator(".pending")).to_have_count(0)
    assert (double.said(), len(double.conversations)) == (["hello"], 1)
    assert chat.evaluate(f"{STORED}.unsent") == []
    assert {type(hello["seed"]) for hello in double.heard("hello")} == {str}


def test_messages_stay_in_order_when_the_first_has_to_be_sent_again(chat: Page, double: Double) -> None:
    double.down = True
    double.cut()
    for text in ("one", "two", "three"):
        say(chat, text)
    double.hurried = 1
    double.down = False
    chat.get_by_text("You said: three").wait_for()
    assert double.said() == ["one", "two", "three"]
    assert [frame["text"] for frame in double.heard("say")] == ["one", "one", "two", "three"]
    expect(chat.locator(".refused")).to_have_count(0)


def test_message_that_is_refused_does_not_keep_the_others_back(chat: Page, double: Double) -> None:
    double.refuse = "Not this."
    say(chat, "one")
    expect(chat.locator(".refused")).to_have_count(1)
    double.refuse = ""
    say(chat, "two")
    chat.get_by_text("You said: two").wait_for()
    assert double.said() == ["two"]
    assert chat.evaluate(f"{STORED}.unsent") == []


def test_the_next_try_comes_soon_for_two_minutes_and_rarely_after_that() -> None:
    """So whoever is back within that time is connected again within three seconds."""
    script = """
        import { pause } from "./socket.js";
        const all = (code, tries) => Array.from({ length: 500 }, () => pause(code, tries));
        const most = (code, tries) => Math.max(...all(code, tries));
        const soon = [1, 5, 59].map((tries) => most(0, tries));
        console.log(JSON.stringify([most(1001, 0), ...soon, most(0, 99), Math.min(...all(0, 59))]));
    """
    run = [NODE, "--input-type=module", "-e", script]
    told = subprocess.run(run, cwd=WIDGET, check=True, capture_output=True, text=True).stdout
    at_once, *soon, rarely, least = json.loads(told)
    assert at_once <= 250
    assert max(soon) <= 2200
    assert rarely > 10_000
    assert least >= 1100


def test_answer_lost_on_the_way_does_not_double_the_message(chat: Page, double: Double) -> None:
    double.mute = True
    say(chat, "hello")
    double.wait(lambda: double.said() == ["hello"])
    double.mute = False
    double.cut()
    chat.get_by_text("You said: hello").wait_for()
    expect(chat.locator(".pending")).to_have_count(0)
    shows(chat, GREETING, "hello", "You said: hello")
    assert double.said() == ["hello"]


def test_half_open_line_is_noticed_when_nothing_comes_back(chat: Page, double: Double) -> None:
    double.deaf = True
    say(chat, "hello")
    double.wait(lambda: len(double.sockets) == 1)
    time_until = time.monotonic() + 8
    double.deaf = False
    chat.get_by_text("You said: hello").wait_for()
    assert time.monotonic() < time_until
    assert double.said() == ["hello"]


def test_missing_number_is_asked_for(chat: Page, double: Double) -> None:
    double.mute = True
    double.say("first")
    double.mute = False
    double.say("second")
    chat.get_by_text("first").wait_for()
    shows(chat, GREETING, "first", "second")


def test_coming_back_to_the_tab_asks_at_once_whether_the_line_stands(chat: Page, double: Double) -> None:
    chat.evaluate("dispatchEvent(new Event('pageshow'))")
    double.wait(lambda: len(double.heard("resume")) == 1, seconds=2)
    double.down = True
    double.cut()
    expect(chat.locator(".banner")).not_to_be_empty()
    double.down = False
    chat.evaluate("dispatchEvent(new Event('online'))")
    expect(chat.locator(".banner")).to_be_empty()


def test_two_tabs_show_the_same_conversation(chat: Page, double: Double) -> None:
    other = chat.context.new_page()
    other.goto(chat.url)
    other.locator(".bubble").first.wait_for()
    say(other, "from the other tab")
    chat.get_by_text("You said: from the other tab").wait_for()
    for tab in (chat, other):
        shows(tab, GREETING, "from the other tab", "You said: from the other tab")
    assert len(double.conversations) == 1


def test_new_conversation_of_the_server_replaces_the_old_one(chat: Page, double: Double) -> None:
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    talk = next(iter(double.conversations.values()))
    with double.lock:
        talk.id, talk.messages = "cnv_next", [talk.messages[0] | {"text": "Hello again"}]
    say(chat, "who is there?")
    chat.get_by_text("You said: who is there?").wait_for()
    shows(chat, "Hello again", "who is there?", "You said: who is there?")


def test_site_that_lets_nobody_in_says_so_and_is_not_asked_for_ever(chat: Page, double: Double) -> None:
    double.cut(4403)
    expect(chat.locator(".banner")).to_have_text("The chat cannot be reached from this page.")
    assert len(double.heard("hello")) == 1


def test_browser_that_forbids_storage_still_chats(visit: Callable[..., Page], double: Double) -> None:
    page = visit(wait=False)
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    page.reload()
    page.evaluate("Usher.ready")
    opened(page)
    say(page, "hello")
    page.get_by_text("You said: hello").wait_for()
    double.cut()
    say(page, "again")
    page.get_by_text("You said: again").wait_for()
    assert len(double.conversations) == 1


def test_visitor_whom_the_server_has_forgotten_is_met_anew_and_says_what_was_to_be_said(
    chat: Page, double: Double
) -> None:
    say(chat, "hello")
    chat.get_by_text("You said: hello").wait_for()
    double.down = True
    double.cut()
    double.conversations.clear()
    say(chat, "is anybody there?")
    double.down = False
    chat.get_by_text("You said: is anybody there?").wait_for()
    shows(chat, GREETING, "is anybody there?", "You said: is anybody there?")
    assert len(double.conversations) == 1
