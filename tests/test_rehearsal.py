"""Conversations written down by owners: they pass, or the failure says where, what was expected and what was said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from server import clock, rehearsal
from server.config import folder as folders
from server.config import service as config
from server.sections import SECTIONS
from tests.playbooks.folder import folder

SAMPLE = Path(__file__).resolve().parent.parent / "server" / "sample"
PRICING = """
audience: {path: [/pricing]}
goal: book
nodes:
  - {id: hi, say: "Hi {{ lead.first_name | default('there') }}"}
  - {id: size, ask: How many people?, kind: number, save: account.employees, criterion: size}
  - {id: fruit, ask: Which?, kind: multi, options: [{id: a, label: Apples}, {id: b, label: Pears}]}
  - {id: route, route: default}
  - {id: meet, book: demo, text: Pick a time.}
  - {id: bye, end: See you!, outcome: booked}
"""
STORY = """
tests:
  - name: a big company books
    at: 2026-03-02T09:00:00Z
    page: {path: /pricing, utm: {source: google}}
    given: {lead.first_name: Grace}
    steps:
      - bot: hi grace
      - bot: /how many .*\\?/
      - bot: How MANY people
      - visitor: about 800
      - bot: Which? | Apples | Pears
      - visitor: {options: [b]}
      - bot: Pick a time
      - visitor: {slot: 2}
      - bot: is held for you
      - visitor: {form: {name: Grace, email: grace@wonka.example}}
      - bot: See you
      - visitor: {action: cancel_meeting}
      - bot: Shall I cancel
      - visitor: {option: "no"}
      - bot: stays
    playbook: pricing
    goal: book
    queue: big
    answers: {size: met}
"""


def played(story: str, **playbooks: str) -> list[rehearsal.Result]:
    files = folder(**playbooks or {"pricing": PRICING}) | {"tests/pricing.yml": story}
    assert config.check(files, SECTIONS) == []
    return rehearsal.run(files)


def said(story: str) -> str:
    [result] = played(story)
    assert not result.passed
    return str(result.problem)


def test_a_whole_conversation_is_played_to_its_goal() -> None:
    [result] = played(STORY.replace("      - bot: How MANY people\n", ""))
    assert (result.passed, result.problem) == (True, None)
    assert (result.file, result.name) == ("tests/pricing.yml", "a big company books")


def test_a_failure_names_file_and_line_and_tells_what_was_said_so_far() -> None:
    assert said(STORY) == (
        'tests/pricing.yml:10: tests[0].steps[2].bot: the bot should have said "How MANY people"\n'
        "    bot: Hi Grace\n"
        "    bot: How many people?"
    )


SHORT = """
tests:
  - name: short
    at: 2026-03-02T09:00:00Z
    page: /pricing
    steps: [{visitor: "12"}, {visitor: {options: [a]}}]
"""


def test_each_expectation_about_the_end_fails_with_what_was_reached() -> None:
    assert said(f"{SHORT}    goal: book\n").startswith(
        'tests/pricing.yml:7: tests[0].goal: expected "book", reached: route, none'
    )
    assert said(f"{SHORT}    queue: big\n").startswith(
        'tests/pricing.yml:7: tests[0].queue: expected "big", got "small"'
    )
    assert said(f"{SHORT}    answers: {{size: not_met}}\n").startswith(
        'tests/pricing.yml:7: tests[0].answers.size: expected "not_met", got "met"'
    )
    assert said(f"{SHORT}    answers: {{need: met}}\n").startswith(
        'tests/pricing.yml:7: tests[0].answers.need: expected "met", got "not asked"'
    )


def test_a_visitor_cannot_press_what_is_not_there() -> None:
    nothing = "tests:\n  - {name: x, at: 2026-03-02T09:00:00Z, page: /pricing, steps: [{visitor: {slot: 1}}]}\n"
    assert said(nothing).startswith("tests/pricing.yml:2: tests[0].steps[0].visitor: the bot has shown no slots")
    too_many = SHORT.replace("{options: [a]}}]", "{options: [a]}}, {visitor: {slot: 999}}]")
    assert "times were offered" in said(too_many)


def test_a_refused_message_is_a_failure() -> None:
    empty = SHORT.replace('visitor: "12"', 'visitor: ""')
    assert said(empty).startswith(
        "tests/pricing.yml:6: tests[0].steps[0].visitor: the message was refused: Write something first."
    )


def test_the_wrong_playbook_is_a_failure() -> None:
    story = "tests:\n  - {name: x, at: 2026-03-02T09:00:00Z, page: /blog, playbook: pricing}\n"
    assert said(story).startswith('tests/pricing.yml:2: tests[0].playbook: expected "pricing", got "none"')


def test_a_story_without_steps_is_a_case_for_routing() -> None:
    case = "tests:\n  - {{name: x, at: 2026-03-02T09:00:00Z, page: /, given: {given}, queue: {queue}}}\n"
    for given, queue in (
        ("{account.employees: 900}", "big"),
        ("{account.employees: 9}", "small"),
        ("{account.domain: eu.initech.example}", "linus"),
        ("{account.is_target: true, account.owner: grace}", "grace"),
    ):
        [result] = played(case.format(given=given, queue=queue))
        assert result.passed, result.problem
    [wrong] = played(case.format(given="{account.employees: 900}", queue="small"))
    assert str(wrong.problem).startswith('tests/pricing.yml:2: tests[0].queue: expected "small", got "big"')


def test_the_clock_of_a_story_decides_what_is_open() -> None:
    night = PRICING.replace("{id: hi,", "{id: b, branch: [{when: not now.open, next: bye}]}\n  - {id: hi,")
    story = "tests:\n  - {name: x, at: 2026-03-02T22:00:00Z, page: /pricing, steps: [{bot: See you}], goal: booked}\n"
    [result] = played(story, pricing=night)
    assert result.passed, result.problem
    assert abs(clock.now() - datetime.now(UTC)).total_seconds() < 60


def test_rehearsals_are_the_same_every_time_and_know_nothing_of_each_other() -> None:
    twice = STORY.replace("      - bot: How MANY people\n", "")
    both = twice + twice.split("tests:\n")[1]
    first, second = played(both), played(both)
    assert first == second
    assert [one.passed for one in first] == [True, True]


def test_a_site_with_services_outside_is_rehearsed_without_them() -> None:
    files = folder(pricing=PRICING) | {"tests/pricing.yml": STORY.replace("      - bot: How MANY people\n", "")}
    files["site.yml"] += "adapters: {crm: salesforce, calendar: google, ai: none-such}\n"
    [result] = rehearsal.run(files)
    assert result.passed, result.problem


def test_a_folder_without_tests_has_nothing_to_play() -> None:
    assert rehearsal.run(folder(pricing=PRICING)) == []


def test_the_sample_conversations_hold() -> None:
    failed = [str(result.problem) for result in rehearsal.run(folders.load(SAMPLE)) if not result.passed]
    assert failed == []
