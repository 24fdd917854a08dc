"""A visitor whom nobody knows comes through a reverse proxy from a company's network, and is greeted by its name."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from plugins.testing.fakes.pdl import KEY, PdlFake
from server.config import folder
from tests.journeys.chat import Chat
from tests.journeys.conftest import DESKTOP, OWNER, Town, town_at
from tests.processes import free_port, running, wait_until
from tests.wire import Wire

GLOBEX = "8.8.4.4"
KNOWN = """
priority: 99
audience: {path: ["/pricing*"]}
display: {show: quiet}
nodes:
  - {id: hi, say: "Hello! Are you with {{ account.name | default('a company') }}?"}
  - {id: size, ask: "What do the {{ account.employees | default('few') }} of you need?", kind: text, save: need}
  - {id: bye, end: "Thank you."}
"""
pytestmark = pytest.mark.browser


class Proxy(Wire):
    """A reverse proxy that says from which address the browser comes."""

    def _carry(self, browser: socket.socket) -> None:
        with suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (more := browser.recv(65536)):
                head += more
            named = head.replace(b"\r\n", f"\r\nX-Forwarded-For: {GLOBEX}\r\n".encode(), 1)
            if b"upgrade: websocket" not in head.lower():
                named = named.replace(b"keep-alive", b"close", 1)
            server = socket.create_connection(("127.0.0.1", self.to))
            self._pairs.append((browser, server))
            threading.Thread(target=self._pump, args=(server, browser, "lose_down", False), daemon=True).start()
            self._pump(browser, server, "lose_up", False, named)


@pytest.fixture
def fake() -> Iterator[PdlFake]:
    with PdlFake() as fake:
        company = {"display_name": "Globex", "website": "globex.com", "industry": "energy", "employee_count": 900}
        fake.addresses[GLOBEX] = {**company, "confidence": "high"}
        fake.companies["globex.com"] = {**company, "likelihood": 9}
        yield fake


@pytest.fixture
def town(assets: Path, tmp_path: Path, fake: PdlFake, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Town, str]]:
    """The town behind a proxy, on a site that looks companies up on page load; and the address of its website."""
    given = {
        "USHER_TRUSTED_PROXIES": "127.0.0.1", "USHER_PRIVATE_HOSTS": "127.0.0.1",
        "USHER_ENRICHMENT_PDL_KEY": KEY, "USHER_ENRICHMENT_PDL_BASE_URL": fake.url,
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    port = free_port()

    def edit(files: folder.Files) -> None:
        lines = [
            line
            for line in files["site.yml"].splitlines()
            if not line.startswith(("adapters:", "consent:", "enrichment:"))
        ]
        at = next(n for n, line in enumerate(lines) if line.startswith("origins:"))
        more = ["consent: none", "enrichment: {when: page_load}", "adapters: {enrichment: [pdl, builtin]}"]
        files["site.yml"] = (
            "\n".join([*lines[: at + 1], f"  - http://127.0.0.1:{port}", *lines[at + 1 :], *more]) + "\n"
        )
        files["playbooks/known.yml"] = KNOWN

    with town_at(tmp_path, edit) as settled:
        proxy = Proxy(settled.port)
        settled.ends.callback(proxy.stop)
        site = ("-m", "demo.site", "--port", str(port), "--usher", proxy.url, "--mailbox", str(tmp_path))
        settled.ends.enter_context(running(*site, port=port))
        yield settled, f"http://127.0.0.1:{port}"


def test_an_anonymous_visitor_is_greeted_with_the_name_of_their_company(
    town: tuple[Town, str], fake: PdlFake, browser: Browser
) -> None:
    settled, site = town
    with browser.new_context(**DESKTOP) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{site}/pricing")
        expect(page.locator("usher-chat").get_by_role("button", name="Questions?")).to_be_visible()
        page.mouse.move(200, 200)
        wait_until(lambda: len(fake.asked) == 2, what="the look-up on page load")
        chat = Chat(page).open()
        chat.hears("Are you with Globex?")
        chat.hears("What do the 900 of you need?")
        assert len(fake.asked) == 2  # what was found on page load is not asked again
        page.goto(f"{settled.usher_url}/sign-in")
        page.get_by_label("E-mail").fill(OWNER[0])
        page.get_by_label("Password").fill(OWNER[1])
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{settled.usher_url}/conversations")
        page.get_by_role("link", name="/pricing").first.click()
        expect(page.get_by_text("Company by network")).to_be_visible()
        expect(page.get_by_text("People Data Labs, 80 % sure").first).to_be_visible()
        page.goto(f"{settled.usher_url}/enrichment/acme")
        page.get_by_label("Samples whose truth you know").fill("domain,name,employees\nglobex.com,Globex,1200\n")
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_text("1 sample; nothing was written")).to_be_visible()
        expect(page.get_by_text("100 % known (1 of 1), 0 credits").first).to_be_visible()
