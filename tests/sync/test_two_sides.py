"""Both sides: what somebody edited there stays, a dry run writes nothing, a comparison finds and mends what differs."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest

from plugins.crm import Company, Kind, Person, Ref, RemoteField
from plugins.errors import AmbiguousOutcome, Transient
from server import clock, events
from server.adapters.records import TableRecords
from server.errors import Conflict, Invalid
from server.events import Actor
from server.leads import service as leads
from server.leads.values import FieldValue
from server.sync import carrying, reconciling, store
from server.sync import service as sync
from server.sync.opened import serving_id
from server.sync.tables import crm_findings
from tests.sync.conftest import ADA, MAPPING, WRITES
from tests.sync.test_telling import booked

OLGA = Actor("user", "usr_1", "Olga Owner")


def fates(part) -> dict[str, tuple[str, str]]:
    return {fate.mapped.theirs: (fate.what, fate.why) for fate in part.fates}


def findings(town, report, kind=None):
    with town.db.reading() as tx:
        return list(sync.findings(tx, report.id, kind))


# What stands there


def test_what_a_person_changed_in_the_crm_is_not_written_over_and_the_rest_is(town):
    lead = town.meet(name="Ada", title="CTO")
    town.work()
    town.crm.edit(Ref(Kind.PERSON, town.person()["id"]), {"title": "Chief of Everything"})
    town.learn(lead, title="CEO", name="Ada Byron")
    town.work()
    person = town.person()
    assert (person["title"], person["name"]) == ("Chief of Everything", "Ada Byron")
    (last,) = [row for row in town.deliveries(operation="upsert_person")][-1:]
    assert last.result["left"] == {"title": "Somebody changed it there after we had written it."}
    assert last.result["told"] == {"name": "Ada Byron"}


def test_what_the_crm_had_first_stands_above_a_form_and_below_a_person_of_ours(town):
    town.crm.upsert_person(Person(ADA, name="A. Byron", title="Boss"), key="theirs")
    lead = town.meet(name="Ada Byron", phone="+49 30 1234567")
    town.learn(lead, origin="human", title="CTO")
    town.work()
    person = town.person()
    assert (person["name"], person["title"], person["phone"]) == ("A. Byron", "CTO", "+49 30 1234567")


def test_a_person_who_got_another_address_there_is_not_made_a_second_time(town):
    lead = town.meet(name="Ada")
    town.work()
    records = TableRecords(town.db, town.site_id)
    there = town.person()
    records.put("crm.person", there["id"], {**there, "email": "ada.byron@globex.example"})
    town.learn(lead, title="CTO")
    town.work()
    emails = [one["email"] for one in town.records("person")]
    assert "ada.byron@globex.example" in emails
    assert ADA not in emails
    assert not [one for one in emails if one.casefold() == ADA.casefold()]


def test_somebody_who_was_deleted_there_is_told_of_again_with_what_follows(town):
    lead = town.meet(name="Ada")
    town.work()
    town.crm.erase(Ref(Kind.PERSON, town.person()["id"]), key="by hand")
    with town.db.transaction() as tx:
        leads.enrol(tx, lead.id, "long-term", actor=events.BOT, reason="playbook")
    town.work()
    assert town.person()["name"] == "Ada"
    assert [one["subject"] for one in town.records("activity")] == ["Enrolled in long-term"]


def test_a_value_that_the_crm_does_not_take_is_left_out_and_the_rest_is_told(town, ledger, remap):
    ledger.further.append(RemoteField("stage", "Stage", "choice", choices=("Hot", "Warm")))
    remap("fields:\n  - {ours: lead.tier, theirs: stage}\n  - {ours: lead.rating, theirs: nowhere}\n")
    town.meet(name="Ada", tier="gold", rating="hot")
    town.work()
    assert town.person()["name"] == "Ada"
    assert town.person().get("fields", {}) == {}
    left = town.deliveries(operation="upsert_person")[-1].result["left"]
    assert left == {"stage": "It takes Hot, Warm; gold is none of these.", "nowhere": "The CRM has no such field."}


def test_an_answer_that_was_lost_leaves_one_record_and_our_own_words_are_ours(town, monday, monkeypatch):
    lead, upsert = town.meet(name="Ada"), type(town.crm).upsert_person
    lost = [AmbiguousOutcome("no answer")]

    def answer_is_lost(self, person, *, key):
        done = upsert(self, person, key=key)
        if lost:
            raise lost.pop()
        return done

    monkeypatch.setattr(type(town.crm), "upsert_person", answer_is_lost)
    town.work()
    monday.advance(timedelta(minutes=2))
    town.work()
    town.learn(lead, name="Ada Byron")
    town.work()
    assert len(town.records("person")) == 1
    assert town.person()["name"] == "Ada Byron"


def test_two_colleagues_who_come_at_once_make_one_company(town):
    first, second = town.meet("ada@globex.example", name="Ada"), town.meet("bob@globex.example", name="Bob")
    with town.db.transaction() as tx:
        for lead in (first, second):
            sync.tell_lead(tx, lead.id, f"at once {lead.id}")
    one, other = town.deliveries(operation="upsert_company")
    here = serving(town)
    with town.db.transaction() as tx:
        account = leads.get(tx, first.id).account_id
        row = {
            "connection_id": here, "subject_kind": "account", "subject_id": account, "site_id": town.site_id,
            "record_kind": "account", "record_id": "", "url": one.key, "by": "", "at": clock.now(), "told": {},
        }  # fmt: skip
        store.put_link(tx, row)
    with pytest.raises(Transient, match="telling of this company"):
        carrying.carry_out(town.db, other)
    assert carrying.carry_out(town.db, one)["created"]
    assert not carrying.carry_out(town.db, other)["created"]
    assert len(town.records("company")) == 1


def serving(town) -> str:
    with sync.opened(town.db, town.site_id) as at:
        return at.connection_id


def test_a_company_found_by_its_name_alone_is_linked_and_not_written_to(town):
    ref = town.crm.upsert_company(Company("globex-group.example", name="Globex", employees=3), key="theirs")
    lead = town.meet(name="Ada")
    with town.db.transaction() as tx:
        leads.learn_account(
            tx, lead.account_id, [FieldValue("name", "Globex", "form"), FieldValue("employees", 9, "form")]
        )
    town.learn(lead, title="CTO")
    town.work()
    (company,) = town.records("company")
    assert (company["id"], company["employees"]) == (ref.id, 3)
    assert town.link("account", lead.account_id).by == "name"
    assert town.person()["company_ref"]["id"] == ref.id


# Dry runs


def test_a_dry_run_reads_and_writes_nothing(town):
    lead = town.meet(name="Ada Byron", title="CTO", score=72)
    town.work()
    town.crm.edit(Ref(Kind.PERSON, town.person()["id"]), {"name": "Ada Lovelace"})
    town.learn(lead, title="CEO", phone="+49 30 1234567", name="A. Byron")
    with town.db.reading() as tx:
        links, rows = store.links_about(tx, "lead", [lead.id]), len(town.deliveries())
    town.asked.clear()
    tried = sync.dry_run(town.db, town.site_id, lead_ids=[lead.id], made_up=sync.MADE_UP)
    assert town.asked
    assert not set(town.asked) & set(WRITES)
    with town.db.reading() as tx:
        assert store.links_about(tx, "lead", [lead.id]) == links
    assert len(town.deliveries()) == rows
    known = fates(tried.samples[0].person)
    assert known["name"] == ("keep", "human")
    assert (known["title"], known["phone"], known["score"]) == (("update", ""), ("update", ""), ("keep", "same"))
    assert known["tier"] == ("skip", "unknown")
    assert tried.samples[0].person.look.by == "link"
    company_ada, free = tried.samples[1:]
    assert [part.what for part in company_ada.parts] == ["create", "create"]
    assert free.parts[1].what == "skip"
    assert "no company" in free.parts[1].because


def test_a_dry_run_says_how_a_record_was_found_and_what_is_refused(town, ledger, remap):
    ledger.further.append(RemoteField("stage", "Stage", "choice", choices=("Hot", "Warm")))
    town.crm.upsert_person(Person(ADA, title="Boss"), key="theirs")
    lead = town.meet(title="CTO", tier="gold")
    remap("fields: [{ours: lead.tier, theirs: stage}]")
    person = sync.dry_run(town.db, town.site_id, lead_ids=[lead.id]).samples[0].person
    assert (person.look.by, person.look.because) == ("email", "The e-mail is Ada@Globex.example.")
    assert (fates(person)["stage"], fates(person)["title"]) == (("refuse", "type"), ("keep", "crm"))


def test_a_lead_without_an_address_is_said_to_wait(town):
    lead = town.meet(None, phone="+49 30 1234567")
    (sample,) = sync.dry_run(town.db, town.site_id, lead_ids=[lead.id]).samples
    assert sample.person.because == "It waits until the e-mail address is known."


def test_a_made_up_value_needs_a_name_of_ours(town):
    with pytest.raises(Invalid, match="none of our values"):
        sync.dry_run(town.db, town.site_id, made_up=[{"lead.emial": "x@y.example"}])


# Comparisons


def test_a_comparison_finds_what_is_missing_drifted_conflicting_and_untold(town):
    gone, drifted, edited, fine = (town.meet(f"{name}@globex.example", name=name, title="CTO") for name in "abcd")
    town.work()
    ids = {lead.id: town.link("lead", lead.id).record_id for lead in (gone, drifted, edited)}
    town.crm.erase(Ref(Kind.PERSON, ids[gone.id]), key="by hand")
    town.crm.edit(Ref(Kind.PERSON, ids[edited.id]), {"title": "Boss"})
    with town.db.transaction() as tx:
        store_told(tx, town, drifted)
    untold = town.meet("e@globex.example", name="e")
    report = sync.compare(town.db, town.site_id, by=OLGA)
    found = {(row.kind, row.subject_id) for row in findings(town, report)}
    assert found == {
        ("missing", gone.id), ("drifted", drifted.id), ("conflicting", edited.id), ("unlinked", untold.id)
    }  # fmt: skip
    assert (report.counts["ours"], report.counts["theirs"]) == (
        {"people": 5, "companies": 1}, {"people": 3, "companies": 1},
    )  # fmt: skip
    assert report.counts["agree"] == 2
    assert fine.id not in {row.subject_id for row in findings(town, report)}
    (drift,) = findings(town, report, "drifted")
    assert drift.fields == [{"name": "title", "ours": "CTO", "theirs": "Intern", "why": "It is as we wrote it last."}]


def store_told(tx, town, lead):
    """The CRM still has what we wrote before: an update of ours was lost there."""
    link = store.link(tx, serving_in(tx, town), "lead", lead.id)
    there = TableRecords(Within(tx), town.site_id)
    record = there.get("crm.person", link.record_id)
    there.put("crm.person", link.record_id, {**record, "title": "Intern"})
    store.put_link(tx, {**link._mapping, "told": {**link.told, "title": "Intern"}})


def serving_in(tx, town) -> str:
    return serving_id(tx, town.version)


class Within:
    """A database that is a transaction of somebody else's."""

    def __init__(self, tx):
        self.reading = self.transaction = lambda: nullcontext(tx)


