"""Which company a lead belongs to: by address, by name when only one is called so, by a person's word above all."""

from __future__ import annotations

import pytest

from server import events
from server.errors import Conflict, Invalid, NotFound
from server.events import Actor
from server.leads import service as leads
from server.leads.names import name_key
from server.leads.values import FieldValue

GRACE = Actor("user", "usr_1", "Grace Hopper")


def meet(db, email, company="", site="sit_1"):
    with db.transaction() as tx:
        lead, _ = leads.meet(tx, site, email=email, source="chat", actor=events.BOT)
        told = [FieldValue("email", email, "form")] if email else []
        return leads.learn(tx, lead, [*told, *([FieldValue("company", company, "form")] if company else [])])


def company(db, domain, name):
    with db.transaction() as tx:
        id = leads.account_for(tx, "sit_1", domain)
        leads.learn_account(tx, id, [FieldValue("name", name, "enrichment")])
        return id


def connect(db, lead, listed=()):
    with db.transaction() as tx:
        leads.connect(tx, lead.id, listed=listed)
        return leads.get(tx, lead.id)


def suggested(db, lead, search=""):
    with db.reading() as tx:
        found = leads.suggestions(tx, leads.get(tx, lead.id), search)
    return [(one.domain, one.sure) for one in found]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Globex GmbH & Co. KG", "globex"),
        ("Société Générale S.A.", "societe generale"),
        ("Müller-Lüdenscheidt AG", "MULLER LUDENSCHEIDT"),
        ("O’Reilly Media, Inc.", "O'Reilly Media"),
        ("Foo & Bar Ltd", "Foo and Bar Limited"),
        ("Ørsted A/S", "Orsted"),
    ],
)
def test_legal_forms_accents_and_punctuation_make_no_other_company(one, other):
    assert name_key(one) == name_key(other) != ""


def test_what_is_nothing_but_a_legal_form_keeps_its_letters():
    assert name_key("AG") == "ag"
    assert name_key(" - ") == ""


def test_a_work_address_leads_to_the_company_and_free_mail_to_none(db):
    ada, gus = connect(db, meet(db, "ada@mail.globex.example")), connect(db, meet(db, "gus@gmail.com"))
    with db.reading() as tx:
        assert leads.account(tx, ada.account_id).domain == "globex.example"
    assert (ada.account_by, ada.account_sure, ada.account_because) == (
        "domain", 95, "The e-mail address is at globex.example.",
    )  # fmt: skip
    assert gus.account_id is None


def test_the_only_company_of_a_name_is_taken_and_of_two_neither(db):
    globex = company(db, "globex.example", "Globex GmbH")
    ada = connect(db, meet(db, "ada@gmail.com", "GLOBEX, Inc."))
    assert (ada.account_id, ada.account_by, ada.account_sure) == (globex, "name", 75)
    company(db, "globex-group.example", "Globex AG")
    bob = connect(db, meet(db, "bob@gmail.com", "Globex"))
    assert bob.account_id is None
    assert suggested(db, bob) == [("globex-group.example", 37), ("globex.example", 37)]


def test_a_name_that_is_only_like_another_is_a_suggestion_and_nothing_more(db):
    company(db, "globex.example", "Globex Analytics")
    ada = connect(db, meet(db, "ada@gmail.com", "Globex"))
    assert ada.account_id is None
    assert suggested(db, ada) == [("globex.example", 40)]
    assert suggested(db, ada, "globex.ex") == [("globex.example", 40)]
    assert suggested(db, ada, "nothing like it") == []


def test_a_company_of_segments_yml_is_known_by_its_name(db):
    ada = connect(db, meet(db, "ada@gmail.com", "Initech Ltd"), listed=[("Initech", "initech.example")])
    with db.reading() as tx:
        assert leads.account(tx, ada.account_id).domain == "initech.example"


def test_the_word_of_a_person_stands_whatever_comes_later(db):
    globex = company(db, "globex.example", "Globex")
    ada = connect(db, meet(db, "ada@initech.example"))
    initech = ada.account_id
    with db.transaction() as tx:
        leads.connect_by_hand(tx, ada.id, globex, actor=GRACE)
    with db.transaction() as tx:
        leads.join_account(tx, ada.id, initech)
    assert connect(db, ada).account_id == globex
    with db.transaction() as tx:
        leads.disconnect_by_hand(tx, ada.id, actor=GRACE)
    with db.transaction() as tx:
        leads.join_account(tx, ada.id, initech)
    ada = connect(db, ada)
    assert (ada.account_id, ada.account_because) == (None, "Grace Hopper took it out of its company.")
    with db.reading() as tx:
        assert leads.known(tx, ada.id, initech).account == {}
        told = [one.name for one in events.of_subject(tx, "lead", ada.id) if one.name.endswith("connected")]
    assert told == [events.LEAD_CONNECTED, events.LEAD_CONNECTED, events.LEAD_DISCONNECTED]
    with db.transaction() as tx, pytest.raises(Conflict):
        leads.disconnect_by_hand(tx, ada.id, actor=GRACE)


def test_a_company_of_another_site_and_free_mail_are_no_companies_to_connect_with(db):
    ada = meet(db, "ada@gmail.com", site="sit_2")
    globex = company(db, "globex.example", "Globex")
    with db.transaction() as tx, pytest.raises(NotFound):
        leads.connect_by_hand(tx, ada.id, globex, actor=GRACE)
    for domain in ("gmail.com", "nothing", "10.0.0.1"):
        with db.transaction() as tx, pytest.raises(Invalid):
            leads.connect_new_by_hand(tx, ada.id, domain, actor=GRACE)
    with db.transaction() as tx:
        id = leads.connect_new_by_hand(tx, ada.id, "https://www.globex.com/", actor=GRACE)
        assert leads.account(tx, id).domain == "globex.com"
