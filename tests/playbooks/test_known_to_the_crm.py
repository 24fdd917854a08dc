"""The CRM tells while the visitor talks whose company it is: they book with that person all the same."""

from __future__ import annotations

import pytest

from server.leads import service as leads
from server.leads.values import FieldValue
from tests.playbooks.chat import Chat, applied

PRICING = """
audience: {path: [/pricing]}
nodes:
  - {id: mail, ask: Your e-mail?, kind: email}
  - {id: need, ask: What do you need?, kind: text, save: need}
  - {id: meet, book: demo, text: Pick a time.}
  - {id: bye, end: See you!}
"""
ASK_LATER = PRICING.replace("  - {id: need", "  - {id: r, route: default}\n  - {id: need")


def tell(db, talk: Chat, **said) -> None:
    """The CRM's answer lands."""
    with db.transaction() as tx:
        lead = leads.get(tx, talk.row.lead_id)
        leads.learn_account(tx, lead.account_id, [FieldValue(name, value, "crm") for name, value in said.items()])


@pytest.mark.parametrize("playbook", [PRICING, ASK_LATER])
def test_a_customer_the_crm_knows_books_with_their_csm_though_they_were_routed_before(db, monday, playbook):
    applied(db, pricing=playbook)
    talk = Chat(db).open()
    talk.say("ada@hooli.example")
    tell(db, talk, is_customer=True, csm="linus@acme.example")
    talk.say("Dashboards")
    if playbook is PRICING:
        assert talk.memory.routed["target"] == "linus"
    talk.choose(1)
    assert talk.memory.routed["kind"] == "rep"
    assert talk.memory.routed["target"] == "linus"


def test_the_crm_stands_above_segments_yml_and_a_person_above_both(db, monday):
    applied(db, pricing=PRICING)
    talk = Chat(db).open()
    talk.say("ada@globex.example")  # a target of Grace's by segments.yml
    tell(db, talk, owner="linus")
    talk.say("Dashboards")
    assert talk.memory.routed["target"] == "linus"
    with db.transaction() as tx:
        account = leads.get(tx, talk.row.lead_id).account_id
        leads.learn_account(tx, account, [FieldValue("owner", "grace", "human")])
    talk.say("hm")
    assert talk.memory.routed["target"] == "grace"


def test_news_that_leads_to_nobody_else_offers_no_times_anew(db, monday):
    applied(db, pricing=PRICING)
    talk = Chat(db).open()
    talk.say("ada@hooli.example")
    talk.say("Dashboards")
    before = talk.memory.routed
    tell(db, talk, is_target=False)
    talk.choose(1)
    assert talk.memory.routed == before
    assert talk.memory.hold
