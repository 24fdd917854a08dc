"""The door for services that call us: verified, kept once, answered at once; forged and repeated calls do nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from plugins.errors import Permanent, Transient
from plugins.hooks import Heard, HookMessage
from server import settings
from server.adapters import connections
from server.adapters.hooks import KEPT_FOR
from server.config import service as config
from server.events import SYSTEM
from tests.adapters import rolodex
from tests.adapters.rolodex import KEY, RolodexFake


@pytest.fixture(scope="module")
def running():
    with rolodex.offered(), RolodexFake() as fake:
        yield fake


@pytest.fixture
def db(app):
    return app.extensions["usher_db"]


@pytest.fixture
def connection(app, db, running, monkeypatch):
    running.reset()
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    given = connections.Given({"base_url": running.url}, {"api_key": KEY})
    fresh = connections.draft(db, config.active(db, "acme"), "crm", "rolodex", given=given, actor=SYSTEM)
    made = connections.connect(db, fresh, actor=SYSTEM)
    running.asked.clear()
    return made


@pytest.fixture
def call(app, db, connection):
    """What the service does: it says some ids, with the secret it was given."""
    secret = connections.secret_of(db, connection)

    def said(body, *, to=connection.id, signed=secret, address="198.51.100.9", **headers):
        asking = app.test_client()
        asking.environ_base["REMOTE_ADDR"] = address
        return asking.post(f"/v1/hooks/{to}", data=body, headers={"x-secret": signed, **headers})

    return said


def waiting(db, kind="crm"):
    with db.reading() as tx:
        return connections.messages_waiting(tx, kind)


def settle(db, problem=None):
    with db.transaction() as tx:
        (message,) = connections.messages_waiting(tx, "crm")
        connections.settle_message(tx, message, problem)


def states(db):
    with db.reading() as tx:
        return [tuple(row) for row in tx.execute(text("SELECT id, state FROM hook_messages ORDER BY id"))]


def test_what_is_told_is_kept_and_the_service_is_answered_without_being_called(db, running, connection, call):
    answer = call("m1 m2")
    assert (answer.status_code, answer.text) == (202, "")
    assert [(one.id, one.data, one.connection.id) for one in waiting(db)] == [
        ("m1", {"email": "m1@globex.example"}, connection.id),
        ("m2", {"email": "m2@globex.example"}, connection.id),
    ]
    assert running.asked == []
    assert waiting(db, "calendar") == []


@pytest.mark.parametrize("sign", ["\x00", "\ud800"])
def test_a_sign_that_no_database_takes_is_refused_and_nothing_is_kept(db, call, running, monkeypatch, sign):
    told = Heard((HookMessage("m1", {"data": {"id": [f"a{sign}"]}}),))
    monkeypatch.setattr(rolodex.Rolodex, "hear", lambda *_: told)
    answer = call("m1")
    assert (answer.status_code, set(answer.json["error"])) == (422, {"code", "message"})
    assert states(db) == []


def test_the_same_told_again_is_the_same_also_after_it_was_done(db, call):
    call("m1")
    call("m1")
    assert len(waiting(db)) == 1
    settle(db)
    assert call("m1").status_code == 202
    assert waiting(db) == []


def test_a_handshake_gets_its_echo(db, call):
    answer = call("hello", **{"X-Challenge": "say this back"})
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "say this back", "text/plain")
    assert states(db) == []


def test_who_does_not_know_the_secret_tells_nothing(db, call):
    for signed in ("", "guessed"):
        answer = call("m1", signed=signed)
        assert answer.status_code == 403
        assert "secret" not in answer.text
    assert states(db) == []


def test_an_unknown_or_ended_connection_is_not_there(db, connection, call):
    assert call("m1", to="con_unknown").status_code == 404
    call("m1")
    connections.disconnect(db, connection.id, actor=SYSTEM)
    assert call("m2").status_code == 404
    with db.transaction() as tx:
        assert connections.messages_waiting(tx, "crm") == []
    assert states(db) == [("m1", "dead")]


def test_a_body_that_is_too_large_is_refused(db, call):
    assert call("x" * (300 * 1024)).status_code == 413
    assert states(db) == []


def test_who_forges_again_and_again_is_not_looked_at_and_the_service_is(db, call, monkeypatch):
    monkeypatch.setenv("USHER_RATE_LIMITS", "true")
    settings.get.cache_clear()
    refused = [call("m1", signed="guessed", address="203.0.113.66").status_code for _ in range(32)]
    assert (refused[0], refused[-1]) == (403, 429)
    assert int(call("m1", address="203.0.113.66").headers["Retry-After"]) >= 1
    assert call("m1").status_code == 202


def test_a_message_that_failed_waits_longer_each_time_and_is_given_up(db, call, monday):
    call("m1")
    for _ in range(9):
        settle(db, Transient("503"))
        assert waiting(db) == []
        monday.advance(timedelta(hours=1))
    settle(db, Transient("503"))
    assert states(db) == [("m1", "dead")]


def test_a_message_that_cannot_be_done_is_given_up_at_once(db, call):
    call("m1")
    settle(db, Permanent("unreadable"))
    assert states(db) == [("m1", "dead")]


def test_what_was_done_is_forgotten_at_once_in_content_and_later_as_a_whole(db, call, monday):
    call("m1")
    settle(db)
    with db.reading() as tx:
        assert "globex" not in tx.execute(text("SELECT payload FROM hook_messages")).scalar()
    monday.advance(KEPT_FOR)
    connections.forget_old(db)
    assert states(db) == []


def test_an_id_longer_than_the_table_takes_is_still_one_message(db, call):
    call("m" * 400)
    call("m" * 400)
    assert len(waiting(db)) == 1


def test_the_metrics_say_how_many_connections_are_in_each_state(app, connection):
    told = app.test_client().get("/metrics").text
    assert 'usher_connections{adapter="crm.rolodex",site="acme",state="working"} 1.0' in told


def test_bytes_that_break_a_reader_are_refused_and_counted_like_a_forged_call(call, db, monkeypatch):
    monkeypatch.setenv("USHER_RATE_LIMITS", "true")
    settings.get.cache_clear()
    answers = [call(b"\xff\xfe", address="203.0.113.77").status_code for _ in range(32)]
    assert (answers[0], answers[-1]) == (422, 429)
    assert call(b"a1").status_code == 202
    assert [one.id for one in waiting(db)] == ["a1"]
