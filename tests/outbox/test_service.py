"""What is queued goes out at least once, in order where asked, and says why when it does not."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from plugins.errors import AmbiguousOutcome, InvalidInput, NotFound, RateLimited, Transient
from server import clock, events
from server.errors import Conflict
from server.outbox import leases
from server.outbox import service as outbox
from tests.processes import ROOT, wait_until


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


@pytest.mark.parametrize("trouble", [NotFound("404"), InvalidInput("no such address", field="to")])
def test_what_trying_again_cannot_mend_is_given_up_with_its_reason(db, monday, trouble):
    queue(db, "a")
    outbox.deliver_due(db, Outside(a=[trouble]))
    with db.reading() as tx:
        row = outbox.by_key(tx, "a")
        dead = events.latest(tx, "sit_1", [events.DELIVERY_DEAD])
    assert (row.state, row.problem_class, row.problem) == ("dead", type(trouble).__name__, trouble.user_message)
    assert dead[0].reason == trouble.user_message


@pytest.mark.parametrize("kind", [Transient, AmbiguousOutcome])
def test_a_service_that_stays_unwell_is_given_up_after_three_days(db, monday, kind):
    queue(db, "a")
    outside, began = Outside(a=[kind("down") for _ in range(200)]), clock.now()
    while states(db) == {"a": "waiting"}:
        outbox.deliver_due(db, outside)
        with db.reading() as tx:
            monday.at = max(clock.now(), outbox.by_key(tx, "a").not_before)
    assert timedelta(hours=72) <= clock.now() - began < timedelta(hours=74)
    assert 70 < len(outside.heard) < 110
    assert states(db) == {"a": "dead"}


def test_a_person_may_have_a_dead_one_tried_again_but_not_a_done_one(db, monday):
    queue(db, "a")
    outside = Outside(a=[NotFound("404")])
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


DIES = """
import os, signal, sys
from server.db import Database
from server.outbox import service as outbox
outbox.deliver_due(Database(sys.argv[1]), lambda delivery: os.kill(os.getpid(), signal.SIGKILL))
"""


def killed_in_mid_delivery(database_url):
    subprocess.run([sys.executable, "-c", DIES, database_url], cwd=ROOT, check=False)


def test_what_a_killed_process_had_in_hand_goes_out_at_once(db, database_url):
    queue(db, "a")
    killed_in_mid_delivery(database_url)
    outside = Outside()
    assert (outbox.deliver_due(db, outside), states(db)) == (0, {"a": "leased"})
    assert outbox.release_dead(db) == 1
    outbox.deliver_due(db, outside)
    assert (outside.heard, states(db)) == (["a"], {"a": "done"})


def test_what_was_in_hand_when_its_worker_died_again_and_again_rests_before_the_next_try(sqlite_db):
    url = sqlite_db.url.render_as_string(hide_password=False)
    queue(sqlite_db, "a")
    for _ in range(outbox.MOST_DEATHS):
        killed_in_mid_delivery(url)
        outbox.release_dead(sqlite_db)
    assert (outbox.deliver_due(sqlite_db, Outside()), states(sqlite_db)) == (0, {"a": "waiting"})


def test_a_process_that_lives_a_number_used_again_and_other_machines_are_not_taken_for_dead():
    mine = leases.new_owner()
    machine, pid, started, token = mine.split("/")
    assert not leases.is_gone(mine)
    assert leases.is_gone(f"{machine}/{pid}/{int(started) - 1}/{token}")
    for elsewhere in (f"{machine}x/1/{started}/{token}", f"{machine}/1", "host:1:token", "", f"{machine}/{pid}//x"):
        assert not leases.is_gone(elsewhere)
    child = subprocess.Popen(["sleep", "60"])
    theirs = f"{machine}/{child.pid}/{leases._started(child.pid)}/x"
    assert not leases.is_gone(theirs)
    child.kill()
    wait_until(lambda: leases.is_gone(theirs), what="a child that nobody has waited for being seen as dead")
    child.wait()
    assert leases.is_gone(theirs)


def test_what_takes_longer_than_its_lease_is_not_started_by_another_meanwhile(db, monday):
    queue(db, "a")
    queue(db, "b")
    seen, ends, lease = [], threading.Event(), timedelta(seconds=0.6)

    def slow(delivery):
        seen.append(delivery.key)
        ends.wait(20)
        return {}

    def until():
        with db.reading() as tx:
            return max(row.lease_until for row in outbox.latest(tx))

    first = threading.Thread(target=outbox.deliver_due, args=(db, slow), kwargs={"lease": lease})
    first.start()
    wait_until(lambda: seen, what="the first delivery")
    for _ in range(3):
        monday.advance(lease * 0.6)
        wait_until(lambda: until() == clock.now() + lease, what="the lease being kept")
    assert outbox.deliver_due(db, slow) == 0
    ends.set()
    first.join()
    assert (seen, states(db)) == (["a", "b"], {"a": "done", "b": "done"})


def test_who_has_lost_the_lease_starts_nothing_more(db, monday):
    queue(db, "a")
    queue(db, "b")
    outside = Outside()

    def sleeps_long(delivery):
        outside.heard.append(f"{delivery.key}, asleep")
        monday.advance(outbox.LEASE + timedelta(seconds=1))
        outbox.deliver_due(db, outside)
        return {}

    outbox.deliver_due(db, sleeps_long)
    assert (outside.heard, states(db)) == (["a, asleep", "a", "b"], {"a": "done", "b": "done"})


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
