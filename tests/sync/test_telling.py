"""What the CRM hears, in which order, and each thing once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from plugins.crm import Company
from plugins.errors import InvalidInput, Transient
from server import events, settings
from server.booking import service as booking
from server.config import service as config
from server.conversations import service as conversations
from server.events import Actor
from server.leads import service as leads
from server.leads.values import FieldValue
from server.routing.team import Team
from server.sync import service as sync
from server.sync import transcripts
from tests.playbooks.chat import applied
from tests.sync.conftest import ADA, MAPPING

REP = Actor("rep", "grace", "Grace Hopper")


def activities(town):
    return [(one["kind"], one["subject"]) for one in town.records("activity")]


def chats(town):
    return [one for one in town.records("activity") if one["kind"] == "chat"]


def test_a_lead_its_company_and_score_are_told_company_first(either_town):
    town = either_town
    lead = town.meet(name="Ada Byron", title="CTO", score=72, tier="high")
    with town.db.transaction() as tx:
        leads.learn_account(tx, lead.account_id, [FieldValue("employees", 800, "form")])
    town.work()
    person, (company,) = town.person(), town.records("company")
    assert (person["name"], person["title"], person["source"]) == ("Ada Byron", "CTO", "chat")
    assert (person["fields"]["score"], person["fields"]["tier"]) == (72, "high")
    assert (company["domain"], company["employees"]) == ("globex.example", 800)
    assert person["company_ref"]["id"] == company["id"]
    assert [name for name in town.written if name.startswith("upsert")][:2] == ["upsert_company", "upsert_person"]
    assert town.link("lead", lead.id).record_id == person["id"]
    assert town.link("lead", lead.id).told["title"] == "CTO"


def test_nothing_new_is_nothing_said(town):
    lead = town.meet(name="Ada Byron")
    town.work()
    before = len(town.written)
    town.learn(lead, name="Ada Byron")
    town.work()
    assert len(town.written) == before


def test_a_free_mail_address_makes_no_company(town):
    town.meet("ada@gmail.com", name="Ada Byron")
    town.work()
    assert town.records("company") == []
    assert "company_ref" not in town.person() or town.person()["company_ref"] is None


def test_who_writes_with_free_mail_is_filed_under_the_only_company_of_the_name_they_told(town):
    ref = town.crm.upsert_company(Company("globex.example", name="Globex"), key="theirs")
    town.meet("ada@gmail.com", company="globex")
    town.work()
    assert town.person()["company_ref"]["id"] == ref.id


def test_without_an_address_everything_waits_and_then_comes_in_its_order(town, monday):
    lead = town.meet(None, phone="+49 30 1234567")
    with town.db.transaction() as tx:
        leads.enrol(tx, lead.id, "long-term", actor=events.BOT, reason="playbook pricing")
        leads.disqualify(tx, lead.id, reason="No budget", actor=REP)
    town.work()
    assert town.deliveries() == []
    town.learn(lead, email=ADA)
    town.work()
    assert town.person()["phone"] == "+49 30 1234567"
    assert activities(town) == [("note", "Enrolled in long-term"), ("note", "Not a fit")]


def test_a_conversation_is_told_when_it_rests_and_what_follows_as_another_record(town, monday):
    talk = town.chat("Dashboards for twelve", page={"utm": {"source": "google", "campaign": "spring"}})
    talk.say(ADA)
    town.work()
    assert [kind for kind, _ in activities(town)] == []
    town.rest(monday)
    town.work()
    (first,) = chats(town)
    assert first["subject"] == "Chat on /pricing"
    assert "Answers: need: Dashboards for twelve" in first["body"]
    assert "Visitor: Dashboards for twelve" in first["body"]
    town.rest(monday)
    talk.say("And one more thing")
    town.rest(monday)
    town.work()
    _, second = chats(town)
    assert second["subject"] == "Chat on /pricing, went on"
    assert "And one more thing" in second["body"]
    assert "twelve" not in second["body"]
    town.rest(monday)
    town.work()
    assert len(chats(town)) == 2
    assert town.person()["fields"]["need"] == "Dashboards for twelve"


def test_a_conversation_that_has_ended_is_told_at_once(town):
    talk = town.chat("Dashboards")
    talk.say(ADA)
    with town.db.transaction() as tx:
        conversations.close(tx, conversations.get(tx, talk.id), "nurture", events.BOT)
    town.work()
    assert activities(town) == [("chat", "Chat on /pricing")]
    assert "Outcome: nurture" in town.records("activity")[0]["body"]


def test_a_long_conversation_is_told_in_pieces_without_losing_a_message(town):
    talk = town.chat("Dashboards")
    talk.say(ADA)
    with town.db.transaction() as tx:
        row = conversations.get(tx, talk.id)
        drafts = [conversations.Draft("visitor", f"number {n} " + "x" * 3_000) for n in range(20)]
        conversations.say(tx, row, drafts)
        conversations.close(tx, conversations.get(tx, talk.id), "none", events.BOT)
    town.work()
    told = town.records("activity")
    assert len(told) > 2
    assert all(len(one["body"]) < transcripts.MOST_CHARACTERS + 4_000 for one in told)
    whole = "\n".join(one["body"] for one in told)
    assert [whole.count(f"number {n} x") for n in range(20)] == [1] * 20


def test_a_hand_off_that_came_before_the_address_of_a_known_lead_is_told_too(town, monday):
    town.meet(name="Ada Byron")
    town.work()
    talk = town.chat("Dashboards")
    with town.db.transaction() as tx:
        events.record(
            tx, events.CONVERSATION_HANDED_OVER, site_id=town.site_id, subject=("conversation", talk.id),
            conversation_id=talk.id, actor=events.BOT, data={"queue": "sdr"},
        )  # fmt: skip
    town.work()
    assert activities(town) == []
    talk.say(ADA)
    town.rest(monday)
    town.work()
    told = [one for one in activities(town) if one[0] == "chat"]
    assert told == [("chat", "Asked for a person (sdr)"), ("chat", "Chat on /pricing")]


def booked(town, start="2026-03-03T10:00:00Z"):
    with town.db.transaction() as tx:
        held = booking.hold(tx, town.version, meeting="demo", start=datetime.fromisoformat(start))
        return booking.confirm(tx, town.version, held.id, name="Ada Byron", email=ADA)


def test_a_meeting_is_one_record_from_booked_to_no_show(either_town, monday):
    town = either_town
    meeting = booked(town)
    town.work()
    (record,) = town.records("meeting")
    assert (record["status"], record["uid"]) == ("booked", meeting.uid)
    assert record["person"] == town.person()["id"]
    with town.db.transaction() as tx:
        later = meeting.start_at + timedelta(days=1)
        booking.reschedule(tx, town.version, meeting.id, later, by=REP)
    town.work()
    (record,) = town.records("meeting")
    assert (record["status"], record["start"]) == ("rescheduled", later.isoformat())
    monday.advance(timedelta(days=5))
    with town.db.transaction() as tx:
        booking.mark(tx, town.version, meeting.id, "done", by=REP)
    town.work()
    assert town.records("meeting")[0]["status"] == "held"
    with town.db.transaction() as tx:
        booking.mark(tx, town.version, meeting.id, "no_show", by=REP)
    town.work()
    assert [one["status"] for one in town.records("meeting")] == ["no_show"]
    assert town.link("meeting", meeting.id).told["status"] == "no_show"


def test_a_cancelled_meeting_is_told_under_the_order_of_its_person(town):
    meeting = booked(town)
    town.work()
    with town.db.transaction() as tx:
        booking.cancel(tx, town.version, meeting.id, by=REP, reason="No budget")
    town.work()
    assert town.records("meeting")[0]["status"] == "cancelled"
    rows = town.deliveries(operation="log_meeting")
    assert {row.order_key for row in rows} == {row.order_key for row in town.deliveries(operation="upsert_person")}


def test_what_waits_through_an_outage_is_told_once_as_it_is_then(town, monday):
    lead = town.meet(name="Ada")
    town.fail(*[Transient("away")] * 3)
    town.work()
    for name in ("Ada B.", "Ada By.", "Ada Byron"):
        town.learn(lead, name=name)
    town.work()
    for _ in range(6):
        monday.advance(timedelta(minutes=10))
        town.work()
    assert town.person()["name"] == "Ada Byron"
    assert town.written.count("upsert_person") == 1
    assert {row.state for row in town.deliveries()} == {"done"}


def test_a_mail_that_went_out_to_the_visitor_is_an_activity(town, tmp_path, monkeypatch):
    monkeypatch.setenv("USHER_MAIL_TO", "mailbox")
    monkeypatch.setenv("USHER_MAILBOX_DIR", str(tmp_path))
    settings.get.cache_clear()
    meeting = booked(town)
    town.work()
    settings.get.cache_clear()
    told = activities(town)
    assert [subject for kind, subject in told if kind == "email"] == [
        f"Mail sent: Booked: {booking.title(town.version, meeting).split(':')[0]} with {rep_name(town, meeting)}"
    ]


def rep_name(town, meeting):
    return town.version.part(Team).reps_by_id[meeting.rep].name


def test_a_visit_of_a_known_lead_to_a_page_of_high_intent_is_told_once_it_is_over(town, monday, remap):
    talk = town.chat("Dashboards", visit={"count": 2, "pages": [{"path": "/", "title": "Home", "seconds": 3}]})
    talk.say(ADA)
    remap("interactions: [visit]")
    town.rest(monday)
    town.work()
    visits = [one for one in town.records("activity") if one["kind"] == "page"]
    assert [one["subject"] for one in visits] == ["Visited 2 pages, from direct"]
    assert visits[0]["body"].splitlines()[-1] == "/pricing"
    town.rest(monday)
    town.work()
    assert len(town.records("activity")) == 1


def test_interactions_that_the_owner_left_out_are_not_told(town, monday, remap):
    remap("interactions: [handoff]")
    talk = town.chat("Dashboards")
    talk.say(ADA)
    town.rest(monday)
    town.work()
    assert town.records("activity") == []
    assert town.person()["email"].casefold() == ADA.casefold()


def test_a_refused_value_dies_alone_and_is_told_with_the_next_change(town):
    lead = town.meet(phone="call me")
    town.fail(InvalidInput("bad phone", field="phone"))
    town.work()
    (dead,) = [row for row in town.deliveries() if row.state == "dead"]
    assert dead.operation in ("upsert_company", "upsert_person")
    town.learn(lead, phone="+49 30 1234567")
    town.work()
    assert town.person()["phone"] == "+49 30 1234567"


@pytest.mark.parametrize("mapping", ["people: {new: never}", "companies: {new: never}"])
def test_who_may_not_be_made_there_is_left_out_and_says_so(town, remap, mapping):
    remap(mapping + "\n" + MAPPING)
    lead = town.meet(name="Ada Byron")
    with town.db.transaction() as tx:
        leads.enrol(tx, lead.id, "long-term", actor=events.BOT, reason="playbook")
    town.work()
    left_out = "person" if mapping.startswith("people") else "company"
    assert town.records(left_out) == []
    assert {row.state for row in town.deliveries()} == {"done"}
    skipped = [row.result["skipped"] for row in town.deliveries() if "skipped" in row.result]
    assert any("makes no" in one for one in skipped)


def test_another_crm_is_told_anew_and_never_by_the_numbers_of_the_old_one(town):
    lead = town.meet(name="Ada Byron")
    town.work()
    files = config.export(town.version)
    applied(town.db, {**files, "site.yml": files["site.yml"].replace("crm: ledger", "crm: builtin")})
    with town.db.transaction() as tx:
        leads.enrol(tx, lead.id, "long-term", actor=events.BOT, reason="playbook")
    town.work()
    with town.db.reading() as tx:
        assert {link.connection_id == "builtin" for link in sync.links_of_lead(tx, lead.id)} == {True, False}
    assert {row.state for row in town.deliveries()} == {"done"}
