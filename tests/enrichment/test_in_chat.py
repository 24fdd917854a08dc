"""An anonymous visitor's company: greeted by name in time, or known a message later; and whom nobody asks about."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from plugins.testing.fakes import Fault
from server import events
from server.conversations import service as conversations
from server.enrichment import beside, sources
from server.playbooks.memory import Memory
from server.playbooks.turn import Turn
from server.visitors import service as visitors
from tests.enrichment.conftest import GLOBEX, OFFICE, PLAIN, UNKNOWN, Place, placed, texts
from tests.processes import wait_until

BRANCHING = """
nodes:
  - {id: b, branch: [{when: account.is_customer, next: c}, {next: s}]}
  - {id: s, end: Hello stranger}
  - {id: c, end: "Hello, customer {{ account.name }}"}
"""


def test_a_visitor_from_a_known_company_is_greeted_with_its_name_and_size(place: Place):
    opened = place.hello()
    assert texts(opened) == ["Hello Globex!", "What do 900 of you need?"]
    assert place.asked == ["/ip/enrich ip=8.8.4.4", "/company/enrich website=globex.com&min_likelihood=6"]
    with place.db.reading() as tx:
        (told,) = [
            one for one in events.of_conversation(tx, opened.conversation_id) if one.name == "company.recognised"
        ]
    assert told.data == {"company": "Globex", "source": "People Data Labs", "confidence": 80}


def test_the_account_is_put_together_once_with_source_and_confidence_as_the_lowest_word(place: Place):
    first, second = place.hello(), place.hello(seed="0.6")
    account = place.company(first)["account"]
    assert account
    assert place.company(second)["account"] == account
    with place.db.reading() as tx:
        (row,) = tx.execute(text("SELECT id, domain FROM accounts")).all()
        told = tx.execute(
            text("SELECT field, origin, source, confidence FROM field_values WHERE field = 'employees'")
        ).all()
    assert (row.id, row.domain) == (account, "globex.com")
    assert [tuple(one) for one in told] == [("employees", "enrichment", "People Data Labs", 90)]


def test_what_comes_late_is_known_to_the_next_message(place: Place):
    place = placed(place.db, place.fake, "enrichment: {wait_ms: 0}")
    opened = place.hello()
    assert texts(opened)[0] == "Hello stranger!"
    assert place.landed(opened)["domain"] == "globex.com"
    assert place.say(opened, "pumps") == ["Thanks, Globex. Your e-mail?"]


def test_a_slow_service_holds_the_greeting_up_for_the_budget_only_and_still_lands(place: Place):
    place = placed(place.db, place.fake, "enrichment: {wait_ms: 100}")
    place.fake.faults.add(Fault(drip_seconds=1.5), on="GET /ip/enrich", times=1)
    opened = place.hello()
    assert texts(opened)[0] == "Hello stranger!"
    assert place.landed(opened)["facts"]["name"] == ["Globex", "People Data Labs", 80]
    assert place.say(opened, "pumps") == ["Thanks, Globex. Your e-mail?"]


def test_words_that_are_the_same_for_everybody_wait_for_nobody(place: Place, monkeypatch: pytest.MonkeyPatch):
    place = placed(place.db, place.fake, playbook=PLAIN)
    waited: list[float] = []
    look = beside.Look.wait
    monkeypatch.setattr(beside.Look, "wait", lambda self, seconds: (waited.append(seconds), look(self, seconds))[1])
    opened = place.hello()
    assert waited == [0.0]
    place.landed(opened)
    assert place.say(opened, "pumps") == ["Thanks, Globex. Your e-mail?"]


def test_a_failing_service_is_nothing_the_visitor_hears_of(place: Place):
    place.fake.faults.add(Fault(status=503))
    assert texts(place.hello())[0] == "Hello stranger!"
    place.fake.faults.clear()
    place.fake.faults.add(Fault(status=401))
    assert texts(place.hello(seed="0.7"))[0] == "Hello stranger!"


@pytest.mark.parametrize(
    ("address", "frame"),
    [(OFFICE, {}), ("127.0.0.1", {}), ("::1", {}), ("", {}), ("not an address", {}), (GLOBEX, {"discreet": True})],
)
def test_nobody_is_asked_about_private_addresses_and_discreet_browsers(
    place: Place, address: str, frame: dict[str, Any]
):
    opened = place.hello(address, **frame)
    assert texts(opened)[0] == "Hello stranger!"
    assert (place.asked, place.company(opened)) == ([], {})
    with place.db.reading() as tx:
        assert tx.execute(text("SELECT count(*) FROM enrichment_spending")).scalar() == 0  # nor was it begun


def test_without_consent_nobody_is_asked_and_with_it_taken_back_it_is_forgotten(place: Place):
    place = placed(place.db, place.fake, "consent: external")
    opened = place.hello()
    assert (place.asked, texts(opened)[0]) == ([], "Hello stranger!")
    agreed = place.hello(seed="0.9", consent=True)
    assert texts(agreed)[0] == "Hello Globex!"
    place.hello(seed="0.9", token=agreed.token, consent=False)
    assert place.company(agreed) == {}


def test_consent_that_is_taken_back_meanwhile_is_heeded(place: Place):
    place = placed(place.db, place.fake, "consent: external", "enrichment: {wait_ms: 0}")
    place.fake.faults.add(Fault(drip_seconds=0.6), on="GET /ip/enrich", times=1)
    opened = place.hello(consent=True)
    place.hello(token=opened.token, consent=False)
    wait_until(lambda: len(place.asked) == 2 and not _under_way(), what="the answer")
    assert place.company(opened) == {}


def test_free_mail_and_access_providers_are_nobodys_company(place: Place):
    place.fake.addresses["8.8.8.8"] = {"display_name": "Google Mail", "website": "gmail.com", "confidence": "very high"}
    opened = place.hello("8.8.8.8")
    assert texts(opened)[0] == "Hello stranger!"
    assert place.company(opened) == {}
    with place.db.reading() as tx:
        assert tx.execute(text("SELECT count(*) FROM accounts")).scalar() == 0


def test_a_guess_is_kept_for_people_and_used_by_no_rule(place: Place):
    place.fake.addresses[GLOBEX] = {"display_name": "Globex", "website": "globex.com", "confidence": "low"}
    opened = place.hello()
    assert texts(opened)[0] == "Hello stranger!"
    assert place.company(opened)["facts"]["name"] == ["Globex", "People Data Labs", 40]
    assert place.company(opened)["account"] == ""


def test_whoever_comes_back_is_not_asked_about_again(place: Place):
    opened = place.hello()
    place.fake.asked.clear()
    place.fake.addresses.clear()
    again = place.hello(token=opened.token)
    assert again.conversation_id == opened.conversation_id
    assert place.asked == []
    assert place.say(again, "pumps") == ["Thanks, Globex. Your e-mail?"]


def test_an_address_at_another_company_puts_the_guess_aside(place: Place):
    opened = place.hello()
    place.say(opened, "pumps")
    place.say(opened, "ada@initech.example")
    with place.db.reading() as tx:
        row = conversations.get(tx, opened.conversation_id)
        account = Turn(tx, place.version, row, Memory.of(row.engine)).values["account"]
    assert (account["domain"], account.get("employees")) == ("initech.example", None)


def test_target_accounts_are_known_by_their_network(place: Place):
    place.fake.addresses["8.8.8.8"] = {"display_name": "Initech", "website": "initech.example", "confidence": "high"}
    place = placed(place.db, place.fake, playbook=BRANCHING)
    assert texts(place.hello("8.8.8.8")) == ["Hello, customer Initech"]
    assert texts(place.hello(UNKNOWN, seed="0.2")) == ["Hello stranger"]


def test_a_site_without_sources_of_addresses_starts_nothing(place: Place):
    place = placed(place.db, place.fake, names="builtin")
    before = threading.active_count()
    assert texts(place.hello())[0] == "Hello stranger!"
    assert (place.asked, threading.active_count()) == ([], before)
    assert not sources.knows_addresses(place.db, place.version)


def test_an_erased_visitor_is_not_made_anew_by_what_comes_late(place: Place):
    place = placed(place.db, place.fake, "enrichment: {wait_ms: 0}")
    place.fake.faults.add(Fault(drip_seconds=0.6), on="GET /ip/enrich", times=1)
    opened = place.hello()
    with place.db.transaction() as tx:
        for table in ("messages", "conversations", "visitors"):
            tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of ours
    wait_until(lambda: len(place.asked) == 2 and not _under_way(), what="the answer")
    with place.db.reading() as tx:
        assert visitors.known(tx, place.version.site_id, opened.token or "") is None
        assert tx.execute(text("SELECT count(*) FROM conversations")).scalar() == 0


def _under_way() -> bool:
    return any(one.name == "enrichment" for one in threading.enumerate())
