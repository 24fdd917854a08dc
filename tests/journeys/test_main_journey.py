"""The main job, in a real browser: from a page with a script tag to a booked meeting, moved, and called off again."""

from __future__ import annotations

import os
import re
from email.message import EmailMessage
from typing import Any

import pytest
import vobject
from playwright.sync_api import Page, expect

from tests.journeys.chat import Chat
from tests.journeys.conftest import ON_ONE, OWNER, PHONE, Town
from tests.processes import ROOT, wait_until

pytestmark = pytest.mark.browser


def test_a_visitor_walks_from_the_pricing_page_to_a_meeting_and_back(town: Town, page: Page, device: dict[str, Any]):
    address = "ada@globex.example" if device is PHONE else "grace@initrode.example"
    page.goto(f"{town.site_url}/pricing")
    chat = Chat(page).open()
    chat.hears("Looking at our plans?")

    qualify(chat)
    picture(page, "chat", device)
    ask_in_the_middle(chat)
    chat.press("Replacing a tool")
    chat.press("This quarter")
    chat.hears("Which time suits you?")
    expect(chat.first_time()).to_be_in_viewport()
    picture(page, "booking", device)
    chat.book_first_time("Ada Lovelace", address)

    invitation = event_in(town.postbox.wait_for(address, 1)[0], "REQUEST")
    assert invitation.sequence.value == "0"
    rep = invitation.organizer.value.removeprefix("mailto:")
    town.postbox.wait_for(rep, 1)

    manage = manage_link(chat)
    moved = reschedule(page, manage, town, address, invitation)
    look_at_the_reps_list(page, town, moved.organizer.value.removeprefix("mailto:"), "Ada Lovelace")
    call_off(page, manage, town, address, moved)
    page.goto(f"{town.site_url}/pricing")
    expect(Chat(page).widget).to_be_attached()


def qualify(chat: Chat) -> None:
    chat.hears("Roughly how many people work at your company?")
    chat.say("we are about 250")
    chat.hears("What brings you here today?")


def ask_in_the_middle(chat: Chat) -> None:
    """A question that the site's articles answer, then one that nobody here can know; the flow goes on after both."""
    chat.say("Do you integrate with Salesforce?")
    chat.hears("Acme Analytics connects to Salesforce")
    expect(chat.log.get_by_role("link", name="Integrations")).to_have_attribute("href", re.compile("/product"))
    chat.hears("Back to my question: What brings you here today?")
    chat.say("Who will win the world cup in 2034?")
    chat.hears("I don't know that")
    expect(chat.button("Replacing a tool").last).to_be_visible()


def manage_link(chat: Chat) -> str:
    link = chat.widget.get_by_role("link", name=re.compile("ics")).last.get_attribute("href")
    assert link is not None
    return link.removesuffix("/invite.ics")


def reschedule(page: Page, manage: str, town: Town, address: str, before: Any) -> Any:
    """Move it on the plain page; the invitation follows: one UID, the next SEQUENCE."""
    page.goto(manage)
    expect(page.get_by_role("heading")).to_contain_text("Product demo")
    page.get_by_role("link", name="Choose another time").click()
    page.locator(".slots button").nth(3).click()
    expect(page.get_by_role("status")).to_contain_text("Your meeting was moved")
    event = next_event(town, address, "REQUEST", sequence=1)
    assert event.uid.value == before.uid.value
    assert event.dtstart.value != before.dtstart.value
    return event


def look_at_the_reps_list(page: Page, town: Town, rep: str, visitor: str) -> None:
    """The rep signs in and finds the meeting on the list."""
    sign_in(page, town, rep)
    page.goto(f"{town.usher_url}/meetings")
    expect(page.get_by_role("main")).to_contain_text(visitor)
    page.get_by_role("row", name=visitor).first.get_by_role("link").click()
    expect(page.get_by_role("main")).to_contain_text("Product demo")
    page.context.clear_cookies()


