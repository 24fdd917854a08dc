"""The parts of a site folder hold together: whatever one file names must exist in the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.config import folder as folders
from server.config import service as config
from server.config.editors import schemas
from server.sections import SECTIONS
from tests.playbooks.folder import MEETINGS, ROUTING, SEGMENTS, TEAM, folder

SAMPLE = Path(__file__).resolve().parent.parent / "server" / "sample"
HELLO = "nodes: [{id: hi, say: Hello}]"
STORY = "tests:\n  - name: a story\n    at: 2026-03-02T09:00:00Z\n    page: /\n"

ARTICLES = ("knowledge/prices.md", "knowledge/refunds.md")
LOST = {
    "a meeting's pool": (
        {"meetings.yml": MEETINGS.replace("pool: small", "pool: smal", 1)},
        'meetings.yml:3: meetings[0].pool: found "smal", allowed a pool: "big", "small"; did you mean "small"?',
    ),
    "a pool's member": (
        {"team.yml": TEAM.replace("members: [grace, linus]", "members: [grace, lins]")},
        'team.yml:11: pools[1].members[1]: found "lins", allowed a rep: "grace", "linus"; did you mean "linus"?',
    ),
    "a rule's pool": (
        {"routing.yml": ROUTING.replace("{pool: big}", "{pool: bigg}")},
        'routing.yml:5: rules[2].to.pool: found "bigg", allowed a pool: "big", "small"; did you mean "big"?',
    ),
    "a target account's owner": (
        {"segments.yml": SEGMENTS.replace("owner: grace", "owner: grce")},
        'segments.yml:6: targets[0].owner: found "grce", allowed a rep: "grace", "linus"; did you mean "grace"?',
    ),
    "a playbook's meeting": (
        {"playbooks/p.yml": "nodes: [{id: b, book: demmo}]"},
        'playbooks/p.yml:1: nodes[0].book: found "demmo", allowed a meeting of meetings.yml: "demo", "intro"; '
        'did you mean "demo"?',
    ),
    "a playbook's other meetings": (
        {"playbooks/p.yml": "nodes:\n  - id: b\n    book: demo\n    choices: [demo, call]"},
        'playbooks/p.yml:4: nodes[0].choices[1]: found "call", allowed a meeting of meetings.yml: "demo", "intro"',
    ),
    "an answer without articles": (
        {
            "playbooks/p.yml": "nodes:\n  - {id: a, answer: Why?}",
            "knowledge/prices.md": None,
            "knowledge/refunds.md": None,
        },
        "playbooks/p.yml:2: nodes[0].answer: found a question to answer, but there is no article in knowledge/",
    ),
    "a story's queue": (
        {"tests/t.yml": STORY + "    queue: larg\n"},
        'tests/t.yml:5: tests[0].queue: found "larg", allowed a pool, queue or rep: "big", "grace", "linus", "sdr", '
        '"small"',
    ),
    "a story's playbook": (
        {"tests/t.yml": STORY + "    playbook: q\n"},
        'tests/t.yml:5: tests[0].playbook: found "q", allowed a playbook: "p"',
    ),
    "a story's criterion": (
        {"tests/t.yml": STORY + "    answers: {neeed: met}\n"},
        'tests/t.yml:5: tests[0].answers.neeed: found "neeed", allowed a criterion of the framework: "need", "size"; '
        'did you mean "need"?',
    ),
    "what a story is given": (
        {"tests/t.yml": STORY + "    given: {account.employes: 5}\n"},
        "tests/t.yml:5: tests[0].given.account.employes: found the unknown name",
    ),
    "both sides in one step": (
        {"tests/t.yml": STORY + "    steps:\n      - {bot: Hi, visitor: Ho}\n"},
        "tests/t.yml:6: tests[0].steps[0]: found a mapping, allowed bot: or visitor:, one in each step",
    ),
    "a reply that is two": (
        {"tests/t.yml": STORY + "    steps:\n      - visitor: {slot: 1, action: person}\n"},
        "tests/t.yml:6: tests[0].steps[0].visitor: ",
    ),
    "a moment without zone": (
        {"tests/t.yml": STORY.replace("09:00:00Z", "09:00:00")},
        'tests/t.yml:3: tests[0].at: found "2026-03-02T09:00:00", allowed a moment with its zone, such as '
        "2026-03-02T09:00:00Z",
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_owner_is_told_what_is_named_in_one_file_and_missing_in_the_other(name: str) -> None:
    changed, expected = LOST[name]
    files = {**folder(p=HELLO), **changed}
    problems = config.check({file: text for file, text in files.items() if text is not None}, SECTIONS)
    assert len(problems) == 1, problems
    assert str(problems[0]).startswith(expected)


def test_a_good_folder_has_no_problem() -> None:
    assert config.check(folder(p=HELLO), SECTIONS) == []


def test_the_sample_folder_has_no_problem() -> None:
    assert config.check(folders.load(SAMPLE), SECTIONS) == []


def test_every_file_of_the_folder_has_a_schema_for_editors() -> None:
    assert set(schemas(SECTIONS)) == {
        "site.yml", "team.yml", "meetings.yml", "segments.yml", "routing.yml", "crm.yml", "alerts.yml",
        "playbooks/*.yml", "knowledge/*.md", "knowledge/synonyms.yml", "tests/*.yml",
    }  # fmt: skip
