"""One table of fields and what follows from it; secrets that stay secret."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from ruamel.yaml import YAML

from plugins.config import MASK, Secret, strip_secrets
from plugins.errors import ConfigError
from plugins.fields import (
    Field,
    Type,
    environment_names,
    from_environment,
    json_schema,
    redact,
    validate,
    yaml_template,
)

FIELDS = (
    Field("base_url", "Address", Type.URL, help="Of your instance", required=True),
    Field("token", "Token", required=True, secret=True),
    Field("region", "Region", choices=("eu", "us"), default="eu"),
    Field("page", "Page size", Type.INTEGER, default=100, minimum=1, maximum=200),
    Field("rate", "Calls a second", Type.NUMBER),
    Field("sandbox", "Sandbox", Type.BOOLEAN, default=False),
    Field("org", "Organisation", pattern=r"[a-z]{3}\d+"),
    Field("sender", "Sender", Type.EMAIL),
    Field("tags", "Tags", Type.LIST, default=()),
)
GOOD = {"base_url": "https://globex.example/api", "token": "s3cret"}


def test_defaults_are_filled_in_and_types_are_made() -> None:
    config = validate(FIELDS, {**GOOD, "page": "50", "rate": "1.5", "sandbox": "yes", "tags": "a, b"})
    assert (config["page"], config["rate"], config["sandbox"], config["tags"]) == (50, 1.5, True, ("a", "b"))
    assert (config["region"], config["org"], config.text("org")) == ("eu", None, "")
    assert config.secret("token") == "s3cret"


def test_checked_settings_can_be_checked_again() -> None:
    config = validate(FIELDS, GOOD)
    assert dict(validate(FIELDS, config)) == dict(config)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("base_url", "globex.example", "https://"),
        ("base_url", "https://user:pw@globex.example", "without user"),
        ("base_url", "", "required"),
        ("token", None, "required"),
        ("region", "mars", "eu, us"),
        ("page", "many", "whole number"),
        ("page", True, "whole number"),
        ("page", 0, "at least 1"),
        ("page", 201, "at most 200"),
        ("rate", "fast", "number"),
        ("sandbox", "perhaps", "true or false"),
        ("org", "AB1", "does not look right"),
        ("org", "a\nb", "one line"),
        ("sender", "nobody", "e-mail"),
        ("tags", 3, "list"),
        ("regoin", "eu", 'did you mean "region"?'),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(field: str, value: Any, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate(FIELDS, {**GOOD, field: value})
    [(name, said)] = caught.value.problems
    assert name == field
    assert why in said


def test_all_wrong_settings_are_told_at_once_without_the_secret() -> None:
    fields = (*FIELDS, Field("pin", "PIN", secret=True, pattern=r"\d{4}"))
    with pytest.raises(ConfigError) as caught:
        validate(fields, {"pin": "hunter2", "page": "x"})
    assert [name for name, _ in caught.value.problems] == ["base_url", "token", "page", "pin"]
    assert "hunter2" not in str(caught.value)


def test_the_schema_says_types_limits_and_what_is_written_only() -> None:
    schema = json_schema(FIELDS, "Globex")
    assert schema["required"] == ["base_url", "token"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["token"] == {"title": "Token", "type": "string", "writeOnly": True}
    assert schema["properties"]["page"] == {
        "title": "Page size", "type": "integer", "default": 100, "minimum": 1, "maximum": 200,
    }  # fmt: skip
    assert json.loads(json.dumps(schema))["properties"]["region"]["enum"] == ["eu", "us"]


def test_the_environment_gives_values_and_knows_no_empty_ones() -> None:
    assert environment_names(FIELDS, "crm", "my-crm")["base_url"] == "USHER_CRM_MY_CRM_BASE_URL"
    environ = {"USHER_CRM_ACME_TOKEN": "x", "USHER_CRM_ACME_REGION": "", "USHER_CRM_OTHER_PAGE": "3", "PATH": "/bin"}
    assert from_environment(FIELDS, "crm", "acme", environ) == {"token": "x"}


def test_the_yaml_template_becomes_the_defaults_when_uncommented() -> None:
    template = yaml_template(FIELDS)
    settings = [line[2:] for line in template.splitlines() if line[2:].partition(":")[0] in {f.name for f in FIELDS}]
    values = YAML(typ="safe").load("\n".join(settings))
    assert dict(validate(FIELDS, {**values, **GOOD})) == dict(validate(FIELDS, GOOD))
    assert "# secret: set it in the environment or a secret file" in template


def test_redaction_hides_secrets_and_what_nobody_knows() -> None:
    assert redact(FIELDS, {**GOOD, "tokn": "s3cret", "page": 5}) == {
        "base_url": GOOD["base_url"], "token": MASK, "tokn": MASK, "page": 5,
    }  # fmt: skip


def test_a_secret_is_shown_by_nothing() -> None:
    secret = Secret("s3cret")
    config = validate(FIELDS, GOOD)
    shown = [str(secret), repr(secret), f"{secret:>10}", f"{[secret]}", repr(config), str(dict(config))]
    assert not [text for text in shown if "s3cret" in text]
    for write in (json.dumps, pickle.dumps):
        with pytest.raises(TypeError):
            write(secret)
    assert json.dumps({"token": secret}, default=str) == f'{{"token": "{MASK}"}}'
    with pytest.raises((AttributeError, TypeError)):
        vars(secret)


def test_secrets_compare_and_copy() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert copy.deepcopy({"x": Secret("a")}) == {"x": Secret("a")}
    assert not Secret("")


def test_the_longest_secret_goes_first_so_that_none_leaves_a_rest() -> None:
    assert strip_secrets("key=abcdef abc", ["abc", "abcdef", ""]) == f"key={MASK} {MASK}"
