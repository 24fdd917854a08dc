"""A newer delivery about the same goes out in the place of one that nobody has tried; nothing else is touched."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from plugins.errors import AuthError, InvalidInput, Transient
from server import events
from server.errors import Conflict
from server.outbox import service as outbox
from server.outbox.service import NotYet
from tests.outbox.outside import Outside, deliver_all, queue, row, states
from tests.processes import wait_until

ORDER = "lead:led_1"
SAME = "lead:led_1:person"


def tell(db, key, **more):
    return queue(db, key, **{"order_key": ORDER, "replaces": SAME, **more})


class Payloads(Outside):
    def __call__(self, delivery):
        answer = super().__call__(delivery)
        self.heard[-1] = (delivery.key, delivery.payload["to"])
        return answer


def test_ten_changes_in_a_row_are_told_once_with_the_last(db):
    for n in range(10):
        assert tell(db, f"k{n}")
    outside = Payloads()
    deliver_all(db, outside)
    assert (outside.heard, states(db)) == ([("k9", "k9")], {"k9": "done"})


def test_what_builds_on_a_replaced_key_gets_the_answer_that_went_out_in_its_place(db):
    tell(db, "old")
    tell(db, "new")
    deliver_all(db, Outside())
    assert row(db, "old").id == row(db, "new").id
    assert row(db, "old").result == {"id": "at-new"}
    with db.reading() as tx:
        assert outbox.keys_known(tx, ["old", "new", "never"]) == {"old", "new"}


def test_a_key_that_was_replaced_is_not_queued_again(db):
    tell(db, "old")
    tell(db, "new")
    assert not tell(db, "old")
    assert not tell(db, "new")
    assert row(db, "new").payload == {"to": "new"}


def test_one_that_was_tried_keeps_its_place_and_its_words(db, monday):
    tell(db, "a")
    outside = Payloads(a=[Transient("down")])
    outbox.deliver_due(db, outside)
    tell(db, "b")
    tell(db, "c")
    monday.advance(timedelta(minutes=5))
    deliver_all(db, outside)
    assert outside.heard[1:] == [("a", "a"), ("c", "c")]


def test_nothing_is_moved_before_what_was_queued_between(db):
    tell(db, "a")
    tell(db, "meeting", replaces="")
    tell(db, "b")
    outside = Outside()
    deliver_all(db, outside)
    assert outside.heard == ["a", "meeting", "b"]


def test_only_the_same_thing_of_the_same_order_is_replaced(db):
    tell(db, "a")
    tell(db, "b", order_key="lead:led_2", replaces="lead:led_2:person")
    tell(db, "c", replaces="lead:led_1:company")
    assert states(db) == dict.fromkeys("abc", "waiting")


def test_one_that_is_paused_untried_is_replaced_and_stays_paused(db, monday):
    tell(db, "a")
    refused = AuthError("401")
    refused.held = "broken"
    outbox.deliver_due(db, Outside("con_1", a=[refused]))
    tell(db, "b")
    assert states(db) == {"b": "paused"}
    with db.transaction() as tx:
        outbox.resume(tx, "con_1")
    outside = Payloads()
    deliver_all(db, outside)
    assert outside.heard == [("b", "b")]


def test_one_that_waits_for_another_is_replaced(db, monday):
    tell(db, "a")
    outbox.deliver_due(db, Outside(a=[NotYet("x")]))
    tell(db, "b")
    assert states(db) == {"b": "waiting"}


def test_what_replaces_needs_an_order(db):
    with pytest.raises(ValueError, match="order"):
        queue(db, "a", replaces=SAME)


def test_trying_an_old_one_again_never_undoes_a_newer_one(db, monday):
    tell(db, "old")
    outside = Outside("con_1", old=[InvalidInput("bad")])
    deliver_all(db, outside)
    tell(db, "new")
    deliver_all(db, outside)
    with pytest.raises(Conflict, match="newer"):
        outbox.retry(db, row(db, "old").id, events.SYSTEM)
    assert outbox.retry_all(db, "con_1", events.SYSTEM) == 0
    assert states(db) == {"old": "withdrawn", "new": "done"}


def test_an_old_one_is_tried_again_while_the_newer_one_has_not_gone_out_either(db, monday):
    tell(db, "old")
    outside = Outside("con_1", old=[InvalidInput("bad")], new=[InvalidInput("bad")])
    deliver_all(db, outside)
    tell(db, "new")
    deliver_all(db, outside)
    assert outbox.retry_all(db, "con_1", events.SYSTEM) == 2
    deliver_all(db, outside)
    assert outside.heard == ["old", "new", "old", "new"]


def test_told_by_many_at_once_while_it_is_delivered_everybodys_last_words_come_last(db):
    """Eight tell of a lead each, two deliver: no key is lost, nothing is told twice, and never the older after the
    newer."""
    said, start = [], threading.Barrier(10)

    def hear(delivery):
        said.append(delivery.payload["to"])
        return {}

    def talk(who):
        start.wait()
        for n in range(6):
            tell(db, f"{who}-{n}", order_key=f"lead:{who}", replaces=f"lead:{who}:person")

    def work():
        start.wait()
        while any(one.is_alive() for one in talking):
            outbox.deliver_due(db, hear)

    talking = [threading.Thread(target=talk, args=(n,)) for n in range(8)]
    working = [threading.Thread(target=work) for _ in range(2)]
    [one.start() for one in [*talking, *working]]
    [one.join() for one in [*talking, *working]]
    wait_until(lambda: not outbox.deliver_due(db, hear) and set(states(db).values()) == {"done"}, what="all of it")
    with db.reading() as tx:
        rows = outbox.latest(tx, limit=1000)
        keys = [f"{who}-{n}" for who in range(8) for n in range(6)]
        assert outbox.keys_known(tx, keys) == set(keys)
    assert len(said) == len(set(said)) == len(rows)
    for who in map(str, range(8)):
        of = [one for one in said if one[0] == who]
        assert of == sorted(of)
        assert of[-1] == f"{who}-5"
