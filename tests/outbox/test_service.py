"""What is queued goes out at least once, in order where asked, and says why when it does not."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from plugins.errors import AuthError, InvalidInput, RateLimited, Transient
from server import clock, events
from server.errors import Conflict
from server.outbox import service as outbox


def queue(db, key, **more):
    with db.transaction() as tx:
        return outbox.queue(
            tx, site_id="sit_1", kind="notify", operation="send_mail", payload={"to": key}, key=key, **more
        )


def states(db):
    with db.reading() as tx:
        return {row.key: row.state for row in outbox.latest(tx)}


class Outside:
    """Hears deliveries; `answers` maps a key to the errors it gives first."""

    def __init__(self, **answers):
        self.heard, self.answers = [], answers

    def __call__(self, delivery):
        self.heard.append(delivery.key)
        troubles = self.answers.get(delivery.key)
        if troubles:
            raise troubles.pop(0)
        return {"id": f"at-{delivery.key}"}


def test_a_delivery_goes_out_once_and_its_answer_is_kept(db, monday):
    queue(db, "a")
    outside = Outside()
    assert outbox.deliver_due(db, outside) == 1
    assert outbox.deliver_due(db, outside) == 0
    with db.reading() as tx:
        assert outbox.by_key(tx, "a").result == {"id": "at-a"}
        assert [event.name for event in events.latest(tx, "sit_1", [events.DELIVERY_DONE])] == ["delivery.done"]


def test_the_same_key_is_queued_once(db):
    assert queue(db, "a")
    assert not queue(db, "a")


def test_what_the_caller_rolls_back_is_never_sent(db):
    with pytest.raises(RuntimeError), db.transaction() as tx:
        outbox.queue(tx, site_id="s", kind="notify", operation="send_mail", payload={}, key="a")
        raise RuntimeError
    assert outbox.deliver_due(db, Outside()) == 0


def test_an_unwell_service_is_tried_again_later_and_not_before(db, monday):
    queue(db, "a")
    outside = Outside(a=[Transient("down")])
    outbox.deliver_due(db, outside)
    assert states(db) == {"a": "waiting"}
    assert outbox.deliver_due(db, outside) == 0
    monday.advance(timedelta(seconds=30))
    outbox.deliver_due(db, outside)
    assert (states(db), outside.heard) == ({"a": "done"}, ["a", "a"])


def test_a_service_that_names_a_time_is_left_alone_until_then(db, monday):
    queue(db, "a")
    outside = Outside(a=[RateLimited("slow", retry_after=clock.now() + timedelta(hours=2))])
    outbox.deliver_due(db, outside)
    monday.advance(timedelta(hours=1, minutes=59))
    assert outbox.deliver_due(db, outside) == 0
    monday.advance(timedelta(minutes=1))
    assert outbox.deliver_due(db, outside) == 1


@pytest.mark.parametrize("trouble", [AuthError("401"), InvalidInput("no such address", field="to")])
def test_what_trying_again_cannot_mend_is_given_up_with_its_reason(db, monday, trouble):
    queue(db, "a")
    outbox.deliver_due(db, Outside(a=[trouble]))
    with db.reading() as tx:
        row = outbox.by_key(tx, "a")
        dead = events.latest(tx, "sit_1", [events.DELIVERY_DEAD])
    assert (row.state, row.problem_class, row.problem) == ("dead", type(trouble).__name__, trouble.user_message)
    assert dead[0].reason == trouble.user_message


def test_a_service_that_stays_unwell_is_given_up_after_twelve_tries(db, monday):
    queue(db, "a")
    outside = Outside(a=[Transient("down") for _ in range(20)])
    for _ in range(20):
        outbox.deliver_due(db, outside)
        monday.advance(timedelta(hours=2))
    assert len(outside.heard) == outbox.MOST_ATTEMPTS
    assert states(db) == {"a": "dead"}


def test_a_person_may_have_a_dead_one_tried_again_but_not_a_done_one(db, monday):
    queue(db, "a")
    outside = Outside(a=[AuthError("401")])
    outbox.deliver_due(db, outside)
    with db.reading() as tx:
        delivery_id = outbox.by_key(tx, "a").id
    outbox.retry(db, delivery_id, events.SYSTEM)
    outbox.deliver_due(db, outside)
    assert states(db) == {"a": "done"}
    with db.reading() as tx:
        assert len(events.latest(tx, "sit_1", [events.DELIVERY_RETRIED])) == 1
    with pytest.raises(Conflict):
        outbox.retry(db, delivery_id, events.SYSTEM)


def test_deliveries_of_one_order_wait_for_each_other(db, monday):
    for key in ("a", "b"):
        queue(db, key, order_key="meeting:1")
    queue(db, "c", order_key="meeting:2")
    outside = Outside(a=[Transient("down")])
    outbox.deliver_due(db, outside)
    assert outside.heard == ["a", "c"]
    monday.advance(timedelta(minutes=1))
    outbox.deliver_due(db, outside)
    outbox.deliver_due(db, outside)
    assert outside.heard == ["a", "c", "a", "b"]


def test_a_later_delivery_waits_for_its_time_and_can_be_withdrawn(db, monday):
    queue(db, "reminder", not_before=clock.now() + timedelta(days=1), cancel_key="meeting:1")
    queue(db, "other", not_before=clock.now() + timedelta(days=1), cancel_key="meeting:2")
    with db.transaction() as tx:
        assert outbox.cancel(tx, "meeting:1") == 1
    monday.advance(timedelta(days=2))
    outside = Outside()
    outbox.deliver_due(db, outside)
    assert (outside.heard, states(db)["reminder"]) == (["other"], "withdrawn")


def test_a_worker_that_died_in_the_middle_is_followed_by_another_after_its_lease(db, monday):
    queue(db, "a")

    class Killed(BaseException):
        pass

    def die(delivery):
        raise Killed

    with pytest.raises(Killed):
        outbox.deliver_due(db, die)
    outside = Outside()
    assert outbox.deliver_due(db, outside) == 0
    monday.advance(outbox.LEASE + timedelta(seconds=1))
    outbox.deliver_due(db, outside)
    assert (outside.heard, states(db)) == (["a"], {"a": "done"})


def test_four_workers_at_once_send_each_of_forty_deliveries_once(db):
    for n in range(40):
        queue(db, f"k{n}")
    outside, start = Outside(), threading.Barrier(4)

    def work():
        start.wait()
        while outbox.deliver_due(db, outside, most=5):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(outside.heard) == sorted(f"k{n}" for n in range(40))
