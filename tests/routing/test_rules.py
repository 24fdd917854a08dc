"""Rules send a visitor to the right person, with the reason and all that was looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server import clock, events
from server.routing import service as routing
from server.routing.schema import Segments
from tests.routing.conftest import ROUTING, SEGMENTS, TEAM

BLOG = {"path": "/blog/what-is-it"}


def decide(version, **values):
    decision = routing.judge(version, values, clock.now())
    return decision.kind, decision.target, decision.rule


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"account": {"is_customer": True, "csm": "joan"}}, ("rep", "joan", "customers")),
        ({"account": {"is_customer": True, "csm": "JOAN@acme.example"}}, ("rep", "joan", "customers")),
        ({"account": {"is_customer": True}}, ("queue", "success", "customers")),
        ({"account": {"is_customer": True, "csm": "gone"}}, ("queue", "success", "customers")),
        ({"account": {"is_target": True, "owner": "grace"}}, ("rep", "grace", "targets")),
        ({"account": {"is_target": True, "owner": "stranger"}}, ("pool", "weekly", "rest")),
        ({"lead": {"owner": "linus"}}, ("rep", "linus", "owned")),
        ({"segment": "student"}, ("resource", "/blog/start", "students")),
        ({"segment": "enterprise"}, ("pool", "enterprise", "enterprise")),
        ({"intent": "low"}, ("queue", "sdr", "readers")),
        ({}, ("pool", "weekly", "rest")),
    ],
)
def test_first_rule_that_says_yes_and_leads_to_somebody_decides(version, values, expected):
    assert decide(version, **values) == expected


def test_after_hours_a_queue_means_booking_unless_it_says_otherwise(version, monday):
    monday.advance(timedelta(hours=14))
    assert decide(version, intent="low") == ("booking_only", "sdr", "readers")
    assert decide(version, account={"is_customer": True}) == ("queue", "success", "customers")
    assert decide(version, segment="enterprise") == ("pool", "enterprise", "enterprise")


def test_unknown_is_not_no_but_does_not_decide_either(version):
    trace = routing.judge(version, {"account": {}}, clock.now()).trace
    assert [(one["name"], one["answer"]) for one in trace["looked_at"]] == [
        ("customers", "unknown"), ("targets", "unknown"), ("owned", "unknown"), ("students", "unknown"),
        ("enterprise", "unknown"), ("readers", "unknown"), ("rest", "yes"),
    ]  # fmt: skip


def test_the_decision_is_kept_with_what_it_saw(db, version):
    with db.transaction() as tx:
        values = {"account": {"is_customer": True, "csm": "joan"}}
        decision = routing.decide(tx, version, values, conversation_id="cnv_1")
        kept = events.of_conversation(tx, "cnv_1")[0]
    assert (kept.name, kept.trigger, kept.reason) == (events.LEAD_ROUTED, "customers", "Customers know their CSM")
    assert kept.data == {"kind": "rep", "target": "joan"}
    assert kept.trace == decision.trace
    assert kept.trace["chosen"] == "customers: rep joan"
    assert kept.trace["looked_at"][0]["saw"] == {"account.is_customer": True}
    assert kept.version_id == version.id


def test_without_rules_nobody_is_found_and_it_says_so(version):
    bare = type(version)({**version.files, "routing.yml": ""}, site_id=version.site_id)
    assert decide(bare) == ("nobody", "", "")


def test_segments_intents_and_lists_tell_who_a_visitor_is(version):
    segments = version.part(Segments)
    assert segments.segment_of({"account": {"employees": 800}}) == "enterprise"
    assert segments.segment_of({"account": {"employees": 8}}) is None
    assert [segments.intent_of({"page": {"path": path}}) for path in ("/pricing/x", "/blog", "/")] == [
        "high", "low", "medium",
    ]  # fmt: skip
    assert segments.of_domain("EU.Globex.example") == {"is_target": True, "name": "Globex", "owner": "grace"}
    assert segments.of_domain("initech.example") == {"is_customer": True, "name": "Initech", "csm": "joan"}
    assert segments.of_domain("notglobex.example") == {}


@pytest.mark.parametrize(
    ("criterion", "value", "status"),
    [
        ("need", "grow", "met"), ("need", "study", "not_met"), ("need", None, "unknown"), ("budget", 4999, "not_met"),
        ("budget", "a lot", "unknown"), ("authority", "boss", "met"), ("authority", False, "not_met"),
    ],
)  # fmt: skip
def test_an_answer_meets_a_criterion_or_not_and_silence_is_unknown(version, criterion, value, status):
    assert version.part(Segments).status_of(criterion, value) == status


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("team", TEAM.replace("members: [grace, linus], zone: Europe/Berlin, max_lead", "members: [grce], max_lead"),
         'team.yml:7: pools[0].members[0]: found "grce", allowed a rep: "gone", "grace", "joan", "linus"; did you mean "grace"?'),  # noqa: E501
        ("team", TEAM.replace("weights: {grace: 200}", "weights: {joan: 200}"),
         'team.yml:8: pools[1].weights.joan: found "joan", allowed a member of this pool: "gone", "grace", "linus"'),
        ("team", TEAM.replace("id: linus, name", "id: grace, name"), 'team.yml:1: found the rep "grace" twice, allowed every id once'),  # noqa: E501
        ("team", TEAM + "  - {id: other, members: [joan], queue: 1}\n",
         'team.yml:14: queues[2].queue: unknown key "queue", allowed "id", "members", "sla", "after_hours"'),
        ("segments", SEGMENTS.replace("owner: grace", "owner: grase"),
         'segments.yml:7: targets[0].owner: found "grase", allowed a rep: "gone", "grace", "joan", "linus"; did you mean "grace"?'),  # noqa: E501
        ("segments", SEGMENTS.replace("[need, budget]", "[need, buget]"),
         'segments.yml:3: segments[1].criteria[1]: found "buget", allowed a criterion of the framework: "authority", "budget", "need"; did you mean "budget"?'),  # noqa: E501
        ("segments", SEGMENTS.replace("account.employees >= 500", 'intent == "high"'),
         'segments.yml:1: found segment or intent in the condition of "enterprise", allowed other names'),
        ("routing", ROUTING.replace("pool: enterprise}", "pool: entreprise}"),
         'routing.yml:7: rules[4].to.pool: found "entreprise", allowed a pool: "enterprise", "shared", "sharing", "weekly"; did you mean "enterprise"?'),  # noqa: E501
        ("routing", ROUTING.replace("when: intent == \"low\", ", ""),
         'routing.yml:8: rules[5]: found no condition, so the rules after "readers" are never asked; allowed in the last rule only'),  # noqa: E501
        ("routing", ROUTING.replace("{pool: weekly}", "{pool: weekly, rep: grace}"),
         "routing.yml:9: rules[6].to: found a mapping, allowed exactly one of csm, owner, rep, pool, queue, resource"),
    ],
)  # fmt: skip
def test_a_broken_folder_is_explained_by_line(problems, file, text, problem):
    assert problems(**{file: text}) == [problem]


def test_pools_that_share_an_account_count_in_the_same_way(problems):
    wrong = problems(
        team=TEAM.replace("counter: pot, zone: UTC}\n  - {id: sharing", "counter: pot}\n  - {id: sharing, period: week")
    )
    assert [one.split(": ", 2)[1] for one in wrong] == ["pools[2].counter", "pools[3].counter"]
