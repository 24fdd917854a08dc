"""Connecting by signing in: who comes back is who left, once, and in time; what the service said is a sentence."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import text

from plugins.errors import AuthError
from plugins.testing.fakes import Fault
from server import ids
from server.adapters import connections
from server.errors import Conflict, Forbidden, Gone, Invalid
from server.events import Actor
from tests.adapters.conftest import BROWSER, OLGA

MARTIN = Actor("user", "usr_martin", "Martin")


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


def open_connections(db):
    """Those that are connected, and not only entered."""
    with db.reading() as tx:
        return tx.execute(text("SELECT count(*) FROM connections WHERE state != 'draft'")).scalar()


def under_way(db):
    with db.reading() as tx:
        return tx.execute(text("SELECT count(*) FROM connection_agreements")).scalar()


def test_who_agrees_is_connected_with_account_and_permissions(db, people):
    made = people.signed_in()
    assert (made.label, made.state) == ("ada@service.example", "working")
    assert list(made.granted) == ["people.read", "people.write"]
    assert under_way(db) == 0
    assert connections.open(db, made).check().ok


def test_the_request_for_agreement_carries_pkce_and_no_secret(people):
    address = connections.begin(people.db, people.draft(**people.app()), browser=BROWSER, actor=OLGA)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert people.service.client_secret not in address
    assert people.service.asked == []


def test_a_state_that_was_made_up_is_refused(db, people):
    there = people.leave()
    for state in ("", "made-up", ids.sign("oauth state", "made-up"), ids.sign("other", "x")):
        code = parse_qs(urlsplit(there).query)["code"][0]
        with pytest.raises(Gone):
            connections.finish(db, connections.Answer(state, code), browser=BROWSER, actor=OLGA)
    assert open_connections(db) == 0
    assert people.service.times_asked("POST", "/token") == 0


def test_a_state_is_good_once(db, people):
    there = people.leave()
    people.come_back(there)
    with pytest.raises(Gone):
        people.come_back(there)
    assert people.service.times_asked("POST", "/token") == 1
    assert not people.service.grants[0].ended, "the stolen address was not even tried"


def test_another_browser_cannot_use_it_and_does_not_use_it_up(people):
    there = people.leave()
    for browser in ("", "the secret of another session"):
        with pytest.raises(Gone):
            people.come_back(there, browser=browser)
    assert people.come_back(there).state == "working"


def test_another_person_in_the_same_browser_cannot_use_it(people):
    there = people.leave()
    with pytest.raises(Gone):
        people.come_back(there, actor=MARTIN)


def test_after_ten_minutes_it_is_over(people, monday):
    there = people.leave()
    monday.advance(timedelta(minutes=10))
    with pytest.raises(Gone):
        people.come_back(there)


def test_who_may_no_longer_connect_is_refused_at_the_end(db, people):
    there = people.leave()
    asked = parse_qs(urlsplit(there).query)

    def need(rep):
        raise Forbidden(f"not for {rep or 'the site'}")

    answer = connections.Answer(asked["state"][0], asked["code"][0])
    with pytest.raises(Forbidden, match="not for the site"):
        connections.finish(db, answer, browser=BROWSER, actor=OLGA, need=need)
    assert open_connections(db) == 0


def test_who_does_not_agree_reads_so_and_nothing_is_kept(db, people):
    people.service.denies = True
    with pytest.raises(Invalid, match="You did not agree"):
        people.signed_in()
    assert (open_connections(db), under_way(db)) == (0, 0)


@pytest.mark.parametrize(
    ("error", "said"),
    [("server_error", "a fault of its own"), ("odd", "The service said no: odd."), ("", "without an answer")],
)
def test_what_the_service_says_instead_is_a_sentence(db, people, error, said):
    state = parse_qs(urlsplit(people.leave()).query)["state"][0]
    with pytest.raises(Invalid, match=said):
        connections.finish(db, connections.Answer(state, "", error), browser=BROWSER, actor=OLGA)


def test_what_was_entered_waits_for_the_next_try_and_does_not_serve(db, people):
    people.service.denies = True
    with pytest.raises(Invalid):
        people.signed_in(folder="cards")
    people.service.denies = False
    assert people.serving() is None
    draft = connections.draft(db, people.version, "crm", "rolodex", actor=OLGA)
    assert (draft.state, draft.config["folder"]) == ("draft", "cards")
    assert draft.secrets() == {"client_secret": people.service.client_secret}
    assert people.come_back(people.leave(draft)).id == draft.id


def test_the_application_that_reps_sign_in_with_stays_when_another_try_fails(db, people):
    kept = connections.keep_draft(db, people.draft("calendar", "wallchart", **people.app()), actor=OLGA)
    there = people.leave(people.draft("calendar", "wallchart", **people.app(), folder="other"))
    state = parse_qs(urlsplit(there).query)["state"][0]
    with pytest.raises(Invalid):
        connections.finish(db, connections.Answer(state, "", "access_denied"), browser=BROWSER, actor=OLGA)
    assert people.found(kept.id).config == kept.config


def test_permissions_that_were_not_ticked_are_named_and_nothing_is_kept(db, people):
    people.service.granted = ("people.read",)
    with pytest.raises(Invalid, match=r"people\.write") as refusal:
        people.signed_in()
    assert refusal.value.extra["missing"] == ["people.write"]
    assert open_connections(db) == 0


def test_a_wrong_secret_of_the_application_is_said_so(db, people):
    with pytest.raises(Invalid, match="does not accept these credentials"):
        people.come_back(people.leave(people.draft(client_id="usher", client_secret="wrong")))
    assert open_connections(db) == 0


def test_a_token_endpoint_that_is_down_leaves_everything_as_it_was(db, people):
    made = people.signed_in()
    people.service.faults.add(Fault(status=503), on="POST /token")
    with pytest.raises(Invalid, match="does not answer"):
        people.signed_in()
    assert people.found(made.id) == made


def test_signing_in_again_mends_what_was_broken_under_the_same_id(db, people):
    made = people.signed_in()
    people.service.grants[0].ended = True
    people.service.grants[0].refresh = ""
    people.service.expire()
    assert not connections.check(db, made.id).ok
    assert people.found(made.id).state == "broken"
    again = people.come_back(people.leave(connections.draft(db, people.version, "crm", "rolodex", actor=OLGA)))
    assert (again.id, again.state, again.problem) == (made.id, "working", "")


def refresh_token_of(db, made):
    with db.reading() as tx:
        sealed = tx.execute(text("SELECT tokens FROM connections WHERE id = :id"), {"id": made.id}).scalar()
    return json.loads(ids.unseal("connection tokens", sealed)).get("refresh_token")


def without_refresh_token(people):
    """A person comes back from a service that gives one at the first agreement only."""
    there = people.leave(people.draft(**people.app()))
    grant = people.service.grants[-1]
    grant.access.add("bare")
    body = json.dumps({"access_token": "bare", "expires_in": 3600}).encode()
    people.service.faults.add(Fault(status=200, body=body), on="POST /token", times=1)
    return people.come_back(there)


def test_signing_in_again_without_a_new_refresh_token_keeps_the_one_that_works(db, people):
    before = refresh_token_of(db, people.signed_in())
    again = without_refresh_token(people)
    assert (refresh_token_of(db, again), again.problem) == (before, "")
    people.service.expire()
    assert connections.open(db, again).check().ok


def test_a_sign_in_that_will_not_last_says_so(db, people):
    made = without_refresh_token(people)
    assert (made.state, refresh_token_of(db, made)) == ("working", None)
    assert "no lasting permission" in made.problem


@pytest.mark.parametrize("what", ["another account", "another application", "a sign-in that was refused"])
def test_a_refresh_token_goes_to_nobody_else_and_a_dead_one_does_not_come_back(db, people, monkeypatch, what):
    made = people.signed_in()
    if what == "another account":
        people.service.account = "bob@service.example"
    elif what == "another application":
        monkeypatch.setattr(people.service, "client_secret", "a newer secret")
    else:
        with db.transaction() as tx:
            connections.failed(tx, made.id, AuthError("401"))
    again = without_refresh_token(people)
    assert refresh_token_of(db, again) is None
    assert "no lasting permission" in again.problem


def test_nobody_is_sent_away_to_agree_while_another_crm_serves(db, people):
    people.with_key()
    with db.transaction() as tx:
        tx.execute(text("UPDATE connections SET name = 'another'"))
    with pytest.raises(Conflict, match="serves already"):
        people.leave()
    assert under_way(db) == 0
    assert open_connections(db) == 1
    people.leave(people.draft("calendar", "wallchart", **people.app()))
    assert under_way(db) == 1


def test_settings_that_lead_elsewhere_want_a_new_sign_in(db, people):
    people.signed_in()
    same = people.draft(**people.app(), folder="cards")
    assert not connections.needs_sign_in(db, same)
    assert connections.connect(db, same, actor=OLGA).config["folder"] == "cards"
    other = people.draft(client_id="another", client_secret="x", folder="cards")
    assert connections.needs_sign_in(db, other)
    with pytest.raises(Invalid, match="Sign in"):
        connections.connect(db, other, actor=OLGA)


def test_the_verifier_and_the_settings_wait_sealed(db, people):
    people.leave()
    with db.reading() as tx:
        (row,) = tx.execute(text("SELECT * FROM connection_agreements")).all()
    assert people.service.client_secret not in str(tuple(row))
    assert BROWSER not in str(tuple(row))


def test_a_code_without_its_verifier_gets_nothing(people):
    there = people.leave()
    code = parse_qs(urlsplit(there).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": connections.redirect_address()}
    thief = {**form, "code_verifier": "x" * 64, **people.app()}
    assert requests.post(people.service.url + "/token", data=thief, timeout=5).status_code == 400
