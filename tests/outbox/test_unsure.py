"""Whether a delivery may have arrived is known from its first try to its end, whatever happened since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import update

from plugins.errors import AmbiguousOutcome, AuthError, Duplicate, InvalidInput, Permanent, RateLimited, Transient
from server import clock
from server.db import Database, migrate
from server.outbox import service as outbox
from server.outbox.erasing import may_have_arrived
from server.outbox.tables import deliveries
from tests.outbox.test_service import Outside, queue


def row(db):
    with db.reading() as tx:
        return outbox.by_key(tx, "a")


DOUBLES = AmbiguousOutcome("cut")
DOUBLES.doubles = True
SECOND = InvalidInput("the second of two calls", field="owner")
SECOND.may_be_done = True
HELD = Transient("the breaker is open")
HELD.held = "breaker"


@pytest.mark.parametrize(
    ("trouble", "open_"),
    [
        (AmbiguousOutcome("cut"), True),
        (Duplicate("it is there", existing="7"), True),
        (Permanent("not this mail"), False),
        (InvalidInput("no such address", field="to"), False),
        (SECOND, True),
        (Transient("down"), False),
        (RateLimited("slow"), False),
        (AuthError("401"), False),
        (HELD, False),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_what_an_error_says_of_its_arrival_stays_true_when_it_is_tried_again_and_fails_otherwise(
    db, monday, trouble, open_
):
    queue(db, "a")
    outbox.deliver_due(db, Outside(a=[trouble]))
    assert may_have_arrived(row(db)) == open_
    with db.transaction() as tx:
        tx.execute(update(deliveries).values(state="paused"))
        outbox.resume_for(tx, "sit_1", ["notify"])
    monday.advance(timedelta(hours=2))
    outbox.deliver_due(db, Outside(a=[Transient("down")]))
    assert (row(db).attempts, may_have_arrived(row(db))) == (1, open_)
    monday.advance(timedelta(hours=2))
    outbox.deliver_due(db, Outside())
    assert not may_have_arrived(row(db))


def test_what_was_in_hand_when_its_worker_was_gone_may_have_arrived(db, monday):
    queue(db, "a")
    gone = {"state": "leased", "lease_owner": "elsewhere/1/1/x", "lease_until": clock.now() - timedelta(minutes=1)}
    with db.transaction() as tx:
        tx.execute(update(deliveries).values(attempts=1, problem_class="AuthError", **gone))
    assert may_have_arrived(row(db))
    outbox.deliver_due(db, Outside(a=[AuthError("401")]))
    assert (row(db).state, may_have_arrived(row(db))) == ("paused", True)


def test_a_newer_one_takes_no_place_of_one_that_may_have_arrived(db, monday):
    same = {"order_key": "lead:1", "replaces": "lead:1:person"}
    queue(db, "a", **same)
    outbox.deliver_due(db, Outside(a=[AmbiguousOutcome("cut")]))
    with db.transaction() as tx:
        tx.execute(update(deliveries).values(attempts=0))
    queue(db, "b", **same)
    monday.advance(timedelta(hours=2))
    outside = Outside()
    while outbox.deliver_due(db, outside):
        pass
    assert outside.heard == ["a", "b"]


def test_what_the_service_cannot_tell_from_its_first_coming_is_tried_once_more_and_no_longer(db, monday):
    queue(db, "a")
    outside = Outside(a=[DOUBLES, DOUBLES, DOUBLES])
    outbox.deliver_due(db, outside)
    assert row(db).state == "waiting"
    monday.advance(timedelta(hours=2))
    outbox.deliver_due(db, outside)
    assert (row(db).state, outside.heard) == ("dead", ["a", "a"])
    assert may_have_arrived(row(db))


TOLD = {
    "new": ("waiting", 0, "", False),
    "held": ("waiting", 0, "RateLimited", False),
    "in-vain": ("waiting", 1, "Transient", False),
    "cut": ("waiting", 1, "AmbiguousOutcome", True),
    "killed": ("waiting", 1, "", True),
    "resumed": ("paused", 0, "AmbiguousOutcome", True),
    "twice": ("paused", 2, "AuthError", True),
    "refused": ("dead", 1, "InvalidInput", True),
    "done": ("done", 3, "", False),
}


def test_of_what_was_queued_before_only_a_first_try_in_vain_is_believed(database_url):
    db = Database(database_url)
    config = migrate._config()  # noqa: SLF001 - the migration before ours
    with db.transaction() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0015")
        same = {"site_id": "s", "kind": "crm", "operation": "x", "payload": {}, "order_key": "", "cancel_key": ""}
        same |= {"subject_kind": "", "subject_id": "", "created_at": clock.now(), "not_before": clock.now()}
        for key, (state, attempts, problem_class, _) in TOLD.items():
            own = {"id": key, "key": key, "state": state, "attempts": attempts, "problem_class": problem_class}
            old = deliveries.insert().values(**same, **own, problem="")
            tx.execute(old)
        command.upgrade(config, "head")
    with db.reading() as tx:
        found = {row.key: row.unsure for row in outbox.latest(tx, limit=100)}
    assert found == {key: unsure for key, (*_, unsure) in TOLD.items()}
    db.close()
