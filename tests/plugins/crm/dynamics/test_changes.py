"""What changed in Dynamics 365: from now on, page by page, by our names, and begun anew when it is forgotten."""

from __future__ import annotations

import json

import pytest

from plugins.crm import Change, Company
from plugins.crm.dynamics import Dynamics
from plugins.errors import CursorExpired, PluginError
from plugins.testing.crm import ADA
from plugins.testing.fakes import Fault
from plugins.testing.fakes.dataverse import DataverseFake
from tests.plugins.crm.dataverse import opened


def since(crm: Dynamics, cursor: str, limit: int = 200) -> tuple[list[Change], str]:
    told: list[Change] = []
    while True:
        page = crm.changes(cursor, limit=limit)
        told += page.items
        cursor = page.cursor
        if not page.more:
            return told, cursor


def test_what_was_there_before_is_not_told_and_later_changes_of_all_tables_are(fake: DataverseFake):
    crm = opened(fake)
    fake.put("contact", emailaddress1="old@globex.example")
    start = crm.changes().cursor
    lead = fake.put("lead", emailaddress1=ADA.email, jobtitle="CTO")
    fake.put("contact", emailaddress1="bob@globex.example", by=fake.us)
    account = fake.put(
        "account", name="Globex", websiteurl="www.globex.example", customertypecode=3, numberofemployees=8
    )
    told, cursor = since(crm, start, limit=1)
    by_id = {one.ref.id: one for one in told}
    assert len(told) == 3
    ada, globex = by_id[f"lead/{lead}"], by_id[f"account/{account}"]
    assert (ada.values["email"], ada.values["title"], ada.values["owner_email"]) == (
        ADA.email,
        "CTO",
        "grace@acme.example",
    )
    assert (globex.values["domain"], globex.values["is_customer"], globex.values["employees"]) == (
        "globex.example",
        True,
        8,
    )
    assert (ada.ours, [one.ours for one in told].count(True)) == (False, 1)
    assert since(crm, cursor)[0] == []


def test_our_own_writing_is_told_as_ours(fake: DataverseFake):
    crm = opened(fake)
    start = crm.changes().cursor
    crm.upsert_person(ADA, key="k1")
    crm.upsert_company(Company("globex.example"), key="k2")
    told, _ = since(crm, start)
    assert [one.ours for one in told] == [True, True]
    assert [one.values["owner_email"] for one in told] == [None, None]


def test_a_big_table_is_passed_over_in_several_calls(fake: DataverseFake):
    """Each call reads so many pages and no more."""
    fake.page = 2
    for n in range(45):
        fake.put("lead", emailaddress1=f"x{n}@globex.example")
    crm = opened(fake)
    first = crm.changes()
    assert (first.items, first.more) == ((), True)
    told, cursor = since(crm, first.cursor)
    assert told == []
    fake.put("lead", emailaddress1=ADA.email)
    assert [one.values["email"] for one in since(crm, cursor)[0]] == [ADA.email]


def test_a_place_that_dataverse_forgot_asks_for_a_new_start(fake: DataverseFake):
    crm = opened(fake)
    cursor = crm.changes().cursor
    fake.forget_changes()
    with pytest.raises(CursorExpired):
        crm.changes(cursor)


@pytest.mark.parametrize("status", [400, 410])
def test_however_dataverse_words_it(fake: DataverseFake, status: int):
    crm = opened(fake)
    cursor = crm.changes().cursor
    fake.faults.add(Fault(status, b'{"error": {"code": "0x0", "message": "Invalid token"}}'), on="/leads")
    with pytest.raises(CursorExpired):
        crm.changes(cursor)


def test_our_token_goes_to_no_address_that_a_cursor_names(fake: DataverseFake):
    crm = opened(fake)
    place = json.loads(crm.changes().cursor)
    fake.asked.clear()
    for link in ("https://evil.example/api/data/v9.2/leads", fake.url + ".evil.example/api/data/v9.2/leads"):
        place["links"]["lead"] = link
        with pytest.raises(CursorExpired):
            crm.changes(json.dumps(place))
    for broken in ('{"links": {}, "reading": [], "turn": 0}', '{"links": 1}', "[]", '{"turn": 9}'):
        with pytest.raises(CursorExpired):
            crm.changes(broken)
    assert fake.asked == []


def test_changes_that_are_not_tracked_are_said_and_not_taken_for_none(fake: DataverseFake):
    fake.untracked.add("contact")
    with pytest.raises(PluginError) as caught:
        opened(fake).changes()
    assert "Track changes" in caught.value.user_message
