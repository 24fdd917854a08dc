"""What waits for a person is paused with its connection and goes on in its order; a named moment is kept exactly."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plugins.errors import (
    AuthError,
    ConfigError,
    InvalidInput,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Retry,
    Transient,
)
from server import clock, events
from server.errors import Conflict, NotFound
from server.outbox import service as outbox
from server.outbox import trouble
from server.outbox.service import NotYet
from tests.outbox.outside import Outside, deliver_all, queue, row, states

BY = events.Actor("user", "usr_1", "Olga")


def resume(db, connection="con_1"):
    with db.transaction() as tx:
        return outbox.resume(tx, connection)


@pytest.mark.parametrize("stops", [AuthError, ConfigError, QuotaExhausted])
def test_what_stops_the_connection_pauses_its_deliveries_and_they_go_on_in_order(db, monday, stops):
    for n in range(3):
        queue(db, f"a{n}", order_key="lead:a")
        queue(db, f"b{n}", order_key="lead:b")
    away = Outside("con_1", always=lambda: stops("no"))
    for _ in range(20):
        outbox.deliver_due(db, away)
        monday.advance(timedelta(hours=12))
    assert away.heard == ["a0", "b0"]
    assert (row(db, "a0").state, row(db, "a0").connection_id) == ("paused", "con_1")
    assert states(db)["a1"] == "waiting"
    assert resume(db, "con_2") == 0
    assert resume(db) == 2
    mended = Outside("con_1")
    deliver_all(db, mended)
    monday.advance(timedelta(minutes=11))
    deliver_all(db, mended)
    assert [key for key in mended.heard if key[0] == "a"] == ["a0", "a1", "a2"]
    assert [key for key in mended.heard if key[0] == "b"] == ["b0", "b1", "b2"]
    assert set(states(db).values()) == {"done"}


def test_what_follows_a_resumed_one_goes_out_with_it_and_not_when_somebody_looks_again(db, monday):
    for n in range(3):
        queue(db, f"a{n}", order_key="lead:a")
    outbox.deliver_due(db, Outside("con_1", always=lambda: AuthError("401")))
    monday.advance(timedelta(days=1))
    outbox.deliver_due(db, Outside())
    resume(db)
    mended = Outside("con_1")
    deliver_all(db, mended)
    assert mended.heard == ["a0", "a1", "a2"]


def test_a_quota_that_names_its_reset_is_waited_for_and_not_paused(db, monday):
    queue(db, "a")
    reset = clock.now() + timedelta(hours=3)
    outbox.deliver_due(db, Outside("con_1", a=[QuotaExhausted("402", retry_after=reset)]))
    assert (row(db, "a").state, row(db, "a").not_before, row(db, "a").attempts) == ("waiting", reset, 0)


def test_a_moment_that_was_named_is_waited_for_exactly_as_often_as_it_takes(db, monday):
    queue(db, "a")
    began = clock.now()
    slow = Outside("con_1", a=[RateLimited("429", retry_after=began + timedelta(days=n + 1)) for n in range(10)])
    for n in range(10):
        assert outbox.deliver_due(db, slow) == 1
        assert (row(db, "a").attempts, row(db, "a").not_before) == (0, began + timedelta(days=n + 1))
        monday.at = began + timedelta(days=n + 1) - timedelta(microseconds=1)
        assert outbox.deliver_due(db, slow) == 0
        monday.advance(timedelta(microseconds=1))
    outbox.deliver_due(db, slow)
    assert states(db) == {"a": "done"}


def test_who_was_held_back_by_the_breaker_waits_for_its_moment_and_has_not_tried(db, monday):
    queue(db, "a")
    until = clock.now() + timedelta(seconds=30)
    held = Transient("left alone", retry_after=until)
    held.held = "breaker"
    outbox.deliver_due(db, Outside("con_1", a=[held]))
    assert (row(db, "a").not_before, row(db, "a").attempts, row(db, "a").failing_since) == (until, 0, clock.now())


def test_after_a_time_out_whose_outcome_nobody_knows_the_rest_is_longer_than_after_a_refusal():
    ambiguous = min(trouble.rest_seconds(1, Retry.SAME_KEY) for _ in range(50))
    assert ambiguous > max(trouble.rest_seconds(1, Retry.LATER) for _ in range(50))


def test_one_that_lacks_permission_rests_a_quarter_of_an_hour_though_others_work(db, monday):
    queue(db, "a")
    outside = Outside("con_1", a=[PermissionDenied("403"), PermissionDenied("403")])
    outbox.deliver_due(db, outside)
    resume(db)
    assert outbox.deliver_due(db, outside) == 0
    monday.advance(timedelta(minutes=15))
    assert outbox.deliver_due(db, outside) == 1
    assert states(db) == {"a": "paused"}


def test_what_builds_on_one_that_is_not_delivered_yet_waits_however_long_and_costs_no_attempt(db, monday):
    queue(db, "a")
    waits = Outside("con_1", a=[NotYet("b") for _ in range(10_000)])
    for _ in range(100):
        outbox.deliver_due(db, waits)
        monday.advance(timedelta(hours=1))
    assert (row(db, "a").state, row(db, "a").attempts) == ("waiting", 0)


def test_one_that_is_dead_lets_those_behind_it_go(db, monday):
    for key in ("a", "b"):
        queue(db, key, order_key="lead:1")
    outside = Outside("con_1", a=[InvalidInput("no such country", field="country")])
    deliver_all(db, outside)
    assert (outside.heard, states(db)) == (["a", "b"], {"a": "dead", "b": "done"})


@pytest.mark.parametrize("stuck", [InvalidInput("bad"), AuthError("401"), Transient("down")])
def test_a_person_withdraws_one_that_waits_and_those_behind_it_go(db, monday, stuck: PluginError):
    for key in ("a", "b"):
        queue(db, key, order_key="lead:1")
    outside = Outside("con_1", a=[stuck])
    outbox.deliver_due(db, outside)
    outbox.deliver_due(db, Outside(always=lambda: Transient("down")))
    outbox.withdraw(db, row(db, "a").id, BY)
    monday.advance(timedelta(hours=1))
    deliver_all(db, outside)
    assert states(db) == {"a": "withdrawn", "b": "done"}
    with db.reading() as tx:
        (told,) = events.latest(tx, "sit_1", [events.DELIVERY_WITHDRAWN])
    assert (told.actor_name, told.subject_id) == ("Olga", row(db, "a").id)
    with pytest.raises(Conflict):
        outbox.withdraw(db, row(db, "b").id, BY)
    with pytest.raises(NotFound):
        outbox.withdraw(db, "dlv_nothing", BY)


def test_cancelling_reaches_what_is_paused(db, monday):
    queue(db, "a", cancel_key="meeting:1")
    outbox.deliver_due(db, Outside("con_1", a=[AuthError("401")]))
    with db.transaction() as tx:
        assert outbox.cancel(tx, "meeting:1") == 1
    resume(db)
    assert states(db) == {"a": "withdrawn"}


def test_all_of_a_connection_are_tried_again_in_one_go(db, monday):
    for key in ("a", "b", "c", "d"):
        queue(db, key)
    outbox.deliver_due(db, Outside("con_1", a=[AuthError("401")], b=[InvalidInput("bad")]))
    queue(db, "other")
    outbox.deliver_due(db, Outside("con_2", other=[AuthError("401")]))
    assert outbox.retry_all(db, "con_1", BY) == 2
    deliver_all(db, Outside("con_1"))
    assert states(db) == {"a": "done", "b": "done", "c": "done", "d": "done", "other": "paused"}
    with db.reading() as tx:
        (told,) = events.latest(tx, "sit_1", [events.DELIVERY_RETRIED])
    assert ((told.subject_kind, told.subject_id), told.data) == (("connection", "con_1"), {"tried": 2})
    assert outbox.retry_all(db, "con_1", BY) == 0


def test_when_another_connection_serves_what_was_paused_for_the_kind_goes_on(db, monday):
    queue(db, "a")
    queue(db, "mail", kind="notify")
    outbox.deliver_due(db, Outside("con_1", always=lambda: AuthError("401")))
    with db.transaction() as tx:
        assert outbox.resume_for(tx, "sit_2", ("crm",)) == 0
        assert outbox.resume_for(tx, "sit_1", ("crm", "crm.hubspot")) == 1
    assert states(db) == {"a": "waiting", "mail": "paused"}