def call_off(page: Page, manage: str, town: Town, address: str, before: Any) -> None:
    page.goto(manage)
    page.get_by_role("link", name="Cancel the meeting").click()
    page.get_by_label(re.compile("why")).fill("Something came up")
    page.get_by_role("button", name="Cancel the meeting").click()
    expect(page.get_by_role("status")).to_contain_text("cancelled")
    assert next_event(town, address, "CANCEL", sequence=2).uid.value == before.uid.value


def test_each_page_opens_in_its_own_way(town: Town, page: Page):
    """Forward on pricing, quiet on the blog."""
    page.goto(f"{town.site_url}/blog/getting-started")
    Chat(page).open().hears("Ask me anything about this article")
    page.context.clear_cookies()
    page.evaluate("localStorage.clear()")
    page.goto(f"{town.site_url}/security")
    Chat(page).open().hears("security documentation")


@pytest.mark.long
@pytest.mark.parametrize("device", ON_ONE, indirect=True)
def test_a_meeting_is_moved_and_cancelled_in_the_chat(town: Town, page: Page, device: dict[str, Any]):
    address = "eve@umbrella.example" if device is PHONE else "dan@hooli.example"
    page.goto(f"{town.site_url}/pricing")
    chat = Chat(page).open()
    qualify(chat)
    chat.press("Replacing a tool")
    chat.press("This quarter")
    chat.book_first_time("Eve Adams", address)
    chat.press("Reschedule")
    chat.hears("Which new time suits you")
    chat.first_time().click()
    chat.hears("It is moved")
    next_event(town, address, "REQUEST", sequence=1)
    chat.come_back().hears("It is moved")
    chat.say("please cancel my meeting")
    chat.hears("Shall I cancel")
    chat.say("yes")
    chat.hears("It is cancelled.")
    expect(chat.button("Cancel meeting")).to_have_count(0)
    next_event(town, address, "CANCEL", sequence=2)


def test_the_owner_sees_the_conversation_and_why_everything_was_decided(town: Town, page: Page, device: dict[str, Any]):
    page.goto(f"{town.site_url}/pricing")
    chat = Chat(page).open()
    chat.say("we are about 250")
    chat.hears("What brings you here today?")
    sign_in(page, town, OWNER[0])
    page.goto(f"{town.usher_url}/conversations")
    page.get_by_role("link", name=re.compile("pricing", re.I)).first.click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("we are about 250")
    expect(main).to_contain_text("Why")
    picture(page, "console", device)


def sign_in(page: Page, town: Town, address: str) -> None:
    page.goto(f"{town.usher_url}/sign-in")
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Password").fill(OWNER[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(re.compile("sign-in"))


def next_event(town: Town, address: str, method: str, sequence: int) -> Any:
    """The event of the first mail with this method and sequence; another organiser also means a CANCEL from the old."""

    def found() -> Any:
        parts = [calendar_part(mail) for mail in town.postbox.to(address)]
        good = [part for part in parts if part.get_param("method") == method]
        events = [vobject.readOne(part.get_content()).vevent for part in good]
        return next((event for event in events if event.sequence.value == str(sequence)), None)

    return wait_until(found, what=f"{method} number {sequence} to {address}")


def calendar_part(mail: EmailMessage) -> Any:
    (part,) = [one for one in mail.walk() if one.get_content_type() == "text/calendar" and not one.get_filename()]
    return part


def event_in(mail: EmailMessage, method: str) -> Any:
    """The event of a mail's invitation, read with a library other than the one that wrote it."""
    part = calendar_part(mail)
    assert part.get_param("method") == method
    calendar = vobject.readOne(part.get_content())
    assert calendar.method.value == method
    assert calendar.vtimezone.tzid.value == calendar.vevent.dtstart.params["X-VOBJ-ORIGINAL-TZID"][0]
    return calendar.vevent


def picture(page: Page, name: str, device: dict[str, Any]) -> None:
    """The README's pictures are made here, when asked for (`make pictures`)."""
    if os.environ.get("USHER_PICTURES") and device is not PHONE:
        page.wait_for_function("document.getAnimations({subtree: true}).every(one => one.playState !== 'running')")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")
