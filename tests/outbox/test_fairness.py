"""One connection's trouble is its own: others get their turn, their time and their hands, however much waits for it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, text

from plugins.errors import AuthError, Transient
from server import clock, ids
from server.outbox import sending, waiting
from server.outbox import service as outbox
from server.outbox.tables import deliveries
from tests.outbox.outside import Outside, queue, row, states
from tests.processes import wait_until

MANY = 2000


def fill(db, count=MANY, *, lane="con_dead", order=None, state="waiting"):
    """Deliveries that wait for one connection, all of them due."""
    now = clock.now()
    rows = [
        {
            "id": ids.new_id("delivery"), "site_id": "sit_1", "kind": "crm", "operation": "upsert_person",
            "payload": {}, "key": f"{lane}-{n}", "order_key": order(n) if order else "", "cancel_key": "",
            "subject_kind": "", "subject_id": "", "state": state, "lane": lane, "created_at": now,
            "not_before": now - timedelta(hours=1), "attempts": 0, "problem_class": "", "problem": "",
            "replaces": "", "behind": False,
        }
        for n in range(count)
    ]  # fmt: skip
    with db.transaction() as tx:
        tx.execute(insert(deliveries), rows)
        if not db.is_sqlite:
            tx.execute(text("ANALYZE deliveries"))


class Counting:
    """How many rows of deliveries statements gave back, and how many statements there were."""

    def __init__(self, db):
        self.statements = 0
        event.listen(db.engine, "before_cursor_execute", self._count)

    def _count(self, *_):
        self.statements += 1


def plans(db, do):
    """How the database goes about the statements that `do` makes."""
    made = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _k, said, given, *_: made.append((said, given)))
    with db.transaction() as tx:
        do(tx)
    made, how = list(made), "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
    with db.reading() as tx:
        return ["\n".join(map(str, tx.exec_driver_sql(how + said, given))) for said, given in made if said[0] in "SW"]


def test_neither_finding_the_lanes_nor_looking_into_one_reads_what_waits_in_others(db, monday):
    for lane in ("con_dead", "con_dead2"):
        fill(db, lane=lane, order=lambda n, lane=lane: f"{lane}:{n % 1000}")
    fill(db, lane="con_done", state="done")
    queue(db, "mail", kind="notify")
    found = plans(db, lambda tx: waiting.lanes(tx, clock.now()))
    found += plans(db, lambda tx: waiting.take(tx, "sit_1:notify", 5, clock.now()))
    assert len(found) == 2
    for how in found:
        assert "ix_deliveries_lane" in how
        assert "SCAN deliveries" not in how
        assert "SCAN first" not in how
        assert "Seq Scan" not in how
        assert "TEMP B-TREE FOR ORDER BY" not in how


def test_thousands_that_wait_for_a_dead_connection_do_not_hold_up_a_mail(db, monday):
    fill(db)
    queue(db, "mail", kind="notify", not_before=clock.now())
    outside = Outside(always=None)
    outbox.deliver_due(db, outside, most=20)
    assert "mail" in outside.heard


def test_a_round_costs_the_same_however_many_are_held_by_earlier_ones(db, monday):
    """Fifteen hundred behind the paused heads of fifty leads; then a mail, and the price of its round."""
    fill(db, 50, lane="con_dead", order=lambda n: f"lead:{n % 50}", state="paused")
    fill(db, 1500, lane="sit_1:crm", order=lambda n: f"lead:{n % 50}")
    for n in range(2):
        outbox.deliver_due(db, Outside())
        assert states(db)[f"con_dead-{n}"] == "paused"
    counting = Counting(db)
    queue(db, "mail", kind="notify")
    outside = Outside()
    outbox.deliver_due(db, outside)
    assert outside.heard == ["mail"]
    assert counting.statements < 40
    with db.reading() as tx:
        assert waiting.lanes(tx, clock.now()) == []


def test_those_behind_come_back_by_themselves_should_nobody_wake_them(db, monday):
    queue(db, "a", order_key="lead:1")
    queue(db, "b", order_key="lead:1")
    outbox.deliver_due(db, Outside("con_1", a=[AuthError("401")]))
    outbox.deliver_due(db, Outside())
    assert row(db, "b").behind
    with db.transaction() as tx:  # as if whoever ended the first one had died before waking the next
        tx.execute(deliveries.update().where(deliveries.c.key == "a").values(state="done"))
    outside = Outside()
    for _ in range(11):
        outbox.deliver_due(db, outside)
        monday.advance(timedelta(minutes=1))
    assert outside.heard == ["b"]


class Slow(Outside):
    """Holds deliveries of one kind until let go; hears the others at once."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.go, self.began = kind, threading.Event(), []

    def __call__(self, delivery):
        if delivery.kind == self.kind:
            self.began.append(delivery.key)
            self.go.wait(30)
        return super().__call__(delivery)


