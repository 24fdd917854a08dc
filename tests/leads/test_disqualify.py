"""A lead that is no fit: the reason is kept, it is nobody's, and whoever wants to can still claim it."""

from __future__ import annotations

import pytest

from server import events
from server.errors import Conflict, Invalid, NotFound
from server.events import Actor
from server.leads import service as leads
from server.leads.tables import leads as table

GRACE = Actor("user", "usr_1", "Grace")


@pytest.fixture
def lead(sqlite_db):
    with sqlite_db.transaction() as tx:
        found, _ = leads.meet(tx, "sit_1", email="ada@globex.example", source="chat", actor=events.BOT)
        leads.assign(tx, found.id, "grace", kind="routed", actor=events.BOT, reason="rule rest")
        return leads.get(tx, found.id)


def disqualify(db, lead, reason="too small"):
    with db.transaction() as tx:
        return leads.disqualify(tx, lead.id, reason=reason, actor=GRACE)


def test_a_disqualified_lead_is_nobodys_and_says_why_in_the_diary(sqlite_db, lead):
    after = disqualify(sqlite_db, lead, "  too   small ")
    assert (after.status, after.owner_rep) == ("disqualified", None)
    with sqlite_db.reading() as tx:
        last = events.of_subject(tx, "lead", lead.id)[-1]
        history = leads.assignments_of(tx, lead.id)
    assert (last.name, last.reason, last.actor_id) == (events.LEAD_DISQUALIFIED, "too small", "usr_1")
    assert last.data == {"before": "grace", "status_was": "assigned"}
    assert [(one.rep, one.end_reason) for one in history] == [("grace", "disqualified: too small")]
    assert history[0].ended_at is not None


def test_it_can_still_be_claimed_and_the_history_has_no_gap_of_two_owners(sqlite_db, lead):
    disqualify(sqlite_db, lead)
    after = leads.claim(sqlite_db, lead.id, "linus", Actor("user", "usr_2", "Linus"))
    assert (after.status, after.owner_rep) == ("claimed", "linus")
    with sqlite_db.reading() as tx:
        assert [one.rep for one in leads.assignments_of(tx, lead.id) if one.ended_at is None] == ["linus"]


def test_twice_is_once(sqlite_db, lead):
    disqualify(sqlite_db, lead)
    disqualify(sqlite_db, lead, "again")
    with sqlite_db.reading() as tx:
        named = [event.reason for event in events.of_subject(tx, "lead", lead.id) if "disq" in event.name]
    assert named == ["too small"]


def test_without_a_reason_or_a_lead_or_for_a_customer_it_is_refused(sqlite_db, lead):
    with pytest.raises(Invalid):
        disqualify(sqlite_db, lead, "   ")
    with pytest.raises(NotFound), sqlite_db.transaction() as tx:
        leads.disqualify(tx, "led_none", reason="x", actor=GRACE)
    with sqlite_db.transaction() as tx:
        tx.execute(table.update().values(status="converted"))
    with pytest.raises(Conflict):
        disqualify(sqlite_db, lead)
    with sqlite_db.reading() as tx:
        assert leads.get(tx, lead.id).owner_rep == "grace"
