"""Under the strictest content security policy, with Trusted Types, everything works and nothing is violated."""

from __future__ import annotations

from collections.abc import Callable

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
