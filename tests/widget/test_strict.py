"""Under the strictest content security policy, with Trusted Types, everything works and nothing is violated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double

WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", (it) => violations.push([it.violatedDirective, it.blockedURI]));"""
STYLED = """(() => {
  const deep = (it) => [it, ...(it.shadowRoot ? all(it.shadowRoot) : [])];
  const all = (root) => [...root.querySelectorAll("*")].flatMap(deep);
  const odd = (it) => it.hasAttribute("style") || /^(STYLE|LINK|IFRAME|IMG)$/.test(it.tagName);
  return all(document).filter(odd).map((it) => it.outerHTML);
})()"""


def test_visitor_of_a_strict_page_chats_and_books_without_one_violation(
    visit: Callable[..., Page], double: Double
) -> None:
    page = visit("strict", locale="de-DE", wait=False)
    page.add_init_script(WATCH)
    page.reload()
    page.evaluate("Usher.ready")
    opened(page)
    for text in ("question", "multi", "offer", "handoff", "unknown", "date", "evil"):
        say(page, text)
    say(page, "slots")
    page.get_by_role("button", name="Zeitzone").click()
    page.keyboard.press("Escape")
    page.locator(".times button").first.click()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Work e-mail").fill("ada@globex.example")
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_text("Ihr Termin steht")).to_be_visible()
    assert page.evaluate("violations") == []
    assert page.evaluate(STYLED) == []


def test_strict_page_really_is_strict(visit: Callable[..., Page]) -> None:
    page = visit("strict")
    page.evaluate(WATCH)
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate("try { document.body.innerHTML = '<b>x</b>' } catch {}")
    page.wait_for_function("violations.length >= 2")


FORBIDDEN = {
    "markup from text": r"(?:inner|outer|Adjacent)HTML|srcdoc|document\.write|ContextualFragment|DOMParser",
    "code from text": r"\beval\(|new Function|setTimeout\([\"'`]|javascript:",
    "style elements and attributes": r"<style|createElement\([\"'`](?:style|iframe)|[\"'`]style[\"'`]|cssText",
    "frames and their messages": r"<iframe|el\([\"'`]iframe|postMessage\([^)]*[\"'`]\*[\"'`]|onmessage\s*=\s*window",
    "addresses of others": r"https?://(?!www\.w3\.org/2000/svg)[a-z0-9]",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_built_files_hold_nothing_that_a_strict_page_forbids(built: Path, what: str) -> None:
    manifest = json.loads((built / "assets" / "manifest.json").read_text())
    files = [entry["file"] for entry in manifest.values()]
    assert len(files) >= 7
    found = [
        (file, hit.group())
        for file in files
        for hit in re.finditer(FORBIDDEN[what], (built / "assets" / file).read_text())
    ]
    assert found == []


FOLLOWED = ["https://a.example/x", "http://a.example/", "mailto:a@b.example", "tel:+4930123", "/pricing"]
NOT_FOLLOWED = [
    *(
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
    ),
    *("data:text/html,<b>x</b>", "vbscript:x", "blob:https://a.example/1", "file:///etc/passwd", "ftp://a.example/"),
    *("intent://x#Intent;end", "about:blank", "filesystem:https://a.example/x", "https://"),
]


def test_only_web_mail_and_phone_addresses_become_links(chat: Page, double: Double) -> None:
    parts = [{"kind": "offer", "title": "Guide", "url": url} for url in NOT_FOLLOWED + FOLLOWED]
    for url in NOT_FOLLOWED + FOLLOWED:
        double.say(f"[title]({url})", citations=[{"title": "source", "url": url}])
    for part in parts:
        double.say("offer", part=part)
    expect(chat.locator(".offer")).to_have_count(len(parts))
    links = chat.locator(".msg a").evaluate_all(
        "(all) => all.map((it) => [it.getAttribute('href'), it.rel, it.protocol])"
    )
    assert {rel for _, rel, _ in links} == {"noopener"}
    assert {protocol for _, _, protocol in links} == {"https:", "http:", "mailto:", "tel:"}
    assert len(links) == 3 * len(FOLLOWED)
