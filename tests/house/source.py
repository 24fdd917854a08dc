"""The source files of the house, read once: Python as syntax trees, everything else as text."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("server", "plugins", "demo", "bench")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def kept_files() -> tuple[Path, ...]:
    """All files under version control or about to be, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()))


def python_files(*folders: str) -> list[Path]:
    """Python files of top-level folders, migrations left out: those are history, not text to keep tidy."""
    return [
        file
        for file in kept_files()
        if file.suffix == ".py" and file.parts[0] in folders and "versions" not in file.parts
    ]


def text(file: Path) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(text(file))


def functions(file: Path) -> Iterator[Function]:
    """All functions and methods, inner ones too."""
    return (node for node in ast.walk(tree(file)) if isinstance(node, Function))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported, hidden imports too: `from a.b import c` is a.b and a.b.c."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(file: Path) -> Iterator[tuple[int, str]]:
    """(line, written name) of everything called or read as an attribute chain: `os.environ`, `datetime.now`."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Attribute):
            yield node.lineno, ast.unparse(node)
