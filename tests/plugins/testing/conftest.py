"""Runs pytest on a file of a test's own, as an author would."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def pytester_of_kit(tmp_path: Path) -> Callable[..., Ran]:
    """`run(text, *options)` writes the text into a file and runs it; what comes back is the finished process."""

    def run(text: str, *options: str, module: str = "pytest", **environ: str) -> Ran:
        (tmp_path / "test_mine.py").write_text(textwrap.dedent(text))
        command = [sys.executable, "-m", module, "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), *options]
        paths = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=paths, check=False)

    return run
