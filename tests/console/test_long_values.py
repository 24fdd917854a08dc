"""What a visitor types without end, in a real Chromium: lists stay lists, pages as wide as their window; and what may
not be changed looks so."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from server import events
from server.config import service as config
from server.db import Database
from server.leads import service as leads
from server.leads.values import FieldValue
from tests.console import story as told
from tests.console.test_in_browser import built, open_page, served, too_wide

__all__ = ["built", "open_page", "served"]

pytestmark = pytest.mark.browser

LONG = "W" * 5000
ADDRESSES = (
    "/leads", "/leads/{0}", "/leads/{0}/connect", "/leads/{0}/connect?search=" + LONG[:1500], "/crm/acme/try",
    "/crm/acme/compare", "/crm/acme/news", "/",
)  # fmt: skip


@pytest.fixture(scope="module")
def talker(served: tuple[str, Database]) -> str:
    """A lead whose every word is long, whose company has such a name, and whom the CRM has changed."""
    db = served[1]
    site_id = config.active(db, "acme").site_id
    with db.transaction() as tx:
        lead = told.lead(tx, site_id, "long@longish.example", name=LONG[:1500], title=LONG[:1500], company=LONG)
        account = leads.account_for(tx, site_id, "longish.example")
        leads.join_account(tx, lead.id, account)
        leads.learn_account(tx, account, [FieldValue("name", LONG, "conversation", "playbook pricing")])
        for kind, subject in (("lead", lead.id), ("account", account)):
            events.record(
                tx,
                events.CRM_CHANGED,
                site_id=site_id,
                subject=(kind, subject),
                actor=events.Actor("crm"),
                reason=f"Company: {LONG}",
            )
    return str(lead.id)


@pytest.mark.parametrize("mode", ["light", "phone"])
def test_a_name_without_end_makes_no_page_wide_or_screens_long(open_page, talker, mode):
    page, found = open_page("owner", mode), {}
    for address in (one.format(talker) for one in ADDRESSES):
        page.goto(address)
        if problems := [*too_wide(page), *too_high(page)]:
            found[address[:40]] = problems
    assert found == {}


def too_high(page: Page) -> list[str]:
    """Rows, headings and values that fill a screen by themselves."""
    parts = page.locator("main :is(tr, h1, h2, h3, dd, label, .card li)")
    heights = parts.evaluate_all("some => some.map(one => one.getBoundingClientRect().height)")
    return [f"a part {high:.0f} px high" for high in heights if high > 500]


def test_the_columns_beside_a_long_name_stay_readable(open_page, talker):
    page = open_page("owner")
    for address in ("/leads", "/crm/acme/news"):
        page.goto(address)
        widths = page.locator("main tbody td:not(.figure)").evaluate_all("some => some.map(one => one.offsetWidth)")
        assert min(widths) >= 80, address


def test_the_whole_of_a_long_value_can_be_read_on_the_leads_page(open_page, talker):
    page = open_page("owner", "phone")
    page.goto(f"/leads/{talker}")
    fold = page.locator("dd details").first
    fold.locator("summary").tap()
    assert len(fold.inner_text()) > 1500


def test_a_mapping_that_may_not_be_changed_looks_so(open_page):
    def looks(who: str) -> set[str]:
        page = open_page(who)
        page.goto("/crm/acme")
        fields = page.locator("main :is(input.input, select.input, textarea.input)")
        return set(fields.evaluate_all("some => some.map(one => getComputedStyle(one).backgroundColor)"))

    owners, supervisors = looks("owner"), looks("supervisor")
    assert len(supervisors) == 1
    assert not owners & supervisors
