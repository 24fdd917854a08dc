"""Whatever happens to deliveries, in whatever order: what is behind another waits for it, nothing is lost, and what was
settled stays settled."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from plugins.errors import AmbiguousOutcome, AuthError, InvalidInput, PermissionDenied, QuotaExhausted, Transient
from plugins.errors import RateLimited as Limited
from server import clock, events
from server.db import Database
from server.errors import Conflict
from server.outbox import service as outbox
from server.outbox.service import NotYet
from tests.outbox.outside import Outside, queue, row

STORIES = 400 if os.environ.get("USHER_SOAK") else 15
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
TROUBLES = {
    "down": lambda: Transient("503"),
    "unknown": lambda: AmbiguousOutcome("no answer"),
    "slow": lambda: Limited("429"),
    "until": lambda: Limited("429", retry_after=clock.now() + timedelta(minutes=7)),
    "quota": lambda: QuotaExhausted("402", retry_after=clock.now() + timedelta(hours=7)),
    "auth": lambda: AuthError("401"),
    "refused": lambda: PermissionDenied("403"),
    "not yet": lambda: NotYet("x"),
    "bad": lambda: InvalidInput("no"),
}
delivers = st.tuples(st.just("deliver"), st.lists(st.sampled_from([*TROUBLES]), max_size=3))
steps = st.one_of(
    st.tuples(st.just("queue"), st.sampled_from("ab"), st.booleans()),
    delivers,
    delivers,
    st.tuples(st.just("wait"), st.sampled_from([1, 60, 3600, 40_000])),
    st.tuples(st.sampled_from(["resume", "resume", "retry all", "retry", "withdraw"])),
)


class Story(Outside):
    """An outside whose troubles come as the story says; it holds the order of what worked."""

    def __init__(self, db):
        super().__init__("con_1")
        self.db, self.queued, self.told, self.troubles = db, 0, [], []

    def __call__(self, delivery):
        if self.troubles and (name := self.troubles.pop(0)) != "well":
            self.answers = {delivery.key: [TROUBLES[name]()]}
        answer = super().__call__(delivery)
        self.told.append(delivery.payload["n"])
        return answer

    def queue(self, order, replaces):
        self.queued += 1
        n = self.queued
        queue(self.db, f"{order}{n}", order_key=order, replaces=order if replaces else "", payload={"n": [order, n]})

    def deliver(self, troubles):
        self.troubles = list(troubles)
        outbox.deliver_due(self.db, self)

    def do_with_the_last(self, what):
        with self.db.reading() as tx:
            found = outbox.latest(tx, limit=1)
        if found:
            try:
                {"retry": outbox.retry, "withdraw": outbox.withdraw}[what](self.db, found[0].id, events.SYSTEM)
            except Conflict:
                assert row(self.db, found[0].key).state in ("done", "leased", "withdrawn")


@pytest.fixture(scope="module")
def fresh(_all_tables, tmp_path_factory):
    def make():
        file = tmp_path_factory.mktemp("story") / "usher.db"
        shutil.copyfile(_all_tables, file)
        made = Database(f"sqlite:///{file}")
        event.listen(made.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        return made

    return make


@settings(max_examples=STORIES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=6, max_size=20))
def test_whatever_happens(fresh, story):
    db = fresh()
    with clock.stopped_at(START) as now:
        outside = Story(db)
        retried = False
        for order in "aabb":
            outside.queue(order, False)
        for what, *how in story:
            if what == "queue":
                outside.queue(*how)
            elif what == "deliver":
                outside.deliver(*how)
            elif what == "wait":
                now.advance(timedelta(seconds=how[0]))
            elif what == "resume":
                with db.transaction() as tx:
                    outbox.resume(tx, "con_1")
            elif what == "retry all":
                retried |= outbox.retry_all(db, "con_1", events.SYSTEM) > 0
            else:
                outside.do_with_the_last(what)
        hold_to_order(outside, retried)
        bring_to_an_end(db, outside, now)
        hold_to_order(outside, retried)
        with db.reading() as tx:
            rows = outbox.latest(tx, limit=1000)
            keys = [f"{order}{n}" for order in "ab" for n in range(1, outside.queued + 1)]
            known = outbox.keys_known(tx, keys)
        assert len(known) == outside.queued, "a key is unknown"
        assert {one.state for one in rows} <= {"done", "dead", "withdrawn"}
        told = [tuple(one) for one in outside.told]
        assert {tuple(one.payload["n"]) for one in rows if one.state == "done"} == set(told), "done and untold"
        assert len(told) == len(set(told)), "told again though it was settled"
    db.close()


def bring_to_an_end(db, outside, now):
    """Everything is well again, and time passes."""
    with db.transaction() as tx:
        outbox.resume(tx, "con_1")
    for _ in range(100):
        outside.deliver([])
        now.advance(timedelta(hours=2))
        with db.reading() as tx:
            if not {"waiting", "paused"} & set(outbox.counts(tx)):
                return


def hold_to_order(outside, retried):
    """A given-up one that a person has tried again comes later; all others in the order in which they were queued."""
    if not retried:
        for order in "ab":
            told = [n for name, n in outside.told if name == order]
            assert told == sorted(told)
