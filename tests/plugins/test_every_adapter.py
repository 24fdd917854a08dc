"""The house rules for adapters: each is in the table, has its own test, and knows nothing of the server."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from plugins.registry import BUILT_IN, CONTRACTS

ROOT = Path(__file__).parents[2]
FILES = sorted(ROOT.glob("plugins/**/*.py"))


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_every_adapter_has_its_file_and_its_test(kind: str, name: str) -> None:
    assert BUILT_IN[kind, name].startswith(f"plugins.{kind}.{name}:")
    assert (ROOT / "plugins" / kind / f"{name}.py").exists()
    assert (ROOT / "tests" / "plugins" / kind / f"test_{name}.py").exists()


def test_every_adapter_class_stands_in_the_table() -> None:
    contracts = {path.partition(":")[2] for path in CONTRACTS.values()}
    found = {
        f"plugins.{file.parent.name}.{file.stem}:{node.name}"
        for kind in CONTRACTS
        for file in (ROOT / "plugins" / kind).glob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id in contracts for b in node.bases)
    }
    assert found == set(BUILT_IN.values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_plugins_know_nothing_of_the_server(file: Path) -> None:
    nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [getattr(node, "module", None) or alias.name for node in nodes for alias in node.names]
    assert not [name for name in names if name.split(".")[0] in ("server", "flask")]
