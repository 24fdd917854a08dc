"""The example of docs/adapters.md: what the page tells an author to write works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT


def examples() -> list[str]:
    """The adapter, its test, and a rule that is expected to fail."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adapters.md").read_text(), flags=re.DOTALL)


def test_an_author_who_copies_the_example_has_an_adapter_that_passes_the_kit(tmp_path: Path):
    adapter, test, _ = examples()
    (tmp_path / "register.py").write_text(adapter)
    (tmp_path / "test_register.py").write_text(test)
    ran = _pytest(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout


def test_an_author_who_forgets_companies_that_nobody_knows_is_told_by_the_kit(tmp_path: Path):
    adapter, test, _ = examples()
    careless = adapter.replace("return Facts()\n", "raise\n")
    assert careless != adapter
    (tmp_path / "register.py").write_text(careless)
    (tmp_path / "test_register.py").write_text(test)
    ran = _pytest(tmp_path)
    assert ran.returncode == 1
    assert "test_mail_providers_and_what_is_no_domain_are_no_companies" in ran.stdout


def test_an_author_may_expect_a_rule_to_fail_as_the_page_says(tmp_path: Path):
    adapter, test, expected = examples()
    (tmp_path / "register.py").write_text(adapter)
    (tmp_path / "test_register.py").write_text(f"{test}\n\n{expected}")
    ran = _pytest(tmp_path, "-rX")
    assert ran.returncode == 0, ran.stdout
    assert "XPASS test_register.py::TestOldRegister" in ran.stdout


def _pytest(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    where = ["--rootdir", str(folder), *more, str(folder)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *where]
    paths = {"PYTHONPATH": f"{ROOT}:{folder}", "PATH": ""}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=paths, check=False)
