"""Fairness as a law: whatever happens, a turn never makes it worse, and soon everybody has had their share."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from server import ids
from server.config import service as config
from server.events import BOT
from server.routing import ledger
from server.routing import service as routing
from server.routing.membership import arrivals
from server.routing.pick import Candidate, Policy, Tally, choose, next_picks
from tests.routing.conftest import SECTIONS, SITE

START = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = "abcdef"


class Account(RuleBasedStateMachine):
    """An account kept by hand: members, what they have had, and the turns that can still come back."""

    weights: dict[str, Fraction]

    @initialize(team=st.integers(1, 4))
    def found(self, team):
        self.weights = {name: self.weight_of(name) for name in NAMES[:team]}
        self.tally, self.given, self.turns = Tally(dict.fromkeys(self.weights, Fraction(0))), [], 0

    def weight_of(self, name):
        return Fraction(100)

    def distances(self):
        """How far above the ideal share each is."""
        had = {name: self.tally.counts.get(name, Fraction(0)) for name in self.weights}
        total, weights = sum(had.values()), sum(self.weights.values())
        return {name: had[name] - self.weights[name] * total / weights for name in had}

    def spread(self):
        had = [self.tally.counts.get(name, Fraction(0)) for name in self.weights]
        return max(had) - min(had)

    def turn(self, free):
        reps = [Candidate(name, name in free, self.weights[name]) for name in sorted(self.weights)]
        picked = choose(Policy(), reps, self.tally).rep
        self.turns += 1
        self.tally = self.tally.plus(picked, START + timedelta(minutes=self.turns))
        self.given.append(picked)
        return picked

    def add(self, name, amount):
        self.tally = Tally({**self.tally.counts, name: self.tally.counts.get(name, 0) + amount}, self.tally.last_at)

    @rule()
    def somebody_books_when_all_are_free(self):
        before = self.spread()
        picked = self.turn(self.weights)
        assert self.distances()[picked] < 1
        self.is_no_worse(before)

    def is_no_worse(self, before):
        assert self.spread() <= max(1, before)

    @rule(data=st.data())
    def somebody_books_when_few_are_free(self, data):
        self.turn(data.draw(st.sets(st.sampled_from(sorted(self.weights)), min_size=1)))

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def a_turn_comes_back(self, data):
        """Cancelled, missed, or with a lead that was no fit."""
        index = data.draw(st.integers(0, len(self.given) - 1))
        self.add(self.given.pop(index), -1)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def a_meeting_goes_to_a_colleague(self, data):
        index = data.draw(st.integers(0, len(self.given) - 1))
        taker = data.draw(st.sampled_from(sorted(self.weights)))
        self.add(self.given[index], -1)
        self.add(taker, 1)
        self.given[index] = taker

    @rule(data=st.data(), amount=st.fractions(-3, 3, max_denominator=4))
    def somebody_is_calibrated(self, data, amount):
        self.add(data.draw(st.sampled_from(sorted(self.weights))), amount)

    @precondition(lambda self: len(self.weights) < len(NAMES))
    @rule(data=st.data())
    def somebody_joins(self, data):
        new = data.draw(st.sampled_from([name for name in NAMES if name not in self.weights]))
        apart, first = self.spread(), self.next_one()
        self.add(new, arrivals({**self.weights, new: self.weight_of(new)}, self.weights, self.tally.counts)[new])
        self.weights = {**self.weights, new: self.weight_of(new)}
        if self.distances()[new] == 0:  # who comes back with more than the share keeps it
            self.joined_without_harm(apart)
            assert self.next_one() in (first, new)

    def joined_without_harm(self, apart):
        assert self.spread() <= apart

    def next_one(self):
        reps = [Candidate(name, True, self.weights[name]) for name in sorted(self.weights)]
        return choose(Policy(), reps, self.tally).rep

    @precondition(lambda self: len(self.weights) > 1)
    @rule(data=st.data())
    def somebody_leaves(self, data):
        del self.weights[data.draw(st.sampled_from(sorted(self.weights)))]

    @rule()
    def a_new_period_begins(self):
        self.tally, self.given = Tally({}, self.tally.last_at), []

    def teardown(self):
        """After enough meetings with all free, everybody has had the share."""
        if not hasattr(self, "weights"):
            return
        most = max(self.tally.counts.get(name, Fraction(0)) / self.weights[name] for name in self.weights)
        short = sum(most * self.weights[name] - self.tally.counts.get(name, 0) for name in self.weights)
        for _ in range(int(short) + len(self.weights)):
            self.turn(self.weights)
        self.is_settled()

    def is_settled(self):
        assert self.spread() <= 1


class WeightedAccount(Account):
    """The same with half, whole and double weights: by the share instead of by the count."""

    def weight_of(self, name):
        return Fraction({"a": 200, "b": 50, "c": 100}.get(name, 100))

    def is_no_worse(self, before):
        pass  # what holds for counts of equal weights; the picked one's share is checked at every turn

    def joined_without_harm(self, apart):
        pass

    def is_settled(self):
        assert max(self.distances().values()) <= 1


TestAccount = Account.TestCase
TestWeightedAccount = WeightedAccount.TestCase
TestAccount.settings = TestWeightedAccount.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("once", "twice"), [pair for pair in itertools.product(range(9), range(9)) if 0 < sum(pair) <= 8]
)
def test_with_single_and_double_weights_nobody_is_ever_more_than_one_meeting_from_the_share(once, twice):
    weights = {str(number): Fraction(100 if number < once else 200) for number in range(once + twice)}
    reps = [Candidate(name, True, weight) for name, weight in weights.items()]
    had, total = dict.fromkeys(weights, Fraction(0)), sum(weights.values())
    for turn, pick in enumerate(next_picks(Policy(), reps, Tally({}), START, 2 * (once + 2 * twice)), start=1):
        had[pick.rep] += 1
        assert all(abs(had[name] - weights[name] * turn / total) <= 1 for name in weights)


DEEDS = st.sampled_from(
    ["book", "book", "book", "book few", "cancel", "no_show", "disqualify", "release", "reassign", "calibrate", "join", "leave", "month"]  # noqa: E501
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(DEEDS, st.integers(0, 10**6)), max_size=22))
def test_whatever_happens_in_the_database_a_turn_makes_it_no_worse_and_all_picks_can_be_made_again(
    sqlite_db, monday, deeds
):
    story = Story(sqlite_db, monday)
    for deed, number in deeds:
        story.do(deed, number)
    for _ in range(int(story.short()) + len(story.team)):
        story.book(story.team)
    assert story.spread() <= 1
    with sqlite_db.reading() as tx:
        replayed = routing.replay(tx, story.version.site_id, routing.pool_of(story.version, "p"))
    assert (replayed.picks, replayed.differences) == (story.picks, [])


class Story:
    """A site of its own, whose team and account change as told."""

    KINDS = {"cancel": ledger.CANCELLED, "no_show": ledger.NO_SHOW, "disqualify": ledger.DISQUALIFIED}

    def __init__(self, db, clock):
        self.db, self.clock, self.key = db, clock, f"s{ids.new_id('site')[-10:]}"
        self.team, self.open, self.picks = ["a", "b", "c"], [], 0
        self.apply()

    def apply(self):
        reps = "".join(f"  - {{id: {name}, name: {name}, email: {name}@x.example, zone: UTC}}\n" for name in NAMES)
        pool = f"pools: [{{id: p, members: [{', '.join(self.team)}], zone: America/Santiago}}]\n"
        files = {"site.yml": SITE.replace("key: acme", f"key: {self.key}"), "team.yml": f"reps:\n{reps}{pool}"}
        self.version = config.apply(self.db, files, author="test", sections=SECTIONS)
        self.pool = routing.pool_of(self.version, "p")

    def shares(self):
        with self.db.reading() as tx:
            return routing.rotation(tx, self.version, "p", 1).shares

    def spread(self):
        had = [share.count for share in self.shares()]
        return max(had) - min(had)

    def short(self):
        had = [share.count for share in self.shares()]
        return sum(max(had) - one for one in had)

    def book(self, free):
        self.clock.advance(timedelta(minutes=1))
        before, meeting = self.spread(), ids.new_id("meeting")
        with self.db.transaction() as tx:
            picked = routing.pick(tx, self.version, "p", free)
            trace = routing.pick_trace("p", picked)
            ledger.give(tx, self.version.site_id, self.pool, picked.rep, meeting, by=BOT, trace=trace)
        self.picks += 1
        self.open.append(meeting)
        if set(free) == set(self.team):
            assert self.spread() <= max(1, before)

    def do(self, deed, number):
        if deed == "book":
            self.book(self.team)
        elif deed == "book few":
            self.book([name for name in self.team if number % 7 > NAMES.index(name)] or self.team[:1])
        elif deed == "join" and len(self.team) < len(NAMES):
            self.team.append([name for name in NAMES if name not in self.team][number % (len(NAMES) - len(self.team))])
            self.apply()
        elif deed == "leave" and len(self.team) > 1:
            self.team.pop(number % len(self.team))
            self.apply()
        elif deed == "month":
            self.clock.advance(timedelta(days=31))
        elif deed == "calibrate":
            with self.db.transaction() as tx:
                amount = f"{number % 9 - 4 or 5}/{number % 3 + 1}"
                who = self.team[number % len(self.team)]
                routing.calibrate(tx, self.version, "p", who, amount, by=BOT, reason="by hand")
        elif deed in (*self.KINDS, "release", "reassign") and self.open:
            self.change(deed, self.open[number % len(self.open)], number)

    def change(self, deed, meeting, number):
        with self.db.transaction() as tx:
            if deed == "reassign":
                to = [self.team[number % len(self.team)]]
                ledger.move(tx, self.version.site_id, self.pool, meeting, to, by=BOT, reason="ill", trace={})
                return
            self.open.remove(meeting)
            if deed == "release":
                ledger.release(tx, meeting, by=BOT, reason="expired")
            else:
                ledger.credit(tx, meeting, self.KINDS[deed], by=BOT, reason=deed)
