"""Messages: what a visitor reads when values are known, and when they are not."""
from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from server.expressions import Expression, ExpressionError, LocaleText, Names, Template, render

HELLO = "Hi {{ lead.first_name | default('there') }}!"


class Sheet(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    when: Expression | None = None
    met_when: Annotated[Expression, Names("value")] | None = None
    say: LocaleText = LocaleText.parse("")


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        (HELLO, {}, "Hi there!"),
        (HELLO, {"lead": {"first_name": "Ada"}}, "Hi Ada!"),
        ("{{ lead.first_name or 'You' }} work at {{ account.name }}.", {}, "You work at ."),
        ("{{ account.employees }} people", {"account": {"employees": 800.0}}, "800 people"),
        ("{{ lead.interests | join(' and ') }}", {"lead": {"interests": ["bi", 2]}}, "bi and 2"),
        ("{{ lead.interests }}", {"lead": {"interests": ["bi", "ai"]}}, "bi, ai"),
        ("{% if account.is_customer %}Back{% elif lead.name %}{{ lead.name }}{% else %}New{% endif %}", {}, "New"),
        ("{{ 'big' if account.employees > 500 else 'small' }}", {}, "small"),
        ("{{ account.name ~ '!' }}", {}, "!"),
        ("{{ data.items }}{{ data.x.y.z }}", {"data": {"x": 1}}, ""),
        ("{{ account.employees + 1 }}", {"account": {"employees": "x"}}, ""),
        ("<b>{{ lead.name }}</b>\n", {"lead": {"name": "<i>"}}, "<b><i></b>\n"),
    ],
)
def test_visitor_reads_a_message_without_gaps(text: str, values: dict[str, Any], expected: str) -> None:
    assert render(text, values) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% for x in lead.interests %}{{ x }}{% endfor %}", 'a loop: write {{ list | join(", ") }}'),
        ("{% set x = 1 %}", "found {% set %}"),
        ("{% include 'x' %}", "found {% include %}"),
        ("{{ lead.frist_name }}", 'did you mean "lead.first_name"?'),
        ("{{ lead.name", "unexpected end of template"),
        ("{{ cycler.__init__ }}", 'found the unknown name "cycler"'),
        ("{{ ''.__class__.__mro__ }}{{ 'x' * 9999 }}{{ lipsum() }}", "found a call"),
    ],
)
def test_owner_is_told_what_is_wrong_with_a_message(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Template.parse(text)
    assert message in str(caught.value)


def test_secrets_of_python_objects_are_no_text() -> None:
    assert render("{{ ''.__class__ }}{{ data.f.__globals__ }}", {"data": {"f": render}}) == ""


def test_visitor_gets_the_text_of_the_language_spoken() -> None:
    texts = LocaleText.parse({"en": "Hello", "de": "Hallo"})
    assert texts.in_locale("de-AT").text == "Hallo"
    assert texts.in_locale("fr", "en").text == "Hello"
    assert texts.in_locale("fr", "es").text == "Hello"
    assert LocaleText.parse("Same").in_locale("fr").text == "Same"


def test_model_keeps_conditions_and_texts_and_writes_them_back() -> None:
    sheet = Sheet.model_validate({"when": "device == 'mobile'", "met_when": "value > 3", "say": {"en": "Hi"}})
    assert sheet.when is not None
    assert sheet.when.judge({"device": "mobile"}).answer == "yes"
    assert sheet.model_dump(mode="json") == {"when": "device == 'mobile'", "met_when": "value > 3", "say": {"en": "Hi"}}
    assert Sheet.model_validate({"when": True}).when == Expression.parse("true")


def test_model_names_the_language_whose_text_is_wrong() -> None:
    with pytest.raises(ValidationError) as caught:
        Sheet.model_validate({"say": {"en": "Hi", "de": "{{ x"}})
    assert caught.value.errors()[0]["loc"] == ("say", "de")
