"""The chat over lines that are blocked, cut, half open or silent, from a real browser to the real server."""

from __future__ import annotations

import http.client
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from server.config import folder
from tests.journeys.chat import Chat
from tests.journeys.conftest import DESKTOP, OWNER, Town, town_at
from tests.journeys.test_main_journey import sign_in
from tests.journeys.visitor import Visitor
from tests.processes import free_port, running
from tests.wire import Wire

pytestmark = pytest.mark.browser


class Far(Town):
    """A town whose website reaches Usher over a wire."""

    wire: Wire


@pytest.fixture(scope="module")
def far(assets: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    site_port, data = free_port(), tmp_path_factory.mktemp("far")
    site_url = f"http://127.0.0.1:{site_port}"

    def edit(files: folder.Files) -> None:
        files["site.yml"] = files["site.yml"].replace("origins:\n", f"origins:\n  - {site_url}\n", 1)

    with town_at(data, edit) as town, ExitStack() as ends:
        wire = Wire(town.port)
        ends.callback(wire.stop)
        site = ("-m", "demo.site", "--port", str(site_port), "--usher", wire.url, "--mailbox", str(data))
        ends.enter_context(running(*site, port=site_port))
        found = Far(**{**town.__dict__, "site_url": site_url})
        found.wire = wire
        yield found


@pytest.fixture
def wire(far: Far) -> Iterator[Wire]:
    far.wire.heal()
    yield far.wire
    far.wire.heal()
    far.wire.cut()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(**DESKTOP, locale="en-GB", timezone_id="Europe/Berlin")
    yield opened
    opened.close()


def chat_at(page: Page, far: Far) -> Chat:
    """The chat of the pricing page, open; what the page had to ask for comes over a whole wire."""
    page.goto(f"{far.site_url}/pricing")
    chat = Chat(page).open()
    chat.hears("Looking at our plans?")
    chat.hears("Roughly how many people")
    return chat


def said(far: Far, page: Page) -> list[str]:
    """What this page's visitor said, as another browser with the same record would see it after a reload."""
    page.reload()
    page.locator("usher-chat .visitor").first.wait_for()
    return [one.strip() for one in page.locator("usher-chat .visitor .bubble").all_inner_texts()]


@pytest.mark.parametrize("sockets", ["refuse", "swallow"] if os.environ.get("USHER_SOAK") else ["swallow"])
def test_where_sockets_are_blocked_the_chat_goes_on_by_requests(far: Far, wire: Wire, page: Page, sockets: str) -> None:
    wire.sockets, before = sockets, wire.upgrades
    chat = chat_at(page, far)
    chat.say("we are about 250")
    chat.hears("What brings you here today?")
    assert wire.upgrades == before + 1
    if sockets == "refuse":
        answer_from_the_console(far, page)
        chat.hears("Hello from the team")
        chat.say("thank you")
        expect(chat.widget.locator(".pending")).to_have_count(0)
    else:
        chat.press("Replacing a tool")
        chat.press("This quarter")
        chat.book_first_time("Ada Lovelace", "ada@globex.example")
    wire.sockets = "pass"
    with page.expect_websocket() as socket:
        page.evaluate("dispatchEvent(new Event('online'))")
    socket.value.wait_for_event("framereceived")
    before = wire.requests
    chat.say("and over the socket")
    expect(chat.widget.locator(".pending")).to_have_count(0)
    assert wire.requests == before
    expect(chat.widget.locator(".visitor").get_by_text("and over the socket")).to_have_count(1)


def answer_from_the_console(far: Far, page: Page) -> None:
    context = page.context.browser.new_context() if page.context.browser else page.context
    desk = context.new_page()
    sign_in(desk, far, OWNER[0])
    desk.goto(f"{far.usher_url}/conversations")
    desk.get_by_role("link", name=re.compile("pricing", re.I)).first.click()
    desk.get_by_role("button", name="Take over").click()
    desk.get_by_label("Your reply").fill("Hello from the team")
    desk.get_by_label("Your reply").press("Enter")
    expect(desk.get_by_role("main")).to_contain_text("Hello from the team")
    context.close()


def test_browser_that_may_not_open_sockets_asks_by_requests(far: Far, wire: Wire, page: Page) -> None:
    page.add_init_script("window.WebSocket = class { constructor() { throw new DOMException('no', 'SecurityError') } }")
    before = wire.upgrades
    chat = chat_at(page, far)
    chat.say("we are about 250")
    chat.hears("What brings you here today?")
    assert wire.upgrades == before


def test_visitor_whom_the_server_has_forgotten_is_met_anew_once(far: Far, wire: Wire, page: Page) -> None:
    wire.sockets = "refuse"
    chat = chat_at(page, far)
    chat.say("we are about 250")
    chat.hears("What brings you here today?")
    with closing(sqlite3.connect(far.data / "usher.db", isolation_level=None)) as db:
        db.execute("UPDATE visitors SET token_digest = id")
        (before,) = db.execute("SELECT count(*) FROM visitors").fetchone()
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(chat.log).not_to_contain_text("we are about 250")
        chat.say("nobody knows me")
        expect(chat.widget.locator(".pending")).to_have_count(0)
        assert db.execute("SELECT count(*) FROM visitors").fetchone() == (before + 1,)


@pytest.mark.parametrize("lost", ["lose_up", "lose_down"] if os.environ.get("USHER_SOAK") else ["lose_down"])
def test_half_open_line_loses_and_doubles_nothing(far: Far, wire: Wire, page: Page, lost: str) -> None:
    chat = chat_at(page, far)
    setattr(wire, lost, True)
    for text in ("we are about 250", "Do you integrate with Salesforce?", "We are replacing a tool"):
        chat.say(text)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(chat.widget.locator(".banner")).not_to_be_empty()
    wire.heal()
    expect(chat.widget.locator(".pending")).to_have_count(0)
    expected = ["we are about 250", "Do you integrate with Salesforce?", "We are replacing a tool"]
    assert said(far, page) == expected


def test_after_a_sleep_the_first_look_at_the_page_brings_what_was_missed(far: Far, wire: Wire, page: Page) -> None:
    """The computer slept, the router forgot its connections, and nobody told the browser."""
    chat = chat_at(page, far)
    other = page.context.browser.new_context(storage_state=page.context.storage_state()).new_page()
    wire.lose_up = wire.lose_down = True
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    wire.heal()
    with_it = Chat(other)
    other.goto(f"{far.site_url}/pricing")
    with_it.composer.wait_for()
    with_it.say("we are about 250")
    with_it.hears("What brings you here today?")
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    chat.hears("What brings you here today?")
    expect(chat.widget.locator(".bubble")).to_have_text(with_it.widget.locator(".bubble").all_inner_texts())
    other.context.close()


def test_three_messages_written_offline_survive_a_reload_and_a_killed_server(far: Far, wire: Wire, page: Page) -> None:
    chat = chat_at(page, far)
    wire.lose_up = wire.lose_down = True
    wire.cut()
    texts = ["we are about 250", "Do you integrate with Salesforce?", "We are replacing a tool"]
    for text in texts:
        chat.say(text)
    wire.heal()
    far.kill_and_restart()
    assert said(far, page) == texts
    expect(chat.widget.locator(".pending")).to_have_count(0)


def test_offline_browser_sends_what_was_written_once_it_is_online(far: Far, wire: Wire, page: Page) -> None:
    chat = chat_at(page, far)
    page.context.set_offline(True)
    wire.cut()
    texts = ["we are about 250", "Do you integrate with Salesforce?", "We are replacing a tool"]
    for text in texts:
        chat.say(text)
    expect(chat.widget.locator(".banner")).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(chat.widget.locator(".pending")).to_have_count(0)
    assert said(far, page) == texts


def test_message_is_sent_once_though_the_page_was_reloaded_while_it_was_on_its_way(
    far: Far, wire: Wire, page: Page
) -> None:
    chat = chat_at(page, far)
    wire.lose_down = True
    chat.say("we are about 250")
    wire.heal()
    assert said(far, page) == ["we are about 250"]
    chat.hears("What brings you here today?")


def test_chat_by_requests_goes_on_through_a_restart_and_a_kill(far: Far, wire: Wire, page: Page) -> None:
    wire.sockets = "refuse"
    chat = chat_at(page, far)
    far.kill_and_restart()
    chat.say("we are about 250")
    chat.hears("What brings you here today?")
    answer = stop_while_somebody_waits(far)
    assert [frame["t"] for frame in answer["frames"]] == ["welcome"]
    far.start()
    chat.press("Replacing a tool")
    chat.press("This quarter")
    expect(chat.first_time()).to_be_visible()
    assert said(far, page) == ["we are about 250", "Replacing a tool", "This quarter"]


def stop_while_somebody_waits(far: Far) -> Any:
    """What a waiting request is answered when the server is told to stop."""
    visitor = Visitor(far.usher_url, far.site_url)
    known = {"conversation": visitor.connect()["conversation"], "after": max(visitor.heard), "state": "bot"}
    visitor.close()
    headers = {"Content-Type": "application/json", "Origin": far.site_url, "Authorization": f"Bearer {visitor.token}"}
    waiting, other = (http.client.HTTPConnection("127.0.0.1", far.port, timeout=20) for _ in range(2))
    for connection, wait in ((waiting, True), (other, False)):
        body = json.dumps({"frames": [{"t": "resume", "site": "acme", **known}], "wait": wait})
        connection.request("POST", "/v1/chat", body, headers)
    assert other.getresponse().status == 200  # so the one that came before is waiting now
    far.server.terminate()
    answer = json.load(waiting.getresponse())
    assert far.server.wait(20) == 0
    return answer
