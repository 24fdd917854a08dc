"""A visitor talks: messages, links, buttons, questions of each kind, people."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double


def test_message_shows_bold_links_and_sources_and_never_markup(chat: Page) -> None:
    say(chat, "question")
    bubble = chat.locator(".bot .bubble").last
    expect(bubble.locator("strong")).to_have_text("Starter")
    link = bubble.get_by_role("link", name="full comparison")
    expect(link).to_have_attribute("href", "https://acme.example/plans")
    expect(link).to_have_attribute("rel", "noopener")
    expect(link).to_have_attribute("target", "_blank")
    source = chat.get_by_role("link", name="Plans and prices")
    expect(source).to_have_attribute("href", chat.url + "pricing")
    say(chat, "evil")
    expect(bubble).to_contain_text("<img src=x onerror=alert(1)> [click](javascript:alert(1)) bold <b>x</b> mail")
    assert bubble.evaluate("(it) => [...it.querySelectorAll('*')].map((it) => it.tagName)") == ["DIV", "STRONG", "A"]
    expect(chat.locator(".msg").last.locator(".source")).to_have_count(0)


def test_button_answers_and_then_is_gone(chat: Page, double: Double) -> None:
    chat.get_by_role("button", name="Just looking").click()
    expect(chat.locator(".visitor .bubble")).to_have_text("Just looking")
    expect(chat.get_by_role("button", name="Just looking")).to_have_count(0)
    double.wait(lambda: len(double.heard("say")) == 1)
    assert double.heard("say")[0]["value"] == {"option": "look"}


def test_visitor_picks_several_answers_and_confirms(chat: Page, double: Double) -> None:
    say(chat, "multi")
    confirm = chat.get_by_role("button", name="Confirm")
    expect(confirm).to_be_disabled()
    for name in ("Alerts", "Dashboards", "Single sign-on", "Alerts"):
        chat.get_by_role("button", name=name).click()
    expect(chat.get_by_role("button", name="Alerts")).to_have_attribute("aria-pressed", "false")
    confirm.click()
    expect(chat.locator(".visitor .bubble").last).to_have_text("Dashboards, Single sign-on")
    double.wait(lambda: len(double.heard("say")) == 2)
    assert sorted(double.heard("say")[1]["value"]["options"]) == ["dash", "sso"]


def test_composer_expects_what_is_asked_for_and_forgets_it_afterwards(chat: Page) -> None:
    area = chat.locator(".composer textarea")
    say(chat, "email")
    expect(area).to_have_attribute("placeholder", "name@company.com")
    assert area.evaluate("(it) => [it.inputMode, it.autocomplete]") == ["email", "email"]
    say(chat, "ada@globex.example")
    expect(area).to_have_attribute("placeholder", "Write a message…")
    assert area.evaluate("(it) => it.inputMode") == "text"


def test_visitor_answers_with_a_date(chat: Page, double: Double) -> None:
    say(chat, "date")
    chat.get_by_label("Date").fill("2031-04-05")
    chat.get_by_role("button", name="Confirm").click()
    expect(chat.locator(".visitor .bubble").last).to_have_text("5 April 2031")
    double.wait(lambda: len(double.heard("say")) == 2)
    assert double.heard("say")[1]["value"] == {"option": "2031-04-05"}


def test_composer_grows_sends_by_enter_breaks_by_shift_enter_and_stops_at_the_limit(chat: Page, double: Double) -> None:
    area = chat.locator(".composer textarea")
    send = chat.get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    area.fill("one")
    low = area.evaluate("(it) => it.offsetHeight")
    for word in ("two", "three", "four"):
        area.press("Shift+Enter")
        area.press_sequentially(word)
    assert area.evaluate("(it) => it.offsetHeight") >= low + 60
    send.click()
    expect(chat.locator(".visitor .bubble")).to_have_text("one\ntwo\nthree\nfour")
    assert area.evaluate("(it) => [it.value, it.offsetHeight]") == ["", low]
    area.fill("x" * 4001)
    area.press("Enter")
    expect(chat.get_by_text("1 characters too many")).to_be_visible()
    expect(send).to_be_disabled()
    assert len(double.heard("say")) == 1


def test_refused_message_says_why_and_can_be_sent_again(chat: Page, double: Double) -> None:
    double.refuse = "Please write a little slower."
    say(chat, "hello")
    expect(chat.locator(".refused")).to_contain_text("Not sent: Please write a little slower.")
    expect(chat.get_by_role("button", name="Just looking")).to_be_visible()
    double.refuse = ""
    chat.get_by_role("button", name="Try again").click()
    expect(chat.locator(".bot .bubble").last).to_have_text("You said: hello")
    expect(chat.locator(".visitor")).to_have_count(1)


def test_closed_chat_counts_and_shows_what_came_in(chat: Page, double: Double) -> None:
    chat.keyboard.press("Escape")
    double.say("One more thing", author="rep")
    double.say("Are you there?", author="rep")
    expect(chat.get_by_role("button", name="Chat with us, 2 new")).to_have_attribute("data-unread", "2")
    expect(chat.locator(".teaser button").first).to_have_text("Are you there?")
    chat.locator(".teaser button").first.click()
    expect(chat.get_by_role("button", name="Chat with us", exact=True)).not_to_have_attribute("data-unread", "2")
    double.wait(lambda: bool(double.heard("seen")) and double.heard("seen")[-1]["seq"] == 3)


def test_person_takes_over_by_name_and_waiting_is_said(chat: Page, double: Double) -> None:
    double.turn("waiting_rep", {"name": "Ada", "human": False})
    expect(chat.get_by_text("Finding a person for you…")).to_be_visible()
    double.turn("rep", {"name": "Grace Hopper", "human": True})
    double.say("Hi, Grace here", author="rep")
    expect(chat.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    expect(chat.locator(".rep .name")).to_have_text("Grace")


def test_person_on_the_way_is_expected_on_the_next_page_though_the_chat_is_closed(chat: Page, double: Double) -> None:
    double.turn("rep", {"name": "Grace", "human": True})
    chat.get_by_role("heading", name="Grace").wait_for()
    chat.keyboard.press("Escape")
    chat.goto(double.site + "/other")
    double.wait(lambda: len(double.heard("hello")) == 2)
    double.say("Here I am", author="rep")
    expect(chat.locator(".launcher")).to_have_attribute("data-unread", "1")


def test_typing_is_shown_until_the_message_comes(chat: Page, double: Double) -> None:
    double.send({"t": "typing", "author": "rep"})
    expect(chat.locator(".typing")).to_be_visible()
    double.say("There")
    expect(chat.locator(".typing")).to_be_hidden()


def test_visitor_who_reads_above_is_not_torn_away(chat: Page, double: Double) -> None:
    say(chat, "long")
    say(chat, "long")
    expect(chat.locator(".bot")).to_have_count(3)
    expect(chat.locator(".visitor").last).to_be_in_viewport(ratio=1)
    chat.locator(".scroll").hover()
    chat.mouse.wheel(0, -5000)
    chat.wait_for_function("document.querySelector('usher-chat').shadowRoot.querySelector('.scroll').scrollTop < 5")
    double.say("News")
    jump = chat.get_by_role("button", name="New messages")
    jump.wait_for()
    assert chat.locator(".scroll").evaluate("(it) => it.scrollTop") < 100
    jump.click()
    expect(chat.get_by_text("News", exact=True)).to_be_in_viewport()
    expect(jump).to_be_hidden()


def test_ended_conversation_offers_a_new_one(chat: Page, double: Double) -> None:
    double.turn("closed", {"name": "Ada", "human": False})
    double.say("Goodbye!")
    chat.get_by_role("button", name="Start a new conversation").click()
    double.wait(lambda: len(double.heard("say")) == 1)
    assert double.heard("say")[0]["value"] == {"action": "restart"}


def test_offer_and_absence_are_cards_in_the_thread(chat: Page) -> None:
    say(chat, "offer")
    say(chat, "nobody")
    expect(chat.get_by_text("Nobody is here at the moment")).to_be_visible()
    expect(chat.locator(".offer").get_by_role("link", name="Open")).to_have_attribute("href", chat.url + "guide.pdf")


def test_not_knowing_offers_a_person_or_an_email(chat: Page, double: Double) -> None:
    say(chat, "unknown")
    chat.get_by_role("button", name="Talk to a person").click()
    double.wait(lambda: len(double.heard("say")) == 2)
    assert double.heard("say")[1]["value"] == {"action": "person"}


def test_german_visitor_is_met_in_german(visit: Callable[..., Page], double: Double) -> None:
    page = visit("pricing", locale="de-AT")
    expect(page.get_by_role("button", name="Mit uns chatten")).to_be_visible()
    page.mouse.move(200, 200)
    expect(page.locator(".teaser button").first).to_have_text("Fragen zu den Preisen?")
    opened(page)
    expect(page.locator(".composer textarea")).to_have_attribute("placeholder", "Nachricht schreiben …")
    expect(page.locator(".day")).to_have_text("Heute")
    assert double.heard("hello")[0]["locale"] == "de-AT"


def test_what_no_server_can_take_is_left_out_of_what_is_sent(chat: Page, double: Double) -> None:
    area = chat.locator(".composer textarea")
    area.evaluate("(it) => { it.value = 'a\\0b\\ud83dc \\ud83d\\ude00'; it.dispatchEvent(new Event('input')) }")
    area.press("Enter")
    double.wait(lambda: double.said() == ["abc \U0001f600"])
