"""Files and functions: small, opened by a sentence, named after what they are, free of what belongs elsewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house.source import CODE, ROOT, Function, functions, kept_files, python_files, text, tree

MOST_LINES = 300
MOST_FUNCTION_LINES = 40
MOST_SCRIPT_LINES = 300

# What may be longer, and why. An entry that is no longer needed is a failing test.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

NO_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
# Written apart, so that this file may be looked at like any other.
NO_WORDS = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "noq" + "a: all")
WRITTEN = {".py", ".js", ".mjs", ".css", ".html", ".md", ".yml", ".cfg", ".toml", ".txt", ".ts", ".svg", ".mako", ""}


def test_every_python_file_opens_by_saying_what_lives_here():
    silent = [
        str(file) for file in python_files(*CODE, "tests") if text(file).strip() and not ast.get_docstring(tree(file))
    ]
    assert not silent


def test_every_script_and_stylesheet_opens_by_saying_what_lives_here():
    scripts = [file for file in kept_files() if file.suffix in {".js", ".mjs", ".css"}]
    assert scripts
    assert not [str(file) for file in scripts if not text(file).lstrip().startswith(("//", "/*"))]


def test_files_stay_short():
    long = {str(file) for file in python_files(*CODE) if _lines(file) > MOST_LINES}
    long |= {str(file) for file in kept_files() if file.suffix in {".js", ".mjs"} and _lines(file) > MOST_SCRIPT_LINES}
    assert long == set(LONG_FILES)


def test_functions_stay_short():
    long = {
        f"{file}:{function.name}"
        for file in python_files(*CODE)
        for function in functions(file)
        if _length(function) > MOST_FUNCTION_LINES
    }
    assert long == set(LONG_FUNCTIONS)


def test_no_file_is_a_drawer_for_everything():
    assert not [str(file) for file in python_files(*CODE) if file.stem in NO_NAMES]


def test_nothing_unfinished_and_no_machine_of_ours_is_mentioned():
    found = [
        f"{file}:{number}: {word}"
        for file in kept_files()
        if file.suffix in WRITTEN and file.name != "package-lock.json"
        for number, line in enumerate(text(file).splitlines(), 1)
        for word in NO_WORDS
        if word in line
    ]
    assert not found


def test_every_linter_exception_has_its_reason():
    # F401 and E402 say all there is: a name passed on, an import that has to wait.
    bare = re.compile(r"#\s*(?:noqa(?!:\s*(?:F401|E402))(?::\s*[A-Z0-9, ]+)?|type:\s*ignore)\s*$")
    found = [
        f"{file}:{number}"
        for file in python_files("server", "plugins", "demo")
        for number, line in enumerate(text(file).splitlines(), 1)
        if bare.search(line)
    ]
    assert not found


def test_public_functions_of_services_say_what_they_do():
    services = [file for file in python_files("server") if file.name == "service.py"]
    assert services
    silent = [
        f"{file}:{node.name}"
        for file in services
        for node in tree(file).body
        if _is_public(node) and not ast.get_docstring(node)
    ]
    assert not silent


def test_every_folder_of_tests_mirrors_a_folder_of_the_house():
    beside = {"house", "journeys", "docs"}
    folders = {file.parts[1] for file in kept_files() if file.parts[0] == "tests" and len(file.parts) > 2} - beside
    homes = {path.name for room in ("server", "plugins", ".") for path in (ROOT / room).iterdir() if path.is_dir()}
    assert folders <= homes


def _lines(file: Path) -> int:
    return text(file).count("\n")


def _length(function: Function) -> int:
    """Lines without the docstring: explaining must not cost anything."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function) is not None
    inside = (first.end_lineno or first.lineno) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - inside


def _is_public(node: ast.stmt) -> bool:
    return isinstance(node, Function) and not node.name.startswith("_")
