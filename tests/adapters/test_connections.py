"""A service is tried before it is kept; it serves then, and whoever broke it, mends it or ends it is told of."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from plugins.crm import Person
from plugins.errors import AuthError, QuotaExhausted, RateLimited, Transient
from plugins.testing.fakes import Fault
from server import clock, events, ids, settings
from server.adapters import connections
from server.adapters import service as adapters
from server.errors import Conflict, Invalid, NotFound
from server.outbox import service as outbox
from tests.adapters.conftest import OLGA, apply, environment
from tests.adapters.rolodex import KEY

ADA = {"person": {"email": "ada@globex.example", "name": "Ada"}}


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


def told(db, *names):
    with db.reading() as tx:
        (site,) = {row.site_id for row in tx.execute(text("SELECT id AS site_id FROM sites"))}
        return [(one.name, one.reason) for one in reversed(events.latest(tx, site, names))]


def fail(db, connection, problem):
    with db.transaction() as tx:
        connections.failed(tx, connection.id, problem)


def test_what_the_service_accepts_is_kept_and_serves_from_then_on(db, people):
    assert people.serving() is None
    made = people.with_key()
    assert (made.state, made.label, made.origin) == ("working", "robot@service.example", "console")
    assert list(made.granted) == ["people.read", "people.write"]
    assert people.serving() == made
    adapter = adapters.opened(db, people.version, "crm")
    adapter.upsert_person(Person(email="ada@globex.example", name="Ada"), key="k")
    assert people.service.people == {"ada@globex.example": "Ada"}
    assert told(db, events.CONNECTION_CONNECTED) == [("connection.connected", "")]


def test_what_the_service_refuses_is_not_kept(db, people):
    with pytest.raises(Invalid, match="does not accept these credentials"):
        people.with_key("wrong")
    assert people.serving() is None
    with db.reading() as tx:
        assert connections.all_of(tx, people.version.site_id) == []


def test_a_field_that_is_wrong_is_named_before_anybody_is_called(people):
    with pytest.raises(Invalid) as refusal:
        people.draft(base_url="rolodex")
    assert refusal.value.field == "base_url"
    assert people.service.asked == []


def test_an_owner_cannot_have_the_server_call_its_own_network(people, monkeypatch):
    environment(monkeypatch, USHER_PRIVATE_HOSTS="")
    with pytest.raises(Invalid, match="private"):
        people.with_key()
    assert people.service.asked == []


def test_of_two_crms_the_second_is_refused_until_the_first_is_ended(db, people):
    first = people.with_key()
    with db.transaction() as tx:
        tx.execute(text("UPDATE connections SET name = 'another'"))
    with pytest.raises(Conflict, match="disconnect"):
        people.with_key()
    connections.disconnect(db, first.id, actor=OLGA)
    assert people.with_key().id != first.id


def test_a_form_that_was_sent_twice_connects_once_and_both_are_told_so(people):
    one, two = people.draft(api_key=KEY), people.draft(api_key=KEY)
    assert one.id != two.id, "both began before either was kept"
    made = connections.connect(people.db, one, actor=OLGA)
    assert connections.connect(people.db, two, actor=OLGA).id == made.id
    other = replace(two, config={**two.config, "folder": "another"})
    with pytest.raises(Conflict):
        connections.connect(people.db, other, actor=OLGA)


def test_connecting_again_keeps_the_id_that_deliveries_and_hooks_know(people):
    first = people.with_key()
    again = people.with_key()
    assert again.id == first.id
    assert told(people.db, events.CONNECTION_CHANGED) == [("connection.changed", "")]


def test_secrets_stay_when_they_are_not_entered_and_go_when_cleared(db, people):
    people.with_key()
    kept = connections.connect(db, people.draft(folder="cards"), actor=OLGA)
    assert (kept.config["folder"], kept.secrets()) == ("cards", {"api_key": KEY})
    given = connections.Given({"base_url": people.service.url}, {}, cleared=("api_key",))
    bare = connections.draft(db, people.version, "crm", "rolodex", given=given, actor=OLGA)
    assert bare.secrets() == {}


def test_a_secret_that_is_kept_goes_to_no_new_address(people):
    people.with_key()
    with pytest.raises(Invalid, match=r"Address of the service has changed: enter API key again"):
        people.draft(base_url="https://elsewhere.example")
    assert people.draft(base_url="https://elsewhere.example", api_key="new").secrets() == {"api_key": "new"}


def test_a_secret_of_the_operators_goes_to_no_address_of_the_owners(db, people, monkeypatch):
    environment(monkeypatch, USHER_CRM_ROLODEX_API_KEY=KEY, USHER_CRM_ROLODEX_BASE_URL=people.service.url)
    given = connections.Given({}, {})
    assert connections.connect(
        db, connections.draft(db, people.version, "crm", "rolodex", given=given, actor=OLGA), actor=OLGA
    ).label.startswith("robot")
    with pytest.raises(Invalid):
        connections.connect(db, people.draft(base_url=people.service.url + "/elsewhere"), actor=OLGA)
    assert KEY not in people.service.asked[-1].headers.get("Authorization", "")


def test_what_site_yml_names_serves_with_the_operators_settings(db, people, monkeypatch):
    version = apply(db, crm="rolodex")
    environment(monkeypatch, USHER_CRM_ROLODEX_API_KEY=KEY, USHER_CRM_ROLODEX_BASE_URL=people.service.url)
    with db.reading() as tx:
        found = connections.serving(tx, version, "crm")
        assert connections.get(tx, found.id) == found
        assert [one.id for one in connections.all_of(tx, version.site_id, "crm")] == [found.id]
    assert (found.origin, found.name, found.state) == ("environment", "rolodex", "working")
    assert adapters.opened(db, version, "crm").check().account == "robot@service.example"
    fail(db, found, AuthError("401"))
    assert people.found(found.id).state == "broken"
    connections.check(db, found.id)
    assert (people.found(found.id).state, people.found(found.id).label) == ("working", "robot@service.example")
    with pytest.raises(Conflict, match=r"site\.yml"):
        connections.disconnect(db, found.id, actor=OLGA)


def test_what_was_connected_in_the_console_comes_before_what_site_yml_names(db, people, monkeypatch):
    environment(monkeypatch, USHER_CRM_ROLODEX_BASE_URL=people.service.url)
    made = people.with_key()
    with db.reading() as tx:
        assert connections.serving(tx, apply(db, crm="rolodex"), "crm").id == made.id


def test_mail_goes_where_the_operator_says_whatever_alerts_are_connected(db, people, monkeypatch, tmp_path):
    monkeypatch.setenv("USHER_MAIL_TO", "mailbox")
    monkeypatch.setenv("USHER_MAILBOX_DIR", str(tmp_path))
    settings.get.cache_clear()
    given = connections.Given({}, {"url": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"})
    fresh = connections.draft(db, people.version, "notify", "apprise", given=given, actor=OLGA)
    made = connections.connect(db, fresh, actor=OLGA)
    with db.reading() as tx:
        mail, alerts = (connections.serving(tx, people.version, kind) for kind in ("notify", "notify.apprise"))
    assert (mail.name, mail.from_environment) == ("mailbox", True)
    assert alerts.id == made.id
    settings.get.cache_clear()


def test_what_stops_a_connection_breaks_it_once_and_success_mends_it(db, people):
    made = people.with_key()
    for _ in range(2):
        fail(db, made, AuthError("401"))
    broken = people.found(made.id)
    assert (broken.state, broken.problem_class) == ("broken", "AuthError")
    assert broken.problem == "The service no longer accepts our sign-in. Please connect it again."
    assert people.serving().id == made.id, "it still serves: what is to be told waits for it"
    connections.check(db, made.id)
    assert (people.found(made.id).state, people.found(made.id).problem) == ("working", "")
    assert [name for name, _ in told(db, events.CONNECTION_BROKEN, events.CONNECTION_WORKING)] == [
        "connection.broken",
        "connection.working",
    ]


@pytest.mark.parametrize(
    "problem", [Transient("503"), RateLimited("429"), QuotaExhausted("q", retry_after=clock.now())]
)
def test_what_heals_by_itself_is_noted_and_breaks_nothing(db, people, problem):
    made = people.with_key()
    fail(db, made, problem)
    assert (people.found(made.id).state, people.found(made.id).problem) == ("working", problem.user_message)
    with db.transaction() as tx:
        connections.worked(tx, made.id)
    assert people.found(made.id).problem == ""


def test_a_call_that_was_held_back_says_nothing_of_the_service(db, people):
    made, problem = people.with_key(), Transient("held")
    problem.held = "breaker"
    fail(db, made, problem)
    assert people.found(made.id).problem == ""


def deliver(db):
    return outbox.deliver_due(db, lambda delivery: adapters.carry_out(db, delivery))


def queue(db, people, key="d1"):
    with db.transaction() as tx:
        outbox.queue(
            tx, site_id=people.version.site_id, kind="crm", operation="upsert_person", payload=ADA, key=key,
            order_key="lead:1",
        )  # fmt: skip


def delivery(db, key="d1"):
    with db.reading() as tx:
        return outbox.by_key(tx, key)


def test_what_a_broken_connection_could_not_take_goes_out_when_it_is_mended(db, people, monday):
    made = people.with_key()
    people.service.faults.add(_refusal(), on="PUT /people/ada@globex.example")
    queue(db, people)
    deliver(db)
    assert (delivery(db).state, delivery(db).connection_id) == ("paused", made.id)
    assert people.found(made.id).state == "broken"
    people.service.faults.clear()
    connections.check_broken(db)
    assert people.found(made.id).state == "working"
    deliver(db)
    assert delivery(db).state == "done"
    assert people.service.people == {"ada@globex.example": "Ada"}


def test_who_disconnects_while_something_waits_loses_nothing(db, people, monday):
    made = people.with_key()
    people.service.faults.add(_refusal(), on="PUT /people/ada@globex.example")
    queue(db, people)
    deliver(db)
    assert delivery(db).state == "paused"
    assert connections.disconnect(db, made.id, actor=OLGA) == ""
    deliver(db)
    assert delivery(db).state == "done", "the built-in CRM serves now, and was told"
    assert adapters.opened(db, people.version, "crm").find_by_email("ada@globex.example")


def test_who_is_disconnected_while_a_delivery_is_under_way_is_not_what_it_waits_for(db, people, monday):
    made = people.with_key()
    queue(db, people)

    def call(row):
        with db.reading() as tx:
            serving = connections.serving(tx, people.version, "crm")
        connections.disconnect(db, made.id, actor=OLGA)
        with connections.watched(db, serving):
            raise AuthError("401")

    outbox.deliver_due(db, call)
    assert delivery(db).state == "waiting"
    assert people.found(made.id).state == "off"


def test_what_is_mended_while_a_delivery_is_under_way_is_not_broken_by_it(db, people, monday):
    made = people.with_key()
    queue(db, people)

    def call(row):
        with db.reading() as tx:
            serving = connections.serving(tx, people.version, "crm")
        monday.advance(timedelta(seconds=1))
        assert connections.check(db, made.id).ok
        with connections.watched(db, serving):
            raise AuthError("401, a moment before")

    outbox.deliver_due(db, call)
    assert delivery(db).state == "waiting"
    assert people.found(made.id).state == "working"


def test_disconnecting_takes_the_tokens_back_and_deletes_every_secret(db, people):
    made = people.signed_in()
    assert connections.disconnect(db, made.id, actor=OLGA) == ""
    assert people.service.grants[0].ended
    with db.reading() as tx:
        row = tx.execute(text("SELECT sealed, tokens, hook_secret, state FROM connections")).one()
    assert tuple(row) == ("", "", "", "off")
    assert people.serving() is None


def test_a_service_that_cannot_be_asked_to_forget_us_is_left_all_the_same(db, people):
    made = people.signed_in()
    people.service.faults.add(_refusal(503), on="POST /revoke")
    assert "does not answer" in connections.disconnect(db, made.id, actor=OLGA)
    assert people.found(made.id).state == "off"
    assert "does not answer" in told(db, events.CONNECTION_DISCONNECTED)[0][1]


def test_a_reps_own_calendar_comes_before_the_sites(db, people):
    site = people.signed_in(kind="calendar", name="wallchart")
    people.service.account = "grace@service.example"
    own = people.come_back(people.leave(people.draft("calendar", "wallchart", rep="grace")))
    assert (own.rep, own.label) == ("grace", "grace@service.example")
    assert people.serving("calendar", "grace").id == own.id
    assert people.serving("calendar", "linus").id == people.serving("calendar").id == site.id
    assert own.secrets() == {}, "the application is the site's; it is not copied"


def test_a_rep_sends_the_applications_secret_nowhere_else(people):
    people.signed_in(kind="calendar", name="wallchart")
    fresh = people.draft("calendar", "wallchart", rep="grace", base_url="https://evil.example", client_id="mine")
    address = connections.begin(people.db, fresh, browser="b", actor=OLGA)
    assert address.startswith(people.service.url + "/authorize")
    assert "client_id=usher&" in address


def test_a_rep_gets_no_secret_of_an_adapter_without_a_sign_in(db, people, monkeypatch):
    environment(monkeypatch, USHER_CALENDAR_KEYED_API_KEY=KEY, USHER_CALENDAR_KEYED_BASE_URL=people.service.url)
    with pytest.raises(Invalid) as refusal:
        people.draft("calendar", "keyed", rep="grace", base_url="https://evil.example")
    assert refusal.value.field == "api_key"


def test_settings_of_an_application_may_wait_for_the_first_sign_in(db, people):
    kept = connections.keep_draft(db, people.draft("calendar", "wallchart", **people.app()), actor=OLGA)
    assert (kept.state, people.serving("calendar")) == ("draft", None)
    own = people.come_back(people.leave(people.draft("calendar", "wallchart", rep="grace")))
    assert people.serving("calendar", "grace").id == own.id


def test_no_secret_is_seen_where_people_or_programs_look(db, people, caplog):
    caplog.set_level(logging.DEBUG)
    people.service.faults.add(_refusal(401, body=KEY.encode()), on="GET /me")
    with pytest.raises(Invalid) as refusal:
        people.with_key()
    people.service.faults.clear()
    made = people.with_key()
    shown = [repr(made), str(refusal.value), caplog.text, repr(connections.open(db, made)), json.dumps(made.config)]
    with db.reading() as tx:
        for table in ("connections", "events", "deliveries", "adapter_records", "config_versions"):
            shown += [str(tuple(row)) for row in tx.execute(text(f"SELECT * FROM {table}"))]
    assert KEY not in "".join(shown)


def test_an_old_key_still_opens_and_the_worker_seals_anew(db, people):
    made = people.signed_in()
    ids.use_key("the next key", ["a key for tests only"])
    try:
        assert connections.open(db, people.found(made.id)).check().ok
        assert connections.reseal(db) == 1
        assert connections.reseal(db) == 0
        ids.use_key("the next key")
        assert connections.open(db, people.found(made.id)).check().ok
        ids.use_key("a key nobody kept the old one of")
        with pytest.raises(Exception, match="Enter the secrets again"):
            connections.open(db, people.found(made.id))
        assert connections.reseal(db) == 0
        assert (people.found(made.id).state, "Enter the secrets again" in people.found(made.id).problem) == (
            "broken", True,
        )  # fmt: skip
    finally:
        ids.use_key("a key for tests only")


def test_an_unknown_connection_is_not_found(db, people):
    with pytest.raises(NotFound), db.reading() as tx:
        connections.get(tx, "con_nothing")


def test_a_connection_that_was_ended_fails_no_more(db, people):
    made = people.with_key()
    connections.disconnect(db, made.id, actor=OLGA)
    fail(db, replace(made), AuthError("401"))
    assert people.found(made.id).state == "off"


def _refusal(status=401, body=b""):
    return Fault(status=status, body=body)
