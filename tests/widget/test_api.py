"""The owner's page speaks to the widget through one global, before and after it has arrived."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.widget.conftest import opened, say
from tests.widget.double import Double

Visit = Callable[..., Page]


def test_calls_made_before_the_script_arrived_are_carried_out_in_order(visit: Visit, double: Double) -> None:
    page = visit("queue")
    expect(page.locator(".composer textarea")).to_have_value("Hello there")
    expect(page).to_have_title("opened")
    double.wait(lambda: len(double.heard("track")) == 1)
    assert double.heard("hello")[0]["data"] == {"plan": "pro"}
    assert [frame["attributes"] for frame in double.heard("identify")] == [{"email": "a@b.example"}]
    assert [(frame["name"], frame["data"]) for frame in double.heard("track")] == [("looked", {"n": 1})]


def test_page_opens_toggles_and_closes_the_chat(page: Page) -> None:
    page.evaluate("Usher('open', 'May I ask…')")
    expect(page.locator(".panel")).to_be_visible()
    expect(page.locator(".composer textarea")).to_have_value("May I ask…")
    page.evaluate("Usher.toggle()")
    expect(page.locator(".panel")).to_be_hidden()
    page.evaluate("Usher('toggle')")
    expect(page.locator(".panel")).to_be_visible()
    page.evaluate("Usher.close()")
    expect(page.locator(".panel")).to_be_hidden()


def test_page_hears_what_happens_as_callbacks_and_as_dom_events(page: Page, double: Double) -> None:
    page.evaluate("""() => { window.heard = []; window.seen = [];
        for (const name of ["ready", "opened", "closed", "message", "answered", "slot_held", "meeting_booked",
                            "meeting_cancelled", "handed_over"]) {
          Usher.on(name, () => heard.push(name));
          document.addEventListener("usher:" + name, () => seen.push(name)); } }""")
    opened(page)
    page.get_by_role("button", name="Ready to buy").click()
    page.locator(".suggested button").first.click()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Work e-mail").fill("ada@globex.example")
    page.get_by_role("button", name="Book it").click()
    page.get_by_role("button", name="Cancel meeting").click()
    page.get_by_text("It is cancelled.").wait_for()
    double.turn("rep", {"name": "Grace", "human": True})
    page.get_by_role("heading", name="Grace").wait_for()
    page.evaluate("Usher.close()")
    heard = page.evaluate("heard")
    assert heard[0] == "ready"
    assert [name for name in heard if name not in ("message", "answered", "ready")] == [
        "opened",
        "slot_held",
        "meeting_booked",
        "meeting_cancelled",
        "handed_over",
        "closed",
    ]
    assert heard.count("answered") == 1
    assert page.evaluate("seen") == heard[1:]


def test_page_hears_what_the_server_calls_an_event(chat: Page, double: Double) -> None:
    chat.evaluate("window.heard = []; Usher.on('qualified', (detail) => heard.push(detail))")
    say(chat, "hello")
    double.wait(lambda: len(double.heard("say")) == 1)
    cause = double.heard("say")[0]["id"]
    double.send({"t": "event", "name": "qualified", "data": {"segment": "enterprise"}, "id": cause})
    chat.wait_for_function("heard.length")
    assert chat.evaluate("heard") == [{"site": "acme", "segment": "enterprise"}]


def test_history_is_not_told_again_as_news(page: Page, double: Double) -> None:
    opened(page)
    page.get_by_role("button", name="Ready to buy").click()
    page.locator(".suggested button").first.click()
    page.get_by_label("Your name").wait_for()
    page.add_init_script("window.news = []; document.addEventListener('usher:slot_held', () => news.push(1))")
    page.reload()
    page.get_by_label("Your name").wait_for()
    assert page.evaluate("news") == []


def test_logging_out_forgets_the_visitor_in_every_tab(page: Page, double: Double) -> None:
    opened(page)
    other = page.context.new_page()
    other.goto(page.url)
    other.locator(".bubble").first.wait_for()
    page.evaluate("Usher.reset()")
    expect(page.locator(".panel")).to_be_hidden()
    expect(other.locator(".panel")).to_be_hidden()
    assert page.evaluate("Object.keys(localStorage)") == []
    opened(other)
    double.wait(lambda: len(double.conversations) == 2)
    assert len({frame["seed"] for frame in double.heard("hello")}) == 2
    expect(other.locator(".bubble")).to_have_count(1)


def test_site_that_asks_for_consent_itself_stores_nothing_until_it_is_given(visit: Visit, double: Double) -> None:
    double.config["consent"] = "external"
    page = visit()
    opened(page)
    assert page.evaluate("Object.keys(localStorage)") == []
    assert double.heard("hello")[0]["consent"] is False
    page.evaluate("Usher.consent(true)")
    page.wait_for_function("JSON.parse(localStorage['usher:acme']).token")
    page.reload()
    page.evaluate("Usher.ready")
    page.evaluate("Usher.open()")
    page.locator(".choice").first.wait_for()
    assert len(double.conversations) == 1
    page.evaluate("Usher.consent(false)")
    page.wait_for_function("Object.keys(localStorage).length === 0")


def test_site_that_needs_no_consent_recognises_a_second_visit(visit: Visit, double: Double) -> None:
    double.config["consent"] = "none"
    double.config["playbooks"] = [
        {
            "id": "again",
            "if": [">=", ["get", "visit", "count"], 2],
            "display": {"show": "teaser"},
            "opening": "Welcome back",
        }
    ]
    page = visit()
    page.mouse.move(200, 200)
    page.wait_for_function("localStorage['usher:acme']")
    expect(page.locator(".teaser")).to_have_count(0)
    page.evaluate(
        """const record = JSON.parse(localStorage["usher:acme"]);
        localStorage["usher:acme"] = JSON.stringify({ ...record, last: Date.now() - 36e5 })"""
    )
    page.reload()
    page.evaluate("Usher.ready")
    page.mouse.move(210, 210)
    expect(page.locator(".teaser button").first).to_have_text("Welcome back")


def test_visitor_who_does_not_want_to_be_tracked_tells_of_no_pages(visit: Visit, double: Double) -> None:
    double.config["consent"] = "none"
    page = visit()
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    page.reload()
    page.evaluate("Usher.ready")
    page.mouse.move(200, 200)
    page.wait_for_function("performance.getEntriesByType('resource').some((it) => it.name.includes('greet'))")
    assert page.evaluate("Object.keys(localStorage)") == []
    opened(page)
    assert double.heard("hello")[0]["visit"]["pages"] == []


def test_second_tag_of_the_same_site_changes_nothing(page: Page, double: Double) -> None:
    page.evaluate(
        """(src) => new Promise((onload) => {
        const it = Object.assign(document.createElement("script"), { src, onload });
        it.dataset.site = "acme";
        document.head.append(it); })""",
        f"{double.usher}/w.js",
    )
    assert page.evaluate("[document.querySelectorAll('usher-chat').length, Usher.v]") == [1, "acme"]
    assert double.requests.count("/v1/sites/acme/config") == 1


def test_chat_that_goes_on_open_on_the_next_page_is_not_told_as_opened(visit: Visit) -> None:
    page = visit(wait=False)
    page.add_init_script(
        "window.told = []; document.addEventListener('usher:opened', (it) => told.push(it.detail.self))"
    )
    page.reload()
    opened(page)
    assert page.evaluate("told") == [False]
    page.reload()
    page.locator(".panel .bubble").first.wait_for()
    assert page.evaluate("told") == []
    page.locator(".launcher").click()
    page.locator(".launcher").click()
    assert page.evaluate("told") == [False]
