"""What a lead is connected with: shown with its reason, and changed by people whose word stands."""

from __future__ import annotations

import re

import pytest

from plugins import registry
from plugins.crm import Company, Person
from server.adapters.records import TableRecords
from server.config import service as config
from server.leads import service as leads
from server.sync import service as sync
from server.worker import Worker
from tests.console import story as told
from tests.sync.conftest import Ledger


def work(db) -> None:
    worker = Worker(db, timetable=())
    while worker.round():
        pass


@pytest.fixture
def ledger(db, story):
    """The site's CRM is somebody else's, and knows two people of Globex."""
    for kept in (Ledger.asked, Ledger.trouble, Ledger.further):
        kept.clear()
    registry.register(Ledger)
    site = config.active(db, "acme").files["site.yml"].replace("crm: builtin", "crm: ledger")
    told.apply(db, "acme", "Ledger", site=site)
    made = registry.open("crm", "ledger", {}, records=TableRecords(db, story.site_id))
    made.upsert_person(Person("other@globex.example", name="Another Ada", title="Countess"), key="theirs")
    made.upsert_company(Company("globex.example", name="Globex", is_customer=True), key="theirs")
    yield made
    registry.unregister(Ledger)


def lead_of(db, id):
    with db.reading() as tx:
        return leads.get(tx, id)


def test_the_page_says_what_a_lead_is_connected_with_why_and_how_sure_it_is(desk, db, story):
    page = desk("grace").text(f"/leads/{story.ada}")
    assert "Connected with" in page
    assert re.search(r"The e-mail address is at globex\.example\.\s*95 % sure", page)


def test_a_person_takes_a_lead_out_of_its_company_and_connects_it_with_another(desk, db, story):
    grace = desk("grace")
    assert grace.post(f"/leads/{story.ada}/company/disconnect").status_code == 303
    assert lead_of(db, story.ada).account_id is None
    work(db)
    assert lead_of(db, story.ada).account_id is None
    found = grace.text(f"/leads/{story.ada}/connect?search=globex")
    account = re.search(r'name="account" value="([^"]+)"', found)[1]
    grace.post(f"/leads/{story.ada}/company", {"account": account})
    assert "connected with this company" in grace.said()
    assert (lead_of(db, story.ada).account_id, lead_of(db, story.ada).account_by) == (account, "human")
    grace.post(f"/leads/{story.ada}/company", {"domain": "initech.com"})
    assert "initech.com" in grace.text(f"/leads/{story.ada}")
    grace.post(f"/leads/{story.ada}/company", {"domain": "gmail.com"})
    assert "free mail is nobody" in grace.said()


def test_a_person_connects_a_lead_with_another_contact_whose_values_count_at_once(desk, db, story, ledger):
    grace = desk("grace")
    found = grace.text(f"/leads/{story.ada}/connect?search=other@globex.example")
    assert "Another Ada" in found
    record = re.search(r'name="record" value="([^"]+)"', found)[1]
    assert grace.post(f"/leads/{story.ada}/record", {"kind": "lead", "record": record}).status_code == 303
    with db.reading() as tx:
        assert leads.known(tx, story.ada).lead["title"] == "Countess"
    assert record in grace.text(f"/leads/{story.ada}")
    assert "a person said so" in grace.text(f"/leads/{story.ada}")
    work(db)
    with db.reading() as tx:
        assert {one.record_id for one in sync.links_of_lead(tx, story.ada) if one.connection_id != "builtin"} == {
            record
        }


def test_who_was_taken_apart_from_a_record_is_told_of_no_more_until_connected_again(desk, db, story, ledger):
    work(db)
    grace = desk("grace")
    assert grace.post(f"/leads/{story.ada}/record/disconnect", {"kind": "lead"}).status_code == 303
    Ledger.asked.clear()
    with db.transaction() as tx:
        leads.learn(tx, leads.get(tx, story.ada), [leads.FieldValue("title", "CEO", "form")])
    work(db)
    assert [name for name in Ledger.asked if name.startswith(("upsert_person", "log"))] == []
    assert "a person took it apart" in grace.text(f"/leads/{story.ada}")
    grace.post(f"/leads/{story.ada}/record/disconnect", {"kind": "lead"})
    assert "connected with no record" in grace.said()


def test_whether_an_address_is_valid_and_whose_is_said_by_hand_and_stands(desk, db, story):
    grace = desk("grace")
    grace.post(f"/leads/{story.ada}/email", {"email_validity": "invalid", "email_type": "personal"})
    page = grace.text(f"/leads/{story.ada}")
    assert "invalid, personal (free mail)" in page
    assert re.search(r"Email type: Grace[^<]* said so|Email type: grace[^<]* said so", page)
    with db.transaction() as tx:
        leads.learn(tx, leads.get(tx, story.ada), [leads.FieldValue("email_type", "work", "enrichment")])
        assert leads.known(tx, story.ada).lead["email_type"] == "personal"
    grace.post(f"/leads/{story.ada}/email", {"email_validity": "", "email_type": ""})
    with db.reading() as tx:
        assert leads.known(tx, story.ada).lead["email_type"] == "work"
    grace.post(f"/leads/{story.ada}/email", {"email_type": "nonsense"})
    assert "none of the words" in grace.said()