def test_a_repair_tells_again_through_the_outbox_and_the_next_comparison_agrees(town):
    lead = town.meet(name="Ada", title="CTO")
    meeting = booked(town)
    town.work()
    town.crm.erase(Ref(Kind.PERSON, town.person()["id"]), key="by hand")
    report = sync.compare(town.db, town.site_id)
    assert {row.kind for row in findings(town, report)} == {"missing"}
    assert {row.subject_id for row in findings(town, report)} == {lead.id, meeting.id}
    assert sync.repair(town.db, town.site_id, report.id, by=OLGA) == 2
    assert sync.repair(town.db, town.site_id, report.id, by=OLGA) == 0
    town.work()
    again = sync.compare(town.db, town.site_id)
    assert findings(town, again) == []
    assert len(town.records("person")) == len(town.records("meeting")) == 1
    with town.db.reading() as tx:
        assert [one.counts["missing"] for one in sync.reports(tx, town.site_id)] == [0, 2]
        assert {row.report_id for row in tx.execute(crm_findings.select())} <= {again.id}


def test_a_meeting_that_the_crm_missed_to_move_is_drifted(town):
    meeting = booked(town)
    town.work()
    (record,) = town.records("meeting")
    TableRecords(town.db, town.site_id).put("crm.meeting", record["id"], {**record, "status": "cancelled"})
    report = sync.compare(town.db, town.site_id)
    (found,) = findings(town, report)
    assert (found.kind, found.subject_id, found.fields[0]["theirs"]) == ("drifted", meeting.id, "cancelled")
    sync.repair(town.db, town.site_id, report.id, by=OLGA, numbers=[found.number])
    town.work()
    assert town.records("meeting")[0]["status"] == "booked"


