"""What changes at the CRM comes in: by asking and by being called, once, in whatever order, and never as an echo."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plugins.crm import Change, Company, Kind, Person, Ref
from plugins.errors import CursorExpired, InvalidInput, Transient
from server import clock, events
from server.adapters import connections
from server.adapters.records import TableRecords
from server.events import Actor
from server.leads import service as leads
from server.leads.values import FieldValue
from server.sync import coming, following, store
from server.sync import service as sync
from server.sync.opened import serving_id
from tests.sync.conftest import ADA, MAPPING

FORGOTTEN = "999999999999"
GRACE = Actor("rep", "grace", "Grace Hopper")


@pytest.fixture
def told(town):
    """Ada of Globex, told to the CRM, and the CRM read once."""
    lead = town.meet(name="Ada", title="CTO")
    town.work()
    read(town)
    town.work()
    return lead


def read(town) -> None:
    sync.read_at_once(town.db, town.site_id)
    assert sync.follow(town.db, town.site_id)


def edit(town, **values) -> None:
    town.crm.edit(Ref(Kind.PERSON, town.person()["id"]), values)


def known(town, lead):
    with town.db.reading() as tx:
        return leads.known(tx, lead.id)


def lead_now(town, lead):
    with town.db.reading() as tx:
        return leads.get(tx, lead.id)


def diary(town, lead, name=events.CRM_CHANGED):
    with town.db.reading() as tx:
        return [one for one in events.of_subject(tx, "lead", lead.id) if one.name == name]


def test_what_somebody_changed_there_is_known_here_with_its_origin_and_is_not_sent_back(either_town):
    town = either_town
    lead = town.meet(name="Ada", title="CTO", origin="form")
    town.work()
    read(town)
    edit(town, title="Chief of Everything")
    read(town)
    assert known(town, lead).lead["title"] == "Chief of Everything"
    with town.db.reading() as tx:
        (row,) = [one for one in leads.values_of(tx, lead.id) if (one.field, one.origin) == ("title", "crm")]
    assert row.source == "Ledger"
    (told,) = diary(town, lead)
    assert (told.reason, told.actor_kind) == ("Job title changed", "crm")
    before = len(town.asked)
    town.work()
    assert town.asked[before:] == []


def test_our_own_words_that_come_back_are_no_news(town, told):
    writes = len(town.written)
    for _ in range(3):
        read(town)
        town.work()
    assert diary(town, told) == []
    assert len(town.written) == writes
    with town.db.reading() as tx:
        assert "crm" not in {row.origin for row in leads.values_of(tx, told.id)}


def test_what_comes_back_before_its_delivery_is_noted_is_ours(town, told, monkeypatch):
    """The write arrived, its answer did not; meanwhile the visitor says something else."""
    upsert, lost = type(town.crm).upsert_person, [True]

    def cut(self, person, *, key):
        done = upsert(self, person, key=key)
        if lost and lost.pop():
            raise Transient("cut off after sending")
        return done

    monkeypatch.setattr(type(town.crm), "upsert_person", cut)
    town.learn(told, title="CEO")
    town.work()
    assert town.person()["title"] == "CEO"
    town.learn(told, title="Founder")
    read(town)
    assert diary(town, told) == []
    with clock.stopped_at(clock.now() + timedelta(minutes=5)):
        town.work()
    assert town.person()["title"] == known(town, told).lead["title"] == "Founder"


def test_what_a_person_here_said_stands_above_the_crm_and_goes_there_again(town, told):
    town.learn(told, origin="human", title="CTO of all")
    town.work()
    edit(town, title="Intern")
    read(town)
    town.work()
    assert known(town, told).lead["title"] == town.person()["title"] == "CTO of all"
    assert "stays as a person here has said" in diary(town, told)[-1].reason


def test_what_is_emptied_there_stays_empty_there_and_what_others_told_counts_here(town, told):
    edit(town, title="Boss")
    read(town)
    edit(town, title="")
    read(town)
    town.work()
    assert known(town, told).lead["title"] == "CTO"
    assert not town.person()["title"]
    edit(town, title="CTO!")
    read(town)
    assert known(town, told).lead["title"] == "CTO!"


def test_the_owner_there_is_the_owner_here_with_kind_and_reason(town, told):
    edit(town, owner_email="Grace@acme.example")
    read(town)
    assert (lead_now(town, told).owner_rep, lead_now(town, told).status) == ("grace", "assigned")
    edit(town, owner_email="linus@acme.example")
    read(town)
    town.work()
    with town.db.reading() as tx:
        history = [(one.rep, one.kind, one.by_kind, one.reason) for one in leads.assignments_of(tx, told.id)]
    assert history == [("grace", "routed", "crm", "Ledger says so"), ("linus", "reassigned", "crm", "Ledger says so")]
    assert town.person()["owner_email"] == "linus@acme.example"


def test_an_owner_nobody_knows_is_kept_and_told_and_not_overwritten(town, told):
    edit(town, owner_email="stranger@acme.example")
    read(town)
    town.learn(told, phone="+49 30 1")
    town.work()
    assert lead_now(town, told).owner_rep is None
    assert town.person()["owner_email"] == "stranger@acme.example"
    assert diary(town, told)[-1].data["unknown"] == {"lead.owner": "stranger@acme.example"}
    with town.db.reading() as tx:
        assert {row.value for row in leads.values_of(tx, told.id) if row.field == "owner"} == {"stranger@acme.example"}
    leads.claim(town.db, told.id, "grace", GRACE)
    town.work()
    assert town.person()["owner_email"] == "grace@acme.example"


def test_who_was_claimed_before_we_heard_of_the_owner_there_stays_claimed_and_the_crm_hears_it(town):
    town.crm.upsert_person(Person(ADA, owner_email="linus@acme.example"), key="theirs")
    lead = town.meet(name="Ada")
    leads.claim(town.db, lead.id, "grace", GRACE)
    town.work()
    assert lead_now(town, lead).owner_rep == "grace"
    assert town.person()["owner_email"] == "grace@acme.example"


def test_the_owner_the_crm_had_first_stands_above_an_automatic_one(town):
    town.crm.upsert_person(Person(ADA, owner_email="linus@acme.example"), key="theirs")
    lead = town.meet(name="Ada")
    with town.db.transaction() as tx:
        leads.assign(tx, lead.id, "grace", kind="routed", actor=events.BOT, reason="rule rest")
    town.work()
    assert lead_now(town, lead).owner_rep == "linus"


def test_a_status_comes_in_by_the_mapping_and_a_strange_one_is_kept_as_it_is(town, remap):
    words = "{ours: lead.status, theirs: status, direction: both, values: {working: In progress, qualified: Ready}}"
    remap(f"fields:\n  - {words}\n")
    lead = town.meet(name="Ada")
    leads.claim(town.db, lead.id, "grace", GRACE)
    town.work()
    edit(town, status="In progress")
    read(town)
    assert (lead_now(town, lead).status, lead_now(town, lead).owner_rep) == ("working", "grace")
    edit(town, status="Parked")
    read(town)
    town.learn(lead, phone="+49 30 1")
    town.work()
    assert (lead_now(town, lead).status, town.person()["status"]) == ("working", "Parked")
    edit(town, status="Ready")
    read(town)
    town.work()
    assert (lead_now(town, lead).status, town.person()["status"]) == ("qualified", "Ready")
    assert [one.data["status"] for one in diary(town, lead, events.LEAD_STATUS_CHANGED)] == ["working", "qualified"]


def test_customer_and_target_flags_owner_and_csm_of_a_company_come_in(town, told):
    (company,) = town.records("company")
    ref = Ref(Kind.COMPANY, company["id"])
    town.crm.edit(ref, {"is_customer": True, "csm_email": "linus@acme.example", "owner_email": "away@acme.example"})
    read(town)
    account = known(town, told).account
    assert (account["is_customer"], account["csm"], account["owner"]) == (True, "linus", "away@acme.example")
    town.crm.edit(ref, {"is_customer": False})
    read(town)
    assert known(town, told).account["is_customer"] is False


def test_flags_are_there_with_the_first_telling_for_routing_to_read(town):
    town.crm.upsert_company(Company("globex.example", is_target=True, owner_email="linus@acme.example"), key="theirs")
    lead = town.meet(name="Ada")
    town.work()
    assert known(town, lead).account["is_target"] is True
    assert known(town, lead).account["owner"] == "linus"


def test_people_who_are_only_there_stay_there(town, told):
    town.crm.upsert_person(Person("bob@globex.example", name="Bob"), key="theirs")
    read(town)
    with town.db.reading() as tx:
        assert len(leads.latest(tx, [town.site_id])) == 1


def test_one_of_ours_who_is_made_there_is_linked_by_the_address(town, remap):
    remap("people: {new: never}\n" + MAPPING)
    lead = town.meet(name="Ada")
    town.work()
    read(town)
    town.crm.upsert_person(Person(ADA, title="Boss"), key="theirs")
    read(town)
    assert (known(town, lead).lead["title"], town.link("lead", lead.id).by) == ("Boss", "email")


def test_who_is_deleted_there_is_told_of_and_not_made_anew_by_itself(town, told):
    town.crm.erase(Ref(Kind.PERSON, town.person()["id"]), key="by hand")
    read(town)
    town.work()
    assert [one.reason for one in diary(town, told, events.CRM_RECORD_GONE)] == ["Nothing stands there any more."]
    with town.db.reading() as tx:
        assert sync.links_of_lead(tx, told.id) == []
    assert town.records("person") == []


def test_where_the_mapping_makes_nobody_who_was_deleted_there_stays_deleted(town, told, remap):
    remap("people: {new: never}\n" + MAPPING)
    town.crm.erase(Ref(Kind.PERSON, town.person()["id"]), key="by hand")
    read(town)
    town.learn(told, title="CEO")
    town.work()
    assert town.records("person") == []


def test_who_went_into_another_record_stands_there_from_then_on(town, told):
    records, here = TableRecords(town.db, town.site_id), town.person()
    records.put("crm.person", "per_kept", {**here, "id": "per_kept", "title": "Kept title", "keys": []})
    with sync.opened(town.db, town.site_id) as at:
        one = Change(Ref(Kind.PERSON, here["id"]), clock.now(), {}, deleted=True, became=Ref(Kind.PERSON, "per_kept"))
        assert coming.take(town.db, at, [one]) == {}
    assert town.link("lead", told.id).record_id == "per_kept"
    assert known(town, told).lead["title"] == "Kept title"


def went(away: str, into: str) -> Change:
    person = Kind.PERSON
    return Change(Ref(person, away), clock.now(), {}, deleted=True, became=Ref(person, into, "https://crm.example/x"))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_went_into_a_record_that_went_into_a_third_stands_in_that(town, told, order):
    records, here = TableRecords(town.db, town.site_id), town.person()
    records.put("crm.person", "per_kept", {**here, "id": "per_kept", "title": "Kept title", "keys": []})
    steps = went(here["id"], "per_between"), went("per_between", "per_kept")
    with sync.opened(town.db, town.site_id) as at:
        assert coming.take(town.db, at, [steps[n] for n in order]) == {}
    assert town.link("lead", told.id).record_id == "per_kept"
    assert known(town, told).lead["title"] == "Kept title"


@pytest.mark.parametrize("back", [False, True])
def test_a_record_that_leads_to_nothing_that_is_there_stops_nobody(town, told, back):
    here = town.person()["id"]
    steps = [went(here, "per_gone"), *([went("per_gone", here)] if back else [])]
    with sync.opened(town.db, town.site_id) as at:
        assert coming.take(town.db, at, steps) == {}
    assert known(town, told).lead["title"] == "CTO"


def test_a_change_that_was_overtaken_says_what_stands_there_now(town, told):
    """Messages come late and in any order; the record is looked at, not the message."""
    ref = Ref(Kind.PERSON, town.person()["id"])
    edit(town, title="Newest")
    with sync.opened(town.db, town.site_id) as at:
        for old in ("Oldest", "Older"):
            assert coming.take(town.db, at, [Change(ref, clock.now(), {"title": old})]) == {}
    assert known(town, told).lead["title"] == "Newest"


def test_what_was_read_before_we_wrote_is_not_taken_for_news(either_town, ledger):
    town = either_town
    lead = town.meet(name="Ada", title="CTO")
    town.work()
    read(town)
    edit(town, phone="+49 30 1")
    people, once = ledger.people, [True]

    def while_we_write(self, refs, *, fields=()):
        held = people(self, refs, fields=fields)
        if once and once.pop():
            town.learn(lead, title="CEO")
            town.work()
        return held

    ledger.people = while_we_write
    try:
        read(town)
    finally:
        del ledger.people
    town.work()
    assert known(town, lead).lead["title"] == town.person()["title"] == "CEO"
    assert known(town, lead).lead["phone"] == "+49 30 1"


def test_a_forgotten_place_is_begun_anew_and_nothing_of_the_gap_is_lost(town, told):
    edit(town, title="In the gap")
    place = position(town)
    with town.db.transaction() as tx:
        store.take_position(tx, place.site_id, place.connection_id, clock.now() + timedelta(hours=1), clock.now())
        store.move_position(tx, place.site_id, place.connection_id, clock.now(), {"position": FORGOTTEN})
    starts_now(town)
    read(town)
    assert known(town, told).lead["title"] == "In the gap"
    assert position(town).reread == ""
    assert len(diary(town, told)) == 1


def starts_now(town) -> None:
    """Like a service with history: who begins anew hears nothing of before."""
    ledger = type(town.crm)
    changes = ledger.changes

    def from_now(self, cursor="", *, limit=200):
        if cursor == FORGOTTEN:
            raise CursorExpired("forgotten")
        if cursor == "":
            page = changes(self, "", limit=10_000)
            return type(page)((), page.cursor)
        return changes(self, cursor, limit=limit)

    ledger.changes = from_now


@pytest.fixture(autouse=True)
def _whole_ledger(ledger):
    yield
    if "changes" in vars(ledger):
        del ledger.changes


def position(town):
    with town.db.reading() as tx:
        return sync.place_of(tx, town.version)


def test_several_workers_do_not_ask_twice_and_it_is_asked_as_often_as_crm_yml_says(either_town, monday, ledger):
    town = either_town
    assert sync.follow(town.db, town.site_id)
    assert not sync.follow(town.db, town.site_id)
    monday.advance(timedelta(seconds=61))
    again: list[bool] = []
    changes = ledger.changes

    def while_another_comes(self, cursor="", *, limit=200):
        again.append(sync.follow(town.db, town.site_id))
        return changes(self, cursor, limit=limit)

    ledger.changes = while_another_comes
    assert sync.follow(town.db, town.site_id)
    assert again == [False]
    del ledger.changes
    monday.advance(timedelta(seconds=61))
    assert sync.follow(town.db, town.site_id)


def test_pages_are_read_to_the_end_and_the_place_is_kept_after_each(town, monkeypatch):
    monkeypatch.setattr(following, "A_PAGE", 2)
    people = [town.meet(f"p{n}@globex.example", name=f"P{n}") for n in range(5)]
    town.work()
    for n, record in enumerate(sorted(town.records("person"), key=lambda one: one["email"])):
        town.crm.edit(Ref(Kind.PERSON, record["id"]), {"title": f"T{n}"})
    read(town)
    assert [known(town, lead).lead["title"] for lead in people] == [f"T{n}" for n in range(5)]
    before = town.asked.count("changes")
    read(town)
    assert town.asked.count("changes") == before + 1


def test_a_crm_that_is_away_is_asked_later_and_the_page_says_why(town, told, monday):
    town.fail(Transient("away", user_message="It is away."))
    with pytest.raises(Transient):
        read(town)
    assert position(town).problem == "It is away."
    edit(town, title="Boss")
    assert not sync.follow(town.db, town.site_id)
    monday.advance(timedelta(minutes=2))
    assert sync.follow(town.db, town.site_id)
    assert (position(town).problem, known(town, told).lead["title"]) == ("", "Boss")


def test_one_record_that_cannot_be_taken_over_holds_up_no_other_and_is_tried_again(town, told, monkeypatch, monday):
    other = town.meet("bob@globex.example", name="Bob")
    town.work()
    read(town)
    for record in town.records("person"):
        town.crm.edit(Ref(Kind.PERSON, record["id"]), {"title": "Boss"})
    learn, broken = coming.learning.from_record, [True]

    def breaks_once(db, at, one, record):
        if one.id == told.id and broken:
            broken.pop()
            raise RuntimeError("a fault of ours")
        return learn(db, at, one, record)

    monkeypatch.setattr(coming.learning, "from_record", breaks_once)
    read(town)
    assert known(town, other).lead["title"] == "Boss"
    assert known(town, told).lead["title"] == "CTO"
    sync.do_messages(town.db)
    assert known(town, told).lead["title"] == "Boss"
    with town.db.reading() as tx:
        assert connections.unsettled_messages(tx, town.site_id, "crm") == []


def test_without_a_place_in_the_mapping_nothing_comes_in(town, told, remap):
    remap("fields:\n  - {ours: lead.title, theirs: title, direction: out}\n")
    edit(town, title="Boss")
    read(town)
    assert known(town, told).lead["title"] == "CTO"


def test_a_field_of_their_own_comes_in_by_its_type(town, told, remap):
    remap("fields:\n  - {ours: lead.interests, theirs: likes, direction: in}\n"
          "  - {ours: account.revenue, theirs: turnover, direction: in}\n")  # fmt: skip
    edit(town, likes="maps; charts")
    (company,) = town.records("company")
    town.crm.edit(Ref(Kind.COMPANY, company["id"]), {"turnover": "1200"})
    read(town)
    assert known(town, told).lead["interests"] == ["maps", "charts"]
    assert known(town, told).account["revenue"] == 1200


def test_a_refused_message_is_dead_after_its_tries_and_can_be_tried_again(town, told, monday):
    with town.db.transaction() as tx:
        connection = connections.get(tx, serving_id(tx, town.version))
        connections.keep_message(tx, connection, "m1", {"$look": {"kind": "person", "id": town.person()["id"]}})
    edit(town, title="Boss")
    town.fail(InvalidInput("no such thing"))
    sync.do_messages(town.db)
    assert known(town, told).lead["title"] == "CTO"
    monday.advance(timedelta(minutes=3))
    sync.do_messages(town.db)
    assert known(town, told).lead["title"] == "Boss"


def test_a_dry_learning_leaves_no_value_of_a_form_behind(town, told):
    with town.db.transaction() as tx:
        leads.learn(tx, leads.get(tx, told.id), [FieldValue("title", "CFO", "form")])
    town.work()
    assert town.person()["title"] == "CFO"
