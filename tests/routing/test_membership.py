"""Who joins an account of turns starts where the others are; who leaves and comes back too; nobody is flooded."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import event, func, select

from server import clock, ids
from server.config import service as config
from server.events import BOT, Actor
from server.routing import ledger
from server.routing import service as routing
from server.routing.membership import arrivals
from server.routing.tables import credit_ledger
from tests.routing.conftest import FILES, SECTIONS, TEAM

GRACE = "{id: enterprise, members: [grace, linus], zone: Europe/Berlin, max_lead: 3}"


@pytest.fixture
def team(sqlite_db, monday):
    """Apply the folder with another line for the pool `enterprise`; reps named in `away` are inactive."""

    def apply(pool=GRACE, away=()):
        text = TEAM.replace(GRACE, pool)
        for rep in away:
            text = text.replace(f"email: {rep}@acme.example,", f"email: {rep}@acme.example, active: false,")
        return config.apply(sqlite_db, FILES | {"team.yml": text}, author="test", sections=SECTIONS)

    return apply


def turn(db, version, free=("grace", "linus", "joan"), pool="enterprise"):
    """A turn as booking gives it; returns (rep, meeting)."""
    meeting = ids.new_id("meeting")
    with db.transaction() as tx:
        picked = routing.pick(tx, version, pool, free)
        of = routing.pool_of(version, pool)
        trace = routing.pick_trace(pool, picked)
        ledger.give(tx, version.site_id, of, picked.rep, meeting, by=BOT, trace=trace)
    return picked.rep, meeting


def counts(db, version, pool="enterprise"):
    with db.reading() as tx:
        return {share.rep: share.count for share in routing.rotation(tx, version, pool).shares}


def kinds(db, *wanted):
    with db.reading() as tx:
        rows = tx.execute(select(credit_ledger).order_by(credit_ledger.c.rev, credit_ledger.c.id))
        return [(row.kind, row.rep, row.amount) for row in rows if row.kind in wanted]


def test_at_the_very_first_turn_everybody_joins_with_nothing(sqlite_db, team):
    version = team()
    turn(sqlite_db, version)
    assert kinds(sqlite_db, "joined") == [("joined", "grace", "0"), ("joined", "linus", "0")]


def test_a_newcomer_starts_at_the_share_of_those_who_are_there_and_is_not_flooded(sqlite_db, team):
    version = team()
    for _ in range(5):
        turn(sqlite_db, version)
    version = team(GRACE.replace("linus]", "linus, joan]"))
    next_ones = [turn(sqlite_db, version)[0] for _ in range(6)]
    assert kinds(sqlite_db, "joined")[2:] == [("joined", "joan", "5/2")]
    assert sorted(next_ones) == ["grace", "grace", "joan", "joan", "linus", "linus"]
    assert max(counts(sqlite_db, version).values()) - min(counts(sqlite_db, version).values()) <= 1


def test_a_newcomer_with_twice_the_weight_starts_at_twice_the_share(sqlite_db, team):
    version = team()
    for _ in range(6):
        turn(sqlite_db, version)
    version = team(GRACE.replace("linus], ", "linus, joan], weights: {joan: 200}, ").replace(", max_lead: 3", ""))
    next_ones = [turn(sqlite_db, version)[0] for _ in range(8)]
    assert kinds(sqlite_db, "joined")[2:] == [("joined", "joan", "6")]
    assert sorted(next_ones) == ["grace"] * 2 + ["joan"] * 4 + ["linus"] * 2


def test_who_was_away_comes_back_to_the_share_of_the_others(sqlite_db, team):
    version = team()
    turn(sqlite_db, version)
    version = team(away=["linus"])
    for _ in range(4):
        assert turn(sqlite_db, version)[0] == "grace"
    version = team()
    assert [turn(sqlite_db, version)[0] for _ in range(4)].count("linus") == 2
    assert kinds(sqlite_db, "joined", "left")[2:] == [("left", "linus", "0"), ("joined", "linus", "5")]


def test_who_has_had_more_than_the_share_comes_back_with_what_they_had(sqlite_db, team):
    version = team()
    for _ in range(3):
        turn(sqlite_db, version, free=["grace"])
    turn(sqlite_db, team(away=["grace"]))
    version = team()
    assert turn(sqlite_db, version)[0] == "linus"
    assert kinds(sqlite_db, "joined")[-1] == ("joined", "grace", "0")
    assert counts(sqlite_db, version) == {"grace": 3, "linus": 2}


def test_in_a_new_period_nobody_joins_again(sqlite_db, team, monday):
    version = team()
    turn(sqlite_db, version)
    monday.advance(timedelta(days=40))
    turn(sqlite_db, version)
    assert len(kinds(sqlite_db, "joined")) == 2
    assert sum(counts(sqlite_db, version).values()) == 1


def test_pools_with_one_account_have_one_membership(sqlite_db, team):
    version = team()
    for _ in range(4):
        turn(sqlite_db, version, pool="shared")
    turn(sqlite_db, version, pool="sharing")
    with sqlite_db.reading() as tx:
        joined = tx.execute(select(credit_ledger.c.rep).where(credit_ledger.c.kind == "joined")).scalars().all()
    assert sorted(joined) == ["grace", "joan", "linus"]
    assert kinds(sqlite_db, "left") == []


def test_a_whole_new_team_starts_with_what_it_has(sqlite_db, team):
    version = team()
    for _ in range(3):
        turn(sqlite_db, version)
    version = team(GRACE.replace("[grace, linus]", "[joan]"))
    assert turn(sqlite_db, version)[0] == "joan"
    assert kinds(sqlite_db, "joined", "left")[2:] == [
        ("left", "grace", "0"),
        ("left", "linus", "0"),
        ("joined", "joan", "0"),
    ]


def test_what_is_foretold_is_what_comes_also_for_a_newcomer_and_nothing_is_written(sqlite_db, team):
    version = team()
    for _ in range(5):
        turn(sqlite_db, version)
    version = team(GRACE.replace("linus]", "linus, joan]"))
    with sqlite_db.reading() as tx:
        before = tx.execute(select(func.count()).select_from(credit_ledger)).scalar()
        foretold = [one.rep for one in routing.simulate(tx, version, "enterprise", ["grace", "linus", "joan"], 5)]
        may = routing.who_may(tx, version, "enterprise")
        assert tx.execute(select(func.count()).select_from(credit_ledger)).scalar() == before
    assert may == ["grace", "linus", "joan"]
    assert [turn(sqlite_db, version)[0] for _ in range(5)] == foretold


def test_in_a_rolling_period_what_a_newcomer_began_with_leaves_it_with_what_the_others_had(sqlite_db, team, monday):
    rolling = GRACE.replace("max_lead: 3", "period: rolling, rolling_days: 10")
    version = team(rolling)
    for _ in range(8):
        turn(sqlite_db, version)
        turn(sqlite_db, version)
        monday.advance(timedelta(days=1))
    version = team(rolling.replace("linus]", "linus, joan]"))
    with sqlite_db.transaction() as tx:
        routing.pick(tx, version, "enterprise", ["grace"])
    assert counts(sqlite_db, version) == {"grace": 8, "linus": 8, "joan": 8}
    for _ in range(6):
        monday.advance(timedelta(days=1))
        had = counts(sqlite_db, version)
        assert had["grace"] == had["linus"] == had["joan"]
    assert had["joan"] == 4


def test_a_calibration_of_a_newcomer_is_not_swallowed_by_joining(sqlite_db, team):
    version = team()
    for _ in range(4):
        turn(sqlite_db, version)
    version = team(GRACE.replace("linus]", "linus, joan]"))
    with sqlite_db.transaction() as tx:
        supervisor = Actor("user", "usr_1", "Ann")
        routing.calibrate(tx, version, "enterprise", "joan", "2", by=supervisor, reason="demos by phone")
    assert counts(sqlite_db, version)["joan"] == 4


def test_a_conversation_that_keeps_an_old_version_books_nobody_who_has_left_since(sqlite_db, team):
    old = team()
    turn(sqlite_db, old)
    team(away=["linus"])
    with sqlite_db.reading() as tx:
        assert routing.who_may(tx, old, "enterprise") == ["grace"]
    assert turn(sqlite_db, old)[0] == "grace"
    assert kinds(sqlite_db, "left") == [("left", "linus", "0")]


def test_an_account_of_before_members_were_kept_begins_with_what_everybody_has_had(sqlite_db, team):
    version = team()
    pool = routing.pool_of(version, "enterprise")
    with sqlite_db.transaction() as tx:
        for _ in range(3):
            ledger.give(tx, version.site_id, pool, "grace", ids.new_id("meeting"), by=BOT, trace={})
    assert turn(sqlite_db, version)[0] == "linus"
    assert counts(sqlite_db, version) == {"grace": 3, "linus": 1}


def test_a_turn_costs_the_same_however_long_the_ledger(sqlite_db, team):
    """No statement of a pick may read the whole account: the planner must use an index for each."""
    version = team()
    turn(sqlite_db, version)
    seen = []
    event.listen(sqlite_db.engine, "before_cursor_execute", lambda *of: seen.append((of[2], of[3])))
    turn(sqlite_db, version)
    asked = [one for one in seen if "credit_ledger" in one[0] and not one[0].startswith("INSERT")]
    assert asked
    with sqlite_db.engine.connect() as tx:
        for statement, given in asked:
            plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
            assert not [line for line in plan if line.startswith("SCAN credit_ledger") or line.startswith("SCAN turn")]


def test_arrivals_are_exact_and_never_take_anything_away():
    weights = {"a": Fraction(100), "b": Fraction(50), "new": Fraction(25), "back": Fraction(100)}
    had = {"a": Fraction(4), "b": Fraction(1), "back": Fraction(9)}
    came = arrivals(weights, {"a", "b"}, had)
    assert came == {"new": Fraction(5 * 25, 150), "back": 0}
    assert arrivals(weights, set(), had) == dict.fromkeys(weights, 0)
    assert arrivals({"a": Fraction(0), "new": Fraction(1)}, {"a"}, had) == {"new": 0}


def test_the_period_of_a_turn_is_that_of_the_clock_of_the_pool_to_the_minute(sqlite_db, team, monday):
    version = team()
    monday.advance(clock.now().replace(day=31, hour=21, minute=59) - clock.now())  # 23:59 in Berlin, in summer time
    rep, meeting = turn(sqlite_db, version)
    monday.advance(timedelta(minutes=2))
    turn(sqlite_db, version, free=[rep])
    assert counts(sqlite_db, version)[rep] == 1
    with sqlite_db.transaction() as tx:
        ledger.credit(tx, meeting, ledger.CANCELLED, by=BOT, reason="")
    assert counts(sqlite_db, version)[rep] == 1  # a turn of March came back; in April nothing changes