def test_several_records_with_one_address_are_told_as_duplicates(town, monkeypatch):
    town.meet(name="Ada")
    town.work()
    two = [Ref(Kind.PERSON, "per_1"), Ref(Kind.PERSON, "per_2")]
    monkeypatch.setattr(type(town.crm), "find_by_email", lambda self, email: two)
    report = sync.compare(town.db, town.site_id)
    (found,) = findings(town, report, "duplicate")
    assert found.fields[0]["theirs"] == ["per_1", "per_2"]


def test_a_crm_that_fails_on_the_way_ends_the_comparison_with_its_sentence(town):
    town.meet(name="Ada")
    town.work()
    town.fail(Transient("away"))
    report = sync.compare(town.db, town.site_id)
    assert report.problem == "The service does not answer right now. We will try again."
    assert report.ended_at is not None


def test_one_comparison_at_a_time(town, monday):
    sync.ask(town.db, town.site_id, by=OLGA)
    with pytest.raises(Conflict, match="under way"):
        sync.compare(town.db, town.site_id)
    assert sync.is_asked(town.db)
    sync.compare_asked(town.db)
    assert not sync.is_asked(town.db)
    sync.compare(town.db, town.site_id)


def test_it_is_compared_weekly_in_the_first_month_and_not_after(town, monday):
    town.meet(name="Ada")
    town.work()
    made = []
    for day in range(1, 60):
        monday.advance(timedelta(days=1))
        sync.compare_when_due(town.db)
        with town.db.reading() as tx:
            if len(sync.reports(tx, town.site_id)) > len(made):
                made.append(day)
    assert made == [7, 14, 21, 28]


