"""Known visitors: their title and company come back beside the chat, from one source after the other, within what it
may cost; equal questions are asked once, and nobody asks about people who did not agree."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from plugins import limits, registry
from plugins.enrichment import Capability, Enrichment, Fact, Facts
from plugins.errors import PluginError
from plugins.testing.fakes import Fault
from plugins.testing.fakes.pdl import KEY
from server import clock, events, ids
from server.adapters import connections
from server.db import Database
from server.enrichment import asking, sources, store
from server.enrichment.asking import OutOfCredits, Question
from server.leads import service as leads
from server.leads.values import FieldValue
from server.privacy import service as privacy
from server.privacy.service import Who
from server.visitors import service as visitors
from tests.enrichment.conftest import Place, placed
from tests.processes import ROOT, wait_until

ADA = "ada@globex.com"
PERSON, COMPANY = "/person/enrich", "/company/enrich"
OLGA = events.Actor("user", "usr_1", "Olga")


class Second(Enrichment):
    """Another service, which knows titles less surely."""

    name = "second"
    title = "Second"
    capabilities = frozenset({Capability.PERSON_BY_EMAIL, Capability.COMPANY_BY_DOMAIN})
    asked: list[str] = []
    pending = 0

    def person_by_email(self, email: str) -> Facts:
        self.asked.append(email)
        if Second.pending:
            Second.pending -= 1
            return Facts(pending=True)
        return Facts({"title": Fact("Chief", 0.6, "Second"), "department": Fact("sales", 0.6, "Second")}, cost=1)

    def company_by_domain(self, domain: str) -> Facts:
        self.asked.append(domain)
        return Facts()


@pytest.fixture
def second():
    registry.register(Second)
    Second.asked.clear()
    Second.pending = 0
    yield Second
    registry.unregister(Second)


def met(place: Place, email: str = ADA) -> str:
    with place.db.transaction() as tx:
        lead, _ = leads.meet(tx, place.version.site_id, email=email, source="chat", actor=events.BOT)
        domain = email.rpartition("@")[2]
        if domain == "globex.com":
            leads.join_account(tx, lead.id, leads.account_for(tx, place.version.site_id, domain))
        leads.learn(tx, lead, [FieldValue("email", email, "form")])
    return lead.id


def pdl(place: Place) -> sources.Source:
    with place.db.reading() as tx:
        return next(one for one in sources.of_site(tx, place.version) if one.name == "pdl")


def spent(place: Place) -> list[tuple[int, int, float]]:
    with place.db.reading() as tx:
        return [(one.asked, one.matches, one.credits) for one in store.spent(tx, place.version.site_id, "")]


def test_title_seniority_and_company_come_back_in_seconds_and_never_over_what_people_said(place: Place):
    lead_id = met(place)
    with place.db.transaction() as tx:
        leads.learn(tx, leads.get(tx, lead_id), [FieldValue("title", "Countess", "human")])
    place.work()
    known = place.known(lead_id)
    assert {"title": "Countess", "seniority": "director", "department": "engineering"}.items() <= known.lead.items()
    assert (known.account["employees"], known.account["industry"]) == (900, "energy")
    assert known.lead["email_type"] == "work"
    with place.db.reading() as tx:
        told = {(row.field, row.origin): row for row in leads.field_values(tx, lead_id)}
    assert (told["seniority", "enrichment"].source, told["seniority", "enrichment"].confidence) == (
        "People Data Labs",
        90,
    )
    assert sorted(place.paths()) == [COMPANY, PERSON]


def test_the_same_question_asks_nobody_while_the_answer_is_fresh(place: Place, stopped: clock.StoppedClock):
    question = Question(Capability.PERSON_BY_EMAIL, ADA)
    source = pdl(place)
    first = asking.ask(place.db, place.version, source, question)
    again = asking.ask(place.db, place.version, source, Question(Capability.PERSON_BY_EMAIL, " Ada@Globex.com"))
    assert again.facts == first.facts
    assert (place.paths(), again.cost) == ([PERSON], 0)
    stopped.advance(timedelta(days=14, seconds=1))
    asking.ask(place.db, place.version, source, question)
    assert place.paths() == [PERSON, PERSON]


def test_no_match_is_kept_too_but_not_as_long(place: Place, stopped: clock.StoppedClock):
    question, source = Question(Capability.COMPANY_BY_DOMAIN, "nobody.example"), pdl(place)
    for _ in range(2):
        assert not asking.ask(place.db, place.version, source, question).facts
    assert (len(place.asked), spent(place)) == (1, [(1, 0, 0.0)])
    stopped.advance(timedelta(hours=24, seconds=1))
    asking.ask(place.db, place.version, source, question)
    assert len(place.asked) == 2


def test_many_at_once_ask_one_question_once(db: Database, fake, stopped: clock.StoppedClock):
    place, told = placed(db, fake), []
    source = pdl(place)
    place.fake.faults.add(Fault(drip_seconds=0.3), times=1)
    question = Question(Capability.PERSON_BY_EMAIL, ADA)

    def ask() -> None:
        told.append(asking.ask(place.db, place.version, source, question, patience=20).value("title"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told, place.paths(), spent(place)) == (["head of engines"] * 8, [PERSON], [(1, 1, 1.0)])


OTHER = """
import sys
from server import ids
from server.config import service as config
from server.db import Database
from server.enrichment import asking, sources
from server.enrichment.asking import Capability, Question
ids.use_key("a key for tests only")
db = Database(sys.argv[1])
version = config.active(db, "acme")
with db.reading() as tx:
    source = next(one for one in sources.of_site(tx, version) if one.name == "pdl")
