"""Broken site folders: their owner reads file, line, place, what was found, what is allowed."""
from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from server.config import folder, service
from server.config.problems import Problem, unknown_name
from server.config.schema import FolderPart, Identifier, Part, Zone
from server.config.version import Section, Version
from server.errors import ConfigProblems
from server.expressions import Expression, LocaleText

SITE = """\
key: acme
name: Acme Analytics
origins: [http://localhost:8010]
zone: Europe/Berlin
"""


class Rep(Part):
    id: Identifier
    zone: Zone
    weight: int = Field(100, ge=0, le=1000)
    role: Literal["ae", "sdr"] = "ae"


class Team(Part):
    """A small team.yml: what this room promises must hold for the models of every room."""

    FILE: ClassVar[str] = "team.yml"
    reps: list[Rep] = Field(min_length=1)


class Playbook(FolderPart):
    FOLDER: ClassVar[str] = "playbooks"
    title: LocaleText
    when: Expression | None = None
    rep: str = ""


def reps_exist(version: Version) -> list[Problem]:
    known = [rep.id for rep in version.part(Team).reps]
    return [
        version.problem(f"playbooks/{name}.yml", ("rep",), unknown_name(playbook.rep, known, "a rep"))
        for name, playbook in version.part(Playbook).items()
        if playbook.rep and playbook.rep not in known
    ]


SECTIONS = [Section(Team), Section(Playbook, reps_exist)]
TEAM = "reps:\n  - id: grace\n    zone: Europe/Berlin\n"


def said(files: dict[str, str]) -> list[str]:
    good = {"site.yml": SITE, "team.yml": TEAM}
    return [str(problem) for problem in service.check({**good, **files}, SECTIONS)]


def test_a_good_folder_has_no_problems() -> None:
    assert said({"playbooks/pricing.yml": "title: Prices\nwhen: account.employees > 5\nrep: grace\n"}) == []