def test_large_sites_are_read_in_batches_outside_of_transactions(town, monday, monkeypatch):
    monkeypatch.setattr(reconciling, "BATCH", 3)
    for n in range(5):
        town.meet(f"a{n}@globex.example", name=f"A{n}")
    for _ in range(3):  # a company is made by one at a time, the others come again in a moment
        town.work()
        monday.advance(timedelta(minutes=1))
    asked, people = [], type(town.crm).people
    inside = []

    def watching(self, refs, *, fields=()):
        asked.append(len(refs))
        with town.db.transaction():  # SQLite would refuse a second writer inside somebody's transaction
            inside.append(True)
        return people(self, refs, fields=fields)

    monkeypatch.setattr(type(town.crm), "people", watching)
    report = sync.compare(town.db, town.site_id)
    assert asked == [3, 2]
    assert report.counts["agree"] == 6


def test_a_mapping_that_was_changed_drifts_until_it_is_told(town, remap):
    town.chat("Dashboards").say(ADA)
    town.work()
    remap(MAPPING + "  - {ours: lead.source, theirs: origin_of_lead}\n")
    type(town.crm).further.append(RemoteField("origin_of_lead", "Origin"))
    report = sync.compare(town.db, town.site_id)
    (found,) = findings(town, report)
    assert (found.kind, found.fields[0]["name"]) == ("drifted", "origin_of_lead")
    sync.repair(town.db, town.site_id, report.id, by=OLGA)
    town.work()
    assert town.person()["fields"]["origin_of_lead"] == "chat"
