"""Files as data: YAML 1.2 without surprises, places of values, front matter, and no traceback whatever the text."""
from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from server.config import editors, service
from server.config.documents import read_markdown, read_yaml
from server.config.schema import Part, Site
from server.config.version import Section
from server.expressions import LocaleText

UNREADABLE = "cannot be read as YAML"


class Say(Part):
    kind: Literal["say"]
    text: LocaleText


class Ask(Part):
    kind: Literal["ask"]
    ask: str
    tries: int | float = 1


class Plan(Part):
    FILE: ClassVar[str] = "scoring.yml"
    nodes: list[Annotated[Say | Ask, Field(discriminator="kind")]]


def data(text: str) -> object:
    document = read_yaml("a.yml", text)
    assert document.problems == ()
    return document.data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: no\nb: on\nc: yes", {"a": "no", "b": "on", "c": "yes"}),
        ("a: 09:00\nb: 1:30:00", {"a": "09:00", "b": "1:30:00"}),
        ("a: 2026-12-24", {"a": "2026-12-24"}),
        ("a: 017\nb: 0x1f\nc: 1e3\nd: 1_000", {"a": 17, "b": 31, "c": 1000.0, "d": 1000}),
        ("a: true\nb: ~\nc:", {"a": True, "b": None, "c": None}),
        ("base: &x {a: 1, b: 2}\nmore: {<<: *x, b: 3}", {"base": {"a": 1, "b": 2}, "more": {"a": 1, "b": 3}}),
        ("1: x\ntrue: y", {"1": "x", "true": "y"}),
        ("", {}),
    ],
)
def test_owner_gets_the_values_that_are_written(text: str, expected: object) -> None:
    assert data(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: .nan", 1, "found .nan, allowed a number"),
        ("? [1, 2]\n: x", 1, "found a key that is not text, allowed keys such as name"),
        ("a: &a [*a]", 1, "found too much, allowed 100000 values nested 50 deep"),
        ("a: 1\n---\nb: 2", 2, f"{UNREADABLE}: expected a single document in the stream: but found another document"),
        ("a: *x", 1, f"{UNREADABLE}: found undefined alias 'x'"),
        ("[" * 3000, 0, "found values nested too deeply, allowed 50 levels"),
        ("a: \x00", 0, "found a character that YAML does not allow (unacceptable character #x0000: special characters"),
    ],
)
def test_owner_is_told_why_a_file_cannot_be_read(text: str, line: int, message: str) -> None:
    (problem,) = read_yaml("a.yml", text).problems
    assert problem.line == line
    assert problem.message.startswith(message)


def test_front_matter_and_text_are_told_apart() -> None:
    document = read_markdown("a.md", "---\ntitle: Prices\n---\n# Head\ntext\n")
    assert document.data == {"title": "Prices", "body": "# Head\ntext\n"}
    assert document.place(("title",)) == ("title", 2)
    assert document.place(("body",)) == ("body", 4)
    assert read_markdown("a.md", "only text").data == {"body": "only text"}


def test_problems_in_alternatives_are_said_once_at_their_place() -> None:
    text = "nodes:\n  - kind: say\n    text: {en: Hi}\n  - kind: ask\n    ask: x\n    tries: many\n  - {kind: aks}\n"
    site = "key: a\nname: A\norigins: [http://a]\n"
    assert [str(one) for one in service.check({"site.yml": site, "scoring.yml": text}, [Section(Plan)])] == [
        'scoring.yml:6: nodes[1].tries: found "many", allowed a whole number or a number',
        'scoring.yml:7: nodes[2]: found "aks", allowed "say" or "ask"; did you mean "ask"?',
    ]


def test_a_key_named_like_its_alternative_is_found() -> None:
    document = read_yaml("a.yml", "nodes:\n  - id: x\n    ask: y\n    kind: z\n")
    assert document.place(("nodes", 0, "ask", "kind")) == ("nodes[0].kind", 4)
    assert document.place(("nodes", 0, "ask", "ask")) == ("nodes[0].ask", 3)
    assert document.place(("nodes", 0, "ask", "missing")) == ("nodes[0].ask", 3)


def test_editors_get_a_schema_of_every_part() -> None:
    found = editors.schemas([Section(Plan)])
    assert set(found) == {"site.yml", "scoring.yml"}
    assert found["site.yml"]["properties"]["zone"]["type"] == "string"
    assert found["site.yml"]["additionalProperties"] is False
    assert set(found["site.yml"]["properties"]) == set(Site.model_fields)


YAMLISH = st.lists(
    st.sampled_from([
        *"[]{},'\"|>#%@1~é\t\\\x85:", "key", "name", "origins", "hours", "brand", "zone", ": ", "\n", "\n  ", "\n- ",
        "- ", "&a ", "*a", "!x ", "!!int ", "? ", "<<", "---", "...", "true", "{{ x",
    ]),
    max_size=25,
).map("".join)  # fmt: skip
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
KEYS = st.sampled_from(list(Site.model_fields))
SHAPES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


@settings(deadline=None)
@given(st.one_of(YAMLISH, st.text(max_size=40)))
def test_no_text_is_a_traceback(text: str) -> None:
    for problem in service.check({"site.yml": text, "knowledge/a.md": f"---\n{text}\n---\n"}, []):
        assert str(problem)


@settings(deadline=None)
@given(SHAPES)
def test_no_data_of_the_wrong_shape_is_a_traceback(anything: object) -> None:
    problems = service.check({"site.yml": json.dumps(anything)}, [])
    assert problems
    assert all(problem.file == "site.yml" for problem in problems)
