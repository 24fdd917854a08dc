"""Who is met by which playbook: on the server with its reasons, in the browser by the same tree."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.config.version import Version, candidate
from server.playbooks import targeting
from tests.playbooks.folder import folder

OPEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Berlin
CLOSED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HELLO = "nodes: [{id: hi, say: Hello}]\n"


def version_of(**playbooks: str) -> Version:
    return candidate(folder(**{name: f"{text}\n{HELLO}" for name, text in playbooks.items()}))


def page(path: str = "/pricing", **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "page": {"url": "", "path": path, "title": "", "referrer": "", "query": {}, "utm": {}},
        "visit": {"count": 1, "returning": False},
        "device": "desktop",
        "locale": "en",
        "data": {},
        "account": {},
    }
    for name, value in more.items():
        root, _, key = name.partition("__")
        if key:
            values[root] = {**values[root], key: value}
        else:
            values[root] = value
    return values


def chosen(version: Version, values: dict[str, Any], **how: Any) -> str:
    return targeting.choose(version, values, **{"seed": "s", "now": OPEN, **how}).playbook


def test_the_highest_priority_that_fits_meets_the_visitor() -> None:
    version = version_of(
        home="priority: 1",
        pricing="priority: 9\naudience: {path: [/pricing*]}",
        vip="priority: 9\naudience: {path: [/vip]}",
    )
    assert chosen(version, page("/pricing/eu")) == "pricing"
    assert chosen(version, page("/about")) == "home"


AUDIENCES = {
    "path: [/docs*, /Pricing*]": (page("/pricing"), page("/product")),
    "not_path: [/pricing/internal*]": (page("/pricing"), page("/pricing/internal")),
    'query: {plan: "*"}': (page(page__query={"plan": "team"}), page(page__query={"other": "1"})),
    "query: {plan: te*}": (page(page__query={"plan": "Team"}), page(page__query={"plan": "pro"})),
    'referrer: ["*google.*"]': (page(page__referrer="https://www.google.com/"), page(page__referrer="")),
    "utm: {source: [google, bing]}": (page(page__utm={"source": "bing"}), page(page__utm={})),
    "device: [mobile, tablet]": (page(device="tablet"), page(device="desktop")),
    "visits: {min: 2, max: 4}": (page(visit__count=4), page(visit__count=5)),
    "locale: [de]": (page(locale="de-AT"), page(locale="den")),
    "when: data.plan == 'pro'": (page(data__plan="pro"), page(data__plan="free")),
}


@pytest.mark.parametrize("line", AUDIENCES)
def test_each_line_of_an_audience_lets_its_visitors_in_and_keeps_others_out(line: str) -> None:
    version = version_of(p=f"audience: {{{line}}}")
    inside, outside = AUDIENCES[line]
    assert chosen(version, inside) == "p"
    seen = targeting.choose(version, outside, seed="s", now=OPEN)
    assert seen.playbook == ""
    assert seen.trace["looked_at"][0]["answer"] == "no"
    assert seen.trace["looked_at"][0]["because"].startswith(line.split(":")[0])


def test_what_is_not_known_of_a_visitor_is_not_yes_and_is_told_as_unknown() -> None:
    version = version_of(big="priority: 5\naudience: {when: account.employees >= 500}", home="priority: 0")
    seen = targeting.choose(version, page(), seed="s", now=OPEN)
    assert seen.playbook == "home"
    assert seen.trace == {
        "decision": "playbook",
        "chosen": "home",
        "looked_at": [
            {
                "name": "big",
                "answer": "unknown",
                "because": "when: account.employees >= 500",
                "saw": {"account.employees": None},
            },
            {"name": "home", "answer": "yes", "because": "every line of its audience is yes", "saw": {}},
        ],
    }


def test_the_playbook_that_the_browser_showed_goes_first_if_it_fits() -> None:
    version = version_of(a="priority: 9", b="priority: 1", c="priority: 1\naudience: {path: [/x]}")
    assert chosen(version, page(), asked="b") == "b"
    assert chosen(version, page(), asked="c") == "a"
    assert chosen(version, page(), asked="no-such") == "a"


def test_opening_hours_decide_for_playbooks_that_ask_for_them() -> None:
    version = version_of(day="priority: 5\ndisplay: {hours: open}", night="priority: 4\ndisplay: {hours: closed}")
    assert chosen(version, page(), now=OPEN) == "day"
    assert chosen(version, page(), now=CLOSED) == "night"
    at_night = {one["id"]: one["display"]["open"] for one in targeting.browser_playbooks(version, CLOSED)}
    assert at_night == {"day": False, "night": True}


def test_a_share_of_traffic_is_met_and_the_rest_goes_to_the_next_playbook() -> None:
    version = version_of(pilot="priority: 5\ntraffic_percent: 25", rest="priority: 1")
    met = Counter(chosen(version, page(), seed=f"visitor-{number}") for number in range(4000))
    assert 0.22 < met["pilot"] / 4000 < 0.28
    assert met["pilot"] + met["rest"] == 4000


@given(st.text(alphabet="0123456789abcdef", min_size=1, max_size=32), st.integers(0, 100), st.integers(0, 100))
def test_a_visitor_stays_on_their_side_and_a_larger_share_keeps_everybody_of_the_smaller(
    seed: str, a: int, b: int
) -> None:
    small, large = sorted((a, b))
    assert targeting.in_traffic(seed, "p", small) <= targeting.in_traffic(seed, "p", large)
    assert targeting.in_traffic(seed, "p", small) == targeting.in_traffic(seed, "p", small)
    assert not targeting.in_traffic(seed, "p", 0)
    assert targeting.in_traffic(seed, "p", 100)


def test_the_sites_share_is_the_number_that_the_browser_drew() -> None:
    """`+seed * 100 >= traffic` in widget/loader.js hides the launcher."""
    assert [targeting.in_share("0.2599", percent) for percent in (0, 25, 26, 100)] == [False, False, True, True]
    assert targeting.in_share("5.1e-7", 1)
    assert not targeting.in_share("0.999", 99)
    for strange in ("nan", "inf", "-0.5", "1.5", "abc"):
        assert targeting.in_share(strange, 100)
        assert not targeting.in_share(strange, 0)


def test_the_share_is_counted_as_the_protocol_says() -> None:
    """FNV-1a test vectors of its authors, and one that widget/rules.js gives."""
    assert targeting._fnv1a32("") == 0x811C9DC5
    assert targeting._fnv1a32("a") == 0xE40C292C
    assert targeting._fnv1a32("foobar") == 0xBF9CF968


def test_a_visitor_outside_the_traffic_of_the_site_meets_no_playbook() -> None:
    files = folder(home=HELLO)
    files["site.yml"] += "traffic_percent: 0\n"
    seen = targeting.choose(candidate(files), page(), seed="s", now=OPEN)
    assert seen.playbook == ""
    assert seen.trace["looked_at"] == [
        {"name": "site", "answer": "no", "because": "outside the 0 % of visitors this site talks to", "saw": {}}
    ]


def test_the_browser_gets_trees_display_and_opening_words() -> None:
    text = """
    priority: 3
    traffic_percent: 50
    audience: {path: [/pricing*], query: {plan: "*"}, when: account.employees >= 500}
    display: {after_seconds: 8, scroll_percent: 50, exit_intent: true, on_click: false, show: open}
    nodes:
      - {id: o, objection: {price: {says: [expensive], reply: Well.}}}
      - id: hi
        say:
          en: Hi {{ lead.first_name | default('there') }}, I am {{ agent.name }} of {{ site.name }}
          de: Hallo {{ lead.first_name }}
    """
    version = candidate(folder(pricing=text, zebra=HELLO))
    first, second = targeting.browser_playbooks(version, OPEN)
    assert first == {
        "id": "pricing",
        "traffic": 50,
        "if": [
            "and",
            ["glob", ["get", "page", "path"], "/pricing*"],
            ["and", ["in", "plan", ["get", "page", "query"]], ["glob", ["get", "page", "query", "plan"], "*"]],
            ["?"],
        ],
        "display": {"show": "open", "open": True, "after": 8, "scroll": 50, "exit": True, "click": False},
        "opening": {"en": "Hi there, I am Ada of Acme"},
    }
    assert second["if"] == ["and"]
    assert second["opening"] == {"en": "Hello"}