@pytest.fixture
def sender(db):
    made = []

    def make(call):
        made.append(outbox.Sender(db, call))
        return made[0]

    yield make
    for one in made:
        one.finish(20)


def rounds(sends, until, what):
    """As a worker makes them."""
    wait_until(lambda: (sends.begin(), until())[1], what=what)


def all_done(db):
    return set(states(db).values()) == {"done"}


def test_a_service_that_hangs_delays_no_mail_and_takes_no_more_than_its_hands(db, sender):
    for n in range(40):
        queue(db, f"crm{n}")
    slow = Slow("crm")
    sends = sender(slow)
    sends.begin()
    wait_until(lambda: len(slow.began) == sending.OF_A_LANE, what="the slow ones being under way")
    for n in range(3):
        queue(db, f"mail{n}", kind="notify")
        rounds(sends, lambda n=n: f"mail{n}" in slow.heard, "the mail")
    assert slow.heard == ["mail0", "mail1", "mail2"]
    assert len(slow.began) == sending.OF_A_LANE
    slow.go.set()
    rounds(sends, lambda: all_done(db), "all of it")


def test_order_is_kept_by_many_hands(db, sender):
    for n in range(8):
        for lead in range(8):
            queue(db, f"{lead}-{n}", order_key=f"lead:{lead}")
    outside = Outside()
    sends = sender(outside)
    rounds(sends, lambda: all_done(db), "all of it")
    assert len(outside.heard) == 64
    for lead in range(8):
        assert [key for key in outside.heard if key[0] == str(lead)] == [f"{lead}-{n}" for n in range(8)]


def test_of_a_connection_that_is_down_one_at_a_time_is_tried_and_then_it_rests(db, monday, sender):
    for n in range(30):
        queue(db, f"k{n}")
    outside = Outside("con_1", always=lambda: Transient("down"))
    sends = sender(outside)
    for _ in range(40):
        sends.begin()
        assert sends.wait(10)
    assert sending.RESTS_AFTER <= len(outside.heard) <= 4 * sending.RESTS_AFTER
    assert row(db, "k29").attempts == 0
    outside.always = None
    for _ in range(60):
        monday.advance(timedelta(seconds=10))
        sends.begin()
        assert sends.wait(10)
    assert set(states(db).values()) == {"done"}


def test_a_breaker_that_is_open_is_asked_once_and_not_by_each_that_waits(db, monday, sender):
    fill(db, 500, lane="con_1")
    until = clock.now() + timedelta(minutes=5)

    def held():
        error = Transient("left alone", retry_after=until)
        error.held = "breaker"
        return error

    outside = Outside("con_1", always=held)
    sends = sender(outside)
    for _ in range(20):
        sends.begin()
        assert sends.wait(10)
    assert len(outside.heard) <= sending.OF_A_LANE
    monday.at = until
    outside.always = None
    sends.begin()
    assert sends.wait(10)
    assert len(outside.heard) > sending.A_BATCH


def test_many_dead_services_leave_hands_for_those_that_are_well(db, sender):
    for n in range(12):
        queue(db, f"dead{n}", kind=f"enrichment.x{n}")
    trouble = Outside(always=lambda: Transient("down"))
    hangs, go = [], threading.Event()

    def call(delivery):
        if delivery.kind.startswith("enrichment"):
            if delivery.attempts == 0:
                return trouble(delivery)
            hangs.append(delivery.key)
            go.wait(30)
        return Outside()(delivery)

    sends = sender(call)
    with clock.stopped_at(clock.now()) as stopped:
        rounds(sends, lambda: len(trouble.heard) == 12 and sends.wait(1), "all having failed")
        stopped.advance(timedelta(minutes=1))
        sends.begin()
        rounds(sends, lambda: len(hangs) == sending.UNWELL_AT_ONCE, "their share being taken")
        queue(db, "mail", kind="notify")
        rounds(sends, lambda: states(db)["mail"] == "done", "the mail")
        assert len(hangs) == sending.UNWELL_AT_ONCE
        go.set()
        sends.wait(20)


def test_what_was_not_started_is_given_back_when_the_worker_stops(db, sender):
    for n in range(10):
        queue(db, f"crm{n}")
    slow = Slow("crm")
    sends = sender(slow)
    sends.begin()
    wait_until(lambda: len(slow.began) == 2, what="two batches being under way")
    sends.stopping = True
    slow.go.set()
    sends.finish(20)
    assert sorted(slow.heard) == sorted(slow.began)
    assert list(states(db).values()).count("waiting") == 8
    with db.reading() as tx:
        assert {one.attempts for one in outbox.latest(tx) if one.state == "waiting"} == {0}
    assert sends.begin() == 0