print(asking.ask(db, version, source, Question(Capability.PERSON_BY_EMAIL, sys.argv[2]), patience=30).value("title"))
"""


def test_two_processes_ask_one_question_once(sqlite_db: Database, fake):
    db, place = sqlite_db, placed(sqlite_db, fake)
    fake.faults.add(Fault(drip_seconds=1.0), times=1)
    url = db.url.render_as_string(hide_password=False)
    start = [sys.executable, "-c", OTHER, url, ADA]
    both = [
        subprocess.Popen(start, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [one.communicate(timeout=60)[0].strip() for one in both] == ["head of engines"] * 2
    assert place.paths() == [PERSON]


def test_when_the_days_credits_are_spent_nobody_is_asked_until_midnight_of_the_site(
    place: Place, stopped: clock.StoppedClock
):
    place = placed(place.db, place.fake, "enrichment: {credits: {pdl: 1}}")
    source = pdl(place)
    asking.ask(place.db, place.version, source, Question(Capability.PERSON_BY_EMAIL, ADA))
    with pytest.raises(OutOfCredits) as refused:
        asking.ask(place.db, place.version, source, Question(Capability.COMPANY_BY_DOMAIN, "globex.com"))
    assert refused.value.retry_after == datetime(2026, 3, 2, 23, tzinfo=UTC)  # midnight in Berlin
    assert place.paths() == [PERSON]
    stopped.advance(timedelta(hours=15, minutes=1))
    assert asking.ask(place.db, place.version, source, Question(Capability.COMPANY_BY_DOMAIN, "globex.com")).facts
    assert spent(place) == [(1, 1, 1.0), (1, 1, 1.0)]


def test_a_lead_whose_credits_are_spent_is_asked_about_the_next_day(place: Place, stopped: clock.StoppedClock):
    place = placed(place.db, place.fake, "enrichment: {credits: {pdl: 0}}")
    lead_id = met(place)
    place.work()
    assert (place.asked, "seniority" in place.known(lead_id).lead) == ([], False)
    place = placed(place.db, place.fake, "enrichment: {credits: {pdl: 9}}")
    stopped.advance(timedelta(hours=15, minutes=1))
    place.work()
    assert place.known(lead_id).lead["seniority"] == "director"


def test_a_failure_costs_nothing_and_is_asked_again(place: Place):
    source, question = pdl(place), Question(Capability.PERSON_BY_EMAIL, ADA)
    place.fake.faults.add(Fault(status=503), times=1)
    with pytest.raises(PluginError):
        asking.ask(place.db, place.version, source, question)
    assert spent(place) == [(1, 0, 0.0)]
    assert asking.ask(place.db, place.version, source, question).facts


def test_the_next_source_is_asked_only_for_what_is_missing_and_the_surer_value_stays(place: Place, second):
    place = placed(place.db, place.fake, names="pdl, second, builtin")
    lead_id = met(place)
    place.work()
    assert second.asked == ["globex.com"]  # nobody knows the country yet; of the person all is known
    place.fake.people["bob@globex.com"] = {"likelihood": 9, "data": {"full_name": "bob b", "job_title": "clerk"}}
    bob = met(place, "bob@globex.com")
    place.work()
    known = place.known(bob).lead
    assert (known["title"], known["department"], second.asked[1:]) == ("clerk", "sales", ["bob@globex.com"])
    assert place.known(lead_id).lead["title"] == "head of engines"


def test_owners_set_the_order_by_naming_sources(place: Place, second):
    place = placed(place.db, place.fake, names="second, pdl")
    with place.db.reading() as tx:
        assert [one.name for one in sources.of_site(tx, place.version)] == ["second", "pdl"]


def test_connected_services_are_asked_first_in_the_order_in_which_they_were_connected(
    place: Place, second, stopped: clock.StoppedClock
):
    place = placed(place.db, place.fake, names="builtin")
    given = connections.Given({"base_url": place.fake.url}, {"key": KEY})
    for name, entered in (("second", connections.Given({}, {})), ("pdl", given)):
        drawn = connections.draft(place.db, place.version, "enrichment", name, actor=OLGA, given=entered)
        connections.connect(place.db, drawn, actor=OLGA)
        stopped.advance(timedelta(minutes=1))
    with place.db.reading() as tx:
        assert [one.name for one in sources.of_site(tx, place.version)] == ["second", "pdl", "builtin"]


def test_an_erasure_names_services_that_were_asked_in_a_report(place: Place):
    met(place)
    asking.ask(place.db, place.version, pdl(place), Question(Capability.PERSON_BY_EMAIL, ADA))
    assert privacy.erase(place.db, Who(ADA), by=OLGA).by_hand == ["enrichment.pdl"]


def test_a_service_that_is_still_looking_is_asked_again(place: Place, second, stopped: clock.StoppedClock):
    place = placed(place.db, place.fake, names="second")
    second.pending = 1
    lead_id = met(place, "ada@gmail.com")
    place.work()
    assert "title" not in place.known(lead_id).lead
    for _ in range(20):
        stopped.advance(timedelta(minutes=1))
        place.work()
    assert (place.known(lead_id).lead["title"], second.asked) == ("Chief", ["ada@gmail.com"] * 2)


def test_a_private_address_is_asked_about_and_gives_no_employer(place: Place):
    place.fake.people["ada@gmail.com"] = place.fake.people[ADA]
    lead_id = met(place, "ada@gmail.com")
    place.work()
    known = place.known(lead_id)
    assert (known.lead["seniority"], known.lead.get("company"), known.account) == ("director", None, {})
    assert place.paths() == [PERSON]


def test_of_people_who_did_not_agree_nobody_outside_is_told(place: Place):
    place = placed(place.db, place.fake, "consent: external")
    opened = place.hello()
    place.say(opened, "pumps")
    place.say(opened, ADA)
    place.work()
    with place.db.reading() as tx:
        visitor = visitors.known(tx, place.version.site_id, opened.token or "")
    assert not visitor.consented
    assert place.asked == []
    assert place.known(visitor.lead_id).lead["email_type"] == "work"  # told by our own machine


def test_a_broken_source_holds_no_other_up(place: Place, second):
    place = placed(place.db, place.fake, names="pdl, second")
    place.fake.faults.add(Fault(status=401))
    lead_id = met(place)
    place.work()
    assert second.asked == []  # the broken one is waited for …
    later = met(place, "bob@globex.com")
    place.work()
    assert "bob@globex.com" in second.asked  # … by those who were on their way only
    assert place.known(later).lead["title"] == "Chief"
    assert lead_id


def test_what_was_answered_about_a_person_is_erased_with_them_and_not_kept_when_it_comes_later(place: Place):
    lead_id = met(place)
    place.work()
    kept = privacy.export(place.db, Who(ADA), by=OLGA)["sites"]["acme"]["enrichment_answers"]
    assert kept[0]["facts"]["facts"]["title"]["value"] == "head of engines"
    erased = privacy.erase(place.db, Who(ADA), by=OLGA)
    assert erased.by_hand == ["enrichment.pdl"]
    with place.db.reading() as tx:
        whole = [str(row) for row in tx.execute(text("SELECT facts FROM enrichment_answers"))]
        assert not any("engines" in one for one in whole)
    place.fake.faults.add(Fault(drip_seconds=0.6), times=1)
    late = threading.Thread(target=_ask_quietly, args=(place,))
    late.start()
    wait_until(lambda: len(place.asked) == 3, what="the question")
    with place.db.transaction() as tx:
        store.forget_questions(tx, [Question(Capability.PERSON_BY_EMAIL, ADA).digest(place.version.site_id)])
    late.join()
    with place.db.reading() as tx:
        assert not any("engines" in str(row) for row in tx.execute(text("SELECT facts FROM enrichment_answers")))
    assert lead_id


def test_nobody_can_tell_from_the_database_who_was_asked_about(place: Place):
    place.hello()
    asking.ask(place.db, place.version, pdl(place), Question(Capability.PERSON_BY_EMAIL, ADA))
    with place.db.reading() as tx:
        digests = [row.question for row in tx.execute(text("SELECT question FROM enrichment_answers"))]
    assert len(digests) == 3
    guesses = {ids.digest(one) for one in (ADA, "8.8.4.4", f"{place.version.site_id}\0company_by_ip\x008.8.4.4")}
    assert not guesses & set(digests)


def test_limits_of_the_connection_are_kept(place: Place):
    place.fake.faults.add(Fault(status=503))
    for number in range(limits.OPENS_AFTER):
        with pytest.raises(PluginError):
            asking.ask(
                place.db, place.version, pdl(place), Question(Capability.COMPANY_BY_DOMAIN, f"company{number}.example")
            )
    asked = len(place.asked)
    with pytest.raises(PluginError) as held:
        asking.ask(place.db, place.version, pdl(place), Question(Capability.COMPANY_BY_DOMAIN, "another.example"))
    assert (held.value.held, len(place.asked)) == ("breaker", asked)


def _ask_quietly(place: Place) -> None:
    asking.ask(place.db, place.version, pdl(place), Question(Capability.PERSON_BY_EMAIL, ADA))
