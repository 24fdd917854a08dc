"""What an owner is told about a playbook that cannot work: file, line, what was found, what is allowed."""

from __future__ import annotations

import pytest

from server.config import service as config
from server.config.editors import schemas
from server.playbooks.nodes import TYPES
from server.playbooks.schema import Playbook
from server.sections import SECTIONS
from tests.playbooks.folder import folder

BROKEN = {
    "no node at all": (
        "nodes: []",
        "playbooks/p.yml:1: nodes: found a list, allowed at least 1 entry",
    ),
    "a mistyped node type": (
        "nodes:\n  - {id: hi, sya: Hello}\n",
        'playbooks/p.yml:2: nodes[0].sya: found no node type but "sya", allowed one of answer, ask, book, branch, end, '
        'enrol, handoff, objection, offer, route, say, set; did you mean "say"?',
    ),
    "two node types in one": (
        "nodes:\n  - {id: hi, say: Hello, ask: What?}\n",
        "playbooks/p.yml:2: nodes[0]: found the node types say, ask in one node, allowed one",
    ),
    "an unknown key of a node": (
        "nodes:\n  - id: size\n    ask: How many?\n    knd: number\n",
        'playbooks/p.yml:4: nodes[0].knd: unknown key "knd"; did you mean "kind"?',
    ),
    "an id twice": (
        "nodes:\n  - {id: hi, say: A}\n  - {id: hi, say: B}\n",
        'playbooks/p.yml:3: nodes[1].id: found "hi" twice, allowed every id once',
    ),
    "a jump to nowhere": (
        "nodes:\n  - {id: hi, say: A, next: by}\n  - {id: bye, end: B}\n",
        'playbooks/p.yml:2: nodes[0].next: found "by", allowed a node of this playbook: "bye", "hi"; '
        'did you mean "bye"?',
    ),
    "an arm to nowhere": (
        "nodes:\n  - id: split\n    branch:\n      - {when: visit.returning, next: x}\n      - {next: split}\n",
        'playbooks/p.yml:4: nodes[0].branch[0].next: found "x", allowed a node of this playbook: "split"',
    ),
    "an arm for everybody in the middle": (
        "nodes:\n  - id: s\n    branch:\n      - {next: s}\n      - {when: visit.returning, next: s}\n",
        "playbooks/p.yml:2: nodes[0]: found an arm without `when` before the last, allowed only as the last one",
    ),
    "a kind of question there is none of": (
        "nodes:\n  - {id: size, ask: How many?, kind: numbr}\n",
        'playbooks/p.yml:2: nodes[0].kind: found "numbr", allowed "text", "choice", "multi", "number", "email", '
        '"phone", "company" or "date"; did you mean "number"?',
    ),
    "a choice without options": (
        "nodes:\n  - {id: need, ask: What?, kind: choice}\n",
        "playbooks/p.yml:2: nodes[0]: a question of kind choice needs options, allowed [{id: …, label: …}, …]",
    ),
    "a place that does not exist": (
        "nodes:\n  - {id: size, ask: How many?, save: account.employes}\n",
        'playbooks/p.yml:2: nodes[0].save: found the unknown name "account.employes", allowed after account: city, '
        "country, csm, domain, employees, fields, id, industry, is_customer, is_target, name, owner, phone, region, "
        'revenue, tech, website; did you mean "account.employees"?',
    ),
    "a value that is worked out": (
        "nodes:\n  - {id: s, set: {lead.score: 99}}\n",
        "playbooks/p.yml:2: nodes[0].set.lead.score: lead.score is worked out, not told; "
        "allowed another lead field or lead.fields.…",
    ),
    "a meeting there is none of": (
        "nodes:\n  - {id: b, book: dmeo, choices: [intro, demo]}\n",
        'playbooks/p.yml:2: nodes[0].book: found "dmeo", allowed a meeting of meetings.yml: "demo", "intro"; '
        'did you mean "demo"?',
    ),
    "a queue there is none of": (
        "nodes:\n  - {id: h, handoff: sales}\n",
        'playbooks/p.yml:2: nodes[0].handoff: found "sales", allowed a queue of team.yml, or routed: "routed", "sdr"',
    ),
    "a criterion there is none of": (
        "nodes:\n  - {id: q, ask: What?, criterion: budget}\n",
        'playbooks/p.yml:2: nodes[0].criterion: found "budget", allowed a criterion of the framework: "need", "size"',
    ),
    "a token in a question to the knowledge": (
        'nodes:\n  - {id: a, answer: "What does {{ account.name }} pay?"}\n',
        "playbooks/p.yml:2: nodes[0]: found {{ … }} in the question of an answer, allowed a plain question",
    ),
    "a language that is none": (
        "nodes:\n  - id: hi\n    say: {en: Hello, deutsch!: Hallo}\n",
        'playbooks/p.yml:3: nodes[0].say.deutsch!: found "Hallo", allowed a language such as "en" or "de-AT"',
    ),
    "a condition that is none": (
        "audience: {when: account.employees >>= 5}\nnodes: [{id: hi, say: A}]\n",
        "playbooks/p.yml:1: audience.when: found \"account.employees >>= 5\": unexpected '>='",
    ),
    "an audience line that does not exist": (
        "audience: {paths: [/x]}\nnodes: [{id: hi, say: A}]\n",
        'playbooks/p.yml:1: audience.paths: unknown key "paths"; did you mean "path"?',
    ),
    "more than all of the traffic": (
        "traffic_percent: 120\nnodes: [{id: hi, say: A}]\n",
        "playbooks/p.yml:1: traffic_percent: found 120, allowed 100 or less",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_owner_is_told_file_line_and_what_is_allowed(name: str) -> None:
    text, expected = BROKEN[name]
    files = folder() | {"playbooks/p.yml": text}
    assert [str(problem) for problem in config.check(files, SECTIONS)] == [expected]


def test_every_node_type_of_the_folder_is_known_and_can_be_read() -> None:
    assert sorted(TYPES) == [
        "answer", "ask", "book", "branch", "end", "enrol", "handoff", "objection", "offer", "route", "say", "set",
    ]  # fmt: skip
    playbook = Playbook.model_validate(
        {"nodes": [{"id": "hi", "say": "Hello"}, {"id": "bye", "end": {"en": "Bye", "de": "Tschüss"}}]}
    )
    assert [type(node).__name__ for node in playbook.nodes] == ["Say", "End"]
    assert playbook.after == {"hi": "bye", "bye": ""}


def test_editors_get_a_schema_that_names_every_node_type() -> None:
    schema = schemas(SECTIONS)["playbooks/*.yml"]
    nodes = schema["properties"]["nodes"]["items"]["anyOf"]
    assert len(nodes) == len(TYPES)
    assert "skip_known" in str(schema)
