"""What is known of a lead has an origin; an owner is one at most."""

from __future__ import annotations

import contextlib
import threading

import pytest

from server import events
from server.errors import Conflict, NotFound
from server.leads import service as leads
from server.leads.values import FieldValue

ADA = "Ada@Globex.example"


def meet(db, email=ADA):
    with db.transaction() as tx:
        return leads.meet(tx, "sit_1", email=email, source="chat", actor=events.BOT)


def known(db, lead):
    with db.reading() as tx:
        return leads.known(tx, lead.id)


def test_one_address_is_one_lead_however_it_is_written(db):
    first, new = meet(db)
    again, new_again = meet(db, "ada@globex.EXAMPLE ")
    assert (new, new_again, again.id) == (True, False, first.id)


def test_an_umlaut_in_two_encodings_is_one_address(db):
    assert meet(db, "jürgen@globex.example")[0].id == meet(db, "jürgen@globex.example")[0].id


def test_another_site_knows_nothing_of_it(db):
    first, _ = meet(db)
    with db.transaction() as tx:
        other, new = leads.meet(tx, "sit_2", email=ADA, source="chat", actor=events.BOT)
    assert new
    assert other.id != first.id


def test_a_human_value_wins_whatever_comes_later(db):
    lead, _ = meet(db)
    with db.transaction() as tx:
        leads.learn(tx, lead, [FieldValue("title", "CTO", "human")])
        leads.learn(
            tx, lead, [FieldValue("title", "Engineer", "enrichment"), FieldValue("title", "Head of Data", "crm")]
        )
    assert known(db, lead).lead["title"] == "CTO"


def test_a_newer_value_of_the_same_origin_takes_the_older_ones_place(db):
    lead, _ = meet(db)
    with db.transaction() as tx:
        leads.learn(tx, lead, [FieldValue("name", "Ada L.", "conversation")])
        leads.learn(tx, lead, [FieldValue("name", "Ada Lovelace", "conversation")])
    assert known(db, lead).lead["name"] == "Ada Lovelace"
    assert known(db, lead).lead["first_name"] == "Ada"


def test_what_nobody_told_is_left_out(db):
    lead, _ = meet(db)
    assert "phone" not in known(db, lead).lead


def test_a_lead_known_by_phone_is_recognised_by_the_address_it_gives_later(db):
    with db.transaction() as tx:
        lead, _ = leads.meet(tx, "sit_1", email=None, source="chat", actor=events.BOT)
        leads.learn(tx, lead, [FieldValue("email", ADA, "conversation")])
    assert meet(db)[0].id == lead.id


def test_an_address_that_belongs_to_somebody_else_joins_nobody(db):
    ada, _ = meet(db)
    with db.transaction() as tx:
        other, _ = leads.meet(tx, "sit_1", email=None, source="chat", actor=events.BOT)
        leads.learn(tx, other, [FieldValue("email", ADA, "conversation")])
    assert meet(db)[0].id == ada.id


def test_the_account_joins_what_conditions_may_say(db):
    lead, _ = meet(db)
    with db.transaction() as tx:
        account = leads.account_for(tx, "sit_1", "Globex.example.")
        assert leads.account_for(tx, "sit_1", "globex.example") == account
        leads.learn_account(tx, account, [FieldValue("employees", 800, "conversation")])
        leads.join_account(tx, lead.id, account)
    assert known(db, lead).account == {"domain": "globex.example", "employees": 800}


def test_the_history_of_owners_has_no_gap_and_no_overlap(db, monday):
    lead, _ = meet(db)
    for rep in ("grace", "grace", "linus"):
        with db.transaction() as tx:
            leads.assign(tx, lead.id, rep, kind="routed", actor=events.BOT, reason="test")
    with db.reading() as tx:
        history = leads.assignments_of(tx, lead.id)
    assert [row.rep for row in history] == ["grace", "linus"]
    assert history[0].ended_at == history[1].started_at
    assert history[1].ended_at is None


def test_of_eight_reps_who_claim_at_once_one_wins(db):
    lead, _ = meet(db)
    start, won = threading.Barrier(8), []

    def claim(rep):
        start.wait()
        with contextlib.suppress(Conflict):
            won.append(leads.claim(db, lead.id, rep, events.Actor("rep", rep)).owner_rep)

    threads = [threading.Thread(target=claim, args=(f"rep{n}",)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with db.reading() as tx:
        assert [leads.get(tx, lead.id).owner_rep] == won
        assert len(leads.assignments_of(tx, lead.id)) == 1


def test_a_lead_is_on_a_stream_once(db):
    lead, _ = meet(db)
    with db.transaction() as tx:
        assert leads.enrol(tx, lead.id, "mainline", actor=events.BOT, reason="not ready")
        assert not leads.enrol(tx, lead.id, "mainline", actor=events.BOT, reason="again")


def test_search_finds_by_name_and_address_and_takes_signs_literally(db):
    lead, _ = meet(db)
    meet(db, "someone@else.example")
    with db.transaction() as tx:
        leads.learn(tx, lead, [FieldValue("name", "Zoë Lovelace", "form")])
    with db.reading() as tx:
        assert [one.id for one, _ in leads.latest(tx, ["sit_1"], search="zoë lovel")] == [lead.id]
        assert [one.id for one, _ in leads.latest(tx, ["sit_1"], search="globex")] == [lead.id]
        assert leads.latest(tx, ["sit_1"], search="%") == []


def test_a_lead_nobody_knows(db):
    with db.reading() as tx, pytest.raises(NotFound):
        leads.get(tx, "led_nobody")