BROKEN: dict[str, tuple[dict[str, str], list[str]]] = {
    "unknown key": (
        {"site.yml": SITE + "nmae: x\n"},
        ['site.yml:5: nmae: unknown key "nmae"; did you mean "name"?'],
    ),
    "unknown key far from all": (
        {"team.yml": TEAM + "    xyzzy: 1\n"},
        ['team.yml:4: reps[0].xyzzy: unknown key "xyzzy", allowed "id", "zone", "weight", "role"'],
    ),
    "missing key": (
        {"team.yml": "reps:\n  - id: grace\n    zone: UTC\n  - id: linus\n"},
        ['team.yml:4: reps[1]: missing key "zone"'],
    ),
    "key without a value": (
        {"site.yml": SITE.replace("name: Acme Analytics", "name:")},
        ['site.yml:1: missing key "name"'],
    ),
    "zone with a typing error": (
        {"team.yml": TEAM.replace("Berlin", "Berln")},
        ['team.yml:3: reps[0].zone: found "Europe/Berln", allowed an IANA zone; did you mean "Europe/Berlin"?'],
    ),
    "value not on the list": (
        {"site.yml": SITE + "consent: on_open\n"},
        ['site.yml:5: consent: found "on_open", allowed "none", "on-open" or "external"; did you mean "on-open"?'],
    ),
    "word for a number": (
        {"team.yml": TEAM + "    weight: heavy\n"},
        ['team.yml:4: reps[0].weight: found "heavy", allowed a whole number'],
    ),
    "number too large": (
        {"team.yml": TEAM + "    weight: 2000\n"},
        ["team.yml:4: reps[0].weight: found 2000, allowed 1000 or less"],
    ),
    "number for a text": (
        {"site.yml": SITE.replace("Acme Analytics", "2026")},
        ["site.yml:2: name: found 2026, allowed text; put it in quotes"],
    ),
    "mapping for a list": (
        {"team.yml": "reps: {id: grace, zone: UTC}\n"},
        ["team.yml:1: reps: found a mapping, allowed a list"],
    ),
    "empty list": (
        {"team.yml": "reps: []\n"},
        ["team.yml:1: reps: found a list, allowed at least 1 entry"],
    ),
    "list for a file": (
        {"team.yml": "- id: grace\n"},
        ["team.yml:1: found a list, allowed a mapping of keys and values"],
    ),
    "key twice": (
        {"team.yml": TEAM + "    id: linus\n"},
        ['team.yml:4: found the key "id" twice, allowed once'],
    ),
    "tab for spaces": (
        {"team.yml": "reps:\n\t- id: grace\n"},
        [
            "team.yml:2: cannot be read as YAML: while scanning for the next token: found character 'a tab' "
            "that cannot start any token (indent with spaces; a text that starts with @, %, ` or & needs quotes)"
        ],
    ),
    "colon in a text": (
        {"playbooks/a.yml": "title: Note: this\n"},
        [
            "playbooks/a.yml:1: cannot be read as YAML: mapping values are not allowed here "
            "(a text with a colon needs quotes; or the line is indented wrongly)"
        ],
    ),
    "code in a tag": (
        {"team.yml": 'reps: !!python/object/apply:os.system ["true"]\n'},
        ['team.yml:1: found the tag "!!python/object/apply:os.system", allowed plain values without tags'],
    ),
    "bad condition": (
        {"playbooks/a.yml": "title: A\nwhen: account.employes > 5\n"},
        [
            'playbooks/a.yml:2: when: found the unknown name "account.employes", allowed after account: city, country, '
            "csm, domain, employees, fields, id, industry, is_customer, is_target, name, owner, phone, region, "
            'revenue, tech, website; did you mean "account.employees"?'
        ],
    ),
    "bad text in one language": (
        {"playbooks/a.yml": "title:\n  en: Hello\n  de: Hallo {{ lead.name\n"},
        [
            'playbooks/a.yml:3: title.de: found "Hallo {{ lead.name": unexpected end of template, '
            "expected 'end of print statement'"
        ],
    ),
    "name of nobody": (
        {"playbooks/a.yml": "title: A\nrep: grce\n"},
        ['playbooks/a.yml:2: rep: found "grce", allowed a rep: "grace"; did you mean "grace"?'],
    ),
    "opening hours of an unknown day": (
        {"site.yml": SITE + 'hours:\n  - days: [mon, tues]\n    start: "9:00"\n    end: "18:00"\n'},
        [
            'site.yml:6: hours[0].days[1]: found "tues", allowed "mon", "tue", "wed", "thu", "fri", "sat" or "sun"; '
            'did you mean "tue"?',
            'site.yml:7: hours[0].start: found "9:00", allowed a time such as "09:00", up to "24:00"',
        ],
    ),
    "holidays of nowhere": (
        {"site.yml": SITE + "holidays:\n  country: DEU\n  dates: [2026-13-01]\n"},
        ['site.yml:7: holidays.dates[0]: found "2026-13-01", allowed a date such as 2026-12-24'],
    ),
    "origin with a path": (
        {"site.yml": SITE.replace("8010]", "8010/shop]")},
        [
            'site.yml:3: origins[0]: found "http://localhost:8010/shop", '
            "allowed an origin such as https://www.example.com, without a path"
        ],
    ),
    "colour in words": (
        {"site.yml": SITE + "brand: {color: blue}\n"},
        ['site.yml:5: brand.color: found "blue", allowed a colour such as "#175cd3"'],
    ),
    "file that nobody reads": (
        {"teams.yml": TEAM, "playbook/a.yml": "title: A\n", "playbooks/b.yaml": "title: B\n"},
        [
            'playbook/a.yml: unknown file; did you mean "playbooks/a.yml"?',
            'playbooks/b.yaml: unknown file; did you mean "playbooks/b.yml"?',
            'teams.yml: unknown file; did you mean "team.yml"?',
        ],
    ),
    "empty file": (
        {"site.yml": "# to do"},
        [f'site.yml:1: missing key "{key}"' for key in ("key", "name", "origins")],
    ),
    "front matter twice": (
        {"knowledge/a.md": "---\ntitle: A\ntitle: B\n---\nText\n"},
        ['knowledge/a.md:3: found the key "title" twice, allowed once'],
    ),
    "aliases without end": (
        {"team.yml": "a: &a [1]\nb: &b [*a, *b]\n"},
        ["team.yml:1: found too much, allowed 100000 values nested 50 deep"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_owner_reads_exactly_what_is_wrong(name: str) -> None:
    files, expected = BROKEN[name]
    assert said(files) == expected


def test_owner_of_a_folder_without_site_yml_is_told_so() -> None:
    assert [str(one) for one in service.check({"team.yml": TEAM}, SECTIONS)] == ["site.yml: missing file"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("team.yml", b"a:\n  - Gr\xe4ce\n", "team.yml:2: found bytes that are not UTF-8, allowed text in UTF-8"),
        ("team.yml", b"x" * (600 * 1024), "team.yml: found 600 KiB, allowed 512 KiB in one file"),
    ],
)
def test_owner_of_an_unreadable_file_is_told_so(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigProblems) as caught:
        folder.load(tmp_path)
    assert str(caught.value) == message


def test_a_link_to_outside_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    site = tmp_path / "site"
    (site / "knowledge").mkdir(parents=True)
    (site / "knowledge" / "a.md").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ConfigProblems, match=r"knowledge/a\.md: found a link to outside the folder"):
        folder.load(site)


def test_a_folder_comes_back_as_it_was_written(tmp_path: Path) -> None:
    files = {"site.yml": SITE, "playbooks/a.yml": "title: Ä\n"}
    folder.write(files, tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "README.md").write_text("# Notes")
    assert folder.load(tmp_path) == files


@pytest.mark.parametrize("name", ["../evil.yml", "playbooks/../../evil.yml", "/etc/evil.yml", "playbooks/a/b.yml"])
def test_a_file_is_never_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigProblems):
        folder.write({name: "x"}, tmp_path / "site")
    assert [path.name for path in tmp_path.rglob("*.yml")] == []


def test_error_answers_carry_every_problem() -> None:
    with pytest.raises(ConfigProblems) as caught:
        service.apply(None, {"site.yml": "key: A\n"}, author="ada", sections=SECTIONS)  # type: ignore[arg-type]
    answer: dict[str, Any] = caught.value.as_json()
    assert len(answer["error"]["problems"]) == 4
