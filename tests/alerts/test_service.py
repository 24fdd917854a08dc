"""Who hears at once, of whom, by what: from the site's alerts.yml to the delivery."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from server import clock, events
from server.alerts import service as alerts
from server.alerts import trying
from server.alerts.schema import TITLES, Alerts
from server.config import service as config
from server.db import Database
from server.errors import ConfigProblems, NotFound
from server.leads import service as leads
from server.outbox import service as outbox
from server.reactions import REACTIONS
from server.worker import Worker
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import TEAM, folder

FLOW = """
audience: {path: [/pricing]}
nodes:
  - {id: hi, say: Hello}
  - {id: size, ask: How many people?, kind: number, save: account.employees}
  - {id: h, handoff: sdr, text: Here comes Linus.}
"""
ALERTS = """
alerts:
  - id: big
    on: [conversation.handed_over, meeting.booked]
    when: account.employees >= 500
    to: [{by: slack, to: C0123}, {by: twilio, to: small}, {by: mail, to: grace}, {by: mail, to: desk@acme.example}]
    text: "{{ account.employees }} people, on {{ page.path }}"
    urgent: true
"""
REPS = TEAM.replace("email: grace@acme.example,", 'email: grace@acme.example, phone: "+4915112345678",')


@pytest.fixture(autouse=True)
def morning() -> Iterator[clock.StoppedClock]:
    with clock.stopped_at(datetime(2026, 3, 2, 9, tzinfo=UTC)) as stopped:
        yield stopped


def site(db: Database, text: str = ALERTS, **names: str) -> config.Version:
    return applied(db, {**folder(pricing=FLOW), "team.yml": REPS, "alerts.yml": text, **names})


def react(db: Database) -> None:
    """What the worker does about the diary, without delivering."""
    while Worker(db, timetable=())._react():
        pass


def queued(db: Database) -> list[tuple[str, str]]:
    """How and to whom, of all alerts that wait."""
    with db.reading() as tx:
        rows = [row for row in outbox.latest(tx) if row.key.startswith("alert:")]
    return sorted((row.kind, next(iter(row.payload.values()))["to"]) for row in rows)


def payload(db: Database, kind: str) -> dict[str, object]:
    with db.reading() as tx:
        return next(next(iter(r.payload.values())) for r in outbox.latest(tx) if r.kind == kind and "alert:" in r.key)


def test_a_big_visitor_who_wants_to_talk_is_told_in_every_way_named(db: Database) -> None:
    site(db)
    chat = Chat(db).open()
    chat.say("800")
    react(db)
    assert queued(db) == [
        ("notify", "desk@acme.example"), ("notify", "grace@acme.example"), ("notify.slack", "C0123"),
        ("notify.twilio", "+4915112345678"),
    ]  # fmt: skip
    told = payload(db, "notify.slack")
    assert told["title"] == "A visitor wants to talk"
    assert str(told["text"]).startswith("800 people, on /pricing")
    assert str(told["url"]).endswith(f"/conversations/{chat.id}")
    assert (told["urgent"], told["facts"]) == (True, {"Employees": "800", "Page": "/pricing"})


def test_a_small_visitor_and_one_of_unknown_size_alert_nobody(sqlite_db: Database) -> None:
    site(sqlite_db)
    Chat(sqlite_db).open().say("20")
    Chat(sqlite_db, seed="other").open()
    react(sqlite_db)
    assert queued(sqlite_db) == []


def test_the_same_in_one_conversation_is_told_once(sqlite_db: Database) -> None:
    version = site(sqlite_db)
    chat = Chat(sqlite_db).open()
    chat.say("800")
    react(sqlite_db)
    before = len(queued(sqlite_db))
    with sqlite_db.transaction() as tx:
        about = {"site_id": version.site_id, "subject": ("conversation", chat.id), "conversation_id": chat.id}
        events.record(tx, events.CONVERSATION_HANDED_OVER, actor=events.BOT, reason="again", **about)
    react(sqlite_db)
    assert len(queued(sqlite_db)) == before


def test_the_owner_is_told_of_their_lead_and_nobody_is_where_nobody_owns_it(sqlite_db: Database) -> None:
    to_owner = "alerts: [{id: mine, on: [lead.created, lead.assigned], to: [{by: mail, to: owner}]}]"
    version = site(sqlite_db, to_owner)
    with sqlite_db.transaction() as tx:
        lead, _ = leads.meet(tx, version.site_id, email="ada@globex.example", source="form", actor=events.SYSTEM)
    react(sqlite_db)
    assert queued(sqlite_db) == []
    with sqlite_db.transaction() as tx:
        leads.assign(tx, lead.id, "linus", kind="routed", actor=events.SYSTEM, reason="Targets go to Linus")
    react(sqlite_db)
    assert queued(sqlite_db) == [("notify", "linus@acme.example")]
    assert "Targets go to Linus" in str(payload(sqlite_db, "notify")["text"])


def test_what_waited_while_the_worker_was_away_is_no_news(sqlite_db: Database, morning: clock.StoppedClock) -> None:
    site(sqlite_db)
    Chat(sqlite_db).open().say("800")
    morning.advance(timedelta(hours=2))
    react(sqlite_db)
    assert queued(sqlite_db) == []


def test_the_owner_of_the_site_is_told_of_a_broken_connection(sqlite_db: Database) -> None:
    version = site(sqlite_db, "alerts: [{id: broken, on: [connection.broken], to: [{by: mail, to: it@acme.example}]}]")
    with sqlite_db.transaction() as tx:
        about = {"site_id": version.site_id, "subject": ("connection", "con_1"), "actor": events.SYSTEM}
        events.record(tx, events.CONNECTION_BROKEN, reason="Please connect it again.", data={"kind": "crm"}, **about)
    react(sqlite_db)
    told = payload(sqlite_db, "notify")
    assert told["subject"] == "A connection of Acme needs you"
    assert "Please connect it again." in str(told["text"])


def test_a_visitor_whose_words_hold_a_template_alerts_with_them_as_they_are(sqlite_db: Database) -> None:
    site(sqlite_db, ALERTS.replace("{{ account.employees }} people", "{{ lead.name }}"))
    chat = Chat(sqlite_db, known={"name": "{{ 7 * 7 }}"}).open()
    chat.say("800")
    react(sqlite_db)
    assert "49" not in str(payload(sqlite_db, "notify.slack"))


def test_a_test_reaches_everybody_but_an_owner_and_says_what_it_is(sqlite_db: Database) -> None:
    version = site(sqlite_db, ALERTS.replace("{by: slack", "{by: mail, to: owner}, {by: slack"))
    with sqlite_db.transaction() as tx:
        assert trying.send(tx, version, "big", "Olga") == 4
        with pytest.raises(NotFound):
            trying.send(tx, version, "other", "Olga")
    assert payload(sqlite_db, "notify.slack")["title"] == "Test: big"
    assert "Olga" in str(payload(sqlite_db, "notify")["text"])


def test_what_stands_in_the_way_of_an_alert_is_told(sqlite_db: Database) -> None:
    version = site(sqlite_db)
    with sqlite_db.transaction() as tx:
        found = {(way.by, way.to): way.problem for way in trying.ways(tx, version, version.part(Alerts).alerts[0])}
    assert found["slack", "C0123"] == "slack is not connected"
    assert found["twilio", "Grace Hopper, Linus Torvalds"].startswith("twilio is not connected")
    assert found["mail", "Grace Hopper"].startswith("Mail is not set up")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alerts: [{id: a, on: [lead.born], to: [{by: mail, to: grace}]}]", "alerts[0].on[0]"),
        ("alerts: [{id: a, on: [lead.created], to: []}]", "alerts[0].to"),
        ("alerts: [{id: a, on: [lead.created], to: [{by: mail, to: grce}]}]", 'did you mean "grace"?'),
        ("alerts: [{id: a, on: [lead.created], to: [{by: twilio, to: nobody}]}]", "a number"),
        ("alerts: [{id: a, on: [lead.created], when: lead.nme, to: [{by: slack}]}]", "lead.nme"),
    ],
)
def test_a_mistake_in_alerts_yml_is_told_with_its_place(sqlite_db: Database, text: str, message: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        site(sqlite_db, text)
    assert message in str(caught.value.problems[0])
    assert "alerts.yml" in str(caught.value.problems[0])


def test_everything_alerts_can_be_about_is_reacted_to() -> None:
    assert {name for name, reactions in REACTIONS.items() if any(r.__name__ == "alert" for r in reactions)} == set(
        TITLES
    )
    assert alerts.IN_A_TALK
