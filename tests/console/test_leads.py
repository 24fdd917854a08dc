"""The desk's leads: what is known and from whom, whose they are, claiming."""

from __future__ import annotations

import re
import threading

from server.events import SYSTEM
from server.leads import service as leads
from server.leads.values import FieldValue
from tests.console import story as told


def test_a_lead_shows_what_counts_and_what_others_told(desk, story):
    page = desk("grace").text(f"/leads/{story.ada}")
    assert re.search(r"<dt>Employees</dt>\s*<dd>800<span class=\"origin\">conversation", page)
    assert "enrichment says 650" in page
    assert "Enrolled in a stream" in page
    assert "Product demo, Mon 2 Mar 2026, 16:00" in page  # the site is in Berlin
    assert "rule enterprise" in page


def test_the_list_can_be_searched_by_name_company_and_address(desk):
    owner = desk("owner")
    for words, found in (("löwe", "Zoë Löwe"), ("globex", "Ada Lovelace"), ("KIM@", "Kim Park")):
        page = owner.text(f"/leads?search={words}")
        assert found in page
        assert page.count("lead-cell") == 1
    assert "No lead fits “nobody”" in owner.text("/leads?search=nobody")


def test_a_rep_sees_their_own_and_free_leads_in_every_list(desk):
    grace, dennis = desk("grace"), desk("dennis")
    for page in (grace.text("/leads"), grace.text("/leads?search=example")):
        assert "Ada Lovelace" in page
        assert "Zoë Löwe" in page
        assert "Kim Park" not in page
    assert "Ada Lovelace" not in dennis.text("/leads")
    assert "Ada Lovelace" not in grace.text("/leads?show=free")
    assert "Zoë Löwe" not in grace.text("/leads?show=mine")


def test_a_rep_claims_a_free_lead(desk, db, story):
    dennis = desk("dennis")
    assert "Claim this lead" in dennis.text(f"/leads/{story.zoe}")
    dennis.post(f"/leads/{story.zoe}/claim")
    assert "This lead is yours now." in dennis.said()
    page = dennis.text(f"/leads/{story.zoe}")
    assert "Yours" in page
    assert "Claim this lead" not in page
    with db.reading() as tx:
        assert [(row.rep, row.kind) for row in leads.assignments_of(tx, story.zoe)] == [("dennis", "claim")]


def test_of_two_who_claim_at_once_one_owns_the_lead_and_the_other_is_told(desk, db, story):
    desks = [desk("grace"), desk("dennis")]
    tokens = [one.token() for one in desks]
    start = threading.Barrier(2)

    def claim(one, token):
        start.wait()
        one.client.post(f"/leads/{story.zoe}/claim", data={"csrf_token": token})

    threads = [threading.Thread(target=claim, args=pair) for pair in zip(desks, tokens, strict=True)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with db.reading() as tx:
        owner = leads.get(tx, story.zoe).owner_rep
        assert [row.rep for row in leads.assignments_of(tx, story.zoe)] == [owner]
    said = {name: one.said() for name, one in zip(("grace", "dennis"), desks, strict=True)}
    assert said.pop(owner) == "This lead is yours now."
    assert list(said.values()) == ["Somebody else owns this lead already."]


def test_whoever_is_no_rep_is_told_what_is_missing(desk, db, story):
    owner = desk("owner")
    assert "Claim this lead" not in owner.text(f"/leads/{story.zoe}")
    owner.post(f"/leads/{story.zoe}/claim")
    assert "Your user has no rep id" in owner.said()
    with db.reading() as tx:
        assert leads.get(tx, story.zoe).owner_rep is None


def test_older_leads_follow_page_by_page(desk, db, story):
    with db.transaction() as tx:
        for n in range(45):
            told.lead(tx, story.site_id, f"person{n}@many.example", name=f"Person {n}")
    owner = desk("owner")
    first = owner.text("/leads?search=many.example")
    more = re.search(r'href="(/leads\?[^"]*before=[^"]*)"', first)
    assert first.count("lead-cell") == 40
    second = owner.text(more[1].replace("&amp;", "&"))
    assert second.count("lead-cell") == 5
    assert "Show older ones" not in second


def test_the_diary_says_what_changed_and_tells_changes_that_follow_one_another_once(desk, db, story):
    def learn(field, value):
        with db.transaction() as tx:
            leads.learn(tx, leads.get(tx, story.zoe), [FieldValue(field, value, "conversation", "playbook pricing")])

    def told_of_changes():
        page = desk("owner").text(f"/leads/{story.zoe}")
        return re.findall(r"<span>(Lead changed[^<]*?) *<", page)

    learn("phone", "+49 30 1234")
    learn("fields.team_size", 12)
    learn("phone", "+49 30 1235")
    before = told_of_changes()
    assert before == ["Lead changed: e-mail, name, company, phone, team size"]
    leads.claim(db, story.zoe, "grace", SYSTEM)
    learn("title", "CTO")
    assert told_of_changes() == ["Lead changed: title", *before]
