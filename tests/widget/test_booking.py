"""A visitor books in the chat: times in their own zone, a form while one is held, the meeting, another time, none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget import script
from tests.widget.conftest import opened, say
from tests.widget.double import Double


@pytest.fixture
def times(chat: Page) -> Page:
    """The chat with suggested times in it."""
    chat.get_by_role("button", name="Ready to buy").click()
    chat.locator(".suggested button").first.wait_for()
    return chat


NOTHING_YET = {"name": "", "email": "", "guests": ""}


def values(double: Double, count: int) -> dict[str, Any]:
    double.wait(lambda: len(double.heard("say")) == count)
    found: dict[str, Any] = double.heard("say")[count - 1]["value"]
    return found


def test_booking_part_is_fetched_only_when_needed(chat: Page, double: Double) -> None:
    assert not [path for path in double.requests if "booking" in path]
    chat.get_by_role("button", name="Ready to buy").click()
    chat.locator(".suggested button").first.wait_for()
    assert len([path for path in double.requests if "booking" in path]) == 1


def test_suggested_times_are_shown_on_the_visitors_clock_and_a_press_chooses(times: Page, double: Double) -> None:
    expect(times.locator(".suggested .row")).to_have_text(
        ["Monday 3 Mar9:00", "Monday 3 Mar11:00", "Tuesday 4 Mar10:00"]
    )
    expect(times.get_by_role("button", name="Time zone: Berlin (GMT+1)")).to_be_visible()
    times.locator(".suggested .row").nth(1).click()
    expect(times.locator(".visitor .bubble").last).to_have_text("Monday 3 March at 11:00")
    assert values(double, 2) == {"slot": "2031-03-03T10:00:00Z", "meeting": "demo", "zone": "Europe/Berlin"}


def test_visitor_goes_from_day_to_day_and_gets_more_days(times: Page, double: Double) -> None:
    times.get_by_role("button", name="More times").click()
    expect(times.locator(".date")).to_have_text("Monday 3 March")
    expect(times.get_by_role("button", name="Previous day")).to_be_disabled()
    for _ in range(5):
        times.get_by_role("button", name="Next day").click()
    expect(times.locator(".date")).to_have_text("Monday 10 March")
    expect(times.locator(".days button")).to_have_count(10)
    times.get_by_role("button", name="Fri 14 March 2031").click()
    expect(times.get_by_role("button", name="Next day")).to_be_disabled()
    times.get_by_role("button", name="Previous day").click()
    expect(times.locator(".date")).to_have_text("Thursday 13 March")
    times.locator(".times button").first.click()
    assert values(double, 2)["slot"] == "2031-03-13T08:00:00Z"


def test_visitor_changes_the_zone_by_searching_a_city(times: Page, double: Double) -> None:
    times.get_by_role("button", name="Time zone").click()
    field = times.get_by_role("combobox")
    expect(field).to_be_focused()
    field.press_sequentially("new yo")
    expect(times.get_by_role("option").first).to_have_text("New York (GMT-5)America")
    field.press("Enter")
    expect(times.locator(".suggested .row").first).to_have_text("Monday 3 Mar3:00")
    expect(times.get_by_role("button", name="Time zone: New York (GMT-5)")).to_be_focused()
    times.get_by_role("button", name="More times").click()
    times.locator(".times button").nth(1).click()
    expect(times.locator(".visitor .bubble").last).to_have_text("Monday 3 March at 3:30")
    assert values(double, 2)["slot"] == "2031-03-03T08:30:00Z"


def test_escape_leaves_the_zone_list_and_not_the_chat(times: Page) -> None:
    times.get_by_role("button", name="Time zone").click()
    times.keyboard.press("ArrowDown")
    times.keyboard.press("Escape")
    expect(times.get_by_role("combobox")).to_have_count(0)
    expect(times.get_by_role("button", name="Time zone")).to_be_focused()
    expect(times.locator(".panel")).to_be_visible()


def test_visitor_chooses_a_shorter_meeting(times: Page, double: Double) -> None:
    times.get_by_role("button", name="15 min").click()
    expect(times.locator(".title")).to_contain_text("Intro call")
    expect(times.locator(".times button")).to_have_count(8)
    times.locator(".times button").first.click()
    assert values(double, 2) == {"slot": "2031-03-03T08:00:00Z", "meeting": "intro", "zone": "Europe/Berlin"}


def test_times_that_cannot_be_loaded_can_be_asked_for_again(times: Page) -> None:
    times.context.set_offline(True)
    times.get_by_role("button", name="15 min").click()
    expect(times.get_by_role("alert")).to_contain_text("The times could not be loaded.")
    times.context.set_offline(False)
    times.get_by_role("button", name="Try again").click()
    expect(times.locator(".times button")).to_have_count(8)


def test_no_open_time_is_said(visit: Callable[..., Page]) -> None:
    page = opened(visit(timezone_id="UTC"))
    say(page, "full")
    expect(page.get_by_text("No open times at the moment.")).to_be_visible()


def test_visitor_books_by_keyboard_alone(visit: Callable[..., Page], double: Double) -> None:
    page = visit()
    page.locator(".launcher").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".composer textarea")).to_be_focused()
    page.get_by_role("button", name="Ready to buy").wait_for()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".suggested .row").first).to_be_focused()
    page.get_by_role("button", name="More times").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".days [aria-pressed=true]")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".date")).to_have_text("Tuesday 4 March")
    page.keyboard.press("Tab")
    while page.evaluate("document.querySelector('usher-chat').shadowRoot.activeElement.closest('.times')") is None:
        page.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada Lovelace")
    page.keyboard.press("Tab")
    page.keyboard.type("ada@globex.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You’re booked")).to_be_visible()
    assert values(double, 3) == {"form": {"name": "Ada Lovelace", "email": "ada@globex.example", "guests": ""}}


def test_form_says_what_is_missing_and_wrong_and_keeps_what_was_typed(times: Page, double: Double) -> None:
    times.locator(".suggested .row").first.click()
    name, email = times.get_by_label("Your name"), times.get_by_label("Work e-mail")
    expect(name).to_have_attribute("autocomplete", "name")
    expect(email).to_have_attribute("autocomplete", "email")
    email.fill("ada@globex")
    times.get_by_role("button", name="Book it").click()
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(times.get_by_text("Please fill this in.")).to_be_visible()
    expect(times.get_by_text("Please enter an e-mail address")).to_be_visible()
    name.fill("Ada")
    expect(times.get_by_text("Please fill this in.")).to_be_hidden()
    email.fill("ada@globex.example")
    assert len(double.heard("say")) == 2
    times.get_by_role("button", name="Book it").click()
    expect(times.locator(".visitor .bubble").last).to_have_text("Ada\nada@globex.example")


def test_guests_have_a_line_of_their_own_when_they_are_wanted(times: Page, double: Double) -> None:
    times.locator(".suggested .row").first.click()
    expect(times.get_by_label("Guests")).to_have_count(0)
    times.get_by_role("button", name="+ Guests").click()
    guests = times.get_by_label("Guests")
    expect(guests).to_be_focused()
    guests.fill("bob@globex.example, carol@globex.example")
    times.get_by_label("Your name").fill("Ada")
    times.get_by_label("Work e-mail").fill("ada@globex.example")
    times.get_by_role("button", name="Book it").click()
    told = {"name": "Ada", "email": "ada@globex.example", "guests": "bob@globex.example, carol@globex.example"}
    assert values(double, 3) == {"form": told}


def test_number_is_asked_only_for_a_call_and_what_was_typed_stays(chat: Page, double: Double) -> None:
    say(chat, "places")
    expect(chat.get_by_label("Guests")).to_have_value("bob@globex.example, carol at globex")
    expect(chat.get_by_label("Phone", exact=True)).to_be_hidden()
    chat.get_by_role("group", name="How shall we meet?").get_by_role("button", name="Phone").press("Enter")
    chat.get_by_role("button", name="Book it").click()
    number = chat.locator("#f-phone")
    expect(number).to_be_focused()
    number.fill("0171 2345678")
    chat.get_by_role("button", name="Book it").click()
    expect(chat.locator(".visitor .bubble").last).to_contain_text("Phone\n0171 2345678")
    form = values(double, 2)["form"]
    assert (form["place"], form["phone"], form["name"]) == ("phone", "0171 2345678", "Ada")


def test_number_is_not_sent_when_the_meeting_is_a_video_call_after_all(chat: Page, double: Double) -> None:
    say(chat, "places")
    ways = chat.get_by_role("group", name="How shall we meet?")
    ways.get_by_role("button", name="Phone").click()
    chat.locator("#f-phone").fill("12345")
    ways.get_by_role("button", name="Video call").click()
    chat.get_by_role("button", name="Book it").click()
    form = values(double, 2)["form"]
    assert form["place"] == "video"
    assert "phone" not in form


def test_one_proposed_time_is_one_button_and_the_others_are_a_press_away(visit: Callable[..., Page]) -> None:
    page = opened(visit(timezone_id="UTC"))
    say(page, "one")
    expect(page.locator(".suggested .row")).to_have_text(["Tuesday 4 Mar9:00"])
    with page.expect_request(lambda request: "with=wh.o" in request.url):
        page.get_by_role("button", name="More times").click()
    expect(page.locator(".date")).to_have_text("Monday 3 March")
    expect(page.locator(".days [aria-pressed=true]")).to_be_focused()


def test_clock_that_the_visitor_has_chosen_goes_along_with_the_time(times: Page, double: Double) -> None:
    times.get_by_role("button", name="Time zone").click()
    times.get_by_role("combobox").press_sequentially("new yo")
    times.keyboard.press("Enter")
    times.locator(".suggested .row").first.click()
    assert values(double, 2)["zone"] == "America/New_York"


def test_what_was_filled_in_goes_along_when_the_time_is_over(chat: Page, double: Double) -> None:
    say(chat, "expired")
    chat.get_by_label("Your name").fill("Ada")
    chat.get_by_role("button", name="See other times").click()
    told = values(double, 2)
    assert (told["action"], told["form"]["name"]) == ("other_times", "Ada")


@pytest.mark.parametrize("said", ["expired", "long over"])  # before their eyes, or while nobody was there
def test_form_whose_hold_ran_out_can_still_be_sent_for_the_time_may_be_free(
    chat: Page, double: Double, said: str
) -> None:
    say(chat, said)
    expect(chat.get_by_role("alert")).to_contain_text("no longer held")
    expect(chat.get_by_role("button", name="Book it")).to_be_visible()
    chat.get_by_label("Your name").fill("Ada")
    chat.get_by_label("E-mail").fill("ada@globex.example")
    chat.get_by_label("E-mail").press("Enter")
    assert values(double, 2)["form"] == {"name": "Ada", "email": "ada@globex.example", "guests": ""}


@pytest.mark.parametrize("said", ["expired", "long over"])
def test_hold_that_ran_out_offers_other_times_beside(chat: Page, double: Double, said: str) -> None:
    say(chat, said)
    expect(chat.get_by_role("alert")).to_contain_text("no longer held")
    chat.get_by_role("button", name="See other times").click()
    expect(chat.locator(".suggested .row").first).to_be_visible()
    assert values(double, 2) == {"action": "other_times", "form": NOTHING_YET}


def test_hold_is_measured_on_the_servers_clock(visit: Callable[..., Page], double: Double) -> None:
    page = visit()
    page.clock.install()
    page.clock.set_system_time("2020-01-01T00:00:00Z")
    opened(page)
    say(page, "slots")
    page.locator(".times button").first.click()
    expect(page.get_by_role("timer")).to_contain_text("Held for you for 4:5")
    page.reload()
    expect(page.get_by_role("timer")).to_contain_text("Held for you for 4:5")


def test_message_that_comes_late_does_not_lengthen_the_hold(chat: Page, double: Double) -> None:
    with double.lock:
        (talk,) = double.conversations.values()
        form = script.form(script.FIRST.isoformat())
        late = {"seq": 2, "author": "bot", "name": "Ada", "text": "For you", "at": "2026-01-01T00:00:00Z", "part": form}
        talk.messages.append(late | {"id": None, "citations": []})
    double.send({"t": "message", "message": talk.messages[-1]})
    expect(chat.get_by_role("timer")).to_contain_text("Held for you for 4:5")


def test_visitor_sees_the_meeting_moves_it_and_cancels_it(times: Page, double: Double) -> None:
    times.locator(".suggested .row").first.click()
    times.get_by_label("Your name").fill("Ada")
    times.get_by_label("Work e-mail").fill("ada@globex.example")
    times.get_by_role("button", name="Book it").click()
    card = times.locator(".meeting").last
    expect(card).to_contain_text("Monday, 3 March 2031")
    expect(card).to_contain_text("10:00–10:30 CET")
    expect(card).to_contain_text("with Grace Hopper")
    expect(card.get_by_role("link", name="Apple / .ics")).to_have_attribute("href", double.usher + "/m/tok/invite.ics")
    expect(card.get_by_role("link", name="Join the meeting")).to_have_attribute("href", "https://meet.example/grace")
    card.get_by_role("button", name="Reschedule").click()
    assert values(double, 4) == {"action": "reschedule_meeting", "meeting": "mtg_1"}
    card.get_by_role("button", name="Cancel meeting").click()
    assert values(double, 5) == {"action": "cancel_meeting", "meeting": "mtg_1"}
    expect(times.locator(".meeting.off")).to_contain_text("Cancelled")
    expect(times.get_by_role("button", name="Cancel meeting")).to_have_count(0)
