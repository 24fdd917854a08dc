"""The sample folder: correct, well tested by itself, accepted by editors, and what the README shows of it is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO

import jsonschema
import pytest
from ruamel.yaml import YAML

from server import rehearsal
from server.config import folder
from server.config import service as config
from server.config.editors import schemas
from server.playbooks.nodes import TYPES
from server.sections import SECTIONS
from tests.house.source import ROOT

FILES = folder.load(ROOT / "server" / "sample")
SCHEMAS = schemas(SECTIONS)
PLAYBOOKS = sorted(folder.names_in(FILES, "playbooks", ".yml"))


def test_an_owner_who_starts_from_the_sample_has_no_faults_and_no_failing_conversation():
    assert config.check(FILES, SECTIONS) == []
    ran = rehearsal.run(FILES)
    assert [f"{one.file}: {one.name}: {one.problem}" for one in ran if not one.passed] == []
    assert len(ran) >= 30


def test_breaking_a_playbook_makes_its_conversation_fail():
    broken = {
        **FILES,
        "playbooks/pricing.yml": FILES["playbooks/pricing.yml"].replace("What brings you here today?", "Why?"),
    }
    failed = [one for one in rehearsal.run(broken) if not one.passed]
    assert failed
    assert {one.file for one in failed} == {"tests/pricing.yml"}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_playbook_has_conversations_that_book_and_that_go_otherwise(name: str):
    stories = _yaml(FILES[f"tests/{name}.yml"])["tests"]
    assert len(stories) >= 4
    assert len({story.get("goal") for story in stories}) >= 2


def test_the_playbooks_show_every_kind_of_node_but_set():
    used = {key for name in PLAYBOOKS for node in _yaml(FILES[f"playbooks/{name}.yml"])["nodes"] for key in node}
    assert set(TYPES) - used <= {"set"}


def test_what_is_said_is_said_in_every_language_of_the_site():
    spoken = set(_yaml(FILES["site.yml"])["locales"])
    texts = [one for name, text in FILES.items() if name.endswith(".yml") for one in _translated(_yaml(text))]
    assert len(texts) > 50
    assert [one for one in texts if set(one) != spoken] == []


def test_the_pricing_page_speaks_first_and_the_blog_waits():
    shown = {name: _yaml(FILES[f"playbooks/{name}.yml"])["display"]["show"] for name in PLAYBOOKS}
    assert (shown["pricing"], shown["blog"]) == ("open", "quiet")


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_whoever_is_met_in_a_language_is_spoken_to_in_it_to_the_end(name: str):
    languages = set(_yaml(FILES["site.yml"])["locales"])
    texts = list(_texts(_yaml(FILES[f"playbooks/{name}.yml"])))
    assert texts
    assert [text for text in texts if set(text) != languages] == []


def _texts(part: object) -> Iterator[dict[str, str]]:
    """Every text that is written in more than one language."""
    if isinstance(part, dict) and {"en", "de"} & set(part):
        yield part
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _texts(one)


@pytest.mark.parametrize("file", sorted(FILES))
def test_an_editor_accepts_every_file(file: str):
    pattern = file if file in SCHEMAS else re.sub(r"/[^/]+\.", "/*.", file)
    text = FILES[file].split("---\n")[1] if file.endswith(".md") else FILES[file]
    jsonschema.validate(_as_json(_yaml(text)), SCHEMAS[pattern])


def test_an_editor_marks_a_misspelt_key():
    page = _yaml(FILES["playbooks/pricing.yml"]) | {"titel": "Pricing"}
    with pytest.raises(jsonschema.ValidationError, match="titel"):
        jsonschema.validate(_as_json(page), SCHEMAS["playbooks/*.yml"])


def test_the_playbook_in_the_readme_is_a_playbook():
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len(shown) == 1
    assert config.check({**FILES, "playbooks/readme.yml": shown[0]}, SECTIONS) == []


def test_the_files_in_the_readme_are_the_files_of_the_sample():
    listed = set(re.findall(r"^  (\S+\.(?:yml|md)) ", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    assert listed == {re.sub(r"/[^/]+\.", "/*.", file) for file in FILES}


def test_people_and_companies_of_the_sample_do_not_exist():
    domains = {found for text in FILES.values() for found in re.findall(r"[\w.-]+@([\w.-]+\w)", text)}
    assert domains
    assert {domain for domain in domains if not domain.endswith(".example")} <= {"company.com"}


def _yaml(text: str) -> dict:
    return YAML(typ="safe").load(StringIO(text))


def _as_json(value: object) -> object:
    """Dates as editors see them: text."""
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else value.isoformat()


def _translated(of: object) -> Iterator[dict[str, str]]:
    """Every text in several languages, wherever it stands."""
    if isinstance(of, dict) and {"en", "de"} <= set(of):
        yield of
    elif isinstance(of, dict | list):
        for one in of.values() if isinstance(of, dict) else of:
            yield from _translated(one)
