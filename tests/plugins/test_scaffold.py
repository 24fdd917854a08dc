"""A new adapter's package: generated, installed and tested as its author would, without a network. One kind in every
run, all of them in the long one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins import scaffold

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
KINDS = scaffold.KINDS if os.environ.get("USHER_SOAK") else ("crm",)
Ran = subprocess.CompletedProcess[str]
LISTED = """
import sys
from plugins import registry
found = {(one.kind, one.name): (one.origin, one.problem) for one in registry.listings()}
print([found.get((kind, f"acme_{kind}")) for kind in sys.argv[1:]])
print([name for name in sys.modules if name.startswith("usher_acme")])
print([registry.load(kind, f"acme_{kind}").title for kind in sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One package for each kind, written by the generator."""
    folder = tmp_path_factory.mktemp("packages")
    for kind in scaffold.KINDS:
        scaffold.write(f"acme_{kind}", kind, folder / kind)
    return folder


@pytest.fixture(scope="module")
def installed(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, installed by pip into a folder of their own."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--target", str(site), *(str(folders / kind) for kind in KINDS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture
def python(installed: Path) -> Callable[..., Ran]:
    """Runs Python with the packages installed."""

    def run(*arguments: str, cwd: Path | None = None) -> Ran:
        paths = {**os.environ, "PYTHONPATH": f"{ROOT}:{installed}"}
        command = [sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=paths, cwd=cwd, check=False)

    return run


def test_what_was_installed_is_listed_with_its_package_unimported_and_loads(python):
    done = python("-c", LISTED, *KINDS)
    assert done.returncode == 0, done.stderr
    listed, imported, titles = done.stdout.splitlines()
    assert listed == str([(f"usher-acme-{kind} 0.1.0", "") for kind in KINDS])
    assert imported == "[]"
    assert titles == str([f"Acme {kind.title()}" for kind in KINDS])


def test_the_tests_of_a_new_package_pass_at_once_and_their_report_is_shown_by_usher(
    python, folders: Path, installed: Path
):
    tests = [str(folders / kind / "tests") for kind in KINDS]
    done = python("-m", "plugins.testing.quality", "-W", "error", "--rootdir", str(folders), *tests, cwd=folders)
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
    for kind in KINDS:
        [report] = (installed / f"usher_acme_{kind}" / "quality").glob("*.json")
        [run] = json.loads(report.read_text()).values()
        assert run["done"]
        assert run["failing"] == {}
    shown = python("-c", SHOW, f"{KINDS[0]}.acme_{KINDS[0]}")
    assert re.search("gold|silver", shown.stdout), shown.stderr


SHOW = """
import sys
from server.cli import usher
usher(["adapters", "show", sys.argv[1]], standalone_mode=False)
"""


def test_a_new_package_is_linted(folders: Path):
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed here")
    command = [ruff, "check", "--isolated", "--no-cache", "--select", "E,F,I,UP,B", "--line-length", "120", "."]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folders)
    assert done.returncode == 0, done.stdout
