"""A page with the strictest policy there is, and the real server: from the launcher to the booked meeting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response
from playwright.sync_api import Page, expect

from server.config import folder
from tests.journeys.chat import Chat
from tests.journeys.conftest import ON_ONE, Town, town_at
from tests.journeys.test_main_journey import qualify
from tests.processes import wait_until
from tests.widget.double import serve

pytestmark = pytest.mark.browser

NONCE = "n0nc3"
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; connect-src {usher} {socket}; require-trusted-types-for 'script'"
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Plans</title>
<script nonce="{nonce}">window.violations = [];
  document.addEventListener("securitypolicyviolation",
    (it) => violations.push(it.violatedDirective + " " + it.blockedURI));
  new ReportingObserver((all) => violations.push(...all.map((it) => JSON.stringify(it.body))),
    {{ types: ["csp-violation"], buffered: true }}).observe();</script>
<script async nonce="{nonce}" src="{usher}/w.js" data-site="acme"></script></head>
<body><h1>Plans</h1></body></html>"""


@pytest.fixture(scope="module")
def town(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town with one website more: its page allows no style, frame or image, and no script to load another."""
    towns: list[Town] = []
    site = Flask("strict-site")

    @site.get("/pricing")
    def pricing() -> Response:
        usher = towns[0].usher_url
        policy = POLICY.format(nonce=NONCE, usher=usher, socket=usher.replace("http", "ws"))
        return Response(PAGE.format(nonce=NONCE, usher=usher), headers={"Content-Security-Policy": policy})

    @site.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=204)

    web = serve(site)
    origin = f"http://127.0.0.1:{web.port}"

    def allow(files: folder.Files) -> None:
        files["site.yml"] = files["site.yml"].replace("origins:\n", f"origins:\n  - {origin}\n")

    with town_at(tmp_path_factory.mktemp("town"), allow) as settled:
        settled.site_url = origin
        towns.append(settled)
        yield settled
    web.shutdown()


@pytest.mark.long
@pytest.mark.parametrize("device", ON_ONE, indirect=True)
def test_visitor_of_a_strict_page_books_a_meeting_without_one_violation_or_foreign_request(
    town: Town, page: Page, device: dict[str, Any]
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda it: asked.append(it.url))
    page.on("websocket", lambda it: asked.append(it.url))
    page.on("console", lambda it: complaints.append(it.text))
    page.goto(f"{town.site_url}/pricing")
    chat = Chat(page).open()
    qualify(chat)
    chat.press("Replacing a tool")
    chat.press("This quarter")
    chat.book_first_time("Ada Lovelace", f"strict{page.viewport_size['width']}@globex.example")  # type: ignore[index]
    expect(chat.button("Reschedule")).to_be_visible()
    assert page.evaluate("violations") == []
    assert complaints == []
    hosts = {urlsplit(url).netloc for url in asked}
    assert hosts == {urlsplit(town.site_url).netloc, urlsplit(town.usher_url).netloc}
    assert {"http", "ws"} == {urlsplit(url).scheme for url in asked}


def test_this_page_really_allows_nothing_else(town: Town, page: Page) -> None:
    page.goto(f"{town.site_url}/pricing")
    page.evaluate("""() => {
      const add = (name, more) => document.body.append(Object.assign(document.createElement(name), more));
      document.body.setAttribute("style", "color: red");
      for (const [name, more] of [["img", { src: "/a.png" }], ["iframe", { src: "/a" }]]) add(name, more);
      add("style", { textContent: "b { color: red }" });
      try { document.body.innerHTML = "<b>x</b>" } catch {} }""")
    wanted = {"style-src-attr", "style-src-elem", "img-src", "frame-src", "require-trusted-types-for"}
    wait_until(lambda: wanted <= {one.split(" ")[0] for one in page.evaluate("violations")}, what="every complaint")
    assert any(one.startswith("{") for one in page.evaluate("violations"))
