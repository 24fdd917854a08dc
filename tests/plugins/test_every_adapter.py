"""The table of adapters and their files agree: what is written is on offer, under the name of its file or package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from plugins.registry import BUILT_IN, CONTRACTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_every_adapter_stands_in_the_file_or_package_of_its_name(kind: str, name: str) -> None:
    assert BUILT_IN[kind, name].startswith(f"plugins.{kind}.{name}:")


def test_every_adapter_class_stands_in_the_table() -> None:
    contracts = {path.partition(":")[2] for path in CONTRACTS.values()}
    found = {
        f"{'.'.join(file.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')}:{node.name}"
        for kind in CONTRACTS
        for file in (ROOT / "plugins" / kind).rglob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id in contracts for b in node.bases)
    }
    assert found == set(BUILT_IN.values())
