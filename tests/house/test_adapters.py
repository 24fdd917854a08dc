"""Every adapter on offer has its test, and its line in the docs."""

from __future__ import annotations

import pytest

from plugins import registry
from tests.house.source import ROOT, text

ON_OFFER = sorted(registry.BUILT_IN)


@pytest.mark.parametrize(("kind", "name"), ON_OFFER)
def test_every_adapter_has_its_test(kind: str, name: str):
    named = registry.load(kind, name).__name__
    tests = [file for file in (ROOT / "tests" / "plugins" / kind).rglob("*.py") if named in file.read_text()]
    assert tests, f"no file of tests/plugins/{kind} speaks of {named}"


@pytest.mark.parametrize(("kind", "name"), ON_OFFER)
def test_every_adapter_is_listed_in_the_docs(kind: str, name: str):
    assert f"`{kind}.{name}`" in text(ROOT / "docs" / "adapters.md")


@pytest.mark.parametrize(("kind", "name"), ON_OFFER)
def test_every_adapter_of_a_foreign_account_has_its_page(kind: str, name: str):
    """How to get credentials, what is read and written, what to do when it breaks; mail is set up in operators.md."""
    if kind in ("notify", "inbox") or not any(field.secret for field in registry.load(kind, name).fields):
        return
    page = text(ROOT / "docs" / "adapters" / f"{name}.md")
    assert f"adapters/{name}.md" in text(ROOT / "docs" / "adapters.md")
    asked = [
        "## Connect",
        "**Least rights.**",
        "## What is read",
        "## What is written",
        "## Limits",
        "## When it breaks",
    ]
    assert [part for part in asked if part not in page] == []
