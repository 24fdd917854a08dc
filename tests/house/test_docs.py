"""The documents: what is written from the code is up to date, what they name exists."""

from __future__ import annotations

import configparser
import re

import click
import pytest

from server.cli import usher
from tests.house.generated import DOCS, MARKS, PARTS, renewed
from tests.house.source import ROOT, kept_files, text

PAGES = [
    file for file in kept_files() if file.suffix == ".md" and file.parts[0] in {"README.md", "docs", "CHANGELOG.md"}
]


@pytest.mark.parametrize("name", DOCS)
def test_the_written_parts_of_a_page_are_what_the_code_says(name: str):
    page = (ROOT / "docs" / name).read_text()
    assert page == renewed(page), "run `python -m tests.house.generated`"


def test_every_part_that_can_be_written_stands_on_a_page():
    standing = {name for page in DOCS for _, name, _ in MARKS.findall((ROOT / "docs" / page).read_text())}
    assert standing == set(PARTS)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", _prose(text(page)))
    local = [link for link in links if not re.match(r"[a-z]+:|/", link)]
    assert not [link for link in local if not (ROOT / page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_that_a_page_shows_exist(page):
    assert not [line for line in _commands(text(page)) if not _exists(line.split())]


def test_the_test_command_of_ci_is_the_one_in_the_readme():
    called = [
        line
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert called == ["exec make test"]
    assert "make test" in _commands((ROOT / "README.md").read_text())


def test_every_library_we_install_has_its_reason():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    names = re.findall(r"(?m)^([A-Za-z][\w.-]*)", "\n".join(wanted))
    libraries = [name.lower() for name in names if not name.startswith("types-")]
    reasons = (ROOT / "docs" / "decisions.md").read_text().lower()
    assert len(libraries) > 30
    assert not [name for name in libraries if name not in reasons]


def _prose(page: str) -> str:
    """The page without its code: brackets in code are no links."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", page, flags=re.DOTALL)


def _commands(page: str) -> list[str]:
    """What a page tells to type: lines of its shell blocks, and commands named in a line."""
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", page, flags=re.DOTALL)
    lines = [line.split(" #")[0].strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`((?:make|usher) [^`\n]+)`", page)
    return [line for line in lines if line.startswith(("make ", "usher "))]


def _exists(words: list[str]) -> bool:
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return all("=" in word or word in targets for word in words[1:])
    command: click.Command = usher
    for word in words[1:]:
        if not isinstance(command, click.Group):
            return True
        if word.startswith("-"):
            return True
        if not (found := command.get_command(click.Context(command), word)):
            return False
        command = found
    return True
