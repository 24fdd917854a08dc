"""`within_hours`: what a site folder may say of a rule that falls through, and what the decision tells."""

from __future__ import annotations

import pytest

from server import clock
from server.config import service as config
from server.routing import service as routing
from server.routing.checks import check_routing
from server.routing.schema import Routing
from server.sections import SECTIONS
from tests.playbooks.folder import folder

RULE = "- {id: targets, when: account.is_target, to: {owner: account}}"
TARGET = {"account": {"is_target": True, "owner": "grace"}}


def applied(db, rule):
    files = folder(p="nodes: [{id: hi, say: Hello}]")
    files["routing.yml"] = files["routing.yml"].replace(RULE, f"- {{id: targets, when: account.is_target, {rule}}}")
    return files, lambda: config.apply(db, files, author="test", sections=SECTIONS)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("to: {owner: account}, within_hours: 24", "nobody to fall back on"),
        ("to: {owner: account}, else_to: {queue: sdr}, within_hours: 24", "nobody to fall back on"),
        ("to: {pool: big}, else_to: {pool: small}, within_hours: 24", "found it for a pool"),
        ("to: {owner: account}, else_to: {pool: small}, within_hours: 0", "allowed 1 or more"),
    ],
)
def test_a_rule_that_falls_through_says_from_whom_and_to_whom(sqlite_db, rule, told):
    files, _ = applied(sqlite_db, rule)
    problems = [str(one) for one in config.check(files, SECTIONS)]
    assert [one for one in problems if "within_hours" in one and told in one], problems


def test_the_decision_knows_who_meets_the_visitor_otherwise(sqlite_db):
    _, apply = applied(sqlite_db, "to: {owner: account}, else_to: {pool: small}, within_hours: 24")
    decision = routing.judge(apply(), TARGET, clock.now())
    assert (decision.kind, decision.target) == ("rep", "grace")
    assert (decision.otherwise, decision.within_hours) == (("pool", "small"), 24)


def test_an_owner_who_is_nobody_leaves_the_others_alone_to_decide(sqlite_db):
    _, apply = applied(sqlite_db, "to: {owner: account}, else_to: {pool: small}, within_hours: 24")
    version = apply()
    decision = routing.judge(version, {"account": {"is_target": True, "owner": "stranger"}}, clock.now())
    assert (decision.kind, decision.target, decision.otherwise) == ("pool", "small", None)
    assert check_routing(version) == []
    assert version.part(Routing).rules[1].within_hours == 24
