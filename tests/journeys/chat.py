"""What a visitor does in the chat of a page, in the words of the screen."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

CLOCK_TIME = re.compile(r"^\d{1,2}:\d\d$")


class Chat:
    """The widget on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.widget = page.locator("usher-chat")
        self.log = self.widget.get_by_role("log")
        self.composer = self.widget.get_by_role("textbox", name="Message")

    def open(self) -> Chat:
        """Click the launcher."""
        self.widget.get_by_role("button", name="Questions?").click()
        expect(self.composer).to_be_visible()
        return self

    def come_back(self) -> Chat:
        """Reload the page. On a desktop the panel that was open is open again by itself; on a phone it is not."""
        small = (self.page.viewport_size or {"width": 0})["width"] < 600
        self.page.reload()
        if small:
            return self.open()
        expect(self.composer).to_be_visible()
        return self

    def say(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")
        expect(self.log.get_by_text(text, exact=True)).to_be_visible()

    def press(self, name: str | re.Pattern[str]) -> None:
        self.button(name).click()

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.widget.get_by_role("button", name=name)

    def hears(self, text: str | re.Pattern[str]) -> None:
        """The bot says it, somewhere in the log."""
        expect(self.log).to_contain_text(text)

    def first_time(self) -> Locator:
        """The first open time on offer."""
        return self.widget.get_by_role("button", name=re.compile(r"\d{1,2}:\d\d$")).first

    def give_name_and_email(self, name: str, email: str) -> None:
        self.widget.get_by_label("Name").fill(name)
        self.widget.get_by_label("E-mail").fill(email)
        self.press("Book it")

    def book_first_time(self, name: str, email: str) -> None:
        """From open times to the confirmation."""
        self.first_time().click()
        self.give_name_and_email(name, email)
        self.hears("You’re booked")

    def texts(self) -> list[str]:
        """All messages, oldest first."""
        return [one.strip() for one in self.widget.locator("[data-seq]").all_inner_texts()]
