"""What is installed, from whom, how well it is proven, and which adapters cannot be used and why."""

from __future__ import annotations

import re

import pytest

from plugins import quality, registry
from plugins.quality import Quality
from plugins.registry import Listing


@pytest.fixture
def outside(monkeypatch):
    """Packages of others: a broken one, and two that want the same name."""
    clash = [Listing("notify", "pager", f"{who}_pager.adapter:Pager", f"{who} 2.0") for who in ("acme", "globex")]
    broken = Listing("crm", "ledger", "no_such_ledger:Ledger", "usher-ledger 1.0")
    monkeypatch.setattr(registry._here, "_outside", [broken, *clash])


def test_adapters_are_shown_by_kind_with_what_they_can_and_broken_ones_with_their_reason(desk, outside):
    page = desk("owner").text("/adapters")
    assert re.search(r"CalDAV</a>.*?reads changes, writes events.*?Usher", page, re.DOTALL)
    assert "No module named &#39;no_such_ledger&#39;" in page
    assert page.count("acme 2.0 and globex 2.0 both offer notify.pager") == 2
    assert page.count(">Broken<") == 3


def test_one_adapter_is_shown_with_its_settings_and_with_what_was_found(desk, monkeypatch):
    found = Quality(
        done=("it works",),
        exempt={"threads": "it has none"},
        left_out={"series": "no fake <b>"},
        failing={"time zones": "the server knows none"},
    )
    monkeypatch.setattr(quality, "read", lambda *_: found)
    page = desk("marketing").text("/adapters/calendar.caldav").replace("<wbr>", "")
    assert "USHER_CALENDAR_CALDAV_PASSWORD" in page
    assert "Bronze" in page
    for words in ("Time zones", "the server knows none", "no fake &lt;b&gt;", "1 rules held", "it has none"):
        assert words in page


def test_an_adapter_that_cannot_be_used_has_a_page_and_one_that_is_not_there_has_none(desk, outside):
    owner = desk("owner")
    assert "It cannot be used" in owner.text("/adapters/crm.ledger")
    assert owner.text("/adapters/notify.pager").count("both offer") == 2
    assert owner.get("/adapters/crm.nothing").status_code == 404
    assert owner.get("/adapters/fax.builtin").status_code == 404
