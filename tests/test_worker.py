"""The back room: what happens to a lead reaches the CRM and comes back enriched, with the built-in adapters."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from server import clock, events
from server.adapters.records import TableRecords
from server.booking import service as booking
from server.config import folder
from server.config import service as config
from server.db import Database
from server.leads import service as leads
from server.leads.values import FieldValue
from server.outbox import service as outbox
from server.reactions import REACTIONS
from server.schedule import Job
from server.worker import Worker
from tests.processes import ROOT


@pytest.fixture
def version(db):
    return config.apply(db, folder.load(ROOT / "server" / "sample"), author="tests")


def meet_ada(db, version):
    with db.transaction() as tx:
        lead, _ = leads.meet(tx, version.site_id, email="ada@globex.example", source="chat", actor=events.BOT)
        account = leads.account_for(tx, version.site_id, "globex.example")
        leads.join_account(tx, lead.id, account)
        told = [FieldValue("email", "ada@globex.example", "form"), FieldValue("name", "Ada Lovelace", "form")]
        return leads.learn(tx, lead, told)


def work(db):
    worker, rounds = Worker(db), 0
    while worker.round():
        rounds += 1
        assert rounds < 50, "the worker finds no end"


def records(db, version, kind):
    return [record for _, record in TableRecords(db, version.site_id).list(kind)]


def test_a_new_lead_reaches_the_crm_once_with_all_that_is_known(db, version, monday):
    meet_ada(db, version)
    work(db)
    (person,) = records(db, version, "crm.person")
    assert (person["email"], person["name"]) == ("ada@globex.example", "Ada Lovelace")


def test_a_new_lead_comes_back_enriched_but_never_over_what_a_person_said(db, version, monday):
    lead = meet_ada(db, version)
    with db.transaction() as tx:
        leads.learn_account(tx, lead.account_id, [FieldValue("name", "Globex Corporation", "human")])
    work(db)
    with db.reading() as tx:
        known = leads.known(tx, lead.id)
    assert known.lead["email_type"] == "work"
    assert known.account["name"] == "Globex Corporation"


def test_nothing_is_left_over_and_nothing_is_done_twice(db, version, monday):
    meet_ada(db, version)
    work(db)
    with db.reading() as tx:
        assert set(outbox.counts(tx)) == {"done"}
        before = outbox.counts(tx)
    monday.advance(timedelta(hours=1))
    work(db)
    with db.reading() as tx:
        assert outbox.counts(tx) == before


def test_a_reaction_that_fails_is_tried_five_times_and_stops_no_other(db, version, monday):
    gone = ("lead", "led_gone")
    with db.transaction() as tx:
        events.record(tx, events.LEAD_CHANGED, site_id=version.site_id, subject=gone, actor=events.SYSTEM)
    meet_ada(db, version)
    work(db)
    assert len(records(db, version, "crm.person")) == 1
    with db.reading() as tx:
        (event,) = events.of_subject(tx, *gone)
    assert (event.tries, event.handled_at) == (events.MOST_TRIES, None)


def test_a_lead_nobody_owns_belongs_to_the_rep_it_meets_and_an_owner_stays(db, version, monday):
    owned = meet_ada(db, version)
    with db.transaction() as tx:
        leads.assign(tx, owned.id, "joan", kind="override", actor=events.SYSTEM, reason="a customer of hers")
    free = book(db, version, "bob@initrode.example")
    kept = book(db, version, "ada@globex.example")
    work(db)
    with db.reading() as tx:
        assert leads.get(tx, free.lead_id).owner_rep == free.rep
        assert leads.get(tx, kept.lead_id).owner_rep == "joan"


def book(db, version, address):
    with db.transaction() as tx:
        now = clock.now()
        open_times = booking.slots(
            tx, version, meeting="demo", start=now, end=now + timedelta(days=7), zone="UTC"
        ).starts
        held = booking.hold(tx, version, meeting="demo", start=open_times[0])
        return booking.confirm(tx, version, held.id, name="Somebody", email=address)


def test_a_job_that_waits_for_others_holds_up_neither_deliveries_nor_itself(db, version, monday):
    begun, over, times = threading.Event(), threading.Event(), []

    def wait(_: Database) -> None:
        times.append(1)
        begun.set()
        over.wait(20)

    worker = Worker(db, [Job("waits", timedelta(minutes=1), wait, aside=True)])
    meet_ada(db, version)
    while worker.round():
        pass
    assert begun.wait(10)
    with db.reading() as tx:
        assert set(outbox.counts(tx)) == {"done"}
    monday.advance(timedelta(minutes=2))
    worker.round()
    over.set()
    assert times == [1]


def test_a_round_that_ends_before_its_deliveries_do_says_that_there_is_more_to_come(db, version, monday, monkeypatch):
    """Else whoever works until nothing is left would miss what follows from them."""
    monkeypatch.setattr("server.worker.A_ROUND_SECONDS", 0)
    meet_ada(db, version)
    work_patiently(db)
    with db.reading() as tx:
        assert set(outbox.counts(tx)) == {"done"}
        assert not events.waiting(tx, REACTIONS)


def work_patiently(db):
    worker = Worker(db)
    while worker.round():
        pass
